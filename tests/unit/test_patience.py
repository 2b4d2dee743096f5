"""What servers themselves say about registration: /1/x/4, 5, 7, 13 and 15 to 20, and versions (1.1 Core 6.2, E.2)."""

from test_agent import GATEWAY, PLATFORM, Net, registrations
from test_provisioning import FINISH, BootServer, accounts

from agent.codec import coap
from agent.patience import ladder
from agent.vetting import bootstrap_single


def two(first=(), second=()):
    """Two accounts, both to be had over eth, the gateway preferred; more resources of /1 for each."""
    tree = {}
    for n, (host, _), more in ((1, GATEWAY, first), (2, PLATFORM, second)):
        tree.update({(0, n, 0): "coap://" + host, (0, n, 1): False, (0, n, 2): 3, (0, n, 10): n})
        tree.update({(1, n, 0): n, (1, n, 1): 3600, (1, n, 7): "U", (1, n, 13): n})
        tree.update({(1, n, rid): value for rid, value in dict(more).items()})
    return tree


def begin(tree, silent=(GATEWAY,), code=None, net=None):
    net = net or Net({"links": "eth", "probe_ms": 0, "fail_back_hold_ms": 0}, tree)
    for address in silent:
        net.servers[address].codes[("rd",)] = code
    net.agent.start(0)
    net.link("eth", True)
    net.carry()
    return net, net.servers[GATEWAY], net.servers[PLATFORM]


def words(server):
    return [request.query for request in registrations(server)]


def test_a_sequence_doubles_its_waits_and_then_pauses():
    tree = {(1, 0, 17): 3, (1, 0, 18): 10, (1, 0, 19): 500, (1, 0, 20): 2}
    found = [ladder(tree, 0, tries) for tries in range(1, 8)]
    assert found == [(10, False), (20, False), (500, False), (10, False), (20, False), (500, True), (10, False)]


def test_defaults_and_limits_of_the_waits():
    assert [ladder({}, 0, tries)[0] for tries in range(1, 6)] == [60, 120, 240, 480, 86400] and ladder({}, 0, 5)[1]
    assert ladder({(1, 0, 17): 100, (1, 0, 18): 10**9}, 0, 90) == (604800, False)
    assert ladder({(1, 0, 17): -1, (1, 0, 18): 0, (1, 0, 19): 2**32 - 1, (1, 0, 20): 0}, 0, 1) == (604800, True)
    assert ladder({(1, 0, 17): 3, (1, 0, 18): 0}, 0, 1) == (1, False)


def test_the_servers_own_waits_are_kept():
    """/1/x/17 and 18"""
    net, gateway, _ = begin(two({17: 3, 18: 100, 16: False}), code=coap.BAD_REQUEST)
    assert len(registrations(gateway)) == 1
    net.run(99000)
    assert len(registrations(gateway)) == 1
    net.run(2000)
    assert len(registrations(gateway)) == 2
    net.run(190000)
    assert len(registrations(gateway)) == 2
    net.run(11000)
    assert len(registrations(gateway)) == 3


def bootstrapped(first, code):
    tree = two(first)
    tree.update(bootstrap_single("coap://10.0.0.5"))
    net = Net({"links": "eth", "probe_ms": 0}, tree)
    boot = net.servers[("10.0.0.5", 5683)] = BootServer(accounts() + [FINISH])
    begin(tree, code=code, net=net)
    return net, boot


def test_a_server_may_want_a_bootstrap_after_so_many_tries():
    """LightweightM2M-1.1-int-7: /1/x/16 to 20. Silence means it because the account says so."""
    net, boot = bootstrapped({17: 2, 18: 5, 20: 1}, None)
    net.run(25000)
    assert not boot.seen
    net.run(60000)
    assert boot.seen and len(registrations(net.servers[PLATFORM])) == 1


def test_silence_alone_never_leads_to_a_bootstrap():
    net, boot = bootstrapped({16: True}, None)
    net.run(600000)
    assert not boot.seen


def test_a_refusal_leads_to_a_bootstrap_unless_the_server_does_not_want_it():
    """/1/x/16"""
    net, boot = bootstrapped({}, coap.FORBIDDEN)
    assert boot.seen
    net, boot = bootstrapped({16: False}, coap.FORBIDDEN)
    net.run(300000)
    assert not boot.seen and len(registrations(net.servers[GATEWAY])) > 5


