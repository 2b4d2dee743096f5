"""Access control: what each server may do where there are several (LwM2M 1.1 Core 8, object 2). Loaded for requests to
a device that has instances of object 2.

An instance of it names an object instance, its owner, and the rights of each server; those under 0 are for all that
are not named. What no instance names is closed, but object 2 itself can be read by all, and written by the owner.
"""

from ..codec import coap
from ..engine import tree_creating
from ..engine.objects import spelled
from ..engine.tree_rows import several
from ..errors import RemoteError
from ..table import find

_ACCESS = 2
_READ, _WRITE, _EXECUTE, _DELETE, _CREATE = 1, 2, 4, 8, 16
_ANY = 65535  # the instance that stands for those yet to be created


def check(objects, ssid, request, path):
    """RemoteError 4.01 unless the server may do that to an instance, or create one. What it may read of several is
    left to a View."""
    right = _needed(objects, request, path)
    if request.code == coap.POST and len(path) == 1:
        path += (_ANY,)
    if right and len(path) > 1 and not rights(objects, ssid, path) & right:
        raise RemoteError("server %d has no such right on %s" % (ssid, spelled(path[:2])), coap.UNAUTHORIZED)


def rights(objects, ssid, path):
    """The sum of the rights of a server on the instance that `path` begins with (table E.3)."""
    read, instances = objects.at((_ACCESS,))[1], objects.at((_ACCESS,))[4]()
    if path[0] > 65535:  # of a device behind this one: what holds for it in object 25
        path = (25, (path[0] >> 16) - 1)
    if path[0] == _ACCESS:
        return _READ | (_WRITE if path[1] in instances and read(path[1], 3) == ssid else 0)
    for instance in instances:
        if (read(instance, 0), read(instance, 1)) == path[:2]:
            given = dict(several(read(instance, 2)) or ())
            if ssid not in given and read(instance, 3) == ssid:
                return _READ | _WRITE | _EXECUTE | _DELETE
            return given.get(ssid, given.get(0, 0))
    return 0


def came(objects, ssid, path):
    """A server created this instance: it owns it (8.1.2)."""
    create = objects.at((_ACCESS,))[6]
    if create:
        number = tree_creating.free(objects, _ACCESS)
        create(number, {0: path[0], 1: path[1], 2: {ssid: 15}, 3: ssid}, True)


def went(objects, path):
    """The instance was deleted, and so are the rights on it."""
    row = objects.at((_ACCESS,))
    for instance in list(row[4]()) if row[7] else ():
        if (row[1](instance, 0), row[1](instance, 1)) == path:
            row[7](instance, True)


class View:
    """The object tree as a server may read it."""

    def __init__(self, objects, ssid):
        self._objects, self._ssid = objects, ssid
        self.ids = objects.ids

    def at(self, path):
        """As Objects.at, with the instances that may be read."""
        row = self._objects.at(path)

        def shown():
            return [one for one in row[4]() if rights(self._objects, self._ssid, (path[0], one)) & _READ]

        return row[:4] + (shown,) + row[5:]


def _needed(objects, request, path):
    code = request.code
    if code == coap.GET:
        return 0 if request.accept == 40 else _READ  # anybody may Discover
    if code == coap.PUT and request.query and not request.payload:
        return _READ  # Write-Attributes
    if code == coap.DELETE:
        return _DELETE if len(path) == 2 else _WRITE
    if code == coap.POST and len(path) == 1:
        return _CREATE
    if code == coap.POST and len(path) == 3:
        row = find(objects.at(path)[0], str(path[2]))
        return _EXECUTE if row and "E" in row[0] else _WRITE
    return _WRITE
