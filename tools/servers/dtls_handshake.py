"""The server's side of a DTLS 1.2 handshake with a pre-shared key (RFC 4279, 6347, 6655, 7627, 9146), without timers:
what is lost the client asks for again, by repeating its own flight.

Nothing is kept of a client before it has returned the cookie, so that it has to be where it says; and nothing that it
says is believed before its Finished, which proves the key and the whole transcript.
"""

import hashlib
import hmac
import os
from dataclasses import dataclass

from ...agent.codec import dtls as codec
from ...agent.crypto.hashes import prf
from ...agent.engine.dtls_assembly import Assembly
from ...agent.errors import RemoteError
from .dtls_records import Records

HANDSHAKE_FAILURE, DECRYPT_ERROR, UNKNOWN_IDENTITY = 40, 51, 115  # alerts
_RENEGOTIATION, _SIGNALLED = 0xFF01, b"\x00\xff"  # RFC 5746: OpenSSL talks to nobody who has not heard of it
_PROOF = 12
_COOKIE = 16
_COOKIE_S = 60  # how long one is good, twice that at most


class Failure(Exception):
    """The handshake is over; `alert` says why."""

    def __init__(self, alert):
        super().__init__(f"dtls: alert {alert}")
        self.alert = alert


@dataclass
class Hello:
    """A ClientHello. `bare`: without its cookie, which covers it."""

    random: bytes
    cookie: bytes
    bare: bytes
    suites: tuple
    extensions: dict

    @property
    def wants_cid(self):
        return codec.CID in self.extensions

    @property
    def cid(self):
        """What the client wants in our records. RemoteError: malformed."""
        body = self.extensions.get(codec.CID, b"\0")
        if not body or len(body) != 1 + body[0]:
            raise RemoteError("dtls: ClientHello with a malformed connection id")
        return body[1:]


def client_hello(body):
    """The Hello in a body. RemoteError: malformed, or of an older version."""
    reader = _Reader(body)
    version, random, session = reader.take(2), reader.take(32), reader.vector(1)
    if version[:1] != b"\xfe" or version > codec.VERSION:  # versions count down
        raise RemoteError("dtls: ClientHello of an older version")
    at = reader.at
    cookie = reader.vector(1)
    rest = body[reader.at :]
    suites, methods = reader.vector(2), reader.vector(1)
    extensions = _extensions(reader.vector(2)) if reader.left() else {}
    if len(session) > 32 or len(suites) % 2 or b"\0" not in methods or reader.left():
        raise RemoteError("dtls: malformed ClientHello")
    pairs = tuple(suites[index : index + 2] for index in range(0, len(suites), 2))
    return Hello(random, cookie, body[:at] + rest, pairs, extensions)


def _extensions(data):
    reader, found = _Reader(data), {}
    while reader.left():
        kind = codec.number(reader.take(2))
        if kind in found:
            raise RemoteError("dtls: ClientHello with an extension twice")
        found[kind] = reader.vector(2)
    return found


class _Reader:
    def __init__(self, data):
        self._data, self.at = data, 0

    def left(self):
        return len(self._data) - self.at

    def take(self, size):
        if self.left() < size:
            raise RemoteError("dtls: ClientHello is cut off")
        self.at += size
        return self._data[self.at - size : self.at]

    def vector(self, width):
        return self.take(codec.number(self.take(width)))


class Cookies:
    """Stateless: a MAC over address and hello, good for a minute or two."""

    def __init__(self):
        self._key = os.urandom(32)

    def make(self, where, hello, now, back=0):
        text = b"%d %s " % (int(now / _COOKIE_S) - back, repr(where).encode()) + hello.bare
        return hmac.digest(self._key, text, "sha256")[:_COOKIE]

    def good(self, where, hello, now):
        return any(hmac.compare_digest(self.make(where, hello, now, back), hello.cookie) for back in (0, 1))


def verify_request(head, number, cookie):
    """The record with a HelloVerifyRequest, under the number that the ClientHello came in."""
    body = codec.OLDER + bytes((len(cookie),)) + cookie
    return codec.record(codec.HANDSHAKE, codec.OLDER + head[2:], codec.message(codec.VERIFY_REQUEST, number, body))


