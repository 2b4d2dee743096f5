"""The agent's own objects, as a server sees them: which are announced, what they hold, that they are let go again."""

from test_agent import TREE, Net
from test_connectivity import Port, read

from agent.codec import coap


class Board:
    """What a board may tell beside the links."""

    sensors = {3303: "Cel", 3305: "W"}

    def __init__(self):
        self.set = []

    def sense(self, oid):
        if oid == 3305:
            raise OSError(5, "sensor: it does not answer; look at its cable")
        return 21.5

    def about(self):
        return {"supplies": [1], "millivolts": [3300], "battery": 80, "charge": 0, "hardware": "b2"}

    def set_wall(self, seconds):
        self.set.append(seconds)


def start(board=None, tree=TREE, **values):
    net = Net(dict({"links": "eth,wifi"}, **values), tree)
    net.agent.board, net.agent.ports = board, lambda: [Port("eth", "192.0.2.7")]
    net.agent.start(0)
    net.link("eth", True)
    net.run(2000)
    return net, net.servers[sorted(net.servers)[0]]


def ask(net, gateway, code, *path, **more):
    gateway.ask(code, path, net.now, **more)
    net.carry()
    return gateway.answers[-1].code


def links(gateway):
    return gateway.seen[0].payload.decode()


def test_what_is_announced():
    """1.1 Core 6.2.1: object instances, and only those that there are."""
    _, gateway = start(probe_ms=0)
    assert links(gateway) == "</>;ct=112,</1/1>,</1/2>,</3/0>,</4/0>,</3331/0>,</26241/1>,</26241/2>,</26242/0>"
    _, gateway = start(Board())
    assert "</7/0>" in links(gateway) and "</3303/0>,</3305/0>,</3331/0>" in links(gateway)


def test_what_only_short_messages_give_a_sense_is_not_there_without_them():
    """1.1 Core E.2: /1/x/21 and /1/x/22 are optional, whatever a bootstrap may have written there; 6.3: 4.04."""
    tree = dict(TREE)
    tree.update({(1, 1, 21): True, (1, 1, 22): "S"})
    net, gateway = start(tree=tree)
    for rid, value in (("21", b"1"), ("22", b"U")):
        assert ask(net, gateway, coap.GET, "1", "1", rid) == coap.NOT_FOUND
        assert ask(net, gateway, coap.PUT, "1", "1", rid, payload=value, format=0) == coap.NOT_FOUND
    found = read(net, gateway, "1", "1")
    assert "/1/1/1" in found and "/1/1/21" not in found and "/1/1/22" not in found
    assert ask(net, gateway, coap.GET, "1", "1", accept=40) == coap.CONTENT
    told = gateway.answers[-1].payload.decode()
    assert "</1/1/7>" in told and "</1/1/21>" not in told and "</1/1/22>" not in told


def test_access_rights_are_there_for_more_than_one_server():
    tree = dict(TREE)
    tree.update({(2, 7, 0): 3, (2, 7, 1): 0, (2, 7, 2): {1: 15, 2: 1}, (2, 7, 3): 1})
    net, gateway = start(tree=tree)
    assert "</2/7>" in links(gateway)
    assert read(net, gateway, "2", "7") == {"/2/7/0": 3, "/2/7/1": 0, "/2/7/2/1": 15, "/2/7/2/2": 1, "/2/7/3": 1}
    alone = {path: tree[path] for path in tree if path[:2] not in ((0, 2), (1, 2), (26241, 2))}
    net, gateway = start(tree=alone)
    assert "</2/" not in links(gateway) and ask(net, gateway, coap.GET, "2", "7") == coap.NOT_FOUND


def test_what_the_device_is():
    """LightweightM2M-1.1-int-201: object 3."""
    net, gateway = start(Board(), manufacturer="Works", firmware="1.2")
    found = read(net, gateway, "3", "0")
    assert found["/3/0/0"] == "Works" and found["/3/0/3"] == "1.2" and found["/3/0/16"] == "U"
    assert found["/3/0/6/0"] == 1 and found["/3/0/7/0"] == 3300 and found["/3/0/9"] == 80 and found["/3/0/20"] == 0
    assert found["/3/0/11/0"] == 0 and found["/3/0/18"] == "b2" and "/3/0/17" not in found
    net, gateway = start()
    found = read(net, gateway, "3", "0")
    assert found["/3/0/20"] == 5 and "/3/0/9" not in found


def test_an_error_code_goes_with_its_cause():
    net, gateway = start(report_period_s=10)
    net.agent._measure_now = lambda: int("nothing")
    net.run(10000)
    assert read(net, gateway, "3", "0", "11") == {"/3/0/11/0": 8}
    net.agent._measure_now = lambda: 5
    net.run(10000)
    assert read(net, gateway, "3", "0", "11") == {"/3/0/11/0": 0}


