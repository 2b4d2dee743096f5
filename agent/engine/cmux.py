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
open late closed
open ended closed
closing ua closed
closing dm closed
closing disc closed
closing late closed
closing ended closed
"""
_CLD, _TEST, _MSC, _NSC, _FCON, _FCOFF, _PSC = 0xC0, 0x20, 0xE0, 0x10, 0xA0, 0x60, 0x40
_COMMAND = const(2)  # the C/R bit of a control message
_STOPPED, _CARRIER = const(2), const(0x80)  # FC of a modem status: send no more; DV: there is a call
_READY = const(0x0D)  # ready to communicate, ready to receive
_CHANNELS = const(4)
_WAITING = const(4096)  # bytes that may wait for a channel
_CHECK_MS = const(800)  # between two questions whether anybody is there


class Channel:
    """One DLC: its state, whether the modem holds it back, what waits meanwhile."""

    def __init__(self):
        self.state, self.held, self.carrier, self.waiting = "closed", False, False, b""
        self.due, self.tries = None, 0


class Cmux:
    """size: data bytes in a frame (N1); t1_ms, tries: how often a request is repeated (T1, N2)."""

    def __init__(self, size=31, t1_ms=300, tries=4):
        self._size, self._t1, self._tries = size, t1_ms, tries
        self._reader = Reader(max(size, 127))  # not every modem keeps to what was agreed
        self._channels = [Channel() for _ in range(_CHANNELS + 1)]
        self._wanted = []  # to be opened once channel 0 is
        self._out, self._serial = [], []
        self._last, self._tail = b"", b""  # a frame that we sent, what was heard before
        self._held = False  # the whole port, by FCoff
        self.frames = 0  # that were heard

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
        taken = data[: _WAITING - len(place.waiting)] if place.held or self._held else data
        place.waiting += taken
        self._flush(channel)
        return len(taken)

    def check(self, now):
        """Ask whether anybody is there; when nothing at all is heard, ("closed", 0, "no answer") follows."""
        if self.state(0) == "open" and self._channels[0].due is None:
            self._request(0, now)

    def receive(self, data, now):
        """Bytes from the serial port. A modem that has restarted may echo our frames as it does commands."""
        self._tail = self._tail[-len(self._last) - 1 :] + data
        if self._last and self._last in self._tail:
            return self._enter(0, "late", "echo")
        for channel, control, body in self._reader.feed(data):
            self.frames += 1
            if self.state(0) == "open":
                self._channels[0].due, self._channels[0].tries = None, 0
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
        """[("serial", bytes) | ("channel", n, bytes) | ("up", n) | ("closed", n, reason) | ("carrier", n, whether)]: to
        do."""
        out, self._out = self._out, []
        if self._serial:
            out.append(("serial", b"".join(self._serial)))
            self._serial = []
        return out

    def pending(self):
        """Whether there is something for the serial port."""
        return bool(self._serial)

    def noise(self):
        """What was said outside of all frames since the last call: a modem that restarts says so in plain text."""
        noise, self._reader.noise = self._reader.noise, b""
        return noise

    @property
    def bad(self):
        """Frames that were damaged."""
        return self._reader.bad

    def _put(self, channel, control, data=b"", command=True):
        frame = encode(channel, control, data, command)
        self._serial.append(frame)
        if command:
            self._last = frame

    def _enter(self, channel, event, reason=""):
        place = self._channels[channel]
        found = find(_TRANSITIONS, place.state, event)
        if not found:
            return
        place.state, place.due, place.tries = found[0], None, 0
        if place.state == "open":
            self._out.append(("up", channel))
        elif place.state == "closed":
            place.held, place.carrier, place.waiting = False, False, b""
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
        elif place.state == "open":  # a test, or where that is not answered, the status of channel 1 once more
            place.due = now + _CHECK_MS
            message = [_MSC | _COMMAND | 1, 5, 7, _READY] if place.tries & 1 == 0 else [_TEST | _COMMAND | 1, 3, 0x55]
            self._put(0, UIH, bytes(message))
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
            self._status(body[2] >> 2, body[3])
        for channel in range(1, _CHANNELS + 1):
            self._flush(channel)

    def _status(self, channel, signals):
        place, carrier = self._channels[channel], bool(signals & _CARRIER)
        place.held = bool(signals & _STOPPED)
        if carrier != place.carrier:
            place.carrier = carrier
            self._out.append(("carrier", channel, carrier))
