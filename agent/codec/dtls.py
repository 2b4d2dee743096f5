"""DTLS 1.2 on the wire (RFC 6347, RFC 9146): records and handshake messages, as far as pre-shared keys need them.

A record's `header` is what protection covers of it: version, epoch and number, 10 bytes.
"""

from ..errors import RemoteError

try:
    from micropython import const
except ImportError:
    const = int

CHANGE, ALERT, HANDSHAKE, APPLICATION, CONNECTED = 20, 21, 22, 23, 25  # content types; 25: a record with a CID
HELLO_REQUEST, CLIENT_HELLO, SERVER_HELLO, VERIFY_REQUEST = 0, 1, 2, 3
SERVER_KEY, SERVER_DONE, CLIENT_KEY, FINISHED = 12, 14, 16, 20
EXTENDED, CID = 23, 54  # extensions: extended master secret (RFC 7627), Connection ID
VERSION = b"\xfe\xfd"
OLDER = b"\xfe\xff"  # what some servers write until the version is agreed upon (RFC 6347 4.2.1)
SUITE = b"\xc0\xa8"  # TLS_PSK_WITH_AES_128_CCM_8 (RFC 6655)

_HEAD = const(13)
_RECORDS = const(8)  # in one datagram; a whole flight has five
_FRAGMENT = const(12)  # bytes before a handshake fragment


def number(data):
    """Big-endian."""
    return int.from_bytes(data, "big")


def header(epoch, count):
    """Version, epoch (16 bits), number (48 bits)."""
    return VERSION + (epoch << 48 | count).to_bytes(8, "big")


def record(kind, head, body, cid=b""):
    """One record; `kind` is CONNECTED where there is a cid."""
    return bytes((kind,)) + head + cid + len(body).to_bytes(2, "big") + body


def records(data, cid_length=0):
    """([(content type, header, cid, body)], bytes left over that are no record): what is wrong is silently passed
    over (RFC 6347 4.1.2.7). cid_length: of the ids that we gave out."""
    found = []
    while len(data) >= _HEAD and len(found) < _RECORDS:
        size = cid_length if data[0] == CONNECTED else 0
        start = _HEAD + size
        end = start + number(data[start - 2 : start])
        if end > len(data):
            break
        found.append((data[0], data[1:11], data[11 : 11 + size], data[start:end]))
        data = data[end:]
    return found, len(data)


def additional(kind, head, size, cid=b""):
    """The additional data of a sealed record with `size` bytes inside (RFC 5246 6.2.3.3, RFC 9146 5.3)."""
    length = size.to_bytes(2, "big")
    if kind != CONNECTED:
        return head[2:] + bytes((kind,)) + head[:2] + length
    return b"\xff" * 8 + bytes((CONNECTED, len(cid), CONNECTED)) + head + cid + length


def message(kind, count, body):
    """A whole handshake message; no message of a client with a pre-shared key needs to be sent in fragments."""
    size = len(body).to_bytes(3, "big")
    return bytes((kind,)) + size + count.to_bytes(2, "big") + b"\0\0\0" + size + body


def fragments(data):
    """[(message type, its size, its number, offset, bytes)] of a record. RemoteError: malformed."""
    found = []
    while data:
        size, at, part = number(data[1:4]), number(data[6:9]), number(data[9:12])
        end = _FRAGMENT + part
        if len(data) < end or at + part > size or (size and not part):
            raise RemoteError("dtls: handshake fragment %d+%d of %d bytes" % (at, part, size))
        found.append((data[0], size, number(data[4:6]), at, data[_FRAGMENT:end]))
        data = data[end:]
    return found


def client_hello(random, cookie, cid=True):
    """The body: our one suite, the extended master secret and, with `cid`, an empty Connection ID of ours."""
    extensions = b"\0\x17\0\0" + (b"\0\x36\0\x01\0" if cid else b"")
    return (VERSION + random + b"\0" + bytes((len(cookie),)) + cookie + b"\0\x02" + SUITE + b"\x01\0"
            + len(extensions).to_bytes(2, "big") + extensions)


def verify_request(body):
    """The cookie. RemoteError: malformed."""
    if len(body) < 4 or body[:2] not in (VERSION, OLDER) or len(body) != 3 + body[2]:
        raise RemoteError("dtls: HelloVerifyRequest of %d bytes" % len(body))
    return body[3:]


def server_hello(body):
    """(the server's random, whether it extends the master secret, its CID - b"" for none).

    RemoteError: malformed, or it chose what we did not offer.
    """
    at = 35 + body[34] if len(body) >= 38 else 0
    if not at or at > 67 or len(body) < at + 3 or body[:2] != VERSION:
        raise RemoteError("dtls: ServerHello is malformed or not of DTLS 1.2")
    if body[at : at + 2] != SUITE or body[at + 2]:
        raise RemoteError("dtls: the server chose cipher suite %02x%02x, must be c0a8" % (body[at], body[at + 1]))
    found = _extensions(body[at + 3 :])
    cid = found.get(CID, b"\0")
    if not cid or len(cid) != 1 + cid[0] or found.get(EXTENDED):
        raise RemoteError("dtls: ServerHello with a malformed extension")
    return body[2:34], EXTENDED in found, cid[1:]


def _extensions(data):
    if data and number(data[:2]) != len(data) - 2:
        raise RemoteError("dtls: extensions of another length")
    found, data = {}, data[2:]
    while data:
        kind, size = number(data[:2]), number(data[2:4])
        if len(data) < 4 + size or kind in found or kind not in (EXTENDED, CID):
            raise RemoteError("dtls: extension %d is unasked for, doubled or cut off" % kind)
        found[kind] = data[4 : 4 + size]
        data = data[4 + size :]
    return found
