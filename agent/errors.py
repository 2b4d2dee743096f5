"""The three ways in which things go wrong; every other exception is a bug."""


class LocalError(Exception):
    """We were asked for something illegal: a bad setting, a value out of range, a call in the wrong state."""


class RemoteError(Exception):
    """The other side sent something malformed or forbidden. The message names the cause; nothing was changed."""


class LinkError(Exception):
    """The way is gone for now (no link, no modem, no answer); trying again later is right."""
