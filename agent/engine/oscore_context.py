"""A security context of OSCORE (RFC 8613 section 3), and the window against replays; parts of the engine."""

from ..codec import cbor
from ..crypto.ccm import Ccm
from ..crypto.hashes import hkdf
from ..errors import LocalError

try:
    from micropython import const
except ImportError:
    const = int

# COSE algorithm, bytes of its key, of its tag: AES-CCM with a nonce of 13 bytes (RFC 9053 4.2).
_ALGORITHMS = ((10, 16, 8), (11, 32, 8), (30, 16, 16), (31, 32, 16))
_NONCE = const(13)
_WINDOW = const(32)


class Context:
    """What both ends derive from the shared secret.

    secret: the master secret, salt: the master salt (b"" for none), sender and recipient: our id and the peer's (0 to
    7 bytes each), group: the ID context or None, algorithm: COSE's number; all but that are bytes. Raises LocalError:
    what has no context, and where the interpreter has no AES.
    """

    def __init__(self, secret, salt, sender, recipient, group=None, algorithm=10):
        found = [row for row in _ALGORITHMS if row[0] == algorithm]
        if not found:
            raise LocalError("oscore: AEAD algorithm %s, must be 10, 11, 30 or 31 (AES-CCM)" % algorithm)
        if not secret or sender == recipient or max(len(sender), len(recipient)) > _NONCE - 6:
            raise LocalError("oscore: no secret, or ids that are equal or over 7 bytes")
        if group is not None and len(group) > 64:
            raise LocalError("oscore: ID context of %d bytes, at most 64" % len(group))
        self.sender, self.recipient, self.group = sender, recipient, group
        _, size, self.tag = found[0]
        self._algorithm = cbor.encode(algorithm)

        def derive(ident, kind, length):
            return hkdf(salt, secret, cbor.encode([ident, group, algorithm, kind, length]), length)

        self._seal = Ccm(derive(sender, "Key", size), self.tag).seal
        self._open = Ccm(derive(recipient, "Key", size), self.tag).open
        self._iv = int.from_bytes(derive(b"", "IV", _NONCE), "big")

    def nonce(self, ident, piv):
        """The nonce that belongs to a Partial IV of the one with this id (5.2)."""
        number = len(ident) << 96 | int.from_bytes(ident, "big") << 40 | int.from_bytes(piv, "big")
        return (number ^ self._iv).to_bytes(_NONCE, "big")

    def seal(self, text, nonce, kid, piv):
        """`text` sealed; kid, piv: of the request that it is, or answers."""
        return self._seal(nonce, text, self.additional(kid, piv))

    def open(self, sealed, nonce, kid, piv):
        """The text, or None where it is not the peer's."""
        return self._open(nonce, sealed, self.additional(kid, piv))

    def additional(self, kid, piv):
        """The Enc_structure (5.4) over the external AAD: CBOR, every length in it below 24."""
        text = b"\x85\x01\x81" + self._algorithm + _string(kid) + _string(piv) + b"\x40"
        return b"\x83\x68Encrypt0\x40" + _string(text)


class Window:
    """Which of the peer's numbers came (3.2.2, 7.4). Not `known` after an unclean start: any may have come."""

    def __init__(self, known, highest=-1, seen=0):
        self.known, self.highest, self.seen = known, highest, seen

    def fresh(self, number):
        """Whether this number did not come before, as far as is known; one that is too old counts as come."""
        age = self.highest - number
        return age < 0 or (age < _WINDOW and not self.seen >> age & 1)

    def take(self, number):
        """This number came."""
        ahead = number - self.highest
        if ahead > 0:
            self.seen = (self.seen << ahead & (1 << _WINDOW) - 1 if ahead < _WINDOW else 0) | 1
            self.highest = number
        else:
            self.seen |= 1 << -ahead

    def start(self, number):
        """The peer proved that this number is new: all below count as come."""
        self.known, self.highest, self.seen = True, number, (1 << _WINDOW) - 1


def _string(text):
    """A CBOR byte string of less than 24 bytes."""
    return bytes((0x40 | len(text),)) + text
