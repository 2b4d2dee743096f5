"""Handshake messages put together from their fragments, in their order; a part of the DTLS engine."""

from ..errors import RemoteError

try:
    from micropython import const
except ImportError:
    const = int

_AHEAD = const(4)  # messages that may wait for an earlier one
_SIZE = const(512)  # bytes of one; a ServerHello has some 100, a hint of ServerKeyExchange is not read


class Assembly:
    """`next`: number of the message that is due. Holds 2 KB at most."""

    def __init__(self):
        self.next = 0
        self._held = {}  # number: [type, bytes, which of them came as a bit mask]

    def add(self, kind, size, number, at, part):
        """Takes a fragment; one of an old message is passed over. RemoteError: too long, too early.

        Where two contradict each other, one was forged: the newest one counts, as the right one comes again."""
        if number < self.next:
            return
        if size > _SIZE or number >= self.next + _AHEAD:
            raise RemoteError("dtls: handshake message %d of %d bytes" % (number, size))
        held = self._held.get(number)
        if not held or held[0] != kind or len(held[1]) != size:
            held = self._held[number] = [kind, bytearray(size), 0]
        held[1][at : at + len(part)] = part
        held[2] |= (1 << len(part)) - 1 << at

    def ready(self):
        """(type, body) of the message that is due, None: it is not whole."""
        held = self._held.get(self.next)
        if held and held[2] == (1 << len(held[1])) - 1:
            return held[0], bytes(held[1])

    def drop(self):
        """Forgets the message that is due: it may come again, better."""
        self._held.pop(self.next, None)

    def advance(self, number):
        """The message `number` is due now."""
        self.next = number
        for old in [key for key in self._held if not number <= key < number + _AHEAD]:
            del self._held[old]
