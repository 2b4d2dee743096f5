"""PPP on an asynchronous line: frames with their checksum (RFC 1662), control packets and their options (RFC 1661)."""

IP, IPCP, LCP, PAP, CHAP = 0x0021, 0x8021, 0xC021, 0xC023, 0xC223
REQUEST, ACK, NAK, REJECT, TERMINATE, TERMINATED, CODE_REJECT, PROTOCOL_REJECT, ECHO, ECHO_REPLY, DISCARD = range(1, 12)
ALL_CONTROLS = 0xFFFFFFFF  # the characters below 32 that are escaped until both sides agreed on fewer
MAX_FRAME = 4096  # on the line; 1500 bytes of packet may double when they are escaped
_GOOD = 0xF0B8  # what the checksum of a frame with its checksum comes to


def _table():
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ 0x8408 if value & 1 else value >> 1
        yield value


_TABLE = tuple(_table())


def checksum(data):
    """FCS-16 (RFC 1662 C.2), not yet inverted."""
    total = 0xFFFF
    for byte in data:
        total = total >> 8 ^ _TABLE[(total ^ byte) & 0xFF]
    return total


def frame(protocol, body, escaped=ALL_CONTROLS):
    """One frame for the line. Bit n of `escaped`: character n must not appear on it (the peer's ACCM)."""
    data = b"\xff\x03" + protocol.to_bytes(2, "big") + body
    data += (checksum(data) ^ 0xFFFF).to_bytes(2, "little")
    out = bytearray(b"~")
    for byte in data:
        if byte in (0x7D, 0x7E) or byte < 32 and escaped >> byte & 1:
            out += bytes((0x7D, byte ^ 0x20))
        else:
            out.append(byte)
    return bytes(out + b"~")


class Reader:
    """Bytes of the line in any pieces -> [(protocol, body)]; `bad` counts what was no good frame."""

    def __init__(self):
        self._buffer = bytearray()
        self.bad = 0

    def feed(self, data):
        self._buffer += data
        *frames, rest = self._buffer.split(b"~")
        self._buffer = bytearray(rest[-MAX_FRAME:])
        return [found for found in map(self._parsed, frames) if found]

    def _parsed(self, raw):
        if not raw:
            return None  # two flags in a row
        first, *rest = bytes(raw).split(b"}")
        data = first + b"".join(bytes((part[0] ^ 0x20,)) + part[1:] for part in rest if part)
        if not all(rest) or len(data) < 4 or checksum(data) != _GOOD:
            self.bad += 1
            return None
        data = data[2:-2] if data[:2] == b"\xff\x03" else data[:-2]
        if data[:1] and data[0] & 1:  # compressed protocol field
            return data[0], data[1:]
        if len(data) < 2:
            self.bad += 1
            return None
        return data[0] << 8 | data[1], data[2:]


def packet(code, identifier, data=b""):
    """A control packet."""
    return bytes((code, identifier)) + (len(data) + 4).to_bytes(2, "big") + data


def unpack(body):
    """(code, identifier, data) of a control packet, or None when its length is impossible."""
    size = int.from_bytes(body[2:4], "big")
    if len(body) < 4 or not 4 <= size <= len(body):
        return None
    return body[0], body[1], body[4:size]


def options(data):
    """[(kind, value)], or None when a length is impossible."""
    found = []
    while data:
        if len(data) < 2 or not 2 <= data[1] <= len(data):
            return None
        found.append((data[0], data[2:data[1]]))
        data = data[data[1]:]
    return found


def joined(pairs):
    """Options as bytes."""
    return b"".join(bytes((kind, len(value) + 2)) + value for kind, value in pairs)


def counted(value):
    """A field with its length before it, as in PAP and CHAP."""
    return bytes((len(value),)) + value


def fields(data, count):
    """`count` counted fields and what follows them; None when they do not fit."""
    found = []
    for _ in range(count):
        if not data or len(data) < data[0] + 1:
            return None
        found.append(data[1:1 + data[0]])
        data = data[1 + data[0]:]
    return found + [data]
