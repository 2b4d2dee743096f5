"""The LwM2M object tree as a view: tables of resources, and one getter and one setter an object. It holds no state.

A resource's row is "id operations kind": operations of R W E, kind int, float, bool, str, opaque or - (execute only).
read(instance, resource) gives the value, None when absent, a list for a multiple resource. Source: LwM2M 1.1 Core 6.3.
"""

from ..errors import RemoteError
from ..table import find, rows

_NOT_FOUND, _NOT_ALLOWED, _UNAUTHORIZED = 132, 133, 129
_KINDS = {"int": int, "float": (int, float), "bool": bool, "str": str, "opaque": bytes}


class Objects:
    def __init__(self):
        self._objects = {}
        self._late = ()
        self._load = None

    def add(self, oid, table, read, write=None, execute=None, instances=None, hidden=False):
        """table: the resources. write(instance, resource, value, really): RemoteError if refused; does it only when
        `really`. instances() -> list of ids, without it there is instance 0. hidden: no server may look at it (object
        0: 4.01)."""
        self._objects[oid] = (table, read, write, execute, instances or _single, hidden)

    def later(self, oids, load):
        """Objects of one instance that are announced, and added by load() when a server first asks for one of them."""
        self._late, self._load = oids, load

    def paths(self):
        """-> [(object,)|(object, instance)] to announce in a registration, in rising order."""
        found = []
        for oid in sorted(list(self._objects) + list(self._late)):
            if oid in self._late:
                found.append((oid, 0))
            elif not self._objects[oid][5]:
                found += [(oid, instance) for instance in self._objects[oid][4]()] or [(oid,)]
        return found

    def discover(self, path):
        """-> [path] of the object, its instances and their resources."""
        table, read, _, _, instances, _ = self._object(path)
        found = [] if len(path) > 1 else [path[:1]]
        for instance in self._instances(path, instances):
            found += [] if len(path) > 2 else [(path[0], instance)]
            for row in self._rows(path, table):
                if row[1] == "E" or read(instance, row[0]) is not None:
                    found.append((path[0], instance, row[0]))
        return found

    def read(self, path):
        """-> [(path, value)] of what can be read below `path` (object, instance, resource or resource instance)."""
        table, read, _, _, instances, _ = self._object(path)
        found = []
        for instance in self._instances(path, instances):
            for row in self._rows(path, table):
                if "R" in row[1]:
                    _expand(found, (path[0], instance, row[0]), read(instance, row[0]))
                elif len(path) > 2:
                    raise RemoteError("%s cannot be read" % spelled(path), _NOT_ALLOWED)
        if len(path) > 3:
            found = [item for item in found if item[0] == path]
        if not found and len(path) > 2:
            raise RemoteError("%s is absent" % spelled(path), _NOT_FOUND)
        return found

    def writable(self, path, value):
        """The value in the resource's kind. RemoteError 4.04, 4.05 or 4.00 when it may not be written there."""
        row = self._rows(path, self._object(path)[0])[0]
        self._instances(path, self._objects[path[0]][4])
        if "W" not in row[1]:
            raise RemoteError("%s cannot be written" % spelled(path), _NOT_ALLOWED)
        return checked(path, row[2], value)

    def write(self, values):
        """[(path of a resource, value)]: all are checked (write(..., False)) before the first is written (write(...,
        True))."""
        ready = [(path, self.writable(path[:3], value)) for path, value in values]
        for really in (False, True):
            for path, value in ready:
                self._objects[path[0]][2](path[1], path[2], value, really)

    def kind(self, path):
        """The kind of the resource at `path`."""
        return self._rows(path, self._object(path)[0])[0][2]

    def execute(self, path, arguments):
        table, _, _, execute, instances, _ = self._object(path)
        self._instances(path, instances)
        if len(path) != 3 or "E" not in self._rows(path, table)[0][1]:
            raise RemoteError("%s cannot be executed" % spelled(path), _NOT_ALLOWED)
        execute(path[1], path[2], arguments)

    def _object(self, path):
        if path[0] in self._late:
            self._late = ()
            self._load()
        found = self._objects.get(path[0])
        if found is None:
            raise RemoteError("there is no object %d" % path[0], _NOT_FOUND)
        if found[5]:
            raise RemoteError("object %d is not for servers" % path[0], _UNAUTHORIZED)
        return found

    def _instances(self, path, instances):
        there = instances()
        if len(path) < 2:
            return there
        if path[1] not in there:
            raise RemoteError("there is no instance %s" % spelled(path[:2]), _NOT_FOUND)
        return (path[1],)

    def _rows(self, path, table):
        """-> [(id, operations, kind)] of the resources at or below `path`."""
        if len(path) < 3:
            return [(int(rid), operations, kind) for rid, operations, kind in rows(table)]
        found = find(table, str(path[2]))
        if found is None:
            raise RemoteError("there is no resource %s" % spelled(path[:3]), _NOT_FOUND)
        return ((path[2], found[0], found[1]),)


def checked(path, kind, value):
    """The value when it is of that kind (an integral float passes for an int). RemoteError otherwise."""
    if kind == "int" and isinstance(value, float) and -1e15 < value < 1e15 and value == int(value):
        value = int(value)
    fits = isinstance(value, _KINDS.get(kind, ())) and (kind == "bool" or not isinstance(value, bool))
    if not fits or (isinstance(value, (str, bytes)) and len(value) > 255):
        raise RemoteError("%s takes %s, not %r" % (spelled(path), "no value" if kind == "-" else kind, value))
    return value


def spelled(path):
    """(3, 0, 1) -> "/3/0/1"."""
    return "/" + "/".join([str(part) for part in path])


def _expand(found, path, value):
    if isinstance(value, list):
        for index, item in enumerate(value):
            found.append((path + (index,), item))
    elif value is not None:
        found.append((path, value))


def _single():
    return (0,)
