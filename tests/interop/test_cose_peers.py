"""Policies in COSE beside pycose, and beside cbor2 with OpenSSL: each opens what the others made, and nothing else."""

import os

import cbor2
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from hypothesis import given, settings
from hypothesis import strategies as some
from pycose.algorithms import HMAC25664, Es256
from pycose.headers import KID, Algorithm
from pycose.keys import EC2Key, SymmetricKey
from pycose.keys.curves import P256
from pycose.messages import CoseMessage, Mac0Message, Sign1Message
from signed import ENCLOSED, FULL, GROUP_KEY, ROOT, SIGNED, SIGNER, SIGNERS, opens

from agent.codec import cose, strict
from agent.crypto.hashes import hmac
from agent.errors import RemoteError
from pointsman.tools.faults import Fault
from pointsman.tools.policies import signing
from pointsman.tools.policies.keys import Key

PRIVATE = ec.generate_private_key(ec.SECP256R1())
KEY = Key(PRIVATE)
numbers = some.integers(-(1 << 64), (1 << 64) - 1)
texts = some.text(some.characters(codec="utf-8"), max_size=20)
values = some.recursive(
    numbers | texts | some.binary(max_size=30),
    # cbor2 puts short keys first (RFC 7049), RFC 8949 and we small ones: of one kind both are the same.
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.integers(0, 99), inner, max_size=3)
    | some.dictionaries(texts, inner, max_size=3),
    max_leaves=8)  # fmt: skip
documents = some.dictionaries(some.integers(1, 9), values, max_size=6)
once = settings(deadline=None, max_examples=60)


def by_hand(body, private, kid, purpose=cose.POLICY):
    """An envelope with cbor2 and OpenSSL alone (RFC 9052 4.2, 4.4)."""
    protected = cbor2.dumps({1: -7, 4: kid})
    proven = cbor2.dumps(["Signature1", protected, purpose, body])
    r, s = decode_dss_signature(private.sign(proven, ec.ECDSA(hashes.SHA256())))
    return cbor2.dumps(cbor2.CBORTag(18, [protected, {}, body, r.to_bytes(32, "big") + s.to_bytes(32, "big")]))


def opened_by_hand(envelope, public, purpose=cose.POLICY):
    """The content, by cbor2 and OpenSSL alone; InvalidSignature for another's."""
    tag = cbor2.loads(envelope)
    protected, unprotected, body, proof = tag.value
    assert tag.tag == 18 and not unprotected
    signature = encode_dss_signature(int.from_bytes(proof[:32], "big"), int.from_bytes(proof[32:], "big"))
    proven = cbor2.dumps(["Signature1", protected, purpose, body])
    point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + public)
    point.verify(signature, proven, ec.ECDSA(hashes.SHA256()))
    return cbor2.loads(body)


def plain(value):
    """cbor2 may give what it does not let anybody change."""
    if hasattr(value, "items"):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


@once
@given(documents)
def test_ours_are_opened_by_cbor2_and_openssl(document):
    envelope = signing.sign(document, KEY)
    assert plain(opened_by_hand(envelope, KEY.public)) == document
    assert signing.opened(envelope, KEY.public) == document


@once
@given(documents, some.binary(min_size=1, max_size=8))
def test_theirs_are_opened_by_ours(document, kid):
    body = cbor2.dumps(document, canonical=True)
    envelope = by_hand(body, PRIVATE, kid)
    assert opens(envelope, KEY.public) == body and cose.split(envelope)[2] == kid
    assert strict.load_all(body) == document
    assert opens(envelope, SIGNER) is None and opens(envelope, KEY.public, cose.KEYS) is None


@given(values)
def test_strict_takes_what_cbor2_calls_canonical(value):
    """And of what cbor2 writes otherwise, only what comes out the same."""
    canonical = cbor2.dumps(value, canonical=True)
    assert strict.load_all(canonical) == value
    for other in (cbor2.dumps(value), cbor2.dumps(value, indefinite_containers=True)):
        try:
            strict.load_all(other)
            assert other == canonical
        except RemoteError:
            assert other != canonical


@given(some.binary(max_size=60))
def test_strict_takes_nothing_else(data):
    try:
        value = strict.load_all(data)
    except RemoteError:
        return
    assert plain(cbor2.loads(data)) == value and cbor2.dumps(value, canonical=True) == data


def opened_by_pycose(envelope, kind):
    """CoseMessage.decode() does no more, but wants a list and a map that can be changed: cbor2 6 has none in tags."""
    tag = cbor2.loads(envelope)
    assert CoseMessage._COSE_MSG_ID[tag.tag] is kind
    protected, unprotected, body, proof = tag.value
    return kind.from_cose_obj([protected, dict(unprotected), body, proof], False)


def pycose_key(public, private=b""):
    return EC2Key(crv=P256, x=public[:32], y=public[32:], d=private)


@pytest.mark.parametrize("envelope, public, purpose", [(SIGNED, SIGNER, cose.POLICY), (FULL, SIGNER, cose.POLICY),
                                                       (SIGNERS, ROOT, cose.KEYS)],
                         ids=("little", "all", "keys"))
def test_ours_are_opened_by_pycose(envelope, public, purpose):
    message = opened_by_pycose(envelope, Sign1Message)
    message.key, message.external_aad = pycose_key(public), purpose
    assert message.verify_signature() and message.payload == cose.split(envelope, purpose)[4]
    message.external_aad = b"pointsman-something"
    assert not message.verify_signature()
    with pytest.raises(InvalidSignature):
        opened_by_hand(envelope, public, b"pointsman-something")


def test_pycose_s_are_opened_by_ours():
    scalar = PRIVATE.private_numbers().private_value.to_bytes(32, "big")
    for size in (1, 48, 300):
        message = Sign1Message({Algorithm: Es256, KID: b"\x01\x02"}, {}, os.urandom(size), cose.POLICY,
                               key=pycose_key(KEY.public, scalar))
        envelope = message.encode()
        assert opens(envelope, KEY.public) == message.payload and cose.split(envelope)[2] == b"\x01\x02"
        assert opens(envelope, SIGNER) is None


def test_enclosed_by_pycose_and_by_ours():
    """RFC 9053 3.1: HMAC 256/64."""
    message = Mac0Message({Algorithm: HMAC25664, KID: b"g1"}, {}, SIGNED, cose.POLICY, key=SymmetricKey(k=GROUP_KEY))
    assert message.encode() == ENCLOSED == signing.enclose(SIGNED, GROUP_KEY, b"g1")
    _, _, _, proven, body, proof = cose.split(ENCLOSED)
    assert hmac(GROUP_KEY, proven)[:8] == proof and body == SIGNED
    theirs = opened_by_pycose(ENCLOSED, Mac0Message)
    theirs.key, theirs.external_aad = SymmetricKey(k=GROUP_KEY), cose.POLICY
    assert theirs.verify_tag()


def test_what_others_sign_otherwise_is_refused():
    """A right signature does not make a right form."""
    body = cbor2.dumps({2: 1, 1: 2})  # keys out of order
    envelope = by_hand(body, PRIVATE, b"k")
    assert opened_by_hand(envelope, KEY.public) == {1: 2, 2: 1}
    with pytest.raises(Fault, match="no device takes this document: cbor: map keys"):
        signing.opened(envelope, KEY.public)
    message = Sign1Message({Algorithm: Es256}, {KID: b"k"}, body, cose.POLICY, key=pycose_key(KEY.public))
    message.signature = bytes(64)
    with pytest.raises(RemoteError, match="not a protected header, an empty one"):
        cose.split(message.encode(sign=False))
