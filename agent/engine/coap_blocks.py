"""Block-wise transfer (RFC 7959), a part of the exchange: the Block options, and bodies that travel in blocks."""

from ..codec import coap
from ..errors import RemoteError

BODY_MAX = 16384  # bytes of one body, and of all the bodies that Bodies holds
_BODIES = 4
_PATIENCE = 93000  # ms between two blocks: MAX_TRANSMIT_WAIT (RFC 7959 2.4 asks for no less than that)


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
    return body[at : at + size], option(number, at // size, at + size < len(body), size)


class Bodies:
    """Bodies half received or half fetched: few, bounded together; the one least recently used goes first."""

    def __init__(self):
        self._held = []  # [key, until, body, about]; key[1] is the peer

    def get(self, key, now):
        """[.., .., body, about] held under this key, its time renewed; or None."""
        for entry in self._held:
            if entry[0] == key:
                self._held.remove(entry)
                self._held.append(entry)
                entry[1] = now + _PATIENCE
                return entry
        return None

    def hold(self, key, body, about, now):
        """Keeps a body (bytes or bytearray) with what is to be known `about` it, in place of an earlier one."""
        self.drop(key)
        self._held.append([key, now + _PATIENCE, body, about])
        self.trim()

    def trim(self):
        """Keeps the limits, after a body has grown."""
        held = self._held
        while len(held) > _BODIES or (len(held) > 1 and sum([len(entry[2]) for entry in held]) > BODY_MAX):
            held.pop(0)

    def drop(self, key):
        self._held[:] = [entry for entry in self._held if entry[0] != key]

    def poll(self, now):
        while self._held and self._held[0][1] <= now:
            self._held.pop(0)

    def deadline(self):
        return self._held[0][1] if self._held else None

    def forget(self, link):
        self._held[:] = [entry for entry in self._held if entry[0][1][0] != link]
