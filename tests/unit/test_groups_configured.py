"""G1: which groups a device is in is said by bootstrap and its registrar, is bounded, kept; nobody reads keys."""

from test_agent import TREE, Medium, Net
from test_resources import ask, links, start

from agent.accounts import CONFIGURED
from agent.codec import cbor, coap, senml
from agent.engine.bootstrap import Bootstrap
from agent.errors import LocalError
from agent.grouping import check, members
from agent.north.bootstrapping import configuration
from agent.settings import Settings
from agent.store import Store
from agent.vetting import check as vet

SENML = 112
GUARD = b"guard of sixteen"
GROUP = {
    (26243, 0, 0): b"meters-north", (26243, 0, 1): 3, (26243, 0, 2): 4711, (26243, 0, 3): "239.1.2.3:5683",
    (26243, 0, 4): "policy/north", (26243, 0, 5): GUARD,
}  # fmt: skip
POLICIES = {
    (26244, 0, 0): b"R" * 64, (26244, 0, 1): "mqtt://broker.example:1883", (26244, 0, 2): "meter-1",
    (26244, 0, 3): b"p",
}  # fmt: skip


def tree(*parts):
    found = dict(TREE)
    for part in parts:
        found.update(part)
    return found


def pack(rows):
    return senml.pack([("/%d/%d/%d" % path, rows[path], None) for path in sorted(rows)])


def create(net, gateway, rows=GROUP):
    return ask(net, gateway, coap.POST, "26243", payload=pack(rows), format=SENML)


def refusal(rows, how=check):
    try:
        how(rows)
    except LocalError as e:
        return e.args[0]
    raise AssertionError("not refused")


def test_a_bootstrap_says_which():
    b = Bootstrap(CONFIGURED, lambda found: vet(found, True), lambda n: n - 1)
    b.start(("eth", "x", 5683), {}, 0)
    rows = tree(GROUP, POLICIES)
    for path in sorted({path[:2] for path in rows}):
        own = {where: rows[where] for where in rows if where[:2] == path}
        b.write(path, configuration(path, SENML, pack(own)), 0)
    b.take()
    b.finish(0)
    ((_, found),) = [event for event in b.take() if event[0] == "commit"]
    assert found == rows and members(found) == [(b"meters-north", 3, GUARD)]
    net = Net({}, found)
    assert (26243, 0) in net.agent.objects.paths() and (26244, 0) in net.agent.objects.paths()


def test_a_device_in_no_group_says_nothing_of_them():
    _, gateway = start()
    assert "</2624" in links(gateway) and "</26243" not in links(gateway) and "</26244" not in links(gateway)


def test_the_registrar_puts_it_into_a_group_and_takes_it_out():
    net, gateway = start()
    assert create(net, gateway) == coap.CREATED
    net.run(1000)
    assert b"</26243/0>" in [request.payload for request in gateway.seen if request.payload][-1]
    assert ask(net, gateway, coap.GET, "26243", "0") == coap.CONTENT
    shown = senml.unpack(gateway.answers[-1].payload)
    values = [value for _, value, _ in shown]
    assert values == [b"meters-north", 3, 4711, "239.1.2.3:5683", "policy/north", 0, "none", b"", 0]
    assert ask(net, gateway, coap.GET, "26243", "0", "5") == coap.NOT_ALLOWED
    assert ask(net, gateway, coap.PUT, "26243", "0", "1", payload=b"7", format=0) == coap.CHANGED
    net.boot()
    assert members(net.agent.configuration.tree) == [(b"meters-north", 7, GUARD)]
    net, gateway = start(tree=tree(GROUP))
    assert ask(net, gateway, coap.DELETE, "26243", "0") == coap.DELETED
    net.boot()
    assert members(net.agent.configuration.tree) == [] and (26243,) not in net.agent.objects.paths()


