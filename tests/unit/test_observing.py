"""Information reporting: observations on every level, their attributes, their ends, and what is kept for a server that
cannot be reached."""

from coap_pair import A
from managed import Managed

from agent.codec import cbor, coap, senml

SENML, LINKS = 112, 40
PATH = "/33000/0/4"


def links(net, path, **more):
    answer = net.ask(coap.GET, path, accept=LINKS, **more)
    return answer.payload.decode().split(",") if answer.code == coap.CONTENT else coap.dotted(answer.code)


def attach(net, path, *words):
    return net.code(coap.PUT, path, query=words)


def test_observe_on_every_level():
    """LightweightM2M-1.1-int-301 Observation and Notification"""
    net = Managed()
    for path in ("/33000", "/33000/0", PATH, "/33000/0/3/2", "/33000/0/2"):
        if path == "/33000/0/2":
            assert net.code(coap.GET, path, observe=0) == "4.05"  # only to be executed
        else:
            net.observe(path, accept=SENML)
    net.set(4, 2.5)
    found = [{name: value for name, value, _ in senml.unpack(payload)} for payload in net.told()]
    assert len(found) == 3 and all([one[PATH] == 2.5 for one in found])
    net.set(4, 2.5)  # is what it was
    net.set(6, True, 5)
    assert len(net.told()) == 1
    net.set(3, {2: "z"})
    assert len(net.told()) == 3


def test_a_write_is_told_once():
    net = Managed()
    net.observe(PATH)
    assert net.code(coap.PUT, PATH, b"3.5", format=0) == "2.04" and net.told() == [b"3.5"]
    assert net.code(coap.PUT, PATH, b"x", format=0) == "4.00" and net.told() == []


def test_cancel_with_observe():
    """LightweightM2M-1.1-int-303 Cancel Observations using Observe with Cancel parameter"""
    net = Managed()
    net.observe(PATH)
    token = net.a._client.asks[0].token
    options = [(coap.OBSERVE, b"\x01")] + [(coap.URI_PATH, part) for part in (b"33000", b"0", b"4")]
    net.b.receive(A, coap.encode(coap.Message(coap.CON, coap.GET, 999, token, options)), net.now)
    net.transfer()
    assert net.north.observing is None and net.b.observed() == []


def test_cancel_with_reset():
    """LightweightM2M-1.1-int-302 Cancel Observations using Reset"""
    net = Managed()
    net.observe(PATH)
    net.a.cancel(net.handle)
    net.set(4, 9.5)
    assert net.told() == [] and net.north.observing is None


def test_what_is_gone_ends_the_observation():
    net = Managed()
    net.observe("/33000/0")
    assert net.code(coap.DELETE, "/33000/0") == "2.02"
    assert net.told() == [b"there is no instance /33000/0"] and net.b.observed() == []


def test_attributes_are_shown_by_discover():
    """LightweightM2M-1.1-int-260 Discover, int-261 Write-Attribute Operation on a multiple resource"""
    net = Managed()
    assert attach(net, "/33000", "pmin=10") == "2.04" and attach(net, "/33000/0", "pmax=60") == "2.04"
    assert attach(net, PATH, "gt=50", "lt=42.2") == "2.04" and attach(net, "/33000/0/3", "pmax=200") == "2.04"
    assert links(net, "/33000/0")[:6] == ["</33000/0>;pmin=10;pmax=60", "</33000/0/0>", "</33000/0/1>", "</33000/0/2>",
                                          "</33000/0/3>;dim=2;pmax=200", "</33000/0/4>;gt=50;lt=42.2"]  # fmt: skip
    assert attach(net, "/33000/5/8", "pmin=1") == "2.04"  # has no value yet
    assert links(net, PATH) == ["</33000/0/4>;pmin=10;pmax=60;gt=50;lt=42.2"]
    assert links(net, "/33000", query=("depth=0",)) == ["</33000>;pmin=10"]
    assert links(net, "/33000", query=("depth=1",)) == ["</33000>;pmin=10", "</33000/0>;pmax=60", "</33000/5>"]
    assert links(net, "/33000", query=("depth=9",)) == "4.00" and links(net, "/0") == "4.01"
    net.account.ssid = 2
    assert links(net, "/33000", query=("depth=0",)) == ["</33000>"]  # each server has its own


