"""The driver with real sockets and an agent that only notes what it is told: runs under CPython and MicroPython.

usage: python|micropython driven.py SCENARIO PORT [DNS]    (PORT: a UDP echo server on 127.0.0.1; DNS: servers)
Prints "passed" when all is well.
"""

import sys

sys.path.insert(0, __file__.rpartition("/")[0] + "/../..")

from agent import run  # noqa: E402
from agent.log import Log  # noqa: E402
from agent.settings import Settings  # noqa: E402
from boards.linux import Plain  # noqa: E402
from boards.nameservers import address as known_address  # noqa: E402

PORT = int(sys.argv[2])
DNS = sys.argv[3].split(",") if len(sys.argv) > 3 else []


class Link(Plain):
    """A link whose carrier the scenario holds, and whose sockets it counts."""

    def __init__(self, address="127.0.0.1"):
        Plain.__init__(self, "eth", address)
        self.up, self.opened = True, []

    def poll(self):
        return self.up

    def open(self):
        self.opened.append(Plain.open(self))
        return self.opened[-1]


class Board:
    """Every look at its links, 5 ms apart, is the scenario's next step."""

    poll_ms = 5
    resets = draws = 0

    def __init__(self, link, step):
        self.link, self.step = link, step

    def links(self):
        self.step()
        return [self.link]

    def serial(self):
        return None

    def names(self, host, link):
        return known_address(host), list(DNS)

    def below(self, n):
        self.draws += 7919
        return self.draws % n

    def reset(self):
        self.resets += 1


class Store:
    """Keeps what the driver wants kept."""

    def __init__(self):
        self.values = {}

    def get(self, key, default=None):
        return self.values.get(key, default)

    def keep(self, changes):
        self.values.update(changes)


class Agent:
    """Notes every input as a tuple; the scenario puts into `out` what it should want."""

    metrics = modem = None

    def __init__(self):
        self.entries, self.heard, self.out, self.due, self.stops = [], [], [], None, True
        self.store = Store()
        self.settings = Settings()
        self.log = Log(lambda *entry: self.entries.append(entry))

    def start(self, now):
        self.heard.append(("start",))

    def link(self, name, up, now):
        self.heard.append(("link", name, up))

    def receive(self, link, host, port, data, now):
        if data == b"bug":
            raise KeyError("a bug")
        self.heard.append(("receive", link, host, port, data))
        if data == b"later":
            self.due = now + 30

    def poll(self, now):
        assert self.due is not None and now >= self.due
        self.due = None
        self.heard.append(("poll",))

    def deadline(self):
        return self.due

    def stop(self, now):
        if self.stops:
            self.out.append(("stopped",))

    def take(self):
        out, self.out = self.out, []
        return out

    def events(self):
        return [entry[3] for entry in self.entries]


class Story:
    """A driver that runs, and the scenario beside it."""

    def __init__(self, scenario):
        self.agent, self.link, self.failure = Agent(), Link(), None
        self.driver = run.Driver(Board(self.link, self.step), self.agent)
        self._steps, self._busy = scenario(self), False

    def step(self):
        if self._busy:  # the scenario itself made the driver look at the links
            return
        self._busy = True
        try:
            next(self._steps, None)
        except Exception as e:
            self.failure = e
            raise
        finally:
            self._busy = False

    def tell(self):
        """The exit code, once the scenario is through."""
        code = self.driver.run()
        for _ in self._steps:
            pass
        if self.failure:
            raise self.failure
        return code

    def send(self, host, port, data):
        self.agent.out.append(("udp", "eth", host, port, data))
        self.driver.flush()

    def until(self, condition, what):
        for _ in range(10000):
            if condition():
                return
            yield
        raise AssertionError("never: " + what)

    def hears(self, *what):
        yield from self.until(lambda: what in self.agent.heard, repr(what))


def pause(steps):
    for _ in range(steps):
        yield


def names(story):
    """Answers come from the host as it was written; a number stays a number."""
    yield from story.hears("link", "eth", True)
    story.send("localhost", PORT, b"1")
    yield from story.hears("receive", "eth", "localhost", PORT, b"1")
    story.send("localhost", PORT, b"2")
    yield from story.hears("receive", "eth", "localhost", PORT, b"2")
    story.send("127.0.0.1", PORT, b"3")
    yield from story.hears("receive", "eth", "127.0.0.1", PORT, b"3")
    story.driver.stop()


def no_names(story):
    """DNS is dead: the address that is known from before is used, and in the end asked for again."""
    story.agent.store.values["names"] = {"gateway.invalid": "127.0.0.1"}
    yield from story.hears("link", "eth", True)
    story.send("gateway.invalid", PORT, b"1")
    yield from story.hears("receive", "eth", "gateway.invalid", PORT, b"1")
    yield from story.until(lambda: "unknown host" in story.agent.events(), "told")
    story.send("gateway.invalid", PORT, b"2")
    yield from story.hears("receive", "eth", "gateway.invalid", PORT, b"2")
    story.driver.stop()


