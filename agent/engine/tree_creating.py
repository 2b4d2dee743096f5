"""Instances that come and go, a part of objects.py that is loaded for it: Create and Delete (LwM2M 1.1 Core 6.3.6 and
6.3.7; 1.2 for instances of resources)."""

from ..errors import RemoteError
from .objects import spelled
from .tree_rows import instances, resources, several
from .tree_writing import gathered

_NOT_FOUND, _NOT_ALLOWED = 132, 133
_INSTANCES = 64  # of one object


def free(objects, oid):
    """The id that a new instance of the object gets when the server names none."""
    there = objects.at((oid,))[4]()
    return [number for number in range(len(there) + 1) if number not in there][0]


def create(objects, path, values):
    """The instance `path` with [(path of a resource, value)], all checked before. RemoteError 4.00 when it is there or
    something mandatory is missing, 4.05 when the object lets none be created."""
    row = objects.at(path)
    if not row[6]:
        raise RemoteError("no instance of object %d can be created" % path[0], _NOT_ALLOWED)
    there = row[4]()
    if path[1] in there or len(there) >= _INSTANCES or path[1] > 65534:
        raise RemoteError("%s cannot be created: it is there, or there are too many" % spelled(path))
    if [where for where, _ in values if where[:2] != path]:
        raise RemoteError("a Create takes one instance")
    ready = gathered(objects.at, values, lambda _path: {})
    for rid, operations, _ in resources(path, row[0]):
        if "!" in operations and "W" in operations and path + (rid,) not in ready:
            raise RemoteError("%s is missing: it is mandatory" % spelled(path + (rid,)))
    for really in (False, True):
        row[6](path[1], {where[2]: ready[where] for where in ready}, really)


def delete(objects, path):
    """Deletes an instance, or an instance of a resource. RemoteError 4.04 or 4.05."""
    row = objects.at(path)
    if len(path) > 1:
        instances(objects, path)
    if len(path) == 4:
        _shorten(row, path)
    elif len(path) != 2 or not row[7]:
        raise RemoteError("%s cannot be deleted" % spelled(path), _NOT_ALLOWED)
    else:
        for really in (False, True):
            row[7](path[1], really)


def _shorten(row, path):
    operations = resources(path, row[0])[0][1]
    if "W" not in operations or "*" not in operations:
        raise RemoteError("%s cannot be deleted" % spelled(path), _NOT_ALLOWED)
    left = dict(several(row[1](path[1], path[2])) or ())
    if path[3] not in left:
        raise RemoteError("%s is absent" % spelled(path), _NOT_FOUND)
    del left[path[3]]
    for really in (False, True):
        row[2](path[1], path[2], left, really)
