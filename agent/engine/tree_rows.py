"""What lies in the object tree below a path: a part of objects.py that is loaded when a server asks."""

from ..errors import RemoteError
from ..table import find, rows
from .objects import spelled

_NOT_FOUND = 132


def instances(objects, path):
    """The ids of the object instances at or below `path`. RemoteError 4.04 when it names one that is not there."""
    there = objects.at(path)[4]()
    if len(path) < 2:
        return there
    if path[1] not in there:
        raise RemoteError("there is no instance %s" % spelled(path[:2]), _NOT_FOUND)
    return (path[1],)


def resources(path, table):
    """-> [(id, operations, kind)] of the resources at or below `path`."""
    if len(path) < 3:
        return [(int(rid), operations, kind) for rid, operations, kind in rows(table)]
    found = find(table, str(path[2]))
    if found is None:
        raise RemoteError("there is no resource %s" % spelled(path[:3]), _NOT_FOUND)
    return ((path[2], found[0], found[1]),)


def kind(objects, path):
    """The kind of the resource at `path`."""
    return resources(path, objects.at(path)[0])[0][2]


def several(value):
    """The value of a resource of several instances as [(id, value)] in rising order; None where it is a single one."""
    if isinstance(value, list):
        return list(enumerate(value))
    return sorted(value.items()) if isinstance(value, dict) else None
