"""The client's DTLS handshake with a pre-shared key (RFC 4279, 6347, 7627, 9146); a part of the engine, without timers.

Nothing that comes is authenticated before the server's Finished, which proves the key and the whole transcript. So what
is wrong raises RemoteError and changes nothing: the right message may still come.
"""

import hashlib

from ..codec import dtls as codec
from ..crypto.ccm import Ccm
from ..crypto.hashes import prf, same
from ..errors import RemoteError
from .dtls_assembly import Assembly
from .dtls_session import Session

try:
    from micropython import const
except ImportError:
    const = int

_COOKIES = const(3)  # HelloVerifyRequests that one handshake follows
_PROOF = const(12)  # bytes of Finished
HELLO, SERVER, FINISH, DONE = "hello", "server", "finish", "done"


class Handshake:
    """state: HELLO (no ServerHello yet), SERVER (its flight is incomplete), FINISH (our last flight is out), DONE."""

    def __init__(self, identity, psk, random, cid=True, step=64):
        Ccm(random[:16])  # where there is no AES: LocalError before anything is said
        self._identity, self._psk, self._random, self._cid, self._step = identity, psk, random, cid, step
        self.state = HELLO
        self.session = None
        self._assembly = Assembly()
        self._cookies = []
        self._sent = 0  # records in epoch 0
        self._hello()

    def _hello(self):
        body = codec.client_hello(self._random, self._cookies[-1] if self._cookies else b"", self._cid)
        self._transcript = codec.message(codec.CLIENT_HELLO, len(self._cookies), body)
        self._flight = [(0, codec.HANDSHAKE, self._transcript)]

    def is_unanswered(self):
        """The server has not said a word yet."""
        return self.state == HELLO and not self._cookies

    def datagram(self):
        """The flight that is due, in records with new numbers."""
        out = b""
        for epoch, kind, body in self._flight:
            if epoch:
                out += self.session.seal(kind, body)
            else:
                out += self.record(kind, body)
        return out

    def record(self, kind, body):
        """An unprotected record."""
        self._sent += 1
        return codec.record(kind, codec.header(0, self._sent - 1), body)

    def receive(self, body, sealed):
        """Takes the body of a handshake record; True: there is a new flight, None: nothing moved, False: it did.

        RemoteError: a message that cannot be right."""
        moved = None
        for kind, size, number, at, part in codec.fragments(body):
            if (kind == codec.FINISHED) != sealed:
                raise RemoteError("dtls: handshake message %d in the wrong epoch" % kind)
            if kind == codec.VERIFY_REQUEST:
                if self._verify(number, part, size):
                    return True
                continue
            if kind == codec.SERVER_HELLO and self.state == HELLO and number <= _COOKIES:
                self._assembly.advance(number)
            self._assembly.add(kind, size, number, at, part)
            flight = self._messages()
            moved = moved if flight is None else flight or moved or False
        return moved

    def _messages(self):
        """All that are whole, in order."""
        moved = None
        while self.state != DONE:
            whole = self._assembly.ready()
            if not whole:
                break
            try:
                moved = self._message(*whole) or moved or False
            except RemoteError:
                self._assembly.drop()
                raise
            self._assembly.advance(self._assembly.next + 1)
        return moved

    def _verify(self, number, part, size):
        """True: a cookie that we did not send yet."""
        if self.state != HELLO or len(part) != size:
            return False
        cookie = codec.verify_request(part)
        if cookie in self._cookies or len(self._cookies) == _COOKIES:
            return False
        self._cookies.append(cookie)
        self._assembly.advance(number + 1 & 0xFFFF)
        self._hello()
        return True

    def _message(self, kind, body):
        text = codec.message(kind, self._assembly.next, body)
        if kind == codec.SERVER_HELLO and self.state == HELLO:
            self._server, self._extended, cid = codec.server_hello(body)
            if cid and not self._cid:
                raise RemoteError("dtls: the server gave a connection id that was not asked for")
            self._server_cid, self.state = cid, SERVER
        elif kind == codec.SERVER_KEY and self.state == SERVER:
            if len(body) < 2 or codec.number(body[:2]) != len(body) - 2:
                raise RemoteError("dtls: malformed ServerKeyExchange")
        elif kind == codec.SERVER_DONE and self.state == SERVER and not body:
            self._transcript += text
            self._finish()
            return True
        elif kind == codec.FINISHED and self.state == FINISH:
            if not same(body, self._proof(b"server finished")):
                raise RemoteError("dtls: the server's Finished proves another handshake")
            self.state = DONE
            return False
        else:
            raise RemoteError("dtls: handshake message %d is out of place" % kind)
        self._transcript += text

    def _finish(self):
        """ClientKeyExchange, ChangeCipherSpec, Finished."""
        count = len(self._cookies) + 1
        identity = len(self._identity).to_bytes(2, "big") + self._identity
        key = codec.message(codec.CLIENT_KEY, count, identity)
        self._transcript += key
        self._derive()
        finished = codec.message(codec.FINISHED, count + 1, self._proof(b"client finished"))
        self._transcript += finished
        self._flight = [(0, codec.HANDSHAKE, key), (0, codec.CHANGE, b"\x01"), (1, codec.HANDSHAKE, finished)]
        self.state = FINISH

    def _derive(self):
        size = len(self._psk)
        length = size.to_bytes(2, "big")
        premaster = length + bytes(size) + length + self._psk  # RFC 4279 2
        if self._extended:
            self._master = prf(premaster, b"extended master secret", hashlib.sha256(self._transcript).digest(), 48)
        else:  # no resumption, no certificates: what RFC 7627 is against cannot happen
            self._master = prf(premaster, b"master secret", self._random + self._server, 48)
        block = prf(self._master, b"key expansion", self._server + self._random, 40)
        self.session = Session(block, self._server_cid, self._step)

    def _proof(self, label):
        return prf(self._master, label, hashlib.sha256(self._transcript).digest(), _PROOF)
