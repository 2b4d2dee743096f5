"""Whether a setting can have a value: loaded when one is set, and dropped."""

from .errors import LocalError


def check(row, value):
    """LocalError, with what is allowed, when the setting of this row (settings.row) cannot have this value."""
    name, kind, _default, unit, low, high = row
    if kind == "bool":
        fits = isinstance(value, bool)
    elif kind == "int":
        fits = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
    else:
        fits = isinstance(value, str) and low <= len(value.encode()) <= high
        if fits:
            from .texts import has_form

            fits = has_form(unit, value)
    if not fits:
        from .advice import refused

        raise LocalError(refused(row, value))
