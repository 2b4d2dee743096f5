"""Data sessions instead of the modem's own sockets: it dials, and whoever the driver puts there carries IP (PPP).

From ("session", True) until session(reason) the serial port belongs to the session, and the modem is not spoken to but
where the session lends us the port for a look (modem_aside.py); modem_mux.py keeps it for both. A part of the modem
engine; it takes the family's place for connect, active and disconnect.
"""

from ..errors import LinkError
from ..overlay import drop

_FOREVER_MS = 86400000
_LEAVE_MS = 8000  # for a session to hang up and end


class Dialler:
    """`modem` is the engine; `online`: a session has the port; lent: it lends it to us; fixed: its modem does not leave
    data mode."""

    def __init__(self, modem):
        self._modem = modem
        self.online = self.lent = self.fixed = False
        modem.aside, modem.leave = self.aside, self.leave  # a modem without sessions is not to pay for it

    def start(self):
        """The modem is registered; nothing is to be done before it dials."""
        return
        yield

    def connect(self, apn):
        """Dial. Returns "" or why it was refused."""
        reason = yield from self._define(apn)
        if reason:
            return reason
        ok, lines = yield self._modem._channel.of("DIAL")
        if not ok:
            yield "ATH"  # a call of before may be what it objects to
            return lines[-1]
        self.fixed = False
        self._say(True)
        return ""

    def active(self):
        """The session itself says when it has ended."""
        return self.online
        yield

    def wait(self):
        """While it is connected: not a word, unless the session lends us the port."""
        self._modem._patient = True
        yield _FOREVER_MS
        if self.lent:
            from .modem_aside import Aside

            self.lent = False
            drop("engine.modem_aside")
            yield from Aside(self._modem).look()

    def aside(self, now):
        """The session lends us its port for a look at the modem. Whether we take it; ("session", "resume") says when it
        may go on."""
        modem = self._modem
        if modem.state != "connected" or modem._mux or not self.online or self.fixed or not modem._channel.of("BACK"):
            return False
        modem._now, self.lent = now, True
        modem._wake(True)
        return True

    def disconnect(self):
        """Have the session ended, then see to it that the modem listens to commands."""
        yield from self._finish()
        try:
            yield "AT"
        except LinkError:
            yield from self._leave()
        yield "ATH"

    def rouse(self):
        """We may have been restarted in the middle of a call: the modem may be in data mode still, or multiplexing.
        Whether it was and is no more."""
        for _ in range(2):
            try:
                yield "AT"
                return False
            except LinkError:
                pass
        return (yield from self._leave())  # or there is no modem at all

    def ended(self):
        """The session is over: the port is ours again."""
        self.online = False
        self._modem._channel.reader.reset()

    def leave(self):
        """The last bytes for the port, so that whoever opens it next finds the modem in command mode."""
        from .modem_probe import TERMINATE

        return TERMINATE if self.online else b""

    def forget(self):
        """The port has vanished, or the modem has restarted."""
        if self.online:
            self._say(False)

    def _define(self, apn):
        """Set the context, in the family's own way if it has one. Returns "" or why it was refused."""
        own = self._modem._channel.of("define")
        if own:
            return (yield from own(apn))
        ok, lines = (yield 'AT+CGDCONT=1,"IP","%s"' % apn) if apn else (True, ())
        return "" if ok else lines[-1]

    def _finish(self):
        """Have the session hang up, and wait for its end."""
        if self.online:
            self._modem._out.append(("session", False))
            self._modem._patient = True
            yield _LEAVE_MS
            self.online = False

    def _leave(self):
        from . import modem_probe as probe

        return (yield from probe.leave(self._modem))

    def _say(self, up):
        """up: True, or what carries the session's bytes; False."""
        self.online = bool(up)
        self._modem._out.append(("session", up))
