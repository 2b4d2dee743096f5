"""COSE_Sign1 and COSE_Mac0 (RFC 9052 4.2, 6.2) in the one form in which policies and their keys are pushed.

Tag, protected header {algorithm, key id}, an empty unprotected one, content, proof: ES256 (a signature, which is the
authority) or HMAC 256/64 (under a group's key, which each of its members has: it keeps strangers out, no more). What
protects which kind of document is told apart by the external data that the proof also covers.
"""

from ..errors import RemoteError
from . import cbor, strict

try:
    from micropython import const
except ImportError:
    const = int

SIGN1 = const(18)
MAC0 = const(17)
ES256 = const(-7)
HMAC_256_64 = const(4)
POLICY = b"pointsman-policy-v1"
KEYS = b"pointsman-keys-v1"

_LONGEST = const(1024)  # bytes: a datagram that needs no fragments anywhere
_LONGEST_KID = const(8)
_ALGORITHM = const(1)
_KID = const(4)


def split(data, purpose=POLICY):
    """(tag, algorithm, key id, the bytes that the proof is over, content, proof) of one whole envelope (bytes).

    purpose: POLICY or KEYS. The content is not looked into: a document in Sign1, an envelope with one in Mac0. What
    tells one document from another is the hash of the bytes that are proven, not of the envelope: each signature has a
    twin (r, n - s) that is as good. Raises RemoteError: too long, or in another form than the one it can have.
    """
    tag = _tag(data)
    parts = strict.load_all(data[1:])
    if not isinstance(parts, list) or [type(part) for part in parts] != [bytes, dict, bytes, bytes] or parts[1]:
        raise RemoteError("cose: not a protected header, an empty one, content and proof")
    protected, _, body, proof = parts
    algorithm, kid = _header(protected)
    if (tag, algorithm, len(proof)) not in ((SIGN1, ES256, 64), (MAC0, HMAC_256_64, 8)):
        raise RemoteError("cose: algorithm %s with tag %d and a proof of %d bytes" % (algorithm, tag, len(proof)))
    proven = cbor.encode(("Signature1" if tag == SIGN1 else "MAC0", protected, purpose, body))
    return tag, algorithm, kid, proven, body, proof


def _tag(data):
    if len(data) > _LONGEST:
        raise RemoteError("cose: over %d bytes" % _LONGEST)
    tag = data[0] & 31 if data and data[0] >> 5 == 6 else 0
    if tag not in (SIGN1, MAC0):
        raise RemoteError("cose: neither COSE_Sign1 nor COSE_Mac0")
    return tag


def _header(protected):
    """(algorithm, key id): this and nothing else is in it."""
    header = strict.load_all(protected)
    if not isinstance(header, dict) or len(header) != 2:
        raise RemoteError("cose: a protected header of more or less than algorithm and key id")
    algorithm, kid = header.get(_ALGORITHM), header.get(_KID)
    if type(algorithm) is not int or type(kid) is not bytes or not 0 < len(kid) <= _LONGEST_KID:
        raise RemoteError("cose: algorithm or key id of another kind")
    return algorithm, kid
