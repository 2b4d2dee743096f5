"""G1, G2: a group is listened to on each link that costs nothing; what comes that way is obeyed, and answered to the
registrar at most, never to whom it came from."""

from policed import GROUP, ROOT, Policed, document, signed
from test_agent import TREE

from agent import joining
from agent.codec import cbor, coap
from agent.joining import join

SOUTH = b"meters-south"
PLACE, OTHER = "239.77.0.1:5685", "239.77.0.2:5685"
WINDOW = 8000


class Socket:
    """What was joined, and what comes in."""

    def __init__(self, address, place):
        self.key, self.data, self.closed = (address, place), [], False

    def recvfrom(self, size):
        if not self.data:
            raise OSError(11, "nothing")
        return self.data.pop(0), ("10.0.0.66", 7)

    def close(self):
        self.closed = True


class Streams:
    """The board's: sockets that are no sockets. Addresses in `dead` cannot be joined."""

    def __init__(self):
        self.made, self.dead = [], []

    def streams(self):
        return self

    def open_group(self, address, place):
        if address in self.dead:
            raise OSError(19, "no such device")
        self.made.append(Socket(address, place))
        return self.made[-1]


class Waiting:
    """What is waited for: streams and timers."""

    def __init__(self):
        self.streams, self.timers = {}, {}

    def on(self, stream, then):
        self.streams[id(stream)] = then

    def off(self, stream):
        self.streams.pop(id(stream), None)

    def after(self, ms, name, then):
        self.timers[name] = (ms, then)

    def forget(self, name):
        self.timers.pop(name, None)


class Driver:
    """Beside an agent in a group with the address PLACE; its links are `links`: {name: address}."""

    groups = None

    def __init__(self, *groups, **values):
        tree = dict(TREE)
        for number, group in enumerate(groups or ({0: GROUP, 2: 17, 3: PLACE},)):
            tree.update({(26243, number, rid): group[rid] for rid in group})
        tree[(26244, 0, 0)] = ROOT
        self.net = Policed(values, tree).begin()
        self.board, self.waiting, self.clock, self.warned = Streams(), Waiting(), self, []
        self._sockets = {}
        self.net.others[:] = []
        self.links(eth="10.0.0.5")

    @property
    def agent(self):
        return self.net.agent

    def now(self):
        return self.net.now

    def flush(self):
        self.net.carry()

    def warn(self, event, quiet=0, **fields):
        self.warned.append((event, fields["link"]))

    def links(self, **links):
        self._sockets = {name: (None, links[name]) for name in links}
        join(self)

    def joined(self):
        """What is listened to."""
        return sorted([sock.key for sock in self.board.made if not sock.closed])

    def hear(self, data):
        """A datagram comes in, on the first socket -> the acknowledgements that follow within 20 s."""
        (sock,) = [sock for sock in self.board.made if not sock.closed][:1]
        if id(sock) not in self.waiting.streams:
            self.waiting.timers.pop(("eth",) + sock.key)[1]()
        sock.data.append(data)
        self.waiting.streams[id(sock)]()
        before = len(self.net.acks())
        self.net.run(20000)
        assert self.strangers() == []
        return self.net.acks()[before:]

    def strangers(self):
        """Datagrams to others than the servers that there are."""
        return [what for what in self.net.others if what[0] == "udp"]


def message(payload, kind=coap.NON, code=coap.POST, options=((11, b"policy"),)):
    return coap.encode(coap.Message(kind, code, 77, b"\xff", list(options), payload))


def announced(version, window=WINDOW, base=0, bitmap=None, group=GROUP, **more):
    return message(cbor.encode([window, base, bitmap]) + signed(document(version, {1: 60 + version}, group, **more)))


def test_what_is_sent_to_the_group_is_obeyed_and_answered_to_the_registrar():
    driver = Driver()
    assert driver.hear(announced(1)) == [[b"meter-1", GROUP, 1, 0, 1]]
    assert driver.agent.reports.period_ms == 61000 and driver.net.state() == "applied"
    assert driver.hear(announced(2, window=0)) == [] and driver.agent.reports.period_ms == 62000
    assert driver.hear(announced(3)) == [[b"meter-1", GROUP, 3, 0, 1]]


