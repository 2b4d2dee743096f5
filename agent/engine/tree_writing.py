"""Changing the object tree, a part of objects.py that is loaded for it (LwM2M 1.1 Core 6.3.3, 6.3.5)."""

from ..errors import RemoteError
from .objects import spelled
from .tree_reading import instances, resources

_NOT_ALLOWED = 133
_KINDS = {"int": int, "float": (int, float), "bool": bool, "str": str, "opaque": bytes, "time": int,
          "objlnk": tuple}


def writable(objects, path, value):
    """The value in the resource's kind. RemoteError 4.04, 4.05 or 4.00 when it may not be written there."""
    row = resources(path, objects.at(path)[0])[0]
    instances(objects, path)
    if "W" not in row[1]:
        raise RemoteError("%s cannot be written" % spelled(path), _NOT_ALLOWED)
    return checked(path, row[2], value)


def write(objects, values):
    """[(path of a resource, value)]: all are checked (write(..., False)) before the first is written (write(...,
    True))."""
    ready = [(path, writable(objects, path[:3], value)) for path, value in values]
    for really in (False, True):
        for path, value in ready:
            objects.at(path)[2](path[1], path[2], value, really)


def execute(objects, path, arguments):
    table, _, _, run = objects.at(path)[:4]
    instances(objects, path)
    if len(path) != 3 or "E" not in resources(path, table)[0][1]:
        raise RemoteError("%s cannot be executed" % spelled(path), _NOT_ALLOWED)
    run(path[1], path[2], arguments)


def checked(path, kind, value, most=255):
    """The value when it is of that kind (an integral float passes for an int). RemoteError otherwise."""
    if kind in ("int", "time") and isinstance(value, float) and -1e15 < value < 1e15 and value == int(value):
        value = int(value)
    if kind == "objlnk":
        value = _link(value)
    fits = isinstance(value, _KINDS.get(kind, ())) and (kind == "bool" or not isinstance(value, bool))
    if not fits or (isinstance(value, (str, bytes)) and len(value) > most):
        raise RemoteError("%s takes %s, not %r" % (spelled(path), "no value" if kind == "-" else kind, value))
    return value


def _link(value):
    """An object link as (object, instance), also one that came as text: "21:0" (1.1 Core table 7.2-1)."""
    parts = value.split(":") if isinstance(value, str) else ()
    if len(parts) == 2 and parts[0].isdigit() and parts[1].isdigit() and len(value) < 12:
        return int(parts[0]), int(parts[1])
    return value
