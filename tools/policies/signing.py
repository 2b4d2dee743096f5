"""Signs policies, and the documents that say who may sign them; encloses them for a group that keeps strangers out.

Written with cbor2 and OpenSSL, read on the device by code of its own: two mistakes that agree are unlikely. All that
leaves here has been opened by that code first.
"""

import hashlib
import hmac

import cbor2

from ...agent.codec import cose, strict
from ...agent.crypto import es256
from ...agent.errors import RemoteError
from .. import faults
from ..faults import Fault

POLICY, KEYS = cose.POLICY, cose.KEYS
_ALGORITHM, _KID = 1, 4  # labels of header parameters (RFC 9052 3.1)


def sign(content, key, purpose=POLICY):
    """The COSE_Sign1 envelope (bytes) of a document: a dict by integer keys, and the Key that signs it.

    purpose: POLICY, or KEYS for what only the root signs. Whether the content makes sense is not looked at here. Raises
    Fault: it has no place in a document, or the envelope is too long.
    """
    body = _encoded(content)
    protected = _encoded({_ALGORITHM: cose.ES256, _KID: key.kid})
    proof = key.sign(_encoded(["Signature1", protected, purpose, body]))
    envelope = _encoded(cbor2.CBORTag(cose.SIGN1, [protected, {}, body, proof]))
    if _encoded(opened(envelope, key.public, purpose)) != body:
        raise Fault("a device would read something else than was signed", "use whole numbers, bytes, text, lists and "
                    "maps by numbers or text only", faults.USAGE)
    return envelope


def sign_signers(signers, root):
    """The keys document of these Signers under the root's Key."""
    entries = [signer.entry() for signer in signers.signers]
    return sign({1: signers.version, 2: entries}, root, KEYS)


def enclose(envelope, group_key, kid, purpose=POLICY):
    """COSE_Mac0 with a signed envelope in it: one look at it tells a device that no stranger made it. The group's key
    (bytes) is in each of its members, so it proves no more. Raises Fault: the whole is too long."""
    protected = _encoded({_ALGORITHM: cose.HMAC_256_64, _KID: kid})
    proof = hmac.digest(group_key, _encoded(["MAC0", protected, purpose, envelope]), "sha256")[:8]
    enclosed = _encoded(cbor2.CBORTag(cose.MAC0, [protected, {}, envelope, proof]))
    _split(enclosed, purpose)
    return enclosed


def bare(envelope):
    """The signed envelope in one that is enclosed for its group, or the same. Raises RemoteError."""
    found = cose.split(envelope)
    return found[4] if found[0] == cose.MAC0 else envelope


def opened(envelope, public, purpose=POLICY):
    """The content of an envelope signed by the holder of this public key (64 bytes). Raises Fault for any other."""
    tag, _, _, proven, body, proof = _split(envelope, purpose)
    if tag != cose.SIGN1 or not es256.verify(public, proof, hashlib.sha256(proven).digest()):
        raise Fault("the signature is not by this key", "take the document from who made it", faults.USAGE)
    return _understood(strict.load_all, body)


def _split(envelope, purpose):
    return _understood(cose.split, envelope, purpose)


def _understood(read, *what):
    try:
        return read(*what)
    except RemoteError as problem:
        raise Fault(f"no device takes this document: {problem}", "say less in it, or mend who made it",
                    faults.USAGE) from problem


def _encoded(value):
    try:
        return cbor2.dumps(value, canonical=True)
    except (cbor2.CBOREncodeError, OverflowError) as problem:
        raise Fault(f"this has no place in a document: {problem}", "use whole numbers, bytes, text, lists and maps",
                    faults.USAGE) from problem