def test_attributes_refused():
    net = Managed()
    for path, words, code in ((PATH, ("pmin=9", "pmax=3"), "4.00"), (PATH, ("gt=9", "lt=8", "st=1"), "4.00"),
                              ("/33000/0/1", ("x=9",), "4.00"), ("/33000/9", ("pmin=1",), "4.04"),
                              ("/33000/0", ("gt=1",), "4.00"), ("/33000/0/0", ("gt=1",), "4.00"),
                              ("/0/0", ("pmin=1",), "4.01"), ("/33000/0/99", ("pmin=1",), "4.04"),
                              ("/", ("pmin=1",), "4.04"), ("/77", ("pmin=1",), "4.04")):  # fmt: skip
        assert attach(net, path, *words) == code, (path, words)
    assert net.kept == {}


def test_attributes_hold_for_observations():
    """LightweightM2M-1.1 7.3: pmin, pmax, gt; also when they are attached afterwards."""
    net = Managed()
    attach(net, "/33000/0", "pmin=10", "pmax=60")
    net.observe(PATH)
    net.set(4, 2.5)
    net.set(4, 3.5)
    assert net.told() == []
    net.pass_time(9999)
    assert net.told() == []
    net.pass_time(1)
    assert net.told() == [b"3.5"]
    net.pass_time(60000)
    assert net.told() == [b"3.5"]
    attach(net, PATH, "gt=10", "pmin=0", "pmax=0")
    for value in (9.5, 10.5, 11.5, 2.5):
        net.set(4, value)
    assert net.told() == [b"10.5", b"2.5"]


def test_defaults_of_the_server_hold():
    """/1/x/2 and /1/x/3"""
    net = Managed()
    net.servers[0].update({2: 5, 3: 20})
    net.observe(PATH)
    net.set(4, 2.5)
    assert net.told() == []
    net.pass_time(5000)
    assert net.told() == [b"2.5"]
    net.pass_time(20000)
    assert net.told() == [b"2.5"]


def test_attributes_said_with_the_observation():
    """LwM2M 1.2 6.4.1"""
    net = Managed()
    net.observe(PATH, query=("st=5", "con=1"))
    net.set(4, 3.5)
    assert net.told() == []
    net.set(4, 6.5)
    assert net.told() == [b"6.5"] and net.wire[-1][1].type == coap.ACK  # it was confirmable
    assert net.code(coap.GET, PATH, observe=0, query=("st=x",)) == "4.00"
    assert net.kept == {}


def test_notifications_are_confirmable_once_a_day_and_where_asked():
    net = Managed()
    net.observe(PATH)
    net.set(4, 2.5)
    assert net.told() == [b"2.5"] and net.wire[-1][1].type == coap.NON
    net.pass_time(24 * 3600 * 1000)
    net.set(4, 3.5)
    assert net.told() == [b"3.5"] and net.wire[-1][1].type == coap.ACK
    net.servers[0][26] = 1
    net.north.changed((1, 0, 26), net.now)
    net.set(4, 4.5)
    assert net.told() == [b"4.5"] and net.wire[-1][1].type == coap.ACK


class Registered:
    location = ("rd", "1")


def away(net):
    """The server's registration ends, and its observations with it."""
    net.b.unobserve(A)


def test_what_a_server_misses_is_stored_with_its_time():
    """LightweightM2M-1.1 E.2: Notification Storing When Disabled or Offline."""
    net = Managed()
    net.clock = 1700000000
    net.north.registered((net.account, "eth"), Registered)
    net.observe(PATH, accept=SENML)
    away(net)
    net.set(4, 2.5)
    net.now += 10000
    net.set(4, 3.5)
    net.now += 20000
    net.clock += 30
    assert net.told() == []
    net.north.registered((net.account, "eth"), Registered)
    net.observe(PATH, accept=SENML)
    assert [senml.unpack(payload) for payload in net.told()] == [
        [("/33000/0/4", 2.5, 1700000000), ("/33000/0/4", 3.5, 1700000010)]
    ]
    net.set(4, 4.5)
    assert len(net.told()) == 1


def test_storing_is_bounded_and_can_be_declined():
    net = Managed()
    net.observe(PATH, accept=SENML)
    away(net)
    for value in range(20):
        net.set(4, value + 0.5)
    net.observe(PATH, accept=SENML)
    assert len(senml.unpack(net.told()[0])) == 8
    net.servers[0][6] = False
    net.north.changed((1, 0, 6), net.now)
    away(net)
    net.set(4, 1.5)
    net.set(4, 2.5)
    net.observe(PATH, accept=SENML)
    assert net.told() == []


def deaf(net, *values):
    """The server hears nothing any more while these are told."""
    for value in values:
        net.things.there[0][4] = value
        net.north.changed((33000, 0, 4), net.now)
        net.drop(net.b)
        net.now += 1000
    while net.b.deadline() is not None:
        net.now = max(net.now, net.b.deadline())
        net.b.poll(net.now)
        net.drop(net.b)
    net.settle()


