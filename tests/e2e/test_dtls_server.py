"""The DTLS server role without sockets, with the agent's client at the other end: what it keeps, and of whom."""

import random

import pytest

from pointsman.agent.codec import dtls as codec
from pointsman.agent.engine.dtls import Dtls
from pointsman.tools.servers import dtls_sessions
from pointsman.tools.servers.dtls_sessions import Server

KEY = b"secretPSK16bytes"
HERE, THERE, ELSEWHERE = ("10.0.0.1", 1), ("10.0.0.2", 2), ("10.0.0.3", 3)


class Line:
    """A server and its clients; `lose(data)` says whether a datagram is lost."""

    def __init__(self, limit=100, several=lambda identity: False, lose=lambda data: False):
        self.rejected, self.now, self.lose = [], 0, lose
        self.server = Server(lambda identity: None if identity == b"nobody" else KEY,
                             lambda why, where: self.rejected.append(why), limit, several)
        self.clients, self.sessions, self.got, self.said, self.sent = {}, {}, [], [], []

    def client(self, where, identity=b"dev1", key=KEY, **options):
        self.clients[where] = Dtls(identity, key, random.Random(repr(where)).randrange, **options)
        return self.clients[where]

    def run(self, wait=0):
        """Until nobody says anything any more; `wait`: ms of timers meanwhile."""
        end = self.now + wait
        while True:
            while any([self._events(where) for where in list(self.clients)]):
                pass
            dues = [one.deadline() for one in self.clients.values() if one.deadline() is not None]
            if not dues or min(dues) > end:
                return
            self.now = max(self.now, min(dues))
            for one in self.clients.values():
                one.poll(self.now)

    def _events(self, where):
        events = self.clients[where].take()
        for kind, *what in events:
            if kind == "udp":
                self.sent.append(what[0])
                if not self.lose(what[0]):
                    self.deliver(what[0], where)
            elif kind != "keep":
                self.said.append((where, kind, *what))
        return bool(events)

    def deliver(self, data, where):
        for kind, *what in self.server.receive(data, where, self.now / 1000):
            if kind == "udp":
                self.answer(*what)
            elif kind == "up":
                self.sessions[what[0].where] = what[0]
            elif kind == "plain":
                self.got.append((what[0].owner.name, what[1]))
            else:
                self.said.append(("server", kind))

    def answer(self, where, data):
        self.sent.append(data)
        if where in self.clients and not self.lose(data):
            self.clients[where].receive(data, self.now)

    def say(self, where, data):
        self.clients[where].send(data, self.now)
        self.run()


def up(cid=True, **options):
    """A line with one session."""
    line = Line(**options)
    line.client(HERE, cid=cid)
    line.say(HERE, b"hello")
    assert line.got == [(b"dev1", b"hello")] and line.rejected == []
    return line


@pytest.mark.parametrize("cid", [True, False])
def test_both_ways(cid):
    """RFC 6347, 6655, 7627; with a Connection ID (RFC 9146) and without; within the budget of bytes."""
    line = up(cid)
    line.answer(HERE, line.server.seal(line.sessions[HERE], b"back"))
    line.run()
    assert (HERE, "plain", b"back") in line.said and len(line.server) == 1
    assert sum(map(len, line.sent)) - len(line.sent[-1]) - len(line.sent[-2]) <= 570


def test_nothing_is_kept_before_the_cookie():
    """A hello from anywhere costs an answer that is no longer than it, and no state."""
    line = Line()
    line.client(HERE).open(0)
    hello = [what for kind, *what in line.clients[HERE].take() if kind == "udp"][0][0]
    for port in range(100):
        (kind, where, answer), = line.server.receive(hello, ("10.0.0.9", port), 0)
        assert kind == "udp" and len(answer) <= len(hello) and len(line.server._pending) == 0
        again = answer[25:]  # another's cookie
        assert line.server.receive(hello[:60] + again + hello[60:], HERE, 0) == [] or not line.server._pending


def test_a_cookie_is_good_for_one_address_and_a_minute_or_two():
    line = Line(lose=lambda data: len(line.sent) > 2)
    line.client(HERE).open(0)
    line.run()
    hello = line.sent[2]
    assert line.server.receive(hello, THERE, 0)[0][2][13] == codec.VERIFY_REQUEST
    assert line.server.receive(hello, HERE, 59)[0][2][13] == codec.SERVER_HELLO
    line.server._pending.clear()
    assert line.server.receive(hello, HERE, 200)[0][2][13] == codec.VERIFY_REQUEST


@pytest.mark.parametrize("lost", range(7))
def test_a_lost_datagram(lost):
    """Whichever it is: the client repeats its flight, and has its answer again."""
    seen = []
    line = Line(lose=lambda data: seen.append(data) or len(seen) == lost + 1)
    line.client(HERE)
    line.say(HERE, b"hello")
    line.run(20000)
    assert (HERE, "up") in line.said and len(line.server) == 1
    line.say(HERE, b"again")
    assert line.got[-1] == (b"dev1", b"again")


def test_a_wrong_key():
    """It is told by an alert, so that the device need not guess; nothing is left of it."""
    line = Line()
    line.client(HERE, key=b"anotherPSK16byte").send(b"hello", 0)
    line.run(60000)
    assert [said[:2] for said in line.said] == [(HERE, "refused")] and "51" in line.said[0][2]
    assert line.got == [] and len(line.server) == 0 and set(line.rejected) == {"forged"}


