"""Data sessions instead of the modem's own sockets: it dials, and whoever the driver puts there carries IP (PPP).

From ("session", "up") until session(False) the serial port belongs to the session, and the modem is not spoken to.
A part of the modem engine; it takes the family's place for connect, active and disconnect.
"""

from ..errors import LinkError

_FOREVER_MS = 86400000
_LEAVE_MS = 8000  # for a session to hang up and end
_CLOSE_DOWN = b"\xf9\x03\xef\x05\xc3\x01\xf2\xf9"  # of a multiplexer that another program left on (27.010 5.4.6.3.3)
_GUARD_MS = 1100  # silence before and after +++ (V.250: a second)


class Dialler:
    """`modem` is the engine; `online`: a session has the port."""

    def __init__(self, modem):
        self._modem = modem
        self.online = False

    def connect(self, apn):
        """Dial. Returns "" or why it was refused."""
        if apn:
            ok, lines = yield 'AT+CGDCONT=1,"IP","%s"' % apn
            if not ok:
                return lines[-1]
        ok, lines = yield self._modem._channel.of("DIAL")
        if not ok:
            yield "ATH"  # a call of before may be what it objects to
            return lines[-1]
        self._say(True)
        return ""

    def active(self):
        """The session itself says when it has ended."""
        return self.online
        yield

    def wait(self):
        """While it is connected: not a word."""
        self._modem._patient = True
        yield _FOREVER_MS

    def disconnect(self):
        """Have the session ended, then see to it that the modem listens to commands."""
        if self.online:
            self._modem._out.append(("session", False))
            self._modem._patient = True
            yield _LEAVE_MS
            self.online = False
        try:
            yield "AT"
        except LinkError:
            yield from self._escape()
        yield "ATH"

    def rouse(self):
        """We may have been restarted in the middle of a call: the modem may be in data mode still."""
        for _ in range(2):
            try:
                yield "AT"
                return
            except LinkError:
                pass
        yield from self._escape()
        try:
            yield "ATH"
        except LinkError:
            pass  # or there is no modem at all

    def _escape(self):
        self._modem._channel.out.append(_CLOSE_DOWN)
        yield _GUARD_MS
        self._modem._channel.out.append(b"+++")
        yield _GUARD_MS
        self._modem._channel.out.append(b"\r")  # in command mode +++ is the beginning of a line
        yield 200

    def forget(self):
        """The port has vanished, or the modem has restarted."""
        if self.online:
            self._say(False)

    def _say(self, up):
        self.online = up
        self._modem._out.append(("session", up))
