"""A device whose clock leaps ahead whenever its modem engine only waits: hours of back-off pass in milliseconds.

The engine, the pseudo-terminal and the emulator are real. When nothing has come for a moment, the next deadline is
taken for reached; so what the emulator does has to take a few milliseconds only.
"""

import random

from modem_device import Device, until

from agent.engine.modem import Modem
from agent.engine.ppp import Ppp
from boards.opening import speed
from pointsman.tools.modem.packets import build_udp, parse, parse_udp

AT_ONCE = {"boot": 2, "sim": 1, "attach": 2, "dial": 1, "open": 1, "guard": 1, "cmux": 1}
BAUD = 115200
GATEWAY = "10.64.0.1"
TICK_S, IDLE, BUSY = 0.001, 3, 8  # so many ticks of silence: in a mere wait, after a question


class HastyDevice(Device):
    """`ahead` is how much further its clock is than the real one (ms)."""

    def __init__(self, path, session="sockets", pin=""):
        self.ahead, self.ppp, self.address, self.kept = 0, None, None, {}
        super().__init__(path)
        self.begin(session, pin)

    def begin(self, session="sockets", pin=""):
        """A new life of the device, with what it kept of the last one."""
        self.modem = Modem("auto", "iot", random.Random(1).randrange, session, pin, dict(self.kept))

    def open(self, path):
        super().open(path)
        speed(self.fd, BAUD)

    def now(self):
        return super().now() + self.ahead

    def _settle(self):
        super()._settle()
        self._carry()
        if self.timer:
            self.timer.cancel()
        due = self._due()
        asked = self.modem._channel.command is not None or self.modem._awaited or self.ppp
        self.timer = due and self.loop.call_later(TICK_S, self._tick, due, BUSY if asked else IDLE)

    def _tick(self, due, left):
        """Turns of the loop are counted rather than time: a machine that is busy elsewhere has not answered late."""
        if left and self.now() < due:
            self.timer = self.loop.call_later(TICK_S, self._tick, due, left - 1)
        else:
            self._leap(due)

    def other(self, kind, *what):
        """What is to be kept is kept; the lines for reset and power lead nowhere (they do in a test of their own)."""
        if kind == "keep":
            what[0]["kept"] = True
            self.kept = what[0]
        elif kind == "baud" and self.fd is not None:
            speed(self.fd, what[0] or BAUD)

    def _carry(self):
        """What a data call wants done."""

    def _due(self):
        return min([due for due in (self.modem.deadline(), self.ppp and self.ppp.deadline()) if due], default=None)

    def _leap(self, due):
        self.ahead += max(0, due - self.now())
        if self.ppp:
            self.ppp.poll(self.now())
        self.do("poll")

    async def flows(self, echo, tries=200):
        """Datagrams get through: sent until one is answered; when three were not, another call is asked for. A machine
        that needs longer for an answer is given longer, by and by."""
        text = b"%d" % self.ahead
        for attempt in range(1, tries + 1):
            await until(lambda: self.modem.state == "connected", self.seen)
            self.send(echo, text)
            try:
                patience = 0.1 * 2 ** min(attempt // 6, 5)
                await until(lambda: text.upper() in [row[-1] for row in self.datagrams], "an answer", patience)
                return
            except AssertionError:
                if attempt % 3 == 0 and self.modem.state == "connected":
                    self.do("redial")
        raise AssertionError("nothing comes through: %r" % self.seen[-20:])

    def send(self, echo, text):
        """A datagram to the peer, by the modem's socket."""
        self.do("send", "127.0.0.1", echo.port, text)


class PppDevice(HastyDevice):
    """The same, over a data call."""

    def __init__(self, path):
        super().__init__(path, "ppp")

    def other(self, kind, *what):
        if kind != "session":
            super().other(kind, *what)
        elif what[0]:
            self.ppp, self.address = Ppp(random.Random(1).randrange), None
            self.ppp.open(self.now())
        elif self.ppp:
            self.ppp.close(self.now())

    def heard(self, data):
        if self.ppp:
            self.ppp.receive(data, self.now())
            self._settle()
        else:
            self.do("receive", data)

    def _carry(self):
        for kind, *what in self.ppp.take() if self.ppp else ():
            if kind == "serial":
                self.say(what[0])
            elif kind == "up":
                self.address = what[0]
            elif kind == "packet":
                self._arrived(what[0])
            else:
                self.ppp = None
                self.modem.session(what[0], self.now())

    def _arrived(self, data):
        source, target, _, payload = parse(data)
        self.datagrams.append(parse_udp(source, target, payload))

    def send(self, echo, text):
        if self.address and self.ppp:
            self.ppp.send(build_udp(self.address, 40000, GATEWAY, echo.port, text))
            self._settle()
