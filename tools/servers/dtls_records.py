"""One agreed DTLS 1.2 session of the server role: its keys, its numbers, and the window against replays (RFC 6347 4.1,
RFC 6655, RFC 9146)."""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from ...agent.codec import dtls as codec

_TAG = 8
_EXPLICIT = 8
_WINDOW = 64


class Records:
    """`block`: the client's key, the server's key, the client's salt, the server's salt, 40 bytes; `cid`: what the
    client wants in our records."""

    def __init__(self, block, cid):
        self._open, self._seal = AESCCM(block[:16], _TAG), AESCCM(block[16:32], _TAG)
        self._salts, self._cid = (block[32:36], block[36:40]), cid
        self._number, self._highest, self._seen = 0, -1, 0
        self.newest = False  # whether what was opened last is newer than all before

    def seal(self, kind, plain):
        """The record with `plain` of this content type inside."""
        head = codec.header(1, self._number)
        self._number += 1
        if self._cid:
            plain, kind = plain + bytes((kind,)), codec.CONNECTED
        additional = codec.additional(kind, head, len(plain), self._cid)
        sealed = self._seal.encrypt(self._salts[1] + head[2:], plain, additional)
        return codec.record(kind, head, head[2:] + sealed, self._cid)

    def open(self, kind, head, cid, body):
        """(content type, what is in it), None where it is not the client's, False where it came before."""
        count = codec.number(head[4:])
        age = self._highest - count
        if age >= _WINDOW or (age >= 0 and self._seen >> age & 1):
            return False
        size = len(body) - _EXPLICIT - _TAG
        if size < 0:
            return None
        try:
            plain = self._open.decrypt(self._salts[0] + body[:_EXPLICIT], body[_EXPLICIT:],
                                       codec.additional(kind, head, size, cid))
        except InvalidTag:
            return None
        self._take(count)
        if kind == codec.CONNECTED:  # content, its type, zeros (RFC 9146 4)
            plain = plain.rstrip(b"\0")
            kind, plain = (plain[-1], plain[:-1]) if plain else (0, b"")
        return kind, plain

    def _take(self, count):
        ahead = count - self._highest
        self.newest = ahead > 0
        if self.newest:
            self._seen = (self._seen << ahead if ahead < _WINDOW else 0) & (1 << _WINDOW) - 1 | 1
            self._highest = count
        else:
            self._seen |= 1 << -ahead