def stored(net):
    """-> [[(value, Unix s)]] that the server is told once it observes again."""
    net.north.registered((net.account, "eth"), Registered)
    net.observe(PATH, accept=SENML)
    return [[(value, time) for _, value, time in senml.unpack(payload)] for payload in net.told()]


def confirming(*words):
    net = Managed()
    net.clock = 1700000000
    net.observe(PATH, accept=SENML, query=("con=1",) + words)
    return net


def later(net, since):
    net.clock += (net.now - since) // 1000


def test_a_confirmable_notification_that_is_not_acknowledged_is_told_later():
    """RFC 7641 4.5 ends its observation; 1.1 E.2 (/1/x/6) wants what it said."""
    net = confirming()
    net.set(4, 2.5)
    assert len(net.told()) == 1  # and acknowledged
    since = net.now
    deaf(net, 3.5)
    assert net.b.observed() == []
    net.set(4, 4.5)
    later(net, since)
    assert [value for value, _ in stored(net)[0]] == [3.5, 4.5]
    net.set(4, 5.5)
    assert len(net.told()) == 1 and stored(net) == []


def test_what_was_acknowledged_is_not_told_again():
    net = confirming()
    for value in (2.5, 3.5, 4.5):
        net.set(4, value)
    assert len(net.told()) == 3
    away(net)
    assert stored(net) == []


def test_what_waits_for_an_acknowledgement_is_kept_over_the_loss_of_a_link():
    net = confirming()
    since = net.now
    for value in (2.5, 3.5, 4.5):  # the second and third wait for the end of the first
        net.things.there[0][4] = value
        net.north.changed((33000, 0, 4), net.now)
        net.now += 1000
    net.drop(net.b)
    net.b.forget("eth")
    later(net, since)
    assert stored(net) == [[(2.5, 1700000000), (3.5, 1700000001), (4.5, 1700000002)]]


def test_of_what_waits_only_the_newest_follows_an_acknowledgement():
    net = confirming()
    for value in (2.5, 3.5, 4.5):
        net.things.there[0][4] = value
        net.north.changed((33000, 0, 4), net.now)
    net.deliver("b", net.b.take()[0][1])
    net.deliver("a", net.a.take()[0][1])
    net.b.poll(net.now)
    assert net.drop(net.b) == 1 and len(net.told()) == 1
    net.b.forget("eth")
    assert [value for value, _ in stored(net)[0]] == [4.5]


def test_what_catches_up_has_to_be_acknowledged_too():
    net = confirming()
    deaf(net, 2.5)
    net.north.registered((net.account, "eth"), Registered)
    segments = [part for part in PATH.split("/") if part]
    net.a.request(("eth", "b", 5683), coap.GET, segments, net.now, observe=0, accept=SENML, query=("con=1",))
    net.deliver("a", net.a.take()[0][1])
    assert net.drop(net.b) == 2  # the answer, and what was stored
    net.b.forget("eth")
    net.a.forget("eth")
    net.told()
    assert [value for value, _ in stored(net)[0]] == [2.5]


def test_what_nobody_wants_later_is_not_kept():
    """Formats without times, hqmax=0, and a server that takes a notification for none of its own (RST)."""
    for words, accept in ((("hqmax=0",), SENML), ((), 0)):
        net = Managed()
        net.observe(PATH, accept=accept, query=("con=1",) + words)
        deaf(net, 2.5, 3.5)
        assert stored(net) == []
    net = confirming()
    net.a.cancel(net.handle)
    net.set(4, 2.5)
    assert net.north.observing is None


def test_an_observation_that_is_not_renewed_is_forgotten():
    net = Managed()
    net.observe(PATH, accept=SENML)
    for _ in range(2):
        away(net)
        net.set(4, 2.5)
        assert net.north.observing
        net.north.registered((net.account, "eth"), Registered)
    assert net.north.observing is None


def pack(*names):
    return senml.pack([(name, None, None) for name in names])


def read(answer):
    return {name: value for name, value, _ in senml.unpack(answer.payload)}


