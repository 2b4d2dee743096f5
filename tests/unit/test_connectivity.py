"""The objects about links (4, 7, 10, 11, 13, and the figures of 26242): what a server reads, and what it is told when
something changes."""

from test_agent import TREE, Net

from agent.codec import coap, senml

_TREE = dict(TREE)
_TREE[(26241, 2, 1)] = "wifi,lte"


class Port:
    """A link of the board's."""

    def __init__(self, name, address):
        self.name, self.address = name, address


def start(**values):
    """Registered with the gateway over eth, wifi standing by."""
    given = {"links": "eth,wifi,lte", "apn": "m2m", "fail_back_hold_ms": 1000, "flap_max_ms": 0, "report_period_s": 30}
    given.update(values)
    net = Net(given, _TREE)
    net.ports = [Port("eth", "192.0.2.7"), Port("wifi", "0.0.0.0"), Port("usb", "10.0.0.9")]
    net.agent.ports = lambda: net.ports
    net.agent.start(0)
    net.link("eth", True)
    net.link("wifi", True)
    net.run(2000)
    (gateway, _) = [net.servers[address] for address in sorted(net.servers)]
    return net, gateway


def read(net, gateway, *path):
    """{path: value} of what is there."""
    gateway.ask(coap.GET, path, net.now, accept=112)
    net.carry()
    return {name: value for name, value, _ in senml.unpack(gateway.answers[-1].payload)}


def observe(net, gateway, *path):
    gateway.ask(coap.GET, path, net.now, observe=0, accept=112)
    net.carry()
    gateway.answers[:] = []


def told(gateway):
    """What came since the last call: [{path: value}]."""
    found = [{name: value for name, value, _ in senml.unpack(answer.payload)} for answer in gateway.answers]
    gateway.answers[:] = []
    return found


def test_what_there_is_to_read():
    """LightweightM2M-1.1-int-241 (object 4), and its neighbours."""
    net, gateway = start()
    assert read(net, gateway, "4", "0") == {
        "/4/0/0": 41,
        "/4/0/1/0": 41,
        "/4/0/1/1": 21,
        "/4/0/2": 0,
        "/4/0/4/0": "192.0.2.7",
        "/4/0/7/0": "m2m",
    }
    assert read(net, gateway, "10", "0") == {"/10/0/11/0": "11:0"}
    assert read(net, gateway, "11", "0")["/11/0/1"] == "m2m"
    assert read(net, gateway, "13", "0", "0") == {"/13/0/0/0": 8, "/13/0/0/1": 7, "/13/0/0/2": 4}
    assert "/7/0/2" in read(net, gateway, "7", "0")


def test_a_link_to_an_object_is_no_text():
    """RFC 8428 has none: `vlo` is OMA's."""
    assert senml.pack([("/10/0/11/0", (11, 0), None)]) == b"\x81\xa2\x00\x6a/10/0/11/0\x63vlo\x6411:0"
    net, gateway = start()
    gateway.ask(coap.GET, ("10", "0", "11", "0"), net.now, accept=0)
    net.carry()
    assert gateway.answers[-1].payload == b"11:0"


def test_whoever_observes_is_told_of_what_changes():
    """LightweightM2M-1.1-int-301: bearers, addresses."""
    net, gateway = start()
    observe(net, gateway, "4", "0", "1")
    net.link("wifi", False)
    assert told(gateway) == [{"/4/0/1/0": 41}]
    net.run(60000)
    assert told(gateway) == []
    observe(net, gateway, "4", "0", "4")
    net.ports[0].address = "192.0.2.77"
    net.agent.moved("eth", net.now)
    net.carry()
    assert told(gateway) == [{"/4/0/4/0": "192.0.2.77"}]


def test_several_changes_are_one_notification():
    net, gateway = start()
    observe(net, gateway, "4", "0")
    net.ports[0].address = "192.0.2.77"
    net.link("wifi", False)
    (one,) = told(gateway)
    assert one["/4/0/4/0"] == "192.0.2.77" and "/4/0/1/1" not in one


def test_the_figures_of_moves():
    net, gateway = start()
    assert read(net, gateway, "26242", "0", "6") == {"/26242/0/6": 0}
    net.link("eth", False)
    net.run(3000)
    net.link("eth", True)
    net.run(60000)
    found = read(net, gateway, "26242", "0")
    assert found["/26242/0/6"] == 1 and found["/26242/0/8"] >= 0
    assert [found["/26242/0/7/%d" % phase] for phase in range(3)] == net.agent.metrics.last
    assert found["/26242/0/9/0"].startswith("eth ") and found["/26242/0/9/1"].startswith("wifi ")
    seconds = dict([found[name].split() for name in found if name.startswith("/26242/0/10/")])
    assert int(seconds["registered"]) >= 30 and int(seconds["leaving"]) < 5, seconds


def test_without_metrics_there_are_no_figures():
    net, gateway = start(probe_ms=0)
    found = read(net, gateway, "26242", "0")
    assert "/26242/0/5" in found and "/26242/0/6" not in found


def test_a_day_is_told_in_the_log():
    net, _ = start(report_period_s=60, links="eth,wifi")
    days, today = [], [20000]
    net.agent.log.sink = lambda level, now, actor, event, fields: days.append(fields) if event == "day" else None
    net.agent.wall = lambda: today[0] * 86400
    for today[0] in (20000, 20001, 20001):
        net.run(60000)
    (day,) = days
    assert day["moves"] == 0 and day["bytes"].startswith("eth ")
