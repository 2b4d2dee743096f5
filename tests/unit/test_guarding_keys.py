"""The keys of protected accounts: how they are checked, those that a device is born with, those that it is given, and
their change (C2, C3, L2)."""

from guarded_net import SECRET, begin, both, dtls, oscore, registered, secure
from oscore_pair import Guarded
from test_agent import GATEWAY, PLATFORM, TREE, Net

from agent.codec import coap, senml
from agent.credentials import name_of, of
from agent.engine.oscore import Context
from agent.errors import LocalError
from agent.settings import Settings
from agent.vetting import bootstrap_single, check


def refused(tree, insecure=False):
    try:
        check(tree, insecure)
    except LocalError as e:
        return e.args[0]
    raise AssertionError("was not refused")


def test_what_cannot_be_lived_with_is_named():
    for change, word in (
        ({(0, 1, 17): (21, 9)}, "object 21"),
        ({(0, 1, 17): "x"}, "object 21"),
        ({(0, 1, 2): 0}, "together"),
        ({(21, 1, 3): 24}, "algorithm"),
        ({(21, 1, 4): -11}, "HKDF"),
        ({(21, 1, 2): b"me"}, "equal"),
        ({(0, 1, 0): "coaps://10.0.0.1"}, "coaps://"),
        ({(0, 2, 0): "coap://10.0.0.1"}, "same address"),
        ({(21, 2, 0): SECRET + b"\1"}, "same OSCORE keys"),
    ):
        tree = both(oscore)
        tree.update(change)
        assert word in refused(tree), change
    tree = both(dtls)
    for change, word in (({(0, 1, 5): b""}, "/0/1/5"), ({(0, 1, 2): 2}, "mode 2"), ({(0, 1, 2): 3}, "NoSec")):
        changed = dict(tree)
        changed.update(change)
        text = refused(changed, True)
        assert word in text and "another" not in text
    tree = both(oscore)
    tree.update(bootstrap_single("coap://10.0.0.9"))
    assert "insecure" in refused(tree)


def test_the_key_that_a_device_is_born_with():
    values = {"endpoint": "meter-1", "links": "eth,wifi", "security": "oscore", "device_key": "00" * 16}
    for more, host in (({"server_uri": "coap://10.0.0.1"}, 0), ({"bootstrap_uri": "coap://10.0.0.9"}, 65534)):
        net = Net(tuple(values.items()) + tuple(more.items()) + (("insecure", False),), None)
        tree = net.agent.configuration.tree
        assert of(tree, host) == ("oscore", bytes(16), b"", name_of("meter-1"), b"", None, 10)
    net = Net(tuple(values.items()) + (("server_uri", "coaps://10.0.0.1"), ("security", "dtls")), None)
    assert of(net.agent.configuration.tree, 0) == ("dtls", b"meter-1", bytes(16))
    for name, value in (("device_key", "00"), ("device_key", "zz" * 16), ("security", "tls")):
        try:
            Settings({name: value})
            raise AssertionError("was not refused")
        except LocalError as e:
            assert "zz" not in e.args[0] and name in e.args[0]


def test_a_bootstrap_with_keys():
    """C2, C3: the configuration server is asked under the device's key and hands out others."""
    values = (("insecure", False), ("security", "oscore"), ("device_key", "31" * 16), ("bootstrap_uri", "coap://10.0.0.1:9"))
    net = Net(values, None)
    server = net.servers.pop(GATEWAY)
    server.address = (GATEWAY[0], 9)
    net.servers[server.address] = server
    server.exchange = Guarded(server.exchange, Context(b"1" * 16, b"", b"", name_of("meter-1")), 5)
    net.agent.start(0)
    net.link("eth", True)
    assert server.paths() == ["bs"] and net.agent.bootstrap.state == "receiving"
    server.ask(coap.DELETE, (), net.now)
    net.carry()
    tree = oscore({path: TREE[path] for path in TREE if path[1] == 2}, 2)
    tree[(26241, 2, 1)] = "eth"
    for oid in (0, 1, 21, 26241):
        rows = [("/%d/%d/%d" % path, tree[path], None) for path in sorted(tree) if path[0] == oid]
        server.ask(coap.PUT, (str(oid), "2"), net.now, payload=senml.pack(rows), format=112)
        net.carry()
    server.ask(coap.POST, ("bs",), net.now)
    platform = net.servers[PLATFORM]
    platform.exchange = Guarded(platform.exchange, Context(SECRET + b"\2", b"", b"", b"me"), 7)
    net.carry()
    net.run(5000)
    assert [answer.code for answer in server.answers] == [coap.DELETED] + [coap.CHANGED] * 5
    assert registered(net) == (PLATFORM[0], "eth") and net.agent.configuration.tree[(21, 65534, 0)] == b"1" * 16


def test_keys_are_changed_without_losing_service():
    """L2, S1: new keys are on trial until the registrar has taken a registration under them."""
    _change_keys(True)


def test_keys_that_do_not_work_are_taken_back():
    _change_keys(False)


def _change_keys(good):
    tree = oscore({path: TREE[path] for path in TREE if path[1] == 1}, 1)
    net = begin(secure(tree=tree, servers=(GATEWAY,)))
    server = net.servers[GATEWAY].exchange
    changed = dict(tree)
    changed[(21, 1, 0)] = b"the next sixteen"
    if good:
        server.context = Context(b"the next sixteen", b"", b"", b"me")
        server.restart()
    net.agent._commit(net.now, changed)
    net.carry()
    net.run(1500000)
    assert registered(net) == (GATEWAY[0], "eth") and not net.agent.configuration.trial
    assert net.agent.configuration.tree[(21, 1, 0)] == (changed if good else tree)[(21, 1, 0)]


def test_only_a_found_server_that_is_protected_as_settings_say_is_asked():
    for security, uri, asked in (("oscore", "coap://10.0.0.9:1", True), ("oscore", "coaps://10.0.0.9:1", False),
                                 ("dtls", "coaps://10.0.0.9:1", True), ("dtls", "coap://10.0.0.9:1", False)):
        values = (("insecure", False), ("security", security), ("device_key", "31" * 16))
        net = Net(values, None)
        net.agent.start(0)
        net.link("eth", True)
        net.agent.provisioning.found(net.now, "eth", uri, "core")
        assert (net.agent.bootstrap.state == "requesting") == asked
        assert bool(net.agent.guards) == asked
