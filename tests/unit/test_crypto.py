"""AES-CCM, HMAC, HKDF and the PRF of TLS 1.2 against the vectors of their standards."""

from agent.crypto.ccm import Ccm
from agent.crypto.hashes import hkdf, hmac, prf, same
from agent.errors import LocalError

KEY = bytes(range(0xC0, 0xD0))


def unhex(text):
    return bytes([int(text[at : at + 2], 16) for at in range(0, len(text), 2)])


def refused(call, *args):
    try:
        call(*args)
    except LocalError:
        return True
    return False


# Packet vectors of RFC 3610 section 8: tag length, bytes of additional data, nonce, how many bytes in all, result.
PACKETS = """
8 8 00000003020100a0a1a2a3a4a5 31 588c979a61c663d2f066d0c2c0f989806d5f6b61dac38417e8d12cfdf926e0
8 8 00000004030201a0a1a2a3a4a5 32 72c91a36e135f8cf291ca894085c87e3cc15c439c9e43a3ba091d56e10400916
8 8 00000005040302a0a1a2a3a4a5 33 51b1e5f44a197d1da46b0f8e2d282ae871e838bb64da8596574adaa76fbd9fb0c5
8 12 00000006050403a0a1a2a3a4a5 31 a28c6865939a9a79faaa5c4c2a9d4a91cdac8c96c861b9c9e61ef1
8 12 00000007060504a0a1a2a3a4a5 32 dcf1fb7b5d9e23fb9d4e131253658ad86ebdca3e51e83f077d9c2d93
10 8 00000009080706a0a1a2a3a4a5 31 0135d1b2c95f41d5d1d4fec185d166b8094e999dfed96c048c56602c97acbb7490
"""


def test_ccm_packet_vectors():
    """RFC 3610 8, packets 1 to 5 and 7: additional data and plaintext are the bytes 0, 1, 2 and so on."""
    for line in PACKETS.strip().split("\n"):
        tag, head, nonce, size, result = line.split()
        text = bytes(range(int(size)))
        head, nonce, result = text[: int(head)], unhex(nonce), unhex(result)
        ccm = Ccm(KEY, int(tag))
        assert ccm.seal(nonce, text[len(head) :], head) == result
        assert ccm.open(nonce, result, head) == text[len(head) :]


def test_ccm_random_vector():
    """RFC 3610 8, packet 13: nothing in it is regular."""
    ccm = Ccm(unhex("d7828d13b2b0bdc325a76236df93cc6b"), 8)
    nonce, head = unhex("00412b4ea9cdbe3c9696766cfa"), unhex("0be1a88bace018b1")
    plain = unhex("08e8cf97d820ea258460e96ad9cf5289054d895ceac47c")
    sealed = unhex("4cb97f86a2a4689a877947ab8091ef5386a6ffbdd080f8e78cf7cb0cddd7b3")
    assert ccm.seal(nonce, plain, head) == sealed and ccm.open(nonce, sealed, head) == plain


def test_ccm_with_a_tag_of_16_and_a_short_nonce():
    """NIST SP 800-38C, example 2 (tag 6, nonce 8); a 12-byte nonce as in DTLS (RFC 6655 3) goes there and back."""
    ccm = Ccm(bytes(range(0x40, 0x50)), 6)
    sealed = unhex("d2a1f0e051ea5f62081a7792073d593d1fc64fbfaccd")
    assert ccm.seal(bytes(range(0x10, 0x18)), bytes(range(0x20, 0x30)), bytes(range(16))) == sealed
    ccm = Ccm(bytes(32), 16)
    for size in (0, 1, 15, 16, 17, 300):
        sealed = ccm.seal(bytes(12), bytes(size), b"")
        assert len(sealed) == size + 16 and ccm.open(bytes(12), sealed, b"") == bytes(size)


def test_ccm_opens_nothing_that_was_touched():
    ccm = Ccm(KEY)
    nonce, head = bytes(13), b"head"
    sealed = ccm.seal(nonce, b"reading", head)
    for at in range(len(sealed)):
        for bit in (1, 0x80):
            touched = sealed[:at] + bytes((sealed[at] ^ bit,)) + sealed[at + 1 :]
            assert ccm.open(nonce, touched, head) is None
    for size in range(len(sealed)):
        assert ccm.open(nonce, sealed[:size], head) is None
    assert ccm.open(nonce, sealed + b"\x00", head) is None
    assert ccm.open(nonce, sealed, b"heae") is None and ccm.open(nonce, sealed, b"") is None
    assert ccm.open(b"\x01" + bytes(12), sealed, head) is None and Ccm(bytes(16)).open(nonce, sealed, head) is None


def test_ccm_refuses_what_it_has_no_place_for():
    ccm = Ccm(KEY)
    assert refused(Ccm, b"short") and refused(Ccm, KEY, 5)
    assert refused(ccm.seal, bytes(14), b"", b"") and refused(ccm.seal, bytes(6), b"", b"")
    assert refused(ccm.seal, bytes(13), bytes(65536), b"") and refused(ccm.seal, bytes(13), b"", bytes(0xFF00))


def test_hmac_vectors():
    """RFC 4231 4.2, 4.3 and 4.7 (a key longer than a block)."""
    assert hmac(b"\x0b" * 20, b"Hi There") == unhex("b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")
    expected = unhex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    assert hmac(b"Jefe", b"what do ya want for nothing?") == expected
    expected = unhex("60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
    assert hmac(b"\xaa" * 131, b"Test Using Larger Than Block-Size Key - Hash Key First") == expected


def test_hkdf_vectors():
    """RFC 5869 A.1, A.2 (more than two blocks) and A.3 (no salt, no info)."""
    expected = unhex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865")
    assert hkdf(bytes(range(13)), b"\x0b" * 22, bytes(range(0xF0, 0xFA)), 42) == expected
    expected = unhex("b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
                     "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87")
    assert hkdf(bytes(range(0x60, 0xB0)), bytes(range(80)), bytes(range(0xB0, 0x100)), 82) == expected
    expected = unhex("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8")
    assert hkdf(b"", b"\x0b" * 22, b"", 42) == expected
    assert refused(hkdf, b"", b"", b"", 8161)


def test_prf_vector():
    """RFC 5246 5 with SHA-256: the vector of the TLS working group (2009)."""
    secret, seed = unhex("9bbe436ba940f017b17652849a71db35"), unhex("a0ba9f936cda311827a6f796ffd5198c")
    expected = unhex("e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af"
                     "0fa022f7077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff701"
                     "87347b66")
    assert prf(secret, b"test label", seed, 100) == expected


def test_comparison():
    assert same(b"", b"") and same(b"abc", b"abc")
    assert not same(b"abc", b"abd") and not same(b"abc", b"ab") and not same(b"", b"a")
