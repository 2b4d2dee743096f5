"""AES-CCM (RFC 3610), AES in counter mode with CBC-MAC: for OSCORE (13-byte nonce) and DTLS (12-byte nonce).

The block cipher is the interpreter's: `cryptolib` on MicroPython, the package `cryptography` on CPython. Both do many
blocks in one call, in ECB and in CBC mode, which are just what CCM is made of.
"""

from ..errors import LocalError
from .hashes import same

try:
    from micropython import const
except ImportError:
    const = int

_LONGEST_ADDITIONAL = const(0xFEFF)  # what two bytes can say (RFC 3610 2.2)
_LONGEST = const(0xFFFF)  # a datagram; a 13-byte nonce leaves no more either
_ZERO = b"\x00" * 16


def _interpreters():
    """f(key, iv or None) -> what encrypts a bytearray of whole blocks, CBC where there is an iv; maybe in place."""
    try:
        import cryptolib
    except ImportError:
        pass
    else:

        def aes(key, iv):
            encrypt = (cryptolib.aes(key, 2, iv) if iv else cryptolib.aes(key, 1)).encrypt
            return lambda blocks: encrypt(blocks, blocks)

        return aes
    try:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    except ImportError:
        raise LocalError("crypto: this interpreter has no AES: install `cryptography` "
                         "(pip install 'pointsman[secure]'), on MicroPython a build with cryptolib")
    return lambda key, iv: Cipher(algorithms.AES(key), modes.CBC(iv) if iv else modes.ECB()).encryptor().update


class Ccm:
    """One key. Raises LocalError: no AES here, or a key or tag length that CCM does not have."""

    def __init__(self, key, tag_length=8):
        if len(key) not in (16, 32) or tag_length not in (4, 6, 8, 10, 12, 14, 16):
            raise LocalError("crypto: AES-CCM with a key of %d and a tag of %d bytes" % (len(key), tag_length))
        self._key = bytes(key)
        self._tag = tag_length
        self._aes = _interpreters()
        self._encrypt = self._aes(self._key, None)

    def seal(self, nonce, plain, additional):
        """The ciphertext with the tag behind it. LocalError: a nonce or a length that CCM has no place for."""
        mask, out = self._stream(nonce, plain)
        return out + _xor(self._mac(nonce, plain, additional), mask)

    def open(self, nonce, sealed, additional):
        """The plaintext (bytes), or None where the tag does not fit."""
        size = len(sealed) - self._tag
        if size < 0:
            return None
        mask, out = self._stream(nonce, sealed[:size])
        return out if same(_xor(self._mac(nonce, out, additional), mask), sealed[size:]) else None

    def _mac(self, nonce, plain, additional):
        """CBC-MAC over the length block, the additional data and the plaintext (RFC 3610 2.2)."""
        size = len(additional)
        if size > _LONGEST_ADDITIONAL:
            raise LocalError("crypto: additional data over %d bytes" % _LONGEST_ADDITIONAL)
        width = 15 - len(nonce)
        at = 16 + (size + 17) // 16 * 16 if size else 16
        # In one piece from the start: growing leaves a copy behind each time.
        text = bytearray(at + (len(plain) + 15) // 16 * 16)
        text[0] = 0x40 * bool(size) | self._tag // 2 - 1 << 3 | width - 1
        text[1 : 16 - width] = nonce
        text[16 - width : 16] = len(plain).to_bytes(width, "big")
        if size:
            text[16:18] = size.to_bytes(2, "big")
            text[18 : 18 + size] = additional
        text[at : at + len(plain)] = plain
        text = self._aes(self._key, _ZERO)(text)
        return text[len(text) - 16 : len(text) - 16 + self._tag]

    def _stream(self, nonce, data):
        """(key stream for the tag, data under the rest of it), RFC 3610 2.3."""
        width = 15 - len(nonce)
        if not 2 <= width <= 8 or len(data) > _LONGEST:
            raise LocalError("crypto: nonce of %d bytes for %d bytes of data" % (len(nonce), len(data)))
        stream = bytearray((bytes((width - 1,)) + nonce + bytes(width)) * ((len(data) + 31) // 16))
        for block in range(1, len(stream) // 16):
            stream[16 * block + 14] = block >> 8
            stream[16 * block + 15] = block & 0xFF
        stream = self._encrypt(stream)
        return stream[: self._tag], _xor(data, stream[16 : 16 + len(data)])


def _xor(one, other):
    if not one:
        return b""
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).to_bytes(len(one), "big")
