"""CoAP messages over UDP: bytes <-> Message (RFC 7252 section 3; options also of RFC 7641, 7959, 9175).

What a message *means* - tokens, retransmission, blocks - is the exchange's matter. Here a datagram is either
a well-formed message or a RemoteError.
"""

from ..errors import LocalError, RemoteError
from . import utf8

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


CON = 0
NON = 1
ACK = 2
RST = 3

GET = 1
POST = 2
PUT = 3
DELETE = 4
FETCH = 5
PATCH = 6
IPATCH = 7
CREATED = 65
DELETED = 66
VALID = 67
CHANGED = 68
CONTENT = 69
CONTINUE = 95
BAD_REQUEST = 128
UNAUTHORIZED = 129
BAD_OPTION = 130
FORBIDDEN = 131
NOT_FOUND = 132
NOT_ALLOWED = 133
NOT_ACCEPTABLE = 134
INCOMPLETE = 136
CONFLICT = 137
PRECONDITION_FAILED = 140
TOO_LARGE = 141
UNSUPPORTED = 143
INTERNAL = 160
NOT_IMPLEMENTED = 161
UNAVAILABLE = 163

ETAG = 4
OBSERVE = 6
LOCATION_PATH = 8
URI_PATH = 11
CONTENT_FORMAT = 12
MAX_AGE = 14
URI_QUERY = 15
ACCEPT = 17
BLOCK2 = 23
BLOCK1 = 27
SIZE2 = 28
SIZE1 = 60
ECHO = 252

# More options than any request of ours or of a server has; each costs a tuple and a bytes object.
_MAX_OPTIONS = const(40)
_MAX_EXTENDED = const(65804)  # the largest delta or length that 14 + two bytes can say

# Options we act upon (RFC 7252 table 4): number, shortest value, longest value, whether it may be repeated.
# One that breaks its line counts as not recognised (5.4.3, 5.4.5): ignored if elective, refused if critical.
# Bytes, because as a dict of tuples this costs a microcontroller 1.5 KiB.
_KNOWN = (
    b"\x03\x01\xff\x00"  # Uri-Host: names us, whatever we were called
    b"\x04\x01\x08\x01"  # ETag
    b"\x06\x00\x03\x00"  # Observe
    b"\x07\x00\x02\x00"  # Uri-Port
    b"\x08\x00\xff\x01"  # Location-Path
    b"\x0b\x00\xff\x01"  # Uri-Path
    b"\x0c\x00\x02\x00"  # Content-Format
    b"\x0e\x00\x04\x00"  # Max-Age
    b"\x0f\x00\xff\x01"  # Uri-Query
    b"\x11\x00\x02\x00"  # Accept
    b"\x17\x00\x03\x00"  # Block2
    b"\x1b\x00\x03\x00"  # Block1
    b"\x1c\x00\x04\x00"  # Size2
    b"\x3c\x00\x04\x00"  # Size1
    b"\xfc\x01\x28\x00"  # Echo
)
_TEXT = (3, LOCATION_PATH, URI_PATH, URI_QUERY, 20)


class Message:
    """One message. `options` is a list of (number, bytes); `decode` gives it in ascending order."""

    def __init__(self, type, code, mid, token=b"", options=(), payload=b""):
        self.type = type
        self.code = code
        self.mid = mid
        self.token = token
        self.options = options
        self.payload = payload

    def all(self, number):
        """The values (bytes) of an option in the order sent, without those of a forbidden length (5.4.3)."""
        return [value for n, value in self.options if n == number and _fits(n, value)]

    def get(self, number):
        """The first value (bytes) of an option, or None."""
        values = self.all(number)
        return values[0] if values else None

    def uint(self, number):
        """An option's value as a number, or None where the option is absent."""
        value = self.get(number)
        return None if value is None or len(value) > 8 else int.from_bytes(value, "big")

    def path(self):
        """The Uri-Path as a tuple of str."""
        return tuple([str(value, "utf-8") for value in self.all(URI_PATH)])

    def query(self):
        """The Uri-Query as a tuple of str."""
        return tuple([str(value, "utf-8") for value in self.all(URI_QUERY)])


