"""What a board's options may be. Needed once, at the start."""


def checked(options, defaults):
    """The options, with defaults for what is missing. ValueError for what there is not, or of another kind."""
    for name in options:
        if name not in defaults:
            raise ValueError("option %s: there is none; %s" % (name, ", ".join(sorted(defaults))))
    made = {name: _option(options.get(name), name, defaults[name]) for name in defaults}
    if not made["dir"]:
        raise ValueError("option dir: it is needed, a folder for the agent's state")
    return made


def _option(value, name, default):
    if value is None:
        return default
    if type(value) is not type(default):
        raise ValueError("option %s: %r is not possible; for example %r" % (name, value, default))
    return value


def is_address(text):
    """Is it an IPv4 address?"""
    parts = text.split(".")
    return len(parts) == 4 and all([part.isdigit() and int(part) < 256 for part in parts])
