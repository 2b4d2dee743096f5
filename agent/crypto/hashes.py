"""What is built on SHA-256: HMAC (RFC 2104), HKDF (RFC 5869), the PRF of TLS 1.2 (RFC 5246 5); comparison.

Written here because MicroPython's hashlib has the hash and nothing on top of it.
"""

import hashlib

from ..errors import LocalError

try:
    from micropython import const
except ImportError:
    const = int

_BLOCK = const(64)
_SIZE = const(32)


def hmac(key, data):
    """HMAC-SHA256 of `data` (bytes): 32 bytes."""
    if len(key) > _BLOCK:
        key = hashlib.sha256(key).digest()
    pad = int.from_bytes(key, "big") << 8 * (_BLOCK - len(key))
    inner = hashlib.sha256((pad ^ _repeated(0x36)).to_bytes(_BLOCK, "big"))
    inner.update(data)
    outer = hashlib.sha256((pad ^ _repeated(0x5C)).to_bytes(_BLOCK, "big"))
    outer.update(inner.digest())
    return outer.digest()


def hkdf(salt, key, info, length):
    """`length` bytes derived from `key`; `salt` and `info` (bytes) may be empty. LocalError: over 8160 bytes."""
    if length > 255 * _SIZE:
        raise LocalError("crypto: HKDF-SHA256 gives at most 8160 bytes")
    secret = hmac(salt, key)
    out = last = b""
    count = 0
    while len(out) < length:
        count += 1
        last = hmac(secret, last + info + bytes((count,)))
        out += last
    return out[:length]


def prf(secret, label, seed, length):
    """P_SHA256 of TLS 1.2: `length` bytes from secret, label and seed (all bytes)."""
    seed = label + seed
    out, stage = b"", seed
    while len(out) < length:
        stage = hmac(secret, stage)
        out += hmac(secret, stage + seed)
    return out[:length]


def same(one, other):
    """Whether two byte strings are equal, in a time that depends on their length only."""
    different = len(one) ^ len(other)
    for a, b in zip(one, other):
        different |= a ^ b
    return not different


def _repeated(byte):
    return int.from_bytes(bytes((byte,)) * _BLOCK, "big")
