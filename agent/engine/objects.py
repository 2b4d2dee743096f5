"""The LwM2M object tree as a view: tables of resources, and one getter and one setter an object. It holds no state.

A resource's row is "id operations kind". Operations are R W E, and marks: * several instances, ! mandatory (a Create
and a replacing Write have to bring it), ? may be taken away, L long (over 255 bytes). Kinds are int, float, bool, str,
opaque, time, objlnk, or - (execute only). Source: LwM2M 1.1 Core 6.3, 7.2.

What is done with the tree is in parts that are loaded for it: tree_rows.py and its users.
"""

from ..errors import RemoteError

_NOT_FOUND, _UNAUTHORIZED = 132, 129


class Objects:
    def __init__(self):
        self._objects = {}
        self._late = {}

    def add(self, oid, table, read, write=None, execute=None, instances=None, hidden=False, create=None, delete=None):
        """table: the resources.

        read(instance, resource): its value, None when absent; a list or {id: value} where there are several instances.
        write(instance, resource, value, really): RemoteError if refused; does it only when `really`. Where there are
        several instances the value is all of them, {id: value}; None takes one away that is marked ?.
        execute(instance, resource, arguments): bytes, of valid syntax.
        instances() -> list of ids; without it there is instance 0.
        hidden: no server may look at it (objects 0 and 21: 4.01).
        create(instance, {resource: value}, really), delete(instance, really): as write; without them it cannot be done.
        """
        self._objects[oid] = (table, read, write, execute, instances or _single, hidden, create, delete)

    heads = ()  # further links to announce: [(target, [(name, value)])]

    def later(self, oid, load, instances=(0,)):
        """An object that is announced with these instances, and added by load(oid) when a server asks for it."""
        self._late[oid] = (load, instances)

    def rest(self):
        """Let go of what was added so: it is loaded again when it is asked for."""
        for oid in list(self._objects):
            if oid in self._late or oid > 26242:
                del self._objects[oid]

    def ids(self):
        """The objects that servers may look at, in rising order."""
        shown = [oid for oid in self._objects if oid not in self._late and oid < 65536 and not self._objects[oid][5]]
        return sorted(shown + list(self._late))

    def paths(self):
        """-> [(object,)|(object, instance)] to announce in a registration, in rising order."""
        found = []
        for oid in self.ids():
            there = self._late[oid][1] if oid in self._late else self._objects[oid][4]()
            found += [(oid, instance) for instance in there] or [(oid,)]
        return found

    def at(self, path):
        """-> (table, read, write, execute, instances, hidden, create, delete) of the object that `path` begins with.
        RemoteError 4.04, or 4.01 where it is hidden."""
        # A device in no group announces none, and may be put into one.
        late = self._late.get(25 if path[0] > 65535 else 26242 if 26242 < path[0] < 26245 else path[0])
        if late and path[0] not in self._objects:
            late[0](path[0])
        found = self._objects.get(path[0])
        if found is None:
            raise RemoteError("there is no object %s" % spelled(path[:1])[1:], _NOT_FOUND)
        if found[5]:
            raise RemoteError("object %d is not for servers" % path[0], _UNAUTHORIZED)
        return found


def spelled(path):
    """(3, 0, 1) -> "/3/0/1"; of a device behind this one, ((1 + 1 << 16) + 3, 0) -> "/d1/3/0"."""
    if path and path[0] > 65535:
        return "/d%d" % ((path[0] >> 16) - 1) + spelled((path[0] & 65535,) + path[1:])
    return "/%d" * len(path) % path or "/"


def _single():
    return (0,)
