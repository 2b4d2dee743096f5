"""The multiplexer of a modem's one serial port: several AT channels over it (3GPP TS 27.010, basic option).

AT+CMUX=0 has been answered OK, and the modem has had its 100 to 300 ms; then
    mux = Cmux(size=31); mux.open(1, now); mux.open(2, now)
    mux.receive(data, now); mux.write(2, data); mux.poll(now); mux.take()
Channel 0 is the multiplexer's own and is opened first. The modem may hold back a channel (modem status, FCoff): what is
written to it waits, so much and no more.
"""

from ..codec.cmux import DISC, DM, POLL, SABM, UA, UI, UIH, Reader, encode
from ..errors import LocalError
from ..table import find

try:
    from micropython import const
except ImportError:
    const = lambda value: value

# state event next-state, of a channel
_TRANSITIONS = """
closed open opening
opening ua open
opening dm closed
opening late closed
opening close closing
opening ended closed
open close closing
open dm closed
open disc closed
open ended closed
closing ua closed
closing dm closed
closing disc closed
closing late closed
closing ended closed
"""
_CLD, _TEST, _MSC, _NSC, _FCON, _FCOFF, _PSC = 0xC0, 0x20, 0xE0, 0x10, 0xA0, 0x60, 0x40
_COMMAND = const(2)  # the C/R bit of a control message
_STOPPED = const(2)  # FC of a modem status: send no more
_READY = const(0x0D)  # ready to communicate, ready to receive, line valid
_CHANNELS = const(4)
_WAITING = const(4096)  # bytes that may wait for a channel


class Channel:
    """One DLC: its state, whether the modem holds it back, what waits meanwhile."""

    def __init__(self):
        self.state, self.held, self.waiting = "closed", False, b""
        self.due, self.tries = None, 0