def test_the_answer_waits_for_its_moment():
    """It is drawn from the window: here always the middle of it."""
    driver = Driver()
    (sock,) = driver.board.made
    sock.data.append(announced(1))
    driver.waiting.streams[id(sock)]()
    driver.net.run(WINDOW // 2 - 1)
    assert driver.net.acks() == [] and driver.agent.reports.period_ms == 61000
    driver.net.run(2)
    assert len(driver.net.acks()) == 1


def test_a_bitmap_speaks_to_some_and_all_obey():
    driver = Driver()
    assert driver.hear(announced(1, base=10, bitmap=b"\x7f")) == [] and driver.net.state() == "applied"
    assert driver.hear(announced(1, base=10, bitmap=b"\x80")) == [[b"meter-1", GROUP, 1, 3, 0]]
    assert driver.hear(announced(2, base=17, bitmap=b"\x01")) == [[b"meter-1", GROUP, 2, 0, 1]]
    assert driver.hear(announced(2, base=18, bitmap=b"\xff" * 128)) == []
    assert driver.hear(announced(2, base=9, bitmap=b"\xff")) == []
    assert driver.hear(announced(2, base=0, bitmap=b"\0\0\2")) == [[b"meter-1", GROUP, 2, 3, 0]]


def test_without_an_index_only_what_speaks_to_all():
    driver = Driver({0: GROUP, 3: PLACE})
    assert driver.hear(announced(1, bitmap=b"\xff" * 128)) == [] and driver.net.state() == "applied"
    assert driver.hear(announced(1)) == [[b"meter-1", GROUP, 1, 3, 0]]


def test_of_several_groups_each_has_its_index():
    driver = Driver({0: GROUP, 1: 5, 2: 1, 3: PLACE}, {0: SOUTH, 2: 2, 3: PLACE})
    assert driver.joined() == [("10.0.0.5", PLACE)]
    assert driver.hear(announced(1, bitmap=b"\2", group=SOUTH)) == []
    assert driver.hear(announced(2, bitmap=b"\4", group=SOUTH)) == [[b"meter-1", SOUTH, 2, 0, 1]]
    assert driver.hear(announced(2, bitmap=b"\2")) == [[b"meter-1", GROUP, 2, 0, 1]]


def test_whoever_repeats_it_is_not_always_told():
    driver = Driver()
    driver.hear(announced(1))
    for answers in (2, 2, 3, 3):
        driver.groups.hear(announced(1, window=1), driver.now())
        driver.net.carry()
        driver.net.run(500)
        assert len(driver.net.acks()) == answers


def test_what_asks_others_again_is_not_looked_at():
    """Unless our index, or the document, is another one."""
    driver = Driver()
    assert driver.hear(announced(1, bitmap=b"\1")) == []
    offered, offer = [], driver.agent.policing.offer
    driver.agent.policing.offer = lambda *what: offered.append(what) or offer(*what)
    for bitmap in (b"\1", b"\xff\xff\xfd", b"\0"):
        assert driver.hear(announced(1, bitmap=bitmap)) == []
    assert offered == []
    assert driver.hear(announced(1, bitmap=b"\0\0\2")) == [[b"meter-1", GROUP, 1, 3, 0]]
    driver.agent.configuration.tree[(26243, 0, 2)] = 0
    join(driver)
    assert driver.hear(announced(1, bitmap=b"\1")) == [[b"meter-1", GROUP, 1, 3, 0]]
    assert driver.hear(announced(2, bitmap=b"\2")) == [] and len(offered) == 3
    assert driver.agent.reports.period_ms == 62000


GOOD = cbor.encode([WINDOW, 0, None]) + signed(document(1))
HEADS = ([], [1, 2], [1, 2, None, 3], ["1", 0, None], [1, None, None], [True, 0, None], [-1, 0, None],
         [600001, 0, None], [1, 16777216, None], [1, 0, 5], [1, 0, b""], [1, 0, b"x" * 129], [1, 0, "x"], {}, 7,
         None)  # fmt: skip


def test_nothing_else_is_answered_or_kept():
    driver = Driver()
    for data in (b"", b"\x50", b"\xff" * 40, message(b""), message(GOOD, coap.CON), message(GOOD, coap.ACK),
                 message(b"", coap.RST, 0, ()), message(GOOD, code=coap.GET), message(GOOD, options=()),
                 message(GOOD, options=((11, b"policy"), (11, b"keys"))), message(GOOD, options=((11, b"rd"),)),
                 message(GOOD, options=((9, b""), (11, b"policy"))), message(GOOD[:-1]), message(GOOD + b"\0"),
                 message(signed(document(1))), message(GOOD[:7]), message(GOOD[:7] + b"x" * 1025),
                 message(cbor.encode([WINDOW, 0, None]) + signed(document(1), key=b"F" * 64)),
                 announced(1, group=b"others")):  # fmt: skip
        assert driver.hear(data) == []
    for head in HEADS:
        assert driver.hear(message(cbor.encode(head) + signed(document(1)))) == []
    assert driver.net.state() == "none" and driver.agent.reports.period_ms == 60000
    assert [name for name in driver.net.medium.files if name[:7] == "policy."] == ["policy.keys.a"]
    assert driver.hear(announced(1)) == [[b"meter-1", GROUP, 1, 0, 1]]


def test_after_each_datagram_there_is_a_pause():
    driver = Driver()
    (sock,) = driver.board.made
    sock.data += [b"x", b"x"]
    driver.waiting.streams[id(sock)]()
    assert driver.waiting.streams == {} and sock.data == [b"x"]
    ms, go_on = driver.waiting.timers[("eth", "10.0.0.5", PLACE)]
    assert ms >= 20
    go_on()
    assert id(sock) in driver.waiting.streams
    driver.waiting.streams[id(sock)]()
    driver.groups.close()
    assert driver.waiting.streams == driver.waiting.timers == {} and driver.joined() == []


def test_a_slow_machine_pauses_longer_but_not_for_long():
    for took, paused in ((300, 1200), (9000, 4000)):
        driver = Driver()
        (sock,) = driver.board.made
        sock.data += [b"x"]
        driver.flush = lambda: setattr(driver.net, "now", driver.net.now + took)  # noqa: B023
        driver.waiting.streams[id(sock)]()
        assert driver.waiting.timers[("eth", "10.0.0.5", PLACE)][0] == paused


def test_each_link_is_listened_to_that_costs_nothing():
    driver = Driver({0: GROUP, 3: PLACE}, {0: SOUTH, 3: OTHER}, {0: b"no address"}, metered="lte")
    driver.links(eth="10.0.0.5", wifi="10.1.0.5", lte="10.2.0.5")
    assert driver.joined() == [("10.0.0.5", PLACE), ("10.0.0.5", OTHER), ("10.1.0.5", PLACE), ("10.1.0.5", OTHER)]
    driver.links(wifi="10.1.0.5")
    assert driver.joined() == [("10.1.0.5", PLACE), ("10.1.0.5", OTHER)]
    driver.links(wifi="10.1.0.7")
    assert driver.joined() == [("10.1.0.7", PLACE), ("10.1.0.7", OTHER)] and len(driver.board.made) == 6
    driver.links()
    assert driver.joined() == []


def test_the_agent_says_when_there_are_other_groups_or_another_link():
    driver = Driver({0: GROUP, 3: PLACE})
    net = driver.net
    net.regroup(SOUTH)
    assert ("groups", None) in net.others
    driver.links(eth="10.0.0.5")
    assert driver.joined() == []
    net.others[:] = []
    net.run(60000)
    assert ("groups", None) not in net.others
    net.link("eth", False)
    net.run(1000)
    assert ("groups", None) in net.others


def test_a_link_where_it_is_not_possible_is_tried_again():
    driver = Driver()
    driver.board.dead = ["10.1.0.5"]
    driver.links(eth="10.0.0.5", wifi="10.1.0.5")
    assert driver.warned == [("not joined", "wifi")] and driver.joined() == [("10.0.0.5", PLACE)]
    driver.board.dead = []
    ms, again = driver.waiting.timers.pop("groups")
    assert ms > 1000
    again()
    assert driver.joined() == [("10.0.0.5", PLACE), ("10.1.0.5", PLACE)]


def quiet(*_names):
    """A test need not compile anew what a device drops."""


joining.drop = quiet
