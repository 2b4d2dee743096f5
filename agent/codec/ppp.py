"""PPP on a serial line: frames with their checksum (RFC 1662), control packets and their options (RFC 1661)."""

IP, IPCP, LCP, PAP, CHAP = 0x0021, 0x8021, 0xC021, 0xC023, 0xC223
_GOOD = 0xF0B8  # what the checksum of a frame with its checksum comes to
_TABLE = []


def checksum(data):
    """FCS-16 (RFC 1662 C.2), not yet inverted."""
    if not _TABLE:
        for value in range(256):
            for _ in range(8):
                value = value >> 1 ^ 0x8408 if value & 1 else value >> 1
            _TABLE.append(value)
    total, table = 0xFFFF, _TABLE
    for byte in data:
        total = total >> 8 ^ table[(total ^ byte) & 255]
    return total


def encode(protocol, body, escaped=0xFFFFFFFF):
    """One frame. Bit n of `escaped`: character n must not appear on the line (the peer's ACCM)."""
    data = b"\xff\x03" + protocol.to_bytes(2, "big") + body
    data += (checksum(data) ^ 0xFFFF).to_bytes(2, "little")
    data = data.replace(b"}", b"}]").replace(b"~", b"}^")
    if escaped:
        data = b"".join([bytes([125, c ^ 32]) if c < 32 and escaped >> c & 1 else bytes([c]) for c in data])
    return b"~" + data + b"~"


class Reader:
    """Bytes in any pieces -> [(protocol, body)]. `bad` counts what was no frame; `hung_up`: the modem said so."""

    def __init__(self, limit=4096):
        self._limit, self._buffer = limit, b""
        self.bad, self.hung_up = 0, False

    def feed(self, data):
        parts = (self._buffer + data).split(b"~")
        self._buffer = parts.pop()
        if len(self._buffer) > self._limit:
            self._buffer = b"?"  # far too long: what follows up to the flag is no frame either
        if self._buffer and self._buffer[0] in b"\rN":
            self._text(self._buffer)
        found = []
        for part in parts:
            frame = self._frame(part)
            if frame:
                found.append(frame)
        return found

    def _frame(self, raw):
        parts = raw.split(b"}")
        for at in range(1, len(parts)):
            if not parts[at]:
                parts[at] = b"?"
                self.bad += 1
            parts[at] = bytes([parts[at][0] ^ 32]) + parts[at][1:]
        data = b"".join(parts)
        if len(data) < 4 or checksum(data) != _GOOD:
            self.bad += bool(raw)
            self._text(raw)
            return None
        data = data[2:-2] if data[:2] == b"\xff\x03" else data[:-2]
        if data and data[0] & 1:  # compressed protocol field
            return data[0], data[1:]
        return (data[0] << 8 | data[1], data[2:]) if len(data) > 1 else None

    def _text(self, raw):
        """The call has ended: a result code where a frame would begin (ITU-T V.250 5.7)."""
        if raw.strip().startswith(b"NO CARRIER"):
            self.hung_up = True


def packet(code, identifier, data=b""):
    """A control packet."""
    return bytes([code, identifier]) + (4 + len(data)).to_bytes(2, "big") + data


def unpack(body):
    """(code, identifier, data) of a control packet, or None when it is malformed."""
    size = int.from_bytes(body[2:4], "big")
    return (body[0], body[1], body[4:size]) if 4 <= size <= len(body) else None


def options(data):
    """[(kind, value)] of a Configure packet, or None when it is malformed."""
    found, at = [], 0
    while at < len(data):
        size = data[at + 1] if at + 1 < len(data) else 0
        if size < 2 or at + size > len(data):
            return None
        found.append((data[at], data[at + 2 : at + size]))
        at += size
    return found


def joined(pairs):
    """Options as bytes."""
    return b"".join([bytes([kind, len(value) + 2]) + value for kind, value in pairs])