def test_an_unknown_identity():
    line = Line()
    line.client(HERE, identity=b"nobody").send(b"hello", 0)
    line.run(60000)
    assert line.said == [(HERE, "refused", "dtls: alert 115 of the server")] and len(line.server._pending) == 0


def test_replayed_bent_and_reordered():
    """Counted and dropped; what is merely late, within the window, is taken."""
    line = up()
    client, sent = line.clients[HERE], []
    for number in range(70):
        client.send(b"%d" % number, 0)
        sent += [what[0] for kind, *what in client.take() if kind == "udp"]
    for data in [sent[1], sent[0], *sent[2:], *sent]:
        line.deliver(data, HERE)
    assert [text for _, text in line.got[1:4]] == [b"1", b"0", b"2"] and len(line.got) == 71
    assert line.rejected == ["replayed"] * 70
    client.send(b"last", 0)
    data = [what[0] for kind, *what in client.take() if kind == "udp"][0]
    for bit in range(8 * len(data)):
        line.deliver(data[: bit // 8] + bytes([data[bit // 8] ^ 1 << bit % 8]) + data[bit // 8 + 1 :], HERE)
        line.deliver(data[: bit // 8], HERE)
    assert len(line.got) == 71 and len(line.server) == 1
    line.deliver(data, HERE)
    assert line.got[-1] == (b"dev1", b"last")


def test_address():
    """RFC 9146 6: followed after a newer valid record only, so neither a replay nor a late one leads it astray."""
    line = up()
    client, session = line.clients[HERE], line.sessions[HERE]
    client.send(b"late", 0)
    late = client.take()[-1][1]
    client.send(b"new", 0)
    new = client.take()[-1][1]
    line.deliver(new, THERE)
    assert session.where == THERE and line.got[-1][1] == b"new"
    line.deliver(new, ELSEWHERE)
    line.deliver(late, ELSEWHERE)
    assert session.where == THERE and line.got[-1][1] == b"late" and line.rejected == ["replayed"]
    assert len(new) <= 100


def test_without_a_connection_id_an_address_is_the_session():
    line = up(cid=False)
    line.clients[HERE].send(b"moved", 0)
    line.deliver(line.clients[HERE].take()[-1][1], THERE)
    assert line.rejected == ["stray"] and line.sessions[HERE].where == HERE


@pytest.mark.parametrize("by_server", [True, False])
def test_the_end(by_server):
    """close_notify, either way; the session is gone at both ends."""
    line = up()
    if by_server:
        for where, data in line.server.close():
            line.answer(where, data)
    else:
        line.clients[HERE].close(0)
    line.run()
    assert [said[1] for said in line.said if said[0] == HERE][-1] == "closed" and len(line.server) == 0
    assert line.server._by_cid == line.server._by_where == line.server._by_identity == {}
    assert line.server.seal(line.sessions[HERE], b"x") is None


def test_tables_are_bounded(monkeypatch):
    """Sessions: the silent one gives way; of one identity there are two, but a gateway's; handshakes: the oldest."""
    monkeypatch.setattr(dtls_sessions, "_PENDING", 5)
    line = Line(limit=3, several=lambda identity: identity == b"gw")
    for number in range(5):
        line.client(("10.0.1.1", number), identity=b"dev%d" % number)
        line.say(("10.0.1.1", number), b"hello")
    assert len(line.server) == 3 and len(line.got) == 5
    line = Line(several=lambda identity: identity == b"gw")
    for number in range(6):
        line.client(("10.0.1.1", number), identity=b"gw" if number % 2 else b"dev")
        line.say(("10.0.1.1", number), b"hello")
    assert len(line.server) == 5 and len(line.got) == 6
    line = Line(lose=lambda data: data[0] == codec.HANDSHAKE and data[13] == codec.CLIENT_KEY)
    for number in range(20):
        line.client(("10.0.1.1", number)).open(0)
        line.run()
    assert len(line.server._pending) == 5 and len(line.server._by_cid) == 5


def test_a_new_handshake_from_the_same_address():
    """RFC 6347 4.2.8: what was there stays until the new one has proved its key."""
    line = up(cid=False)
    old = line.clients[HERE]
    line.client(HERE, cid=False, key=b"anotherPSK16byte").send(b"wrong", 0)
    line.run(60000)
    line.clients[HERE] = old
    line.say(HERE, b"still here")
    assert line.got[-1] == (b"dev1", b"still here")
    line.client(HERE, cid=False)
    line.say(HERE, b"anew")
    assert line.got[-1] == (b"dev1", b"anew") and len(line.server) == 1 and ("server", "closed") in line.said


def test_hellos_that_are_none():
    """Cut at every byte, and with every byte bent: an answer or none, and never an exception."""
    line = Line(lose=lambda data: len(line.sent) > 2)
    line.client(HERE).open(0)
    line.run()
    hello = line.sent[2]
    for at in range(len(hello)):
        line.deliver(hello[:at], HERE)
        for bit in range(8):
            line.deliver(hello[:at] + bytes([hello[at] ^ 1 << bit]) + hello[at + 1 :], HERE)
    assert len(line.server._pending) <= 1 and len(line.server) == 0
