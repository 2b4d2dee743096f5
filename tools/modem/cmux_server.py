"""The modem's end of the multiplexer (3GPP TS 27.010, basic option): several AT ports over one line. No I/O.

Written apart from the agent's own CMUX, so that each is a second opinion on the other.
"""

FLAG = 0xF9
SABM, UA, DM, DISC, UIH, UI, POLL = 0x2F, 0x63, 0x0F, 0x43, 0xEF, 0x03, 0x10
CLD, TEST, MSC, NSC, PN, FCON, FCOFF, RPN, RLS, PSC = 0xC0, 0x20, 0xE0, 0x10, 0x80, 0xA0, 0x60, 0x90, 0x50, 0x40
_COMMAND = 2  # the C/R bit of a control message
READY, STOPPED, CARRIER = 0x0D, 0x02, 0x80  # of a modem status: ready to communicate and to receive; FC; DV
MAX_BUFFER = 40000  # bytes: one frame is at most 32768 and its head


def _table():
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ 0xE0 if value & 1 else value >> 1
        yield value


_TABLE = tuple(_table())


def fcs(data):
    """The checksum of a frame's head (27.010 5.2.1.6)."""
    total = 0xFF
    for byte in data:
        total = _TABLE[total ^ byte]
    return 0xFF - total


def frame(dlci, control, data=b"", answer=False):
    """One frame of the modem's: it did not start the multiplexer, so its commands have C/R 0, its answers C/R 1."""
    size = len(data)
    length = bytes((size << 1 | 1,)) if size < 128 else bytes((size << 1 & 0xFF, size >> 7))
    head = bytes((dlci << 2 | (2 if answer else 0) | 1, control)) + length
    checked = head if control & ~POLL == UIH else head + data
    return bytes((FLAG,)) + head + data + bytes((fcs(checked), FLAG))


class CmuxServer:
    """write(bytes); opened(n), closed(n), data(n, bytes) for the channels, ended() when the line is plain again."""

    def __init__(self, write, opened, closed, data, ended, *, size=31, channels=4, leaves=True, broken_above=32768):
        self._write, self._opened, self._closed, self._data, self._ended = write, opened, closed, data, ended
        self._size, self._channels, self._leaves = size, channels, leaves
        self._broken = size > broken_above  # such a firmware puts wrong checksums on its frames
        self._buffer = bytearray()
        self.open = set()
        self.bad = self.sent = 0
        self.corrupt = 0  # a fault: every `corrupt`th frame of ours is damaged
        self.dead = False  # a fault: hears nothing but a close-down, and says nothing

    def feed(self, data):
        """Bytes from the device."""
        self._buffer += data
        del self._buffer[:-MAX_BUFFER]
        while self._buffer:
            found = self._next()
            if found is None:
                return
            if found:
                self._frame(*found)

    def send(self, dlci, data):
        """Data of a channel, in frames of the agreed size."""
        for at in range(0, len(data), self._size):
            self._put(frame(dlci, UIH, data[at:at + self._size]))

    def status(self, dlci, *, carrier=False, held=False):
        """Tell the device the status of a channel: is there a call, is it to send nothing more?"""
        if dlci in self.open:
            signals = READY | (CARRIER if carrier else 0) | (STOPPED if held else 0)
            self._put(frame(0, UIH, bytes((MSC | _COMMAND | 1, 5, dlci << 2 | 3, signals))))

    def hold(self, on):
        """Hold back all channels, or let them go on."""
        self._put(frame(0, UIH, bytes(((FCOFF if on else FCON) | _COMMAND | 1, 1))))

    def disconnect(self, dlci):
        """Close a channel from this side."""
        if dlci in self.open:
            self.open.discard(dlci)
            self._put(frame(dlci, DISC | POLL))
            self._closed(dlci)

    def _put(self, raw):
        if self.dead:
            return
        self.sent += 1
        if self._broken and len(raw) > 6 or self.corrupt and self.sent % self.corrupt == 0:
            raw = raw[:-2] + bytes((raw[-2] ^ 0x55, raw[-1]))
        self._write(raw)

    def _next(self):
        """(dlci, control, data); () = something was skipped, look again; None = more bytes are needed."""
        buffer = self._buffer
        start = buffer.find(FLAG)
        if start < 0:
            buffer.clear()
            return None
        del buffer[:start]
        while len(buffer) > 1 and buffer[1] == FLAG:
            del buffer[0]
        if len(buffer) < 4:
            return None
        head = 4 if buffer[3] & 1 else 5
        if len(buffer) < head:
            return None
        size = buffer[3] >> 1 | (buffer[4] << 7 if head == 5 else 0)
        end = head + size
        if size > self._size and buffer[1] >> 2 and buffer[2] & ~POLL == UIH or buffer[1] & 1 == 0:
            return self._skip()
        if len(buffer) < end + 2:
            return None
        checked = buffer[1:head] if buffer[2] & ~POLL == UIH else buffer[1:end]
        if buffer[end + 1] != FLAG or fcs(checked) != buffer[end]:
            return self._skip()
        found = buffer[1] >> 2, buffer[2], bytes(buffer[head:end])
        del buffer[:end + 1]  # the flag may open the next frame
        return found

    def _skip(self):
        self.bad += 1
        del self._buffer[0]
        return ()

    def _frame(self, dlci, control, data):
        kind = control & ~POLL
        if self.dead and data[:1] != bytes((CLD | _COMMAND | 1,)):
            return
        if kind == SABM:
            self._connect(dlci)
        elif kind == DISC:
            self._disconnect(dlci)
        elif kind in (UIH, UI):
            if dlci not in self.open:
                self._put(frame(dlci, DM | POLL, answer=True))
            elif dlci:
                self._data(dlci, data)
            else:
                self._control(data)

    def _connect(self, dlci):
        if dlci > self._channels or dlci and 0 not in self.open:
            return self._put(frame(dlci, DM | POLL, answer=True))
        self._put(frame(dlci, UA | POLL, answer=True))
        if dlci not in self.open:
            self.open.add(dlci)
            if dlci:
                self._put(frame(0, UIH, bytes((MSC | _COMMAND | 1, 5, dlci << 2 | 3, READY))))
                self._opened(dlci)

    def _disconnect(self, dlci):
        self._put(frame(dlci, (UA if dlci in self.open else DM) | POLL, answer=True))
        if dlci in self.open:
            self.open.discard(dlci)
            self._closed(dlci) if dlci else self._end()

    def _control(self, data):
        """A message on channel 0 (27.010 5.4.6)."""
        if len(data) < 2 or data[1] >> 1 != len(data) - 2 or not data[0] & _COMMAND:
            return
        kind, values = data[0] & ~3, data[2:]
        if kind == CLD:
            self._put(frame(0, UIH, bytes((CLD | 1, 1))))
            if self._leaves:
                self._end()
        elif kind in (MSC, TEST, FCON, FCOFF, PSC, RPN, RLS):
            self._put(frame(0, UIH, bytes((kind | 1, data[1])) + values))
        elif kind == PN and len(values) == 8:
            agreed = min(self._size, values[4] | values[5] << 8)
            values = values[:1] + b"\0" + values[2:4] + bytes((agreed & 0xFF, agreed >> 8)) + values[6:]
            self._put(frame(0, UIH, bytes((PN | 1, data[1])) + values))
        else:
            self._put(frame(0, UIH, bytes((NSC | 1, 3, data[0]))))

    def _end(self):
        for dlci in sorted(self.open - {0}):
            self._closed(dlci)
        self.open.clear()
        self._ended()
