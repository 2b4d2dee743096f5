"""Writing into the object tree, a part of objects.py that is loaded for it; executing (LwM2M 1.1 Core 6.3.3, 6.3.5)."""

from ..errors import RemoteError
from .objects import spelled
from .tree_reading import instances, resources, several

_NOT_FOUND, _NOT_ALLOWED = 132, 133
_KINDS = {"int": int, "float": (int, float), "bool": bool, "str": str, "opaque": bytes, "time": int, "objlnk": tuple}
_LONG = 8192  # what the exchange takes


def write(objects, values, target=(), replace=False):
    """Writes [(path of a resource or of an instance of one, value)] all or not at all: everything is checked before the
    first is written. -> the resources written.

    replace: what is at `target` becomes just this (Core 6.3.3); otherwise what is not named stays.
    """
    ready = gathered(objects.at, values, lambda path: _before(objects, path, replace and len(target)))
    if replace and len(target) == 2:
        _complete(objects, target, ready)
    if replace and len(target) == 3 and not ready:
        _writable(objects.at(target)[0], target, "*")
        ready[target] = {}
    for really in (False, True):
        for path in sorted(ready):
            objects.at(path)[2](path[1], path[2], ready[path], really)
    return sorted(ready)


def gathered(at, values, before):
    """{path of a resource: value in its kind, or {id: value} of its instances}; before(path): those it has. RemoteError
    4.04, 4.05 or 4.00 for what cannot be written."""
    ready = {}
    for path, value in values:
        where = path[:3]
        if len(path) < 3:
            raise RemoteError("%s is no resource" % spelled(path))
        operations, kind = _writable(at(path)[0], path)
        many = "*" in operations
        value = checked(path, kind, value, _LONG if "L" in operations else 255)
        if many != (len(path) > 3):
            raise RemoteError("%s has %s" % (spelled(where), "several instances: name one" if many else "no instances"))
        if not many and where in ready:
            raise RemoteError("%s twice" % spelled(path))
        if where not in ready:
            ready[where] = before(path)
        if many:
            ready[where][path[3]] = value
        else:
            ready[where] = value
    return ready


def execute(objects, path, arguments):
    """Runs the resource. RemoteError 4.00 when the arguments (bytes) are not as in Core 6.3.5: 0,1='text'."""
    table, _, _, run = objects.at(path)[:4]
    instances(objects, path)
    if len(path) != 3 or "E" not in resources(path, table)[0][1]:
        raise RemoteError("%s cannot be executed" % spelled(path), _NOT_ALLOWED)
    _check_arguments(arguments)
    run(path[1], path[2], arguments)


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


def _writable(table, path, marks=""):
    """(operations, kind) of the resource, which must be writable and have these marks."""
    _, operations, kind = resources(path, table)[0]
    if "W" not in operations:
        raise RemoteError("%s cannot be written" % spelled(path), _NOT_ALLOWED)
    if marks not in operations:
        raise RemoteError("%s needs a value" % spelled(path))
    return operations, kind


def _before(objects, path, replaced):
    """The instances that a resource keeps. replaced: the length of the path that is replaced, or a false value."""
    instances(objects, path)
    if replaced in (2, 3):
        return {}
    found = dict(several(objects.at(path)[1](path[1], path[2])) or ())
    if replaced and path[3] not in found:
        raise RemoteError("%s is absent" % spelled(path), _NOT_FOUND)
    return found


def _complete(objects, target, ready):
    """An instance replaced: what is mandatory must be among the values, what may go and is not among them goes."""
    for rid, operations, _ in resources(target, objects.at(target)[0]):
        path = target + (rid,)
        if "W" not in operations or path in ready:
            continue
        if "!" in operations:
            raise RemoteError("%s is missing: it is mandatory" % spelled(path))
        if "?" in operations:
            ready[path] = None


def _check_arguments(data):
    at, more = 0, bool(data)
    while more:
        good = data[at : at + 1].isdigit()
        at += 1
        if data[at : at + 2] == b"='":
            end = data.find(b"'", at + 2)
            text = data[at + 2 : end] if end > 0 else b" "
            good = good and not [char for char in text if not 32 < char < 127 or char in b'"\\']
            at = end + 1
        more = data[at : at + 1] == b","
        at += more
        if not good:
            raise RemoteError("arguments are like 0,1='text'")
    if at != len(data):
        raise RemoteError("arguments are like 0,1='text'")