class Handshake:
    """From a ClientHello with a good cookie. `key_of(identity)`: the pre-shared key, None for what is no identity;
    `cid`: what we want in the client's records, if it knows of that."""

    def __init__(self, hello, number, text, head, key_of, cid):
        self.hello, self._key_of = hello, key_of
        self.random, self.identity, self.records, self.done = os.urandom(32), None, None, False
        self.cid = cid if hello.wants_cid else b""
        self._sent = codec.number(head[4:])  # records in epoch 0
        self._assembly = Assembly()
        self._assembly.advance(number + 1)
        self._flight = self._hello(number, hello)
        self._transcript = text + b"".join(self._flight)
        self._next = number + 2

    def _hello(self, number, hello):
        if codec.SUITE not in hello.suites:
            raise Failure(HANDSHAKE_FAILURE)
        self._peer_cid = hello.cid
        more = b""
        if codec.EXTENDED in hello.extensions:
            more += b"\0\x17\0\0"
        if hello.wants_cid:
            more += b"\0\x36" + (len(self.cid) + 1).to_bytes(2, "big") + bytes((len(self.cid),)) + self.cid
        if _SIGNALLED in hello.suites or _RENEGOTIATION in hello.extensions:
            more += b"\xff\x01\0\x01\0"
        more = len(more).to_bytes(2, "big") + more if more else b""
        body = codec.VERSION + self.random + b"\0" + codec.SUITE + b"\0" + more
        return codec.message(codec.SERVER_HELLO, number, body), codec.message(codec.SERVER_DONE, number + 1, b"")

    def datagram(self):
        """The flight that is due, in records with new numbers."""
        if self.done:
            return self._record(codec.CHANGE, b"\x01") + self.records.seal(codec.HANDSHAKE, self._flight)
        return b"".join(self._record(codec.HANDSHAKE, message) for message in self._flight)

    def alert(self, number):
        return self._record(codec.ALERT, bytes((2, number)))

    def _record(self, kind, body):
        self._sent += 1
        return codec.record(kind, codec.header(0, self._sent - 1), body)

    def receive(self, fragments):
        """Takes fragments of the client's ClientKeyExchange. Raises Failure, RemoteError."""
        for kind, size, number, at, part in fragments:
            if kind == codec.CLIENT_KEY and not self.records:
                self._assembly.add(kind, size, number, at, part)
        whole = self._assembly.ready()
        if whole and not self.records:
            self._keys(whole[1])

    def _keys(self, body):
        identity = body[2:]
        key = self._key_of(identity) if codec.number(body[:2]) == len(identity) else None
        if key is None:
            raise Failure(UNKNOWN_IDENTITY)
        self.identity = identity
        self._transcript += codec.message(codec.CLIENT_KEY, self._next - 1, body)
        size = len(key).to_bytes(2, "big")
        secret = size + bytes(len(key)) + size + key  # RFC 4279 2
        if codec.EXTENDED in self.hello.extensions:
            self._master = prf(secret, b"extended master secret", hashlib.sha256(self._transcript).digest(), 48)
        else:  # no resumption, no certificates: what RFC 7627 is against cannot happen
            self._master = prf(secret, b"master secret", self.hello.random + self.random, 48)
        block = prf(self._master, b"key expansion", self.random + self.hello.random, 40)
        self.records = Records(block, self._peer_cid)

    def finish(self, text):
        """Takes what the client sealed: its Finished, whole. Raises RemoteError, Failure."""
        fragments = codec.fragments(text)
        if len(fragments) != 1 or fragments[0][:1] + fragments[0][2:4] != (codec.FINISHED, self._next, 0):
            raise RemoteError("dtls: no Finished where it is due")
        if not hmac.compare_digest(fragments[0][4], self._proof(b"client finished")):
            raise Failure(DECRYPT_ERROR)
        self._transcript += text
        self._flight = codec.message(codec.FINISHED, self._next, self._proof(b"server finished"))
        self.done = True

    def _proof(self, label):
        return prf(self._master, label, hashlib.sha256(self._transcript).digest(), _PROOF)
