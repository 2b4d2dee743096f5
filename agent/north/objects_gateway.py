"""Object 25 and what is behind it: devices that have no way to a server but through this one (OMA LwM2M Gateway 1.1;
registry, version 2.0).

The board's children() are {number: device}. /25/N describes the device of that number; its objects are below /dN, as in
/d0/3303/0/5700, and servers read, write, execute and observe them there. Inside the agent such an object has a number
above 65535 (engine/objects.py), so that all that is done with objects is done with these too.
"""

from ..codec import linkformat
from ..errors import RemoteError

_GATEWAY = 25
_UNAVAILABLE = 163

# id operations kind
TABLE = """
0 R str
1 R str
3 R str
"""


def enter(agent, objects):
    """Put object 25 and all objects of the children into the tree of objects."""
    children = agent.board.children()

    def read(instance, rid):
        device = children[instance]
        if rid == 3:
            return linkformat.encode(_links(device))
        return device.name if rid == 0 else "d%d" % instance

    objects.add(_GATEWAY, TABLE, read, instances=lambda: sorted(children))
    for number in children:
        for oid in children[number].objects:
            _add(objects, (number + 1 << 16) + oid, oid, children[number])


def look(agent, now):
    """Devices may have come or gone, and their values changed: servers that care are told."""
    announced, there = agent.resources.kept["children"], sorted(agent.board.children())
    if announced != there:
        agent.resources.extend()
        agent.north.relisted = True
        agent.registration.update_now(now)
    for path in agent.north.observing.paths() if agent.north.observing else ():
        if path and path[0] > 65535:
            agent.north.changed(path, now)


def _links(device):
    found = []
    for oid in sorted(device.objects):
        found += [("/%d/%d" % (oid, instance), []) for instance in device.instances(oid)]
    return found


def _add(objects, inner, oid, device):
    """One object of a child; what its own code raises is told as 5.03, with its words."""

    def read(instance, rid):
        return _asked(device.read, oid, instance, rid)

    def write(instance, rid, value, really):
        if really:
            _asked(device.write, oid, instance, rid, value)

    def execute(instance, rid, arguments):
        _asked(device.execute, oid, instance, rid, arguments)

    objects.add(inner, device.objects[oid], read, write, execute, lambda: device.instances(oid))


def _asked(call, oid, *rest):
    try:
        return call(oid, *rest)
    except ValueError as e:
        raise RemoteError("the device refuses: %s" % e)
    except OSError as e:
        raise RemoteError("the device does not answer: %s" % e, _UNAVAILABLE)
