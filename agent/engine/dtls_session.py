"""An agreed DTLS session: its keys, its numbers, the window against replays; a part of the engine."""

from ..codec import dtls as codec
from ..crypto.ccm import Ccm

try:
    from micropython import const
except ImportError:
    const = int

_EXPLICIT = const(8)  # bytes of nonce before the sealed text, which has a tag of _TAG (RFC 6655 3)
_TAG = const(8)
_WINDOW = const(64)
_ALL = (1 << 64) - 1
_LAST = (1 << 48) - 1
_FIXED = const(61)  # bytes of a kept state before the CID
_CLEAN, _CUT = 2, 1


class Session:
    """block: 40 bytes of keys (client's key, server's key, client's salt, server's salt), for the client.

    fresh: no record can be a repetition that we do not know of; not so after a power cut.
    """

    def __init__(self, block, cid=b"", step=64):
        self._block = block
        self._seal, self._open = Ccm(block[:16]).seal, Ccm(block[16:32]).open
        self.cid = cid  # what the server wants in our records
        self._step = step
        self._number = self._limit = 0
        self.highest, self._seen = -1, 0
        self.fresh = True

    def ahead(self):
        """The state to be written before anything else happens, or None: there are numbers left that were."""
        if self._number < self._limit:
            return None
        self._limit = self._number + self._step
        return self._dump(_CUT, self._limit)

    def last(self):
        """The state at a clean end."""
        return self._dump(_CLEAN if self.fresh else _CUT, self._number)

    def used_up(self):
        return self._number + self._step >= _LAST

    def _dump(self, kind, count):
        return (bytes((kind,)) + self._block + count.to_bytes(6, "big") + (self.highest + 1).to_bytes(6, "big")
                + self._seen.to_bytes(8, "big") + self.cid)

    def seal(self, kind, plain):
        """The record with `plain` (bytes) of this content type inside."""
        head = codec.header(1, self._number)
        self._number += 1
        cid = self.cid
        if cid:
            plain, kind = plain + bytes((kind,)), codec.CONNECTED
        nonce = self._block[32:36] + head[2:]
        sealed = self._seal(nonce, plain, codec.additional(kind, head, len(plain), cid))
        return codec.record(kind, head, head[2:] + sealed, cid)

    def open(self, kind, head, body):
        """What is in a record of the server, None: not the server's, False: it came before."""
        count = codec.number(head[4:])
        age = self.highest - count
        if age >= 0 and (age >= _WINDOW or self._seen >> age & 1):
            return False
        size = len(body) - _EXPLICIT - _TAG
        if size < 0:
            return None
        nonce = self._block[36:40] + body[:_EXPLICIT]
        plain = self._open(nonce, body[_EXPLICIT:], codec.additional(kind, head, size))
        if plain is not None:
            self._take(count)
        return plain

    def confirm(self):
        """The newest record is known to be new: what is older counts as come."""
        if not self.fresh:
            self.fresh, self._seen = True, _ALL

    def _take(self, count):
        ahead = count - self.highest
        if ahead > 0:
            self._seen = (self._seen << ahead & _ALL if ahead < _WINDOW else 0) | 1
            self.highest = count
        else:
            self._seen |= 1 << -ahead


def load(state, step=64):
    """The Session of a state that was kept, None: there is none in it, or none that would be known from another port.
    """
    if len(state) <= _FIXED or state[0] not in (_CLEAN, _CUT):
        return None
    session = Session(state[1:41], state[_FIXED:], step)
    session._number = session._limit = codec.number(state[41:47])
    session.highest = codec.number(state[47:53]) - 1
    session.fresh = state[0] == _CLEAN
    session._seen = codec.number(state[53:_FIXED]) if session.fresh else _ALL
    return session