def test_a_failed_server_lets_the_next_one_have_its_turn():
    """/1/x/13 and 15: the order, and whether it is held up; one registration at a time all the same."""
    net, gateway, platform = begin(two({15: False, 17: 2, 18: 5, 19: 1000}), code=coap.BAD_REQUEST)
    net.run(10000)
    assert len(registrations(gateway)) == 2 and len(registrations(platform)) == 1
    assert net.agent.registration.target[0].ssid == 2
    net.run(900000)
    assert len(registrations(gateway)) == 2
    gateway.codes.clear()
    net.run(100000)
    assert len(registrations(gateway)) == 3 and net.agent.registration.target[0].ssid == 1
    assert (platform.seen[-1].code, platform.seen[-1].path) == (coap.DELETE, ("rd", "7"))


def test_a_server_may_hold_up_the_others():
    net, gateway, platform = begin(two({15: True, 17: 2, 18: 5, 19: 100, 16: False}), code=coap.BAD_REQUEST)
    net.run(300000)
    assert len(registrations(gateway)) == 6 and not platform.seen


def test_when_all_have_failed_the_last_one_is_tried_on():
    rows = {15: False, 16: False, 17: 1, 19: 60}
    net, gateway, platform = begin(two(rows, rows), (GATEWAY, PLATFORM), coap.BAD_REQUEST)
    net.run(600000)
    assert 8 < len(registrations(gateway)) + len(registrations(platform)) < 40
    gateway.codes.clear()
    net.run(130000)
    assert net.agent.registration.target[0].ssid == 1 and net.agent.registration.state == "registered"


def test_a_server_without_send_is_not_bothered_for_ever():
    """4.04 or 4.05 to each Send: an Update finds out once that one is registered; the next tries are ever rarer."""
    net = Net({"links": "eth", "probe_ms": 0, "report_period_s": 10}, two())
    net.servers[GATEWAY].codes[("dp",)] = coap.NOT_FOUND
    net, gateway, _ = begin(None, (), net=net)
    net.run(1000000)
    paths = gateway.paths()
    assert paths.count("dp") < 11 and paths.count("rd/7") == 1 and paths.count("rd") == 1
    assert len(net.agent.journal.pending(500)) == 100
    gateway.codes.clear()
    net.run(2000000)
    assert len(net.agent.journal.pending(500)) < 2


def test_a_server_sends_the_device_away_for_a_while():
    """Execute /1/x/4, for as long as /1/x/5 says."""
    net, gateway, platform = begin(two({5: 50}), ())
    gateway.ask(coap.POST, ("1", "1", "4"), net.now)
    net.carry()
    net.run(1000)
    assert [answer.code for answer in gateway.answers] == [coap.CHANGED]
    assert gateway.seen[-1].code == coap.DELETE and net.agent.registration.target[0].ssid == 2
    net.run(48000)
    count = len(gateway.seen)
    net.run(3000)
    assert len(registrations(gateway)) == 2 and len(gateway.seen) == count + 1


def test_an_older_server_is_spoken_to_in_its_version():
    """4.12 on Register: 1.0 is tried, and remembered over a restart; a new configuration begins anew."""
    net, gateway, _ = begin(two(), code=coap.PRECONDITION_FAILED)
    net.run(500)
    assert ["lwm2m=1.1" in query for query in words(gateway)[:2]] == [True, False]
    assert "lwm2m=1.0" in words(gateway)[1]
    gateway.codes.clear()
    net.run(30000)
    assert net.agent.registration.state == "registered"
    net.boot()
    begin(None, (), net=net)
    assert "lwm2m=1.0" in words(gateway)[-1]
    net.agent.configuration.commit(dict(net.agent.configuration.tree))
    assert net.agent.store.get("versions") is None


def test_queue_mode_is_switched_on_and_off_by_the_server():
    """LightweightM2M-1.1-int-108: Write UQ to /1/x/7; said by a Register, which any server understands."""
    net, gateway, _ = begin(two(), ())
    for binding, queued in (("UQ", True), ("U", False)):
        gateway.ask(coap.PUT, ("1", "1", "7"), net.now, payload=binding.encode(), format=0)
        net.carry()
        net.run(1000)
        assert ("Q" in words(gateway)[-1]) == queued == ("b=U" in words(gateway)[-1])
        assert net.agent.registration.state == "registered" and gateway.answers[-1].code == coap.CHANGED
    assert len(registrations(gateway)) == 3
    gateway.ask(coap.PUT, ("1", "1", "7"), net.now, payload=b"U", format=0)
    net.carry()
    net.run(1000)
    assert len(registrations(gateway)) == 3


def test_queue_mode_as_version_1_0_says_it():
    net, gateway, _ = begin(two({7: "UQ"}), code=coap.PRECONDITION_FAILED)
    net.run(500)
    assert "Q" in words(gateway)[0] and "b=UQ" in words(gateway)[1] and "Q" not in words(gateway)[1]
