"""MQTT 3.1.1 packets (OASIS Standard, 29 October 2014) of a client that subscribes and never publishes.

Nothing longer than the limit is ever held: of a message that is, the front is kept, so that it can be acknowledged, and
the rest is let go by.
"""

from ..errors import LocalError, RemoteError

CONNACK, PUBLISH, SUBACK, UNSUBACK, PINGRESP = 2, 3, 9, 11, 13
PINGREQ, DISCONNECT = b"\xc0\x00", b"\xe0\x00"
REFUSED = 0x80  # a return code of SUBACK
_LENGTHS = {CONNACK: 2, UNSUBACK: 2, PINGRESP: 0}
_TEXT_MAX = 512  # bytes of a name, a topic, a secret
_HEAD_MAX = 5


def connect(client, keepalive_s, user=None, password=None):
    """CONNECT (3.1) of a session that outlives its connections. client, user: str; password: bytes. LocalError: one is
    too long, or there is a password without a user."""
    if password is not None and user is None:
        raise LocalError("mqtt: a password needs a user (broker_user)")
    flags = (0x80 if user is not None else 0) | (0x40 if password is not None else 0)
    body = _text(b"MQTT") + bytes([4, flags]) + keepalive_s.to_bytes(2, "big") + _text(client.encode())
    if user is not None:
        body += _text(user.encode())
    if password is not None:
        body += _binary(password)
    return _packet(0x10, body)


def subscribe(number, topics):
    """SUBSCRIBE (3.8) to these topics (str), at QoS 1 each."""
    return _packet(0x82, number.to_bytes(2, "big") + b"".join([_text(topic.encode()) + b"\x01" for topic in topics]))


def unsubscribe(number, topic):
    """UNSUBSCRIBE (3.10) from one topic (str)."""
    return _packet(0xA2, number.to_bytes(2, "big") + _text(topic.encode()))


def puback(number):
    """PUBACK (3.4) of the message with this packet identifier."""
    return b"\x40\x02" + number.to_bytes(2, "big")


def connack(body):
    """-> (whether the broker kept the session, return code: 0 accepted, 4 and 5 not authorised, ...) (3.2)."""
    if body[0] > 1:
        raise RemoteError("mqtt: CONNACK with reserved bits")
    return body[0] == 1, body[1]


def suback(body):
    """-> (packet identifier, [granted QoS, or REFUSED]) (3.9)."""
    if len(body) < 3:
        raise RemoteError("mqtt: SUBACK without a return code")
    return body[0] << 8 | body[1], list(body[2:])


def publication(flags, body):
    """-> (topic, payload, packet identifier, or None at QoS 0) of a PUBLISH (3.3) with these flags."""
    qos = flags >> 1 & 3
    size = body[0] << 8 | body[1] if len(body) > 1 else 0
    start = 2 + size + (2 if qos else 0)
    if qos > 1 or not 0 < size <= _TEXT_MAX or start > len(body):
        raise RemoteError("mqtt: PUBLISH of QoS %d with a topic of %d bytes" % (qos, size))
    try:
        topic = bytes(body[2 : 2 + size]).decode()
    except UnicodeError:
        topic = "\0"
    if "\0" in topic:
        raise RemoteError("mqtt: a topic that is not UTF-8, or has a zero byte")
    if not qos:
        return topic, bytes(body[start:]), None
    number = body[start - 2] << 8 | body[start - 1]
    if not number:
        raise RemoteError("mqtt: packet identifier 0")
    return topic, bytes(body[start:]), number


class Reader:
    """Packets out of a stream, each of at most `longest` bytes behind its fixed header (2.2)."""

    def __init__(self, longest):
        self._longest = longest
        self._data, self._past = b"", 0  # what is held; how many bytes are still to go by

    def feed(self, data):
        """-> [(type, flags, body, whether its end is missing)]. RemoteError, with what came before it in `.args[1]`,
        for what no broker sends: the connection is to be closed."""
        found, skipped = [], min(self._past, len(data))
        self._past -= skipped
        self._data += data[skipped:]
        try:
            packet = self._next()
            while packet:
                found.append(packet)
                packet = self._next()
        except RemoteError as e:
            raise RemoteError(e.args[0], found)
        return found

    def _next(self):
        """The next packet whose bytes are here, or None."""
        data = self._data
        size, start = _length(data)
        if start is None:
            return None
        kind, flags = data[0] >> 4, data[0] & 15
        _check(kind, flags, size, self._longest)
        held = min(size, self._longest)
        if len(data) < start + held:
            return None
        self._data = data[start + size :]
        self._past = max(0, start + size - len(data))
        return kind, flags, data[start : start + held], held < size


def _length(data):
    """-> (remaining length, where the rest begins, or None: not here yet) (2.2.3)."""
    size = 0
    for at in range(1, min(len(data), _HEAD_MAX)):
        size |= (data[at] & 127) << 7 * (at - 1)
        if data[at] < 128:
            return size, at + 1
    if len(data) >= _HEAD_MAX:
        raise RemoteError("mqtt: a length of more than four bytes")
    return size, None


def _check(kind, flags, size, longest):
    """What can be said of a packet by its fixed header."""
    if kind != PUBLISH and (flags or size > longest):
        raise RemoteError("mqtt: packet type %d with flags %d and %d bytes" % (kind, flags, size))
    if kind != PUBLISH and kind != SUBACK and _LENGTHS.get(kind) != size:
        raise RemoteError("mqtt: packet type %d of %d bytes from a broker" % (kind, size))


def _text(data):
    if b"\x00" in data:
        raise LocalError("mqtt: a name or topic has a zero byte")
    return _binary(data)


def _binary(data):
    if len(data) > _TEXT_MAX:
        raise LocalError("mqtt: a name, topic or password has %d bytes; up to %d are possible" % (len(data), _TEXT_MAX))
    return len(data).to_bytes(2, "big") + data


def _packet(first, body):
    head, size = bytes([first]), len(body)
    while size > 127:
        head += bytes([size & 127 | 128])
        size >>= 7
    return head + bytes([size]) + body
