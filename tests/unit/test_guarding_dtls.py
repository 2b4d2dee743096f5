"""The agent and servers behind DTLS: one handshake each, sessions that move, survive and are lost (W1-W3)."""

from guarded_net import KEY, begin, both, dtls, registered, secure
from guarded_tunnel import Tunnel
from test_agent import GATEWAY, PLATFORM, TREE

from agent.engine.dtls import Dtls


def test_dtls_both_ways_with_one_handshake_each():
    net = begin(secure(tree=both(dtls)))
    assert registered(net) == (GATEWAY[0], "eth")
    for _ in range(2):
        net.link("eth", False)
        net.run(100)
        assert registered(net) == (PLATFORM[0], "wifi")
        net.link("eth", True)
        net.run(25000)
        assert registered(net) == (GATEWAY[0], "eth")
    assert [guard.engine.counters["handshakes"] for guard in net.agent.guards._guards] == [1, 1]


def test_a_session_moves_with_the_link_and_is_asked_over_one_only():
    """RFC 9146: one server, reached over either link."""
    tree = dtls({path: TREE[path] for path in TREE if path[1] == 1}, 1)
    del tree[(26241, 1, 1)]
    net = begin(secure(tree=tree, servers=(GATEWAY,)))
    assert registered(net) == (GATEWAY[0], "eth")
    (guard,) = net.agent.guards._guards
    assert net.agent.guards.may_ask(("eth",) + GATEWAY) and not net.agent.guards.may_ask(("wifi",) + GATEWAY)
    net.link("eth", False)
    net.run(3000)
    assert registered(net) == (GATEWAY[0], "wifi") and guard.engine.counters["handshakes"] == 1


def test_without_a_connection_id_a_move_is_a_handshake():
    tree = dtls({path: TREE[path] for path in TREE if path[1] == 1}, 1)
    del tree[(26241, 1, 1)]
    net = secure(tree=tree, servers=())
    net.servers[GATEWAY].exchange = Tunnel(net.servers[GATEWAY].exchange, KEY, None)
    begin(net)
    (guard,) = net.agent.guards._guards
    before = guard.engine.counters["handshakes"]
    net.agent.moved("eth", net.now)
    net.carry()
    assert guard.engine.counters["handshakes"] == before + 1 and guard.engine.is_up()


def test_a_restart_needs_no_handshake():
    net = begin(secure(tree=both(dtls)))
    net.boot()
    begin(net)
    assert registered(net) == (GATEWAY[0], "eth")
    assert [guard.engine.counters["handshakes"] for guard in net.agent.guards._guards] == [0, 0]


def test_servers_with_the_same_key_have_a_session_each():
    """What is kept of one is not taken for the other's."""
    net = secure(tree=both(dtls), servers=(GATEWAY,))
    net.servers[PLATFORM].exchange = Tunnel(net.servers[PLATFORM].exchange, KEY, b"\x74\x75")
    begin(net)
    for up, there in ((False, (PLATFORM[0], "wifi")), (True, (GATEWAY[0], "eth"))):
        net.link("eth", up)
        net.run(net.now + 25000)
        assert registered(net) == there
    net.boot()
    begin(net)
    assert registered(net) == (GATEWAY[0], "eth")
    net.link("eth", False)
    net.run(net.now + 5000)
    assert registered(net) == (PLATFORM[0], "wifi")
    assert [guard.engine.counters["handshakes"] for guard in net.agent.guards._guards] == [0, 0]


def test_without_a_connection_id_a_clean_end_closes_the_session():
    """RFC 5246 7.2.1; and after a cut, which cannot, there is a handshake at once."""
    for clean in (True, False):
        tree = dtls({path: TREE[path] for path in TREE if path[1] == 1}, 1)
        net = secure(tree=tree, servers=())
        tunnel = net.servers[GATEWAY].exchange = Tunnel(net.servers[GATEWAY].exchange, KEY, None)
        begin(net)
        if clean:
            net.agent.stop(net.now)
            net.run(net.now + 4000)
            assert tunnel.dtls.alerts == [b"\x01\x00"]
        tunnel.dtls = Tunnel(None, KEY, None).dtls  # all that a server has for a client at another port
        net.boot()
        begin(net)
        (guard,) = net.agent.guards._guards
        assert registered(net) == (GATEWAY[0], "eth") and guard.engine.counters["handshakes"] == 1


def test_a_server_that_is_asked_again_is_found_as_it_was():
    """As a configuration server is, by a bootstrap that somebody wants later: no handshake, and its requests count."""
    net = begin(secure(tree=both(dtls)))
    net.link("eth", False)
    net.run(100)
    assert registered(net) == (PLATFORM[0], "wifi")
    guards, configuration = net.agent.guards, net.agent.configuration
    tree, accounts = configuration.tree, configuration.accounts
    guards.renew(tree, [account for account in accounts if account.host == PLATFORM[0]])
    guards.confirm(("wifi",) + PLATFORM)
    assert not guards._of(("eth",) + GATEWAY)
    guards.renew(tree, accounts)
    engine = guards._of(("eth",) + GATEWAY).engine
    assert engine.is_up() and engine.is_fresh() and engine.counters["handshakes"] == 0
    again = Dtls(b"meter-1", KEY, net.agent._below, dict(map(tuple, net.agent.store.get("guards")))[
        guards._of(("eth",) + GATEWAY).mark])  # fmt: skip
    assert not again.is_fresh()  # after a power cut, until something has been answered
    guards._of(("eth",) + GATEWAY).engine = again
    guards.prove(("eth",) + GATEWAY)
    assert again.is_fresh()


def test_a_server_that_lost_its_sessions_gets_a_handshake():
    net = begin(secure(tree=both(dtls)))
    tunnel = net.servers[GATEWAY].exchange
    tunnel.dtls = Tunnel(None, KEY, b"\x74").dtls
    net.run(120000)
    assert registered(net) == (GATEWAY[0], "eth") and tunnel.dtls.read


def test_a_wrong_key_is_a_refusal():
    net = secure(tree=both(dtls))
    net.servers[GATEWAY].exchange.dtls.key = b"no key of theirs"
    begin(net)
    net.run(120000)
    assert ("guards", "refused") in net.log and registered(net) == (PLATFORM[0], "wifi")
