"""The agent and servers with which it speaks OSCORE: registered, managed, restarted, refused (W1-W3)."""

from guarded_net import begin, both, oscore, registered, secure
from test_agent import GATEWAY, PLATFORM, Medium

from agent.codec import coap
from agent.credentials import mark, of
from agent.engine.oscore import Context


def test_oscore_both_ways_and_back():
    net = begin(secure(tree=both(oscore)))
    gateway, platform = net.servers[GATEWAY], net.servers[PLATFORM]
    assert registered(net) == (GATEWAY[0], "eth") and platform.paths() == ["rd", "rd/7"]
    gateway.ask(coap.GET, ("3331", "0"), net.now)
    net.carry()
    assert [answer.code for answer in gateway.answers] == [coap.CONTENT]
    net.link("eth", False)
    net.run(100)
    assert registered(net) == (PLATFORM[0], "wifi")
    net.link("eth", True)
    net.run(12000)
    assert registered(net) == (GATEWAY[0], "eth") and not [e for e in net.log if e[0] == "guards"]


def test_a_restart_goes_on_with_what_was_kept():
    """No number twice, or the server would say "replay"."""
    net = begin(secure(tree=both(oscore)))
    net.boot()
    begin(net)
    assert registered(net) == (GATEWAY[0], "eth")
    assert not [event for event in net.log if event[0] == "guards"]


def test_a_wrong_key_is_a_refusal():
    """Once it may be anybody who says so; three times in a row it counts."""
    net = secure(tree=both(oscore))
    server = net.servers[GATEWAY].exchange
    server.context = Context(b"somebody else's!", b"", b"", b"me")
    server.restart()
    begin(net)
    net.run(120000)
    assert ("guards", "refused") in net.log and net.log.index(("guards", "told")) < net.log.index(("guards", "refused"))
    assert registered(net) == (PLATFORM[0], "wifi")


def test_nobody_is_obeyed_or_believed_without_protection():
    net = begin(secure(tree=both(oscore)))
    plain = coap.Message(coap.CON, coap.PUT, 77, b"t", [(11, b"26242"), (11, b"0"), (11, b"1")], b"7")
    net.agent.receive("eth", GATEWAY[0], GATEWAY[1], coap.encode(plain), net.now)
    (what,) = [what for what in net.agent.take() if what[0] == "udp"]
    assert coap.decode(what[4]).code == coap.UNAUTHORIZED and net.agent.settings.get("report_period_s") == 60


class Unwritable(Medium):
    full = False

    def write(self, name, data):
        if self.full:
            raise OSError(28, "no space")
        Medium.write(self, name, data)


def test_where_nothing_can_be_kept_nothing_is_sent():
    """RFC 8613 7.2.1: a number that was not kept could be used again after a restart."""
    medium = Unwritable()
    net = secure(tree=both(oscore), medium=medium)
    medium.full = True
    begin(net)
    assert ("guards", "unwritten") in net.log and not net.servers[GATEWAY].seen and not net.others
    medium.full = False
    net.run(60000)
    assert registered(net) == (GATEWAY[0], "eth")


def test_keys_that_come_back_go_on_where_they_ended():
    net = begin(secure(tree=both(oscore)))
    guards = net.agent.guards
    mine = mark(of(net.agent.configuration.tree, 1))
    (kept,) = [state for known, state in guards.states() if known == mine]
    guards.renew({}, [])
    guards.confirm(("eth",) + PLATFORM)
    assert not guards.send(("eth",) + GATEWAY, b"\x40\x01\x00\x01", 0)
    guards.renew(net.agent.configuration.tree, net.agent.configuration.accounts)
    assert guards._of(("eth",) + GATEWAY).engine.state()[0] == kept[0] > 0
