"""Devices behind this one (object 25): announced, described, read, written, executed, observed under a prefix."""

from test_agent import GATEWAY, TREE, Net
from test_connectivity import observe, read, told

from agent.codec import coap
from agent.engine.objects import spelled
from agent.north import content

SWITCH = """
5700 R float
5850 RW bool
5605 E -
5750 R* str
"""


class Meter:
    """A device on a serial bus, say."""

    name = "bus-7"
    objects = {3303: SWITCH, 3331: SWITCH}

    def __init__(self):
        self.value, self.on, self.done, self.dead = 20.5, False, [], False

    def instances(self, oid):
        return [0] if oid == 3331 else [0, 1]

    def read(self, _oid, instance, rid):
        if self.dead:
            raise OSError(110, "bus: no answer from 7")
        return {5700: self.value + instance, 5850: self.on, 5750: ["a", "b"]}.get(rid)

    def write(self, _oid, _instance, _rid, value):
        if self.dead:
            raise ValueError("locked by hand")
        self.on = value

    def execute(self, oid, instance, rid, arguments):
        self.done.append((oid, instance, rid, arguments))


class Board:
    def __init__(self):
        self.devices = {0: Meter(), 4: Meter()}
        self.devices[4].name = "bus-9"

    def children(self):
        return self.devices


def start(more=()):
    net = Net({"report_period_s": 10, "links": "eth"}, dict(list(TREE.items()) + list(more)))
    net.agent.board = net.board = Board()
    net.agent.start(0)
    net.link("eth", True)
    net.run(2000)
    return net, net.servers[GATEWAY]


def ask(net, gateway, code, *path, **more):
    gateway.ask(code, path, net.now, **more)
    net.carry()
    return gateway.answers[-1].code


def test_they_are_announced():
    """Gateway 1.1: the object's version is to be said, as it is not 1.0 (LwM2M 1.1 Core 7.2.2)."""
    _, gateway = start()
    links = gateway.seen[0].payload.decode().split(",")
    assert "</25>;ver=2.0" in links and "</25/0>" in links and "</25/4>" in links and "</3303/0>" not in links


def test_object_25_says_who_they_are():
    net, gateway = start()
    links = "</3303/0>,</3303/1>,</3331/0>"
    assert read(net, gateway, "25", "4") == {"/25/4/0": "bus-9", "/25/4/1": "d4", "/25/4/3": links}


def test_they_are_reached_under_their_prefix():
    """L1: a device behind the agent."""
    net, gateway = start()
    meter = net.board.devices[4]
    assert read(net, gateway, "d4", "3303", "1") == {
        "/d4/3303/1/5700": 21.5,
        "/d4/3303/1/5850": False,
        "/d4/3303/1/5750/0": "a",
        "/d4/3303/1/5750/1": "b",
    }
    assert ask(net, gateway, coap.PUT, "d4", "3303", "1", "5850", payload=b"1", format=0) == coap.CHANGED and meter.on
    assert ask(net, gateway, coap.POST, "d4", "3331", "0", "5605") == coap.CHANGED
    assert meter.done == [(3331, 0, 5605, b"")]
    gateway.ask(coap.GET, ("d4", "3331"), net.now, accept=40)
    net.carry()
    assert gateway.answers[-1].payload.startswith(b"</d4/3331>,</d4/3331/0>,</d4/3331/0/5700>")
    assert net.agent.resources.meter is None and sorted(net.agent.objects._objects) == [0, 21]


def test_what_is_not_there():
    net, gateway = start()
    nowhere = (("d1", "3"), ("d4", "3304"), ("d4", "3303", "2"), ("d4",), ("d", "3"), ("d99999", "3"), ("x4", "3303"))
    for path in nowhere:
        assert ask(net, gateway, coap.GET, *path) == coap.NOT_FOUND, path
    assert ask(net, gateway, coap.GET, "3303", "0") == coap.NOT_FOUND


def test_a_device_that_does_not_answer_or_refuses():
    net, gateway = start()
    net.board.devices[0].dead = True
    assert ask(net, gateway, coap.GET, "d0", "3303", "0", "5700") == 163
    assert b"bus: no answer" in gateway.answers[-1].payload
    assert ask(net, gateway, coap.PUT, "d0", "3303", "0", "5850", payload=b"1", format=0) == coap.BAD_REQUEST


def test_they_are_observed():
    net, gateway = start()
    observe(net, gateway, "d4", "3303", "0", "5700")
    net.run(10000)
    assert told(gateway) == []
    net.board.devices[4].value = 30.0
    net.run(10000)
    assert told(gateway) == [{"/d4/3303/0/5700": 30.0}]


def test_devices_come_and_go():
    net, gateway = start()
    del net.board.devices[4]
    net.board.devices[1] = Meter()
    net.run(20000)
    update = [request for request in gateway.seen if request.path == ("rd", "7") and request.payload][0]
    assert b"</25/0>,</25/1>" in update.payload and b"</25/4>" not in update.payload
    assert read(net, gateway, "d1", "3331", "0")["/d1/3331/0/5700"] == 20.5


def test_rights_on_a_device_are_those_on_its_instance_of_object_25():
    """1.1 Core 8.2: there are several servers, and object 2 says what each may do."""
    rights = [((2, 0, 0), 25), ((2, 0, 1), 4), ((2, 0, 2), {1: 1}), ((2, 0, 3), 2)]
    net, gateway = start(rights)
    assert read(net, gateway, "d4", "3331", "0", "5700") == {"/d4/3331/0/5700": 20.5}
    assert ask(net, gateway, coap.PUT, "d4", "3303", "1", "5850", payload=b"1", format=0) == coap.UNAUTHORIZED
    assert ask(net, gateway, coap.GET, "d0", "3331", "0", "5700") == coap.UNAUTHORIZED


def test_paths():
    for segments in (("d0", "3303", "0", "5700"), ("d9999", "3"), ("3", "0", "11", "0")):
        assert spelled(content.path(segments)) == "/" + "/".join(segments)
