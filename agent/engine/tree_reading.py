"""Reading the object tree, a part of objects.py that is loaded for it: Read, Discover (LwM2M 1.1 Core 6.3.1, 6.3.2)."""

from ..errors import RemoteError
from .objects import spelled
from .tree_rows import instances, resources, several

_NOT_FOUND, _NOT_ALLOWED = 132, 133


def read(objects, path):
    """-> [(path, value)] of what can be read below `path` (object, instance, resource or resource instance)."""
    table, get = objects.at(path)[:2]
    found = []
    for instance in instances(objects, path):
        for row in resources(path, table):
            if "R" in row[1]:
                _expand(found, (path[0], instance, row[0]), get(instance, row[0]))
            elif len(path) > 2:
                raise RemoteError("%s cannot be read" % spelled(path), _NOT_ALLOWED)
    if len(path) > 3:
        found = [item for item in found if item[0] == path]
    if not found and len(path) > 2 and not _empty(objects, path):
        raise RemoteError("%s is absent" % spelled(path), _NOT_FOUND)
    return found


def discover(objects, path, depth=None):
    """-> [(path, instances or None)] of what is at `path` and at most `depth` levels below it (1.2 Core 6.3.2); without
    one, down to the resources, and of a resource to its instances. Of one of several instances, how many there are."""
    table, get = objects.at(path)[:2]
    last = len(path) + depth if depth is not None else min(4, max(3, len(path) + 1))
    found = [((path[0],), None)] if len(path) == 1 else []
    for instance in instances(objects, path) if last > 1 else ():
        found += [((path[0], instance), None)] if len(path) < 3 else []
        for row in resources(path, table) if last > 2 else ():
            _list(found, (path[0], instance, row[0]), row[1], get, last)
    if len(path) > 2 and not found:
        raise RemoteError("%s is absent" % spelled(path), _NOT_FOUND)
    return [item for item in found if item[0][: len(path)] == path] if len(path) > 3 else found


def _expand(found, path, value):
    many = several(value)
    if many is not None:
        found += [(path + (number,), item) for number, item in many]
    elif value is not None:
        found.append((path, value))


def _empty(objects, path):
    """Whether it is a resource that has no instance now, which is not the same as being absent."""
    return len(path) == 3 and several(objects.at(path)[1](path[1], path[2])) == []


def _list(found, path, operations, get, last):
    value = get(path[1], path[2]) if "R" in operations else 0
    if value is None:
        return
    many = several(value)
    found.append((path, many and len(many)))
    if last > 3 and many:
        found += [(path + (number,), None) for number, _ in many]
