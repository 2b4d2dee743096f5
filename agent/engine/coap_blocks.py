"""Block-wise transfer (RFC 7959), a part of the exchange: the Block options, and bodies that travel in blocks."""

from ..codec import coap
from ..errors import RemoteError
from .coap_transmission import BODY_MAX

try:
    from micropython import const
except ImportError:
    const = int

_PART = const(512)


def read(message, number):
    """(block number, more: 0 or 1, size in bytes) of a Block option, or None. RemoteError: reserved size (2.2)."""
    value = message.uint(number)
    if value is None:
        return None
    if value & 7 == 7:
        raise RemoteError("coap: reserved block size")
    return value >> 4, value >> 3 & 1, 16 << (value & 7)


def option(number, block, more, size):
    """The (number, bytes) of a Block option; `size` is a power of two from 16 to 1024."""
    exponent = 0
    while 16 << exponent < size:
        exponent += 1
    return number, coap.uint(block << 4 | (8 if more else 0) | exponent)


def cut(body, at, size, number):
    """(the block of `body` that starts at byte `at`, the Block option that says so)."""
    return memoryview(body)[at : at + size], option(number, at // size, at + size < len(body), size)


class Body:
    """A body that comes or goes block by block. `key`: what all its blocks have in common; `about`: what else is to
    be known. One that comes is in parts until the end: to move all of it with each block would leave holes in a
    small heap that the whole then does not fit into."""

    due = None

    def __init__(self, peer, key, about, *parts):
        self.peer = peer
        self.key = key
        self.about = about
        self.length = sum([len(part) for part in parts])
        self._parts = list(parts)

    def append(self, chunk):
        """Adds a block (bytes). Raises RemoteError beyond BODY_MAX."""
        self.length += len(chunk)
        if self.length > BODY_MAX:
            raise RemoteError("coap: body over %d bytes" % BODY_MAX)
        parts = self._parts
        if parts and len(parts[-1]) < _PART:
            parts[-1] += chunk  # small blocks would cost more than they carry
        else:
            parts.append(chunk)

    def whole(self):
        """The body as bytes. Raises RemoteError where there is no room for it."""
        if len(self._parts) == 1:
            return self._parts[0]
        try:
            return b"".join(self._parts)
        except MemoryError:
            raise RemoteError("coap: no room for a body of %d bytes" % self.length)