def encode(message):
    """The datagram of a message; its options may be in any order. Raises LocalError for what has none."""
    token = message.token
    if len(token) > 8 or not 0 <= message.mid <= 0xFFFF or not 0 <= message.code <= 0xFF:
        raise LocalError("coap: token over 8 bytes, or message id or code out of range")
    head = 0x40 | message.type << 4 | len(token)
    out = bytearray((head, message.code, message.mid >> 8, message.mid & 0xFF)) + token
    before = 0
    # The index keeps repeated options in the order given: sorting is not stable everywhere.
    for number, _, value in sorted([(n, i, v) for i, (n, v) in enumerate(message.options)]):
        delta, delta_more = _nibble(number - before)
        length, length_more = _nibble(len(value))
        out.append(delta << 4 | length)
        out.extend(delta_more + length_more + value)
        before = number
    if message.payload:
        out.append(0xFF)
        out.extend(message.payload)
    return bytes(out)


def header(data):
    """(type, code, mid) of a datagram, enough to reset or ignore it; None if it is not CoAP of version 1."""
    if len(data) < 4 or data[0] >> 6 != 1:
        return None
    return data[0] >> 4 & 3, data[1], data[2] << 8 | data[3]


def decode(data):
    """The Message in a datagram (bytes). Raises RemoteError: message format error (RFC 7252 section 3)."""
    head = header(data)
    if head is None:
        raise RemoteError("coap: no CoAP header of version 1")
    length = data[0] & 15
    _check_head(head[0], head[1], length, len(data))
    options, at = _options(data, 4 + length)
    if at == len(data) - 1:
        raise RemoteError("coap: payload marker without payload")
    return Message(head[0], head[1], head[2], data[4 : 4 + length], options, data[at + 1 :])


def unknown_critical(message):
    """The number of the first critical option we must not ignore and do not know, or None (RFC 7252 5.4.1).

    A known one of a forbidden length, or repeated where it may not be, counts (5.4.3, 5.4.5). A request with
    one is answered 4.02, a response rejected.
    """
    before = None
    for number, value in message.options:
        if number & 1:
            row = _row(number)
            if not row or not _fits(number, value) or (number == before and not row[3]):
                return number
        before = number
    return None


def uint(number):
    """A non-negative number as the shortest bytes, 0 as none (RFC 7252 3.2)."""
    size = 0
    while number >> 8 * size:
        size += 1
    return number.to_bytes(size, "big") if size else b""


def dotted(code):
    """A code as it is written: 69 -> "2.05"."""
    return "%d.%02d" % (code >> 5, code & 31)


def _check_head(kind, code, token, size):
    if token > 8:
        raise RemoteError("coap: token length %d" % token)
    if size < 4 + token:
        raise RemoteError("coap: ends within the token")
    if code == 0 and size > 4:
        raise RemoteError("coap: empty message with content")
    if code >> 5 in (1, 6, 7):
        raise RemoteError("coap: reserved code " + dotted(code))
    # RFC 7252 4.2 and 4.3: a NON is never empty, a RST always, and an ACK carries no request.
    if (kind == NON and code == 0) or (kind == RST and code) or (kind == ACK and 0 < code < 32):
        raise RemoteError("coap: code %s in a message of type %d" % (dotted(code), kind))


def _options(data, at):
    """([(number, value)], where they end): at the payload marker or at the end of the data."""
    options = []
    number = 0
    while at < len(data) and data[at] != 0xFF:
        head = data[at]
        delta, at = _extended(data, head >> 4, at + 1)
        length, at = _extended(data, head & 15, at)
        number += delta
        value = data[at : at + length]
        at += length
        if at > len(data):
            raise RemoteError("coap: ends within option %d" % number)
        if number > 0xFFFF or len(options) == _MAX_OPTIONS:
            raise RemoteError("coap: option number over 65535 or more than %d options" % _MAX_OPTIONS)
        if number in _TEXT:
            utf8.decode(value, "coap")
        options.append((number, value))
    return options, at


def _extended(data, nibble, at):
    """(delta or length, where the next field starts); RFC 7252 3.1."""
    if nibble < 13:
        return nibble, at
    size = nibble - 12
    if nibble == 15 or at + size > len(data):
        raise RemoteError("coap: reserved or truncated option header")
    return int.from_bytes(data[at : at + size], "big") + (13 if size == 1 else 269), at + size


def _nibble(number):
    if number < 13:
        return number, b""
    if number < 269:
        return 13, bytes((number - 13,))
    if number > _MAX_EXTENDED:
        raise LocalError("coap: option number or length too large")
    return 14, (number - 269).to_bytes(2, "big")


def _fits(number, value):
    row = _row(number)
    return not row or row[1] <= len(value) <= row[2]


def _row(number):
    """The line of an option in _KNOWN; empty for an unknown one."""
    for at in range(0, len(_KNOWN), 4):
        if _KNOWN[at] == number:
            return _KNOWN[at : at + 4]
    return b""
