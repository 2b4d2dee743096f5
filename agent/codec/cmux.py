"""Frames of the modem's multiplexer, basic option (3GPP TS 27.010 5.2): bytes <-> frames.

    F9 | DLCI << 2, C/R, 1 | control | length, one byte or two | data | checksum | F9

Nothing is escaped: a frame ends where its length says, and the flag after it may open the next one.
"""

SABM, UA, DM, DISC, UIH, UI, POLL = 0x2F, 0x63, 0x0F, 0x43, 0xEF, 0x03, 0x10
FLAG = b"\xf9"
_NOISE = 160
_GOOD = 0xCF  # what the checksum of a head with its checksum comes to


def _byte(value):
    for _ in range(8):
        value = value >> 1 ^ 0xE0 if value & 1 else value >> 1
    return value


_TABLE = bytes([_byte(value) for value in range(256)])


def checksum(data):
    """FCS (27.010 5.2.1.6), not yet inverted."""
    total = 0xFF
    for byte in data:
        total = _TABLE[total ^ byte]
    return total


def encode(dlci, control, data=b"", command=True):
    """One frame of the side that started the multiplexer; `command` False: it answers one of the other side's."""
    size = len(data)
    length = bytes([size << 1 | 1]) if size < 128 else bytes([size << 1 & 0xFE, size >> 7])
    head = bytes([dlci << 2 | (2 if command else 0) | 1, control]) + length
    check = checksum(head if control & ~POLL == UIH else head + data)
    return FLAG + head + data + bytes([0xFF - check]) + FLAG


class Reader:
    """Bytes in any pieces -> frames. `limit`: the longest data of a frame; `bad` counts what was no good frame, `noise`
    is the end of what was said outside of frames."""

    def __init__(self, limit=1540):
        self._limit, self._buffer = limit, b""
        self.bad, self.noise = 0, b""

    def feed(self, data):
        """[(dlci, control, data)]. What is no frame is skipped up to the next flag (27.010 5.2.4)."""
        self._buffer += data
        found = []
        while True:
            item = self._next()
            if item is None:
                return found
            if item:
                found.append(item)

    def _next(self):
        """A frame; () = something was skipped; None = more bytes are needed."""
        at = self._buffer.find(FLAG)
        if at:
            self.noise = (self.noise + (self._buffer[:at] if at > 0 else self._buffer))[-_NOISE:]
        if at < 0:
            self._buffer = b""
            return None
        while self._buffer[at + 1 : at + 2] == FLAG:
            at += 1
        buffer = self._buffer = self._buffer[at:]
        if len(buffer) < 5:
            return None
        head = 4 if buffer[3] & 1 else 5
        size = buffer[3] >> 1 | (buffer[4] << 7 if head == 5 else 0)
        end = head + size
        if size > self._limit or not buffer[1] & 1:
            return self._skip()
        if len(buffer) < end + 2:
            return None
        covered = head if buffer[2] & ~POLL == UIH else end
        if buffer[end + 1] != 0xF9 or checksum(buffer[1:covered] + buffer[end : end + 1]) != _GOOD:
            return self._skip()
        self._buffer = buffer[end + 1 :]
        return buffer[1] >> 2, buffer[2], buffer[head:end]

    def _skip(self):
        self.bad += 1
        self._buffer = self._buffer[1:]
        return ()