def resolved(story):
    """By the link's DNS servers, the first of which is silent and the second of which is accompanied by liars: an
    alias, and later its address without another question."""
    yield from story.hears("link", "eth", True)
    for data in (b"1", b"2"):
        story.send("gateway.test", PORT, data)
        yield from story.hears("receive", "eth", "gateway.test", PORT, data)
    assert story.agent.store.values["names"] == {"gateway.test": "127.0.0.1"}
    story.send("none.test", PORT, b"3")
    yield from story.until(lambda: "unknown host" in story.agent.events(), "told")
    assert story.agent.entries[-1][4]["error"] == "there is no such host", story.agent.entries[-1]
    story.driver.stop()


def withdrawn(story):
    """A link that goes down takes its questions along; nobody waits for them."""
    link = story.link
    yield from story.hears("link", "eth", True)
    story.send("gateway.test", PORT, b"1")
    assert len(link.opened) == 2
    link.up = False
    yield from story.hears("link", "eth", False)
    yield from story.until(lambda: _closed(link.opened[1]), "closed")
    link.up = True
    yield from story.until(lambda: len(link.opened) == 3, "again")
    story.driver.stop()


def carrier(story):
    """The socket exists while the link is up."""
    link, agent = story.link, story.agent
    yield from story.hears("link", "eth", True)
    assert len(link.opened) == 1
    link.up = False
    yield from story.hears("link", "eth", False)
    story.send("127.0.0.1", PORT, b"lost")
    yield from story.until(lambda: _closed(link.opened[0]), "closed")
    link.up, agent.heard[:] = True, []
    yield from story.hears("link", "eth", True)
    story.send("127.0.0.1", PORT, b"again")
    yield from story.hears("receive", "eth", "127.0.0.1", PORT, b"again")
    assert len(link.opened) == 2 and agent.heard[0] == ("link", "eth", True)
    story.driver.stop()


def _closed(sock):
    try:
        sock.setblocking(False)
        sock.sendto(b"x", b"")
    except OSError as e:
        return e.errno == 9
    except TypeError:
        return sock.fileno() < 0
    return False


def trouble(story):
    """What cannot be sent is counted, logged once, and nothing ends."""
    yield from story.hears("link", "eth", True)
    for _ in range(3):
        story.send("255.255.255.255", 9, b"not permitted")
        story.send("192.0.2.300", 9, b"no address")
    yield from story.until(lambda: "unsent" in story.agent.events(), "unsent")
    for _ in range(3):
        story.send("no.such.host.invalid", PORT, b"x")
        yield from pause(2)
    yield from story.until(lambda: "unknown host" in story.agent.events(), "unknown host")
    story.send("localhost", PORT, b"fine")
    yield from story.hears("receive", "eth", "localhost", PORT, b"fine")
    assert story.agent.events().count("unsent") == story.agent.events().count("unknown host") == 1
    story.driver.stop()


def unusable(story):
    """A link that cannot be opened stays down and is tried again."""
    link = story.link
    yield from story.hears("link", "eth", True)
    link.up = False
    yield from story.hears("link", "eth", False)
    link.address, link.up = "192.0.2.1", True
    story.agent.heard[:] = []
    yield from story.until(lambda: "link unusable" in story.agent.events(), "told")
    assert story.agent.heard == []
    link.address = "127.0.0.1"
    yield from story.hears("link", "eth", True)
    story.driver.stop()


def timer(story):
    """One timer, armed anew whenever the deadline changes; nothing is polled for nothing."""
    yield from story.hears("link", "eth", True)
    story.send("127.0.0.1", PORT, b"later")
    yield from story.hears("poll")
    yield from pause(20)
    assert story.agent.heard.count(("poll",)) == 1
    story.agent.due = story.driver.clock.now() + 100000
    story.driver.flush()
    yield from pause(4)
    story.agent.due = story.driver.clock.now() + 20  # earlier than what the timer is armed for
    story.driver.flush()
    yield from story.until(lambda: story.agent.heard.count(("poll",)) == 2, "the earlier deadline")
    story.driver.stop()


def bug(story):
    """An exception in the agent ends the run with code 1 and says so once."""
    yield from story.hears("link", "eth", True)
    story.send("127.0.0.1", PORT, b"bug")


def stuck(story):
    """An agent that cannot say good-bye ends all the same."""
    story.agent.stops = False
    yield from story.hears("link", "eth", True)
    story.driver.stop()


def twice(story):
    """Asked to stop twice: at once."""
    story.agent.stops = False
    run._STOP_MS = 60000
    yield from story.hears("link", "eth", True)
    story.driver.stop()
    yield from pause(4)
    story.driver.stop()


CODES = {"bug": 1, "twice": 1}


def main(name):
    run._STOP_MS = 300
    story = Story(globals()[name])
    code = story.tell()
    assert code == CODES.get(name, 0), code
    assert story.agent.heard[0] == ("start",) or name in ("carrier", "unusable")
    assert ("failed" in story.agent.events()) == (name == "bug")
    assert all(_closed(sock) for sock in story.link.opened)
    print("passed")


main(sys.argv[1])