class Cmux:
    """size: data bytes in a frame (N1); t1_ms, tries: how often a request is repeated (T1, N2)."""

    def __init__(self, size=31, t1_ms=300, tries=4):
        self._size, self._t1, self._tries = size, t1_ms, tries
        self._reader = Reader(max(size, 127))  # not every modem keeps to what was agreed
        self._channels = [Channel() for _ in range(_CHANNELS + 1)]
        self._wanted = []  # to be opened once channel 0 is
        self._out, self._serial = [], []
        self._held = False  # the whole port, by FCoff

    def open(self, channel, now):
        """Open channel 1 to 4; ("up", n) or ("closed", n, reason) follows. LocalError when it is open or no channel."""
        if not 1 <= channel <= _CHANNELS or self.state(channel) != "closed":
            raise LocalError("cmux: channel %s cannot be opened" % channel)
        if self.state(0) == "open":
            return self._ask(channel, "open", now)
        if channel not in self._wanted:
            self._wanted.append(channel)
        if self.state(0) == "closed":
            self._ask(0, "open", now)

    def close(self, channel, now):
        """Close a channel; 0 ends the multiplexer: the modem is in AT mode when ("closed", 0, ...) was said."""
        if channel in self._wanted:
            self._wanted.remove(channel)
        if self.state(channel) in ("opening", "open"):
            self._ask(channel, "close", now)

    def state(self, channel):
        """closed, opening, open or closing."""
        return self._channels[channel].state

    def write(self, channel, data):
        """Send data over an open channel; how many bytes were taken (the rest found no place)."""
        place = self._channels[channel]
        if place.state != "open":
            return 0
        taken = data[: _WAITING - len(place.waiting)]
        place.waiting += taken
        self._flush(channel)
        return len(taken)

    def receive(self, data, now):
        """Bytes from the serial port."""
        for channel, control, body in self._reader.feed(data):
            control &= ~POLL
            if channel > _CHANNELS:
                if control in (SABM, DISC):
                    self._put(channel, DM | POLL, b"", False)
            elif control in (UIH, UI):
                self._data(channel, body, now)
            elif control == UA:
                self._enter(channel, "ua", "closed")
                self._opened(channel, now)
            elif control == DM:
                self._enter(channel, "dm", "refused")
            elif control in (SABM, DISC):
                known = control == DISC and self.state(channel) != "closed"
                self._put(channel, (UA if known else DM) | POLL, b"", False)
                self._enter(channel, "disc" if known else "", "modem")

    def poll(self, now):
        """Let time pass: repeat what was not answered."""
        for channel, place in enumerate(self._channels):
            if place.due is not None and now >= place.due:
                if place.tries < self._tries:
                    self._request(channel, now)
                else:
                    self._enter(channel, "late", "no answer")

    def deadline(self):
        """When poll() is due (ms), or None."""
        return min([place.due for place in self._channels if place.due is not None] or [None])

    def take(self):
        """[("serial", bytes) | ("channel", n, bytes) | ("up", n) | ("closed", n, reason)]: to do."""
        out, self._out = self._out, []
        if self._serial:
            out.append(("serial", b"".join(self._serial)))
            self._serial = []
        return out

    @property
    def bad(self):
        """Frames that were damaged."""
        return self._reader.bad

    def _put(self, channel, control, data=b"", command=True):
        self._serial.append(encode(channel, control, data, command))

    def _enter(self, channel, event, reason=""):
        place = self._channels[channel]
        found = find(_TRANSITIONS, place.state, event)
        if not found:
            return
        place.state, place.due, place.tries = found[0], None, 0
        if place.state == "open":
            self._out.append(("up", channel))
        elif place.state == "closed":
            place.held, place.waiting = False, b""
            self._out.append(("closed", channel, reason))
            if channel == 0:
                for other in range(1, _CHANNELS + 1):
                    self._enter(other, "ended", reason)
                for other in self._wanted:
                    self._out.append(("closed", other, reason))
                self._wanted, self._held = [], False

    def _ask(self, channel, event, now):
        self._enter(channel, event)
        self._request(channel, now)

    def _request(self, channel, now):
        place = self._channels[channel]
        place.tries, place.due = place.tries + 1, now + self._t1
        if place.state == "opening":
            self._put(channel, SABM | POLL)
        elif channel:
            self._put(channel, DISC | POLL)
        else:
            self._put(0, UIH, bytes([_CLD | _COMMAND | 1, 1]))

    def _opened(self, channel, now):
        if self.state(channel) != "open":
            return
        if channel:
            self._put(0, UIH, bytes([_MSC | _COMMAND | 1, 5, channel << 2 | 3, _READY]))
        else:
            wanted, self._wanted = self._wanted, []
            for other in wanted:
                self._ask(other, "open", now)

    def _flush(self, channel):
        place = self._channels[channel]
        while place.waiting and not place.held and not self._held:
            self._put(channel, UIH, place.waiting[: self._size])
            place.waiting = place.waiting[self._size :]

    def _data(self, channel, body, now):
        if self.state(channel) not in ("open", "closing"):
            self._put(channel, DM | POLL, b"", False)
        elif channel:
            if body:
                self._out.append(("channel", channel, body))
        elif len(body) > 1 and body[1] >> 1 == len(body) - 2:
            self._control(body[0] & ~3, body[0] & _COMMAND, body, now)

    def _control(self, kind, command, body, now):
        """A message on channel 0 (27.010 5.4.6); commands are answered with the same message."""
        if not command:
            if kind == _CLD and self.state(0) == "closing":
                self._enter(0, "ua", "closed")
            return
        if kind not in (_CLD, _TEST, _MSC, _FCON, _FCOFF, _PSC):
            return self._put(0, UIH, bytes([_NSC | 1, 3, body[0]]))
        self._put(0, UIH, bytes([body[0] & ~_COMMAND]) + body[1:])
        if kind == _CLD:
            self._enter(0, "disc", "modem")
        elif kind in (_FCON, _FCOFF):
            self._held = kind == _FCOFF
        elif kind == _MSC and len(body) > 3 and 1 <= body[2] >> 2 <= _CHANNELS:
            self._channels[body[2] >> 2].held = bool(body[3] & _STOPPED)
        for channel in range(1, _CHANNELS + 1):
            self._flush(channel)