def test_who_vouches_is_said_by_bootstrap_only():
    net, gateway = start(tree=tree(POLICIES))
    assert ask(net, gateway, coap.PUT, "26244", "0", "0", payload=b"X" * 64, format=42) == coap.NOT_ALLOWED
    assert ask(net, gateway, coap.GET, "26244", "0", "3") == coap.NOT_ALLOWED
    for uri in (b"http://x", b"mqtt://", b"mqtt://x:", b"mqtt://x:y", b"mqtt://:1883", b"mqtt://x:65536", b"mqtts://x"):
        assert ask(net, gateway, coap.PUT, "26244", "0", "1", payload=uri, format=0) == coap.BAD_REQUEST, uri
    assert ask(net, gateway, coap.PUT, "26244", "0", "1", payload=b"mqtt://x", format=0) == coap.CHANGED
    assert net.agent.configuration.tree[(26244, 0, 0)] == b"R" * 64


def test_a_device_whose_server_is_a_setting_keeps_its_groups():
    net = Net({"server_uri": "coap://10.0.0.1"}, tree(GROUP))
    assert members(net.agent.configuration.tree) == [(b"meters-north", 3, GUARD)]


def test_they_are_bounded():
    many = {(26243, number, 0): b"g%d" % number for number in range(9)}
    assert "8 are possible" in refusal(many)
    assert "no other one has" in refusal({(26243, 0, 0): b"g", (26243, 1, 0): b"g"})
    assert "no other one has" in refusal({(26243, 0, 1): 1})
    wrong = ((0, b""), (0, b"g" * 33), (1, -1), (1, 256), (2, -1), (2, 1 << 24), (4, "t" * 129), (4, "a/#"), (4, "+/a"),
             (5, b"fifteen bytes.."), (5, b"g" * 65), (3, "10.0.0.1:5683"), (3, "239.0.0.1"), (3, "239.0.0.256:1"),
             (3, "239.0.1:5683"), (3, "239.0.0.1:0"), (3, "239.0.0.1:x"), (3, "239.0.0.1:99999"),
             (3, "[ff02::1]:1"))  # fmt: skip
    for rid, value in wrong:
        assert "/26243/0/%d" % rid in refusal(_with(GROUP, (26243, 0, rid), value))
    for rid, value in ((0, b"R" * 63), (1, "http://x"), (2, "u" * 65), (3, b"p" * 129)):
        assert "/26244/0/%d" % rid in refusal(_with(POLICIES, (26244, 0, rid), value))


def _with(rows, path, value):
    rows = dict(rows)
    rows[path] = value
    return rows


def test_the_registrar_hears_why_not_and_nothing_changes():
    net, gateway = start()
    rows = _with(GROUP, (26243, 0, 3), "10.0.0.1:5683")
    assert create(net, gateway, rows) == coap.BAD_REQUEST
    assert b"multicast" in gateway.answers[-1].payload and members(net.agent.configuration.tree) == []
    assert create(net, gateway, {(26243, 0, 1): 1}) == coap.BAD_REQUEST  # an id is mandatory
    assert create(net, gateway) == coap.CREATED
    assert create(net, gateway, {(26243, 1, 0): b"meters-north"}) == coap.BAD_REQUEST


def test_keys_are_sealed():
    """What is kept shows neither guard nor password, and a machine that can seal nothing takes neither."""
    for part, key in ((GROUP, GUARD), (_with(POLICIES, (26244, 0, 3), b"broker password"), b"broker password")):
        medium = Medium()
        net = Net({}, tree(), medium)
        net.agent.configuration.commit(tree(part))
        assert medium.files and not [data for data in medium.files.values() if key in data]
        net.boot()
        assert net.agent.configuration.tree == tree(part)
        assert "keys cannot be kept" in refusal(tree(part), lambda rows: vet(rows, True, Store(Keyless(), Settings())))
    vet(tree(_with(GROUP, (26243, 0, 5), b"")), True, Store(Keyless(), Settings()))


class Keyless:
    """A medium of a board that has no machine key."""

    def read(self, _name):
        return None


def test_a_root_alone_needs_no_machine_key():
    rows = tree({(26244, 0, 0): b"R" * 64})
    written = []
    medium = Keyless()
    medium.write = lambda name, data: written.append(data)
    Store(medium, Settings()).put({"config": cbor.encode([[path[0], path[1], path[2], rows[path]] for path in rows])})
    assert b"R" * 64 in written[0]
