"""COSE envelopes of policies (RFC 9052): what is split out of a good one, and that there is one form only."""

import hashlib

from signed import DOCUMENT, ENCLOSED, FULL, GROUP_KEY, KID, ROOT, SIGNED, SIGNER, SIGNERS, opens

from agent.codec import cbor, cose, strict
from agent.crypto import es256
from agent.crypto.hashes import hmac, same
from agent.errors import RemoteError

PROTECTED = cbor.encode({1: cose.ES256, 4: KID})
BODY, PROOF = cbor.encode(DOCUMENT), bytes(64)


def envelope(protected=PROTECTED, unprotected=None, body=BODY, proof=PROOF, tag=cose.SIGN1):
    return cbor.encode(cbor.Tag(tag, [protected, unprotected or {}, body, proof]))


def refused(data, purpose=cose.POLICY):
    try:
        cose.split(data, purpose)
    except RemoteError as error:
        assert str(error).split(":")[0] in ("cose", "cbor"), error
        return str(error)
    raise AssertionError("accepted %s" % data.hex())


def test_a_signed_policy():
    tag, algorithm, kid, proven, body, proof = cose.split(SIGNED)
    assert (tag, algorithm, kid) == (cose.SIGN1, cose.ES256, KID)
    assert strict.load_all(body) == DOCUMENT and cbor.encode(DOCUMENT) == body
    assert proven == cbor.encode(["Signature1", PROTECTED, b"pointsman-policy-v1", body])
    assert es256.verify(SIGNER, proof, hashlib.sha256(proven).digest())


def test_a_policy_with_all_that_there_is_fits():
    assert len(FULL) < 400
    document = strict.load_all(opens(FULL))
    assert len(document) == 9 and len(document[5]) == 10


def test_keys_and_policies_are_told_apart():
    """RFC 9052 4.3: the external data. A policy that the root signs is no keys document, nor the reverse."""
    assert strict.load_all(opens(SIGNERS, ROOT, cose.KEYS))[2][0][:2] == [KID, SIGNER]
    assert opens(SIGNERS, ROOT) is None and opens(SIGNED, SIGNER, cose.KEYS) is None
    assert opens(SIGNERS, SIGNER, cose.KEYS) is None and opens(SIGNED, ROOT) is None


def test_an_enclosed_policy():
    """RFC 9052 6.2; RFC 9053 3.1: HMAC 256/64 is cut to 8 bytes."""
    tag, algorithm, kid, proven, body, proof = cose.split(ENCLOSED)
    assert (tag, algorithm, kid, body) == (cose.MAC0, cose.HMAC_256_64, b"g1", SIGNED)
    assert same(hmac(GROUP_KEY, proven)[:8], proof) and not same(hmac(bytes(16), proven)[:8], proof)
    assert opens(ENCLOSED) is None  # the group's key is nobody's signature


def test_the_twin_of_a_signature_proves_the_same_bytes():
    """(r, n - s) is as good as (r, s): what tells documents apart is the hash of what is proven."""
    n = es256._N
    twin = SIGNED[:-32] + (n - int.from_bytes(SIGNED[-32:], "big")).to_bytes(32, "big")
    assert opens(twin) == opens(SIGNED) and cose.split(twin)[3] == cose.split(SIGNED)[3]


def test_any_touched_byte_is_noticed():
    """Each byte of the envelope: refused, or not signed."""
    split = 0
    for at in range(len(SIGNED)):
        bad = SIGNED[:at] + bytes((SIGNED[at] ^ 1 << at % 8,)) + SIGNED[at + 1 :]
        try:
            _, _, kid, _, _, _ = cose.split(bad)
        except RemoteError:
            continue
        split += 1
        if at % 8 == 0:
            assert opens(bad) is None, at
    assert len(PROOF) < split < len(SIGNED) - 10


def test_every_truncation_is_refused():
    for size in range(len(SIGNED)):
        refused(SIGNED[:size])
    assert "after the end" in refused(SIGNED + b"\x00") and "after the end" in refused(SIGNED + SIGNED)


def test_tags():
    """18 and 17 in their shortest form, and nothing around them."""
    for head in (b"", b"\xd8\x12", b"\xd0", b"\xd3", b"\xd8\x60", b"\xd2\xd2", b"\xd9\xd9\xf7\xd2"):
        refused(head + SIGNED[1:])
    assert "neither" in refused(b"") and "neither" in refused(b"\x12" + SIGNED[1:])
    assert "neither" in refused(envelope(tag=16)) and "tag 17" in refused(envelope(tag=17))
    assert "tag 18" in refused(b"\xd2" + ENCLOSED[1:])


def test_size():
    size = 1024 - len(envelope(body=bytes(700))) + 700
    assert len(envelope(body=bytes(size))) == 1024 and cose.split(envelope(body=bytes(size)))[4] == bytes(size)
    assert "over 1024" in refused(envelope(body=bytes(size + 1)))


def test_parts():
    for parts in ([], [PROTECTED, {}, BODY], [PROTECTED, {}, BODY, PROOF, b""], [PROTECTED, b"", BODY, PROOF],
                  [{}, {}, BODY, PROOF], [PROTECTED, [], BODY, PROOF], [PROTECTED, {}, "x", PROOF], {1: 2}, b"x", 7):
        assert "not a protected header" in refused(cbor.encode(cbor.Tag(18, parts)))
    assert "not a protected header" in refused(envelope(unprotected={4: KID}))
    refused(cbor.encode(cbor.Tag(18, [PROTECTED, {}, None, PROOF])))  # content that is elsewhere (RFC 9052 4.1)


def test_headers():
    for header in ({}, {1: -7}, {4: KID}, {1: -7, 4: KID, 2: [1]}, {1: -7, 3: 0}, {1: "ES256", 4: KID}, [1, -7],
                   {1: -7, 4: "kid"}, {1: -7, 4: b""}, {1: -7, 4: bytes(9)}, {"1": -7, "4": KID}, {1: [-7], 4: KID}):
        assert "header" in refused(envelope(cbor.encode(header))) or "kind" in refused(envelope(cbor.encode(header)))
    assert "ends within" in refused(envelope(b""))
    assert "not the shortest" in refused(envelope(b"\xa2\x01\x38\x06\x04\x41a"))
    assert "out of order" in refused(envelope(b"\xa2\x04\x41a\x01\x26"))
    assert cose.split(envelope(cbor.encode({1: -7, 4: bytes(8)})))[2] == bytes(8)


def test_algorithms_and_lengths_of_proofs():
    """Nothing is negotiated: each kind of envelope has one algorithm."""
    for algorithm in (-8, -35, -36, 4, 5, 0, -257):
        assert "algorithm %d" % algorithm in refused(envelope(cbor.encode({1: algorithm, 4: KID})))
    for size in (0, 8, 63, 65, 71):
        assert "proof of %d bytes" % size in refused(envelope(proof=bytes(size)))
    header = cbor.encode({1: 4, 4: KID})
    assert "proof of 32 bytes" in refused(envelope(header, proof=bytes(32), tag=17))
    assert cose.split(envelope(header, proof=bytes(8), tag=17))[0] == 17
