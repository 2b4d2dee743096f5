"""The kinds of values that LwM2M's resources have (1.1 Core 7.2 and appendix C): whether a value is of its kind."""

from ..errors import RemoteError
from .objects import spelled

_KINDS = {"int": int, "float": (int, float), "bool": bool, "str": str, "opaque": bytes, "time": int, "objlnk": tuple}


def checked(path, kind, value, most=255):
    """The value when it is of that kind (an integral float passes for an int). RemoteError otherwise."""
    if kind in ("int", "time") and isinstance(value, float) and -1e15 < value < 1e15 and value == int(value):
        value = int(value)
    if kind == "objlnk":
        value = _link(value)
    fits = isinstance(value, _KINDS.get(kind, ())) and (kind == "bool" or not isinstance(value, bool))
    if not fits or (isinstance(value, (str, bytes)) and len(value) > most):
        raise RemoteError("%s takes %s, not %r" % (spelled(path), "no value" if kind == "-" else kind, _short(value)))
    if isinstance(value, float) and value - value != 0:
        raise RemoteError("%s takes a number, not %r" % (spelled(path), value))
    if kind in ("int", "time") and not -(1 << 63) <= value < 1 << 64:
        raise RemoteError("%s takes 64 bits" % spelled(path))
    if kind == "objlnk" and (len(value) != 2 or max(value) > 65535):
        raise RemoteError("%s takes object:instance" % spelled(path))
    return value


def _link(value):
    """An object link as (object, instance), also one that came as text: "21:0" (1.1 Core table 7.2-1)."""
    parts = value.split(":") if isinstance(value, str) else ()
    if len(parts) == 2 and parts[0] and parts[1] and not value.strip("0123456789:") and len(value) < 12:
        return int(parts[0]), int(parts[1])
    return value


def _short(value):
    return value[:40] if isinstance(value, (str, bytes)) else value