def test_the_clock_can_be_set_where_the_board_can():
    net, gateway = start(Board())
    assert ask(net, gateway, coap.PUT, "3", "0", "13", payload=b"1700000000", format=0) == coap.CHANGED
    assert ask(net, gateway, coap.PUT, "3", "0", "13", payload=b"17", format=0) == coap.BAD_REQUEST
    assert net.agent.board.set == [1700000000]
    net, gateway = start()
    assert ask(net, gateway, coap.PUT, "3", "0", "13", payload=b"1700000000", format=0) == coap.NOT_ALLOWED


def test_sensors():
    net, gateway = start(Board(), report_period_s=1)
    assert read(net, gateway, "3303", "0") == {"/3303/0/5700": 21.5, "/3303/0/5701": "Cel"}
    assert read(net, gateway, "3331", "0") == {"/3331/0/5700": net.count, "/3331/0/5701": "Wh"}
    assert read(net, gateway, "3305", "0", "5805") == {"/3305/0/5805": net.count}
    assert ask(net, gateway, coap.GET, "3305", "0", "5800") == 163
    assert ask(net, gateway, coap.GET, "3304", "0") == coap.NOT_FOUND


def test_a_servers_account():
    """LightweightM2M-1.1-int-205: object 1 is checked value by value."""
    net, gateway = start()
    taken = ((1, b"90"), (7, b"UQ"), (2, b"3"), (23, b"1"))
    refused = ((1, b"5"), (7, b"X"), (2, b"-1"), (6, b"7"))
    fixed = ((0, b"7"), (13, b"7"))
    rows = [(row, 68) for row in taken] + [(row, 128) for row in refused] + [(row, 133) for row in fixed]
    for (rid, payload), code in rows:
        assert ask(net, gateway, coap.PUT, "1", "1", str(rid), payload=payload, format=0) == code, (rid, payload)
    assert read(net, gateway, "1", "1")["/1/1/7"] == "UQ"
    assert ask(net, gateway, coap.GET, "1", "1", "13") == coap.NOT_ALLOWED


def test_security_is_nobodys_business():
    """LightweightM2M-1.1-int-221: objects 0 and 21."""
    net, gateway = start()
    for oid in ("0", "21"):
        assert ask(net, gateway, coap.GET, oid) == coap.UNAUTHORIZED
        assert "</%s" % oid not in links(gateway)[10:].replace("</>", "")


def test_the_collection_of_statistics_starts_and_stops():
    """Registry, object 7."""
    net, gateway = start()
    net.agent.metrics.sums = [5000, 7000]
    assert read(net, gateway, "7", "0", "3") == {"/7/0/3": 7}
    assert ask(net, gateway, coap.POST, "7", "0", "7") == coap.CHANGED
    net.agent.metrics.sums = [50000, 70000]
    assert read(net, gateway, "7", "0", "3") == {"/7/0/3": 7}
    assert ask(net, gateway, coap.POST, "7", "0", "6") == coap.CHANGED
    assert read(net, gateway, "7", "0", "3") == {"/7/0/3": 0}


def test_the_apn_is_a_setting_and_the_rest_of_a_profile_is_not():
    net, gateway = start(links="eth,lte", apn="m2m")
    assert ask(net, gateway, coap.PUT, "11", "0", "1", payload=b"iot", format=0) == coap.CHANGED
    assert net.agent.settings.get("apn") == "iot"
    assert ask(net, gateway, coap.PUT, "11", "0", "0", payload=b"x", format=0) == coap.NOT_ALLOWED
    assert ask(net, gateway, coap.PUT, "11", "0", "1", payload=b"a b", format=0) == coap.BAD_REQUEST


class Station(Port):
    def station(self):
        return "wlan0", "0011AABBCCDD", "works", 6, True


def test_wifi_where_there_is_some():
    net = Net({"links": "eth,wifi"}, TREE)
    net.agent.ports = lambda: [Port("eth", "192.0.2.7"), Station("wifi", "192.0.2.8")]
    net.agent.start(0)
    net.link("eth", True)
    net.run(2000)
    gateway = net.servers[sorted(net.servers)[0]]
    assert "</12/0>" in links(gateway)
    found = read(net, gateway, "12", "0")
    assert found["/12/0/3"] == 2 and found["/12/0/5"] == "works" and found["/12/0/9"] == 6 and found["/12/0/15"] == 1
    assert ask(net, gateway, coap.PUT, "12", "0", "5", payload=b"other", format=0) == coap.NOT_ALLOWED


def test_the_sim():
    """S1: the ICCID, where a standard object has it."""
    net, gateway = start(links="eth,lte")
    assert "</504/0>" in links(gateway)

    class Modem:
        identity = {"iccid": "8949020000012345678"}

    net.agent.modem = Modem()
    net.agent._aim_modem = lambda now: None
    assert read(net, gateway, "504", "0")["/504/0/11/0"] == "8949020000012345678"
    net.agent.modem = None


def test_what_was_loaded_is_let_go():
    net, gateway = start()
    read(net, gateway, "3", "0")
    assert sorted(net.agent.objects._objects) == [0, 21]
