"""A driver for test_subscribing.py: time, timers, links and streams that a test moves."""

ACCEPTED = b"\x20\x02\x00\x00"


def granted(number, topics=1):
    return bytes([0x90, 2 + topics]) + number.to_bytes(2, "big") + b"\x01" * topics


class Link:
    def __init__(self, name):
        self.name, self.address = name, "192.0.2.1"


class Stream:
    """A connection to the broker: `heard` is what it was sent."""

    def __init__(self, driver, link, address):
        self.link, self.address, self.closed = link.name, address, False
        self.heard, self._driver, self._inbox = [], driver, b""

    def send(self, data):
        self.heard.append(data)
        return len(data)

    def recv(self, size):
        if not self._inbox:
            raise OSError(11, "nothing yet")
        data, self._inbox = self._inbox[:size], self._inbox[size:]
        return data

    def close(self):
        self.closed = True

    def say(self, data):
        """The broker says something."""
        self._inbox += data
        self.read()

    def read(self):
        """It is heard, as long as somebody listens."""
        while self._inbox and not self.closed and self in self._driver.readers:
            self._driver.readers[self]()

    def said(self):
        """What it was sent since it was asked last."""
        found = b"".join(self.heard)
        del self.heard[:]
        return found


class Driver:
    """For the agent of a Policed: clock, waiting, board, lookups and what has joined the groups in one."""

    def __init__(self, net):
        self.net, self.agent = net, net.agent
        self.driver = self.streams = self.clock = self.waiting = self.board = self._lookups = self
        self.below = lambda n: n // 2
        self.timers, self.readers, self.dialled, self.warned, self.known = {}, {}, [], [], {}
        self.links_ = {name: Link(name) for name in ("eth", "wifi")}
        self._sockets = dict.fromkeys(self.links_)

    def now(self):
        return self.net.now

    def flush(self):
        self.net.carry()

    def warn(self, event, quiet=0, **fields):
        self.warned.append(fields)

    # waiting

    def on(self, stream, then):
        self.readers[stream] = then

    def off(self, stream):
        self.readers.pop(stream, None)

    def after(self, ms, name, then):
        self.timers[name] = (self.net.now + ms, then)

    def forget(self, name):
        self.timers.pop(name, None)

    def turn(self, ms=0):
        """Let so much time pass."""
        end = self.net.now + ms
        while True:
            due = sorted([(timer[0], name) for name, timer in self.timers.items() if timer[0] <= end])
            if not due:
                break
            self.net.run(max(0, due[0][0] - self.net.now))
            self.timers.pop(due[0][1])[1]()
            for stream in self.dialled:
                stream.read()
        self.net.run(end - self.net.now)

    # the board

    def links(self):
        return list(self.links_.values())

    def open_stream(self, link, address):
        self.dialled.append(Stream(self, link, address))
        return self.dialled[-1]

    def down(self, name):
        """The link has no socket any more."""
        self._sockets.pop(name, None)

    # lookups

    def find(self, link, host, port):
        return self.known.get(host)