def test_read_composite():
    """LightweightM2M-1.1-int-229 Read-Composite, -235 on root path, -236 and -281 partial presence"""
    net = Managed()
    answer = net.ask(coap.FETCH, "/", pack("/33000/0/4", "/3/0/0", "/33000/5/3"), format=SENML, accept=SENML)
    assert answer.code == coap.CONTENT and answer.format == SENML
    assert read(answer) == {"/33000/0/4": 1.5, "/3/0/0": "maker", "/33000/5/3/0": "a", "/33000/5/3/2": "c"}
    some = net.ask(coap.FETCH, "/", pack("/33000/0/4", "/33000/0/99", "/77", "/33000/9", "/0/0/0"), format=SENML)
    assert read(some) == {"/33000/0/4": 1.5}
    whole = read(net.ask(coap.FETCH, "/", pack("/"), format=SENML))
    assert whole["/3/0/0"] == "maker" and whole["/33000/5/1"] == 5 and not [name for name in whole if name < "/1"]
    maps = net.ask(coap.FETCH, "/", cbor.encode({33000: {0: {4: None}}}), format=11544)
    assert maps.format == 11544 and maps.payload == cbor.encode({33000: {0: {4: 1.5}}})


def test_read_composite_refused():
    net = Managed()
    for path, payload, format, accept, code in (
        ("/", pack("/77"), SENML, None, "4.04"), ("/", pack("/0"), SENML, None, "4.04"),
        ("/", senml.pack([("/33000/0/4", 1.0, None)]), SENML, None, "4.00"), ("/", b"\x80", SENML, None, "4.00"),
        ("/", pack("/33000/0/4"), SENML, 0, "4.06"), ("/", b"/33000/0/4", 0, None, "4.15"),
        ("/", pack("/x"), SENML, None, "4.04"), ("/33000", pack("/33000/0/4"), SENML, None, "4.05"),
        ("/", pack(*["/33000/0/4"] * 33), SENML, None, "4.00"), ("/", b"\xff", SENML, None, "4.00"),
    ):  # fmt: skip
        assert net.code(coap.FETCH, path, payload, format=format, accept=accept) == code, (payload, code)


def test_write_composite():
    """LightweightM2M-1.1-int-230 and -257 Write-Composite: all or nothing."""
    net = Managed()
    net.observe(PATH)
    good = senml.pack([("/33000/0/4", 2.5, None), ("/33000/5/6", True, None), ("/33000/5/3/1", "b", None)])
    assert net.code(coap.IPATCH, "/", good, format=SENML) == "2.04" and net.told() == [b"2.5"]
    assert net.things.there[5][6] is True and net.things.there[5][3] == {0: "a", 1: "b", 2: "c"}
    for name, value, code in (("/33000/5/0", "x", "4.05"), ("/33000/9/4", 1.5, "4.04"), ("/0/0/0", "x", "4.01"),
                              ("/33000/5/4", "x", "4.00"), ("/33000/5", 5, "4.00")):  # fmt: skip
        bad = senml.pack([("/33000/0/4", 9.5, None), (name, value, None)])
        assert net.code(coap.IPATCH, "/", bad, format=SENML) == code, name
    assert net.things.there[0][4] == 2.5 and net.told() == []


def test_observe_composite():
    """LightweightM2M-1.1-int-304 Observe-Composite, -308 and -309 with creation and deletion, -310 and changes"""
    net = Managed()
    first = net.ask(coap.FETCH, "/", pack("/33000/0/4", "/33000/7", "/3/0/0"), format=SENML, accept=SENML, observe=0)
    assert first.observe is not None and len(read(first)) == 2
    net.set(4, 2.5)
    net.set(1, 6)
    (payload,) = net.told()
    assert {name: value for name, value, _ in senml.unpack(payload)} == {"/33000/0/4": 2.5, "/3/0/0": "maker"}
    created = senml.pack([("/33000/7/1", 9, None)])
    assert net.code(coap.POST, "/33000", created, format=SENML) == "2.01"
    (payload,) = net.told()
    assert ("/33000/7/1", 9, None) in senml.unpack(payload)
    assert net.code(coap.DELETE, "/33000/7") == "2.02" and len(net.told()) == 1
    token = net.a._client.asks[0].token
    options = [(coap.OBSERVE, b"\x01"), (coap.CONTENT_FORMAT, b"\x70")]
    net.b.receive(A, coap.encode(coap.Message(coap.CON, coap.FETCH, 999, token, options, pack("/3"))), net.now)
    net.transfer()
    assert net.north.observing is None


def test_large_answers_and_notifications_go_in_blocks():
    net = Managed()
    net.things.there[0][7] = b"\x05" * 1500
    net.observe("/33000/0/7", accept=42)
    assert net.code(coap.PUT, "/33000/0/7", b"\x06" * 1400, format=42) == "2.04"
    assert net.told() == [b"\x06" * 1400]
    net.things.there[0][7] = b"\x05" * 9000
    assert net.code(coap.GET, "/33000/0/7", accept=42) == "5.00"
