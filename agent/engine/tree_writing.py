"""Writing into the object tree, a part of objects.py that is loaded for it (LwM2M 1.1 Core 6.3.3)."""

from ..errors import RemoteError
from .kinds import checked
from .objects import spelled
from .tree_rows import instances, resources, several

_NOT_FOUND, _NOT_ALLOWED = 132, 133
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
