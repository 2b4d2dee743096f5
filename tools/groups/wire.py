"""What crosses the wire when a document goes to a group: announcement, repair, unicast copy and acknowledgement.

Each is a POST to PATH (RFC 7252). To a group (NON, RFC 7252 8) its payload is CBOR `[window ms, base, bitmap]` followed
by the document's own bytes, the same to everybody. Bit k of the bitmap (byte k / 8, least significant bit first) speaks
to the member with index base + k; null speaks to all. Whoever is spoken to acknowledges after a time drawn evenly from
the window, once more where it had the document already; a window of 0 asks for no acknowledgement. Who is not spoken to
takes the document all the same. To one member the payload is the bare document: it begins with a COSE tag, never with
an array.

An acknowledgement is CBOR `[device, group, version, status, ?detail]`: the payload of the 2.04, piggybacked or a NON of
its own (RFC 7252 8.2), or of a push the other way, when there is more to say later (a trial is over) or the session is
the registrar's. What is no well-formed message of these is never answered.
"""

from collections import namedtuple

from ...agent.codec import cbor, coap
from ...agent.errors import LocalError, RemoteError

PATH = "policy"
BLOCK = 1024  # members in a bitmap
MAX_DOCUMENT = 1024  # bytes
MAX_WINDOW = 600_000  # ms
MAX_INDEX = 0xFFFFFF
MAX_NAME = 64  # bytes of a device's name
MAX_GROUP = 32  # bytes
MAX_STATUS = 11
MAX_BATCH = 500  # acknowledgements
_MAX_DETAIL = 64  # characters, or a number of 32 bits
_HEAD = 3 + BLOCK // 8 + 13  # bytes before a document, at most

Announcement = namedtuple("Announcement", "window base bitmap document")
Acknowledgement = namedtuple("Acknowledgement", "device group version status detail")


def announcement(document, window, base=0, bitmap=None):
    """The payload of a message to the group; `window` in ms. Raises LocalError for what no member would take."""
    _check_document(document, LocalError)
    _check_head(window, base, bitmap, LocalError)
    return cbor.encode([window, base, bitmap]) + document


def read_announcement(payload):
    """The Announcement in a payload. Raises RemoteError: malformed, or over a limit."""
    if len(payload) > _HEAD + MAX_DOCUMENT:
        raise RemoteError("policy: an announcement of %d bytes" % len(payload))
    head, at = cbor.decode_from(payload, 0)
    if not isinstance(head, list) or len(head) != 3:
        raise RemoteError("policy: no [window, base, bitmap] before the document")
    _check_head(*head, RemoteError)
    document = bytes(payload[at:])
    _check_document(document, RemoteError)
    return Announcement(*head, document)


def speaks_to(announced, index):
    """Whether a member with this index is to acknowledge."""
    if announced.bitmap is None:
        return True
    k = index - announced.base
    return 0 <= k < 8 * len(announced.bitmap) and bool(announced.bitmap[k >> 3] >> (k & 7) & 1)


def blocks(indexes):
    """[(base, bitmap)] that speak to exactly these members, in as few messages as there can be."""
    found = []
    for index in sorted(indexes):
        if not found or index - found[-1][0] >= BLOCK:
            found.append((index, bytearray()))
        base, bitmap = found[-1]
        k = index - base
        bitmap.extend(bytes((k >> 3) + 1 - len(bitmap)))
        bitmap[k >> 3] |= 1 << (k & 7)
    return [(base, bytes(bitmap)) for base, bitmap in found]


def acknowledgement(device, group, version, status, detail=None):
    """The payload that acknowledges; `device` and `group` are bytes. Raises LocalError."""
    told = [device, group, version, status] + ([] if detail is None else [detail])
    _check_acknowledgement(told, LocalError)
    return cbor.encode(told)


def read_acknowledgement(payload):
    """The Acknowledgement in a payload. Raises RemoteError."""
    if len(payload) > 256:
        raise RemoteError("policy: an acknowledgement of %d bytes" % len(payload))
    told = cbor.decode(payload)
    _check_acknowledgement(told, RemoteError)
    return Acknowledgement(*told, *([None] if len(told) == 4 else []))


def batch(told):
    """The payload with which a gateway passes on so many Acknowledgements at once."""
    return cbor.encode([list(one[:4]) + ([] if one.detail is None else [one.detail]) for one in told])


def read_batch(payload):
    """[Acknowledgement] of a batch. Raises RemoteError."""
    rows = cbor.decode(payload) if len(payload) <= MAX_BATCH * 256 else None
    if not isinstance(rows, list) or not 1 <= len(rows) <= MAX_BATCH:
        raise RemoteError("policy: a batch is an array of 1 to %d acknowledgements" % MAX_BATCH)
    for row in rows:
        _check_acknowledgement(row, RemoteError)
    return [Acknowledgement(*row, *([None] if len(row) == 4 else [])) for row in rows]


def push(payload, mid, token, confirmable=False):
    """The datagram that brings a payload: to a group, or (confirmable) to one member without security of its own."""
    kind = coap.CON if confirmable else coap.NON
    return coap.encode(coap.Message(kind, coap.POST, mid, token, [(coap.URI_PATH, PATH.encode())], payload))


def is_push(message):
    """Whether a decoded request brings a document."""
    return message.code == coap.POST and message.path() == (PATH,) and coap.unknown_critical(message) is None


def answer(message, payload, mid):
    """The datagram that answers a push with an acknowledgement; `mid` is used where the push was not confirmable."""
    kind, mid = (coap.ACK, message.mid) if message.type == coap.CON else (coap.NON, mid)
    return coap.encode(coap.Message(kind, coap.CHANGED, mid, message.token, (), payload))


def _check_document(document, error):
    if not 1 <= len(document) <= MAX_DOCUMENT:
        raise error("policy: a document of %d bytes; 1 to %d go into one datagram" % (len(document), MAX_DOCUMENT))


def _check_head(window, base, bitmap, error):
    if not _number(window, MAX_WINDOW):
        raise error("policy: a window that is not 0 to %d ms" % MAX_WINDOW)
    if not _number(base, MAX_INDEX):
        raise error("policy: a base that is not 0 to %d" % MAX_INDEX)
    if bitmap is not None and not (isinstance(bitmap, bytes) and 1 <= len(bitmap) <= BLOCK // 8):
        raise error("policy: a bitmap that is neither null nor 1 to %d bytes" % (BLOCK // 8))


def _check_acknowledgement(told, error):
    if not isinstance(told, list) or len(told) not in (4, 5):
        raise error("policy: an acknowledgement is [device, group, version, status, ?detail]")
    device, group, version, status = told[:4]
    if not (_bytes(device, MAX_NAME) and _bytes(group, MAX_GROUP)):
        raise error("policy: device or group in an acknowledgement is not 1 to %d or %d bytes" % (MAX_NAME, MAX_GROUP))
    if not (_number(version, 0xFFFFFFFF) and _number(status, MAX_STATUS)):
        raise error("policy: version or status (0 to %d) in an acknowledgement is out of range" % MAX_STATUS)
    if len(told) == 5 and not (_number(told[4], 0xFFFFFFFF) or _text(told[4])):
        raise error("policy: a detail that is neither a number nor %d characters of text" % _MAX_DETAIL)


def _number(value, most):
    return type(value) is int and 0 <= value <= most


def _bytes(value, most):
    return isinstance(value, bytes) and 1 <= len(value) <= most


def _text(value):
    return isinstance(value, str) and len(value) <= _MAX_DETAIL
