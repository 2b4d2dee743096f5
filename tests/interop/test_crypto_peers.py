"""agent/crypto against OpenSSL's AES-CCM and HKDF and Python's HMAC, on any input; and without any block cipher."""

import hmac as peer
import sys

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from agent.crypto.ccm import Ccm
from agent.crypto.hashes import hkdf, hmac, same
from agent.errors import LocalError

KEYS = st.binary(min_size=16, max_size=16) | st.binary(min_size=32, max_size=32)
NONCES = st.binary(min_size=7, max_size=13)
TAGS = st.sampled_from([4, 6, 8, 10, 12, 14, 16])


@given(KEYS, TAGS, NONCES, st.binary(max_size=600), st.binary(max_size=300))
def test_ccm(key, tag, nonce, plain, additional):
    sealed = AESCCM(key, tag).encrypt(nonce, plain, additional)
    assert Ccm(key, tag).seal(nonce, plain, additional) == sealed
    assert Ccm(key, tag).open(nonce, sealed, additional) == plain


@given(KEYS, st.binary(max_size=60), st.binary(max_size=20))
def test_ccm_opens_what_openssl_opens(key, sealed, additional):
    """Which of anything but what was sealed is nothing."""
    try:
        expected = AESCCM(key, 8).decrypt(bytes(13), sealed, additional)
    except InvalidTag:
        expected = None
    assert Ccm(key, 8).open(bytes(13), sealed, additional) == expected


@given(st.binary(max_size=200), st.binary(max_size=200), st.binary(max_size=50), st.integers(1, 300))
def test_hashes(key, salt, info, length):
    assert hmac(key, salt) == peer.digest(key, salt, "sha256")
    assert hkdf(salt, key, info, length) == HKDF(SHA256(), length, salt, info).derive(key)
    assert same(key, salt) == peer.compare_digest(key, salt)


def test_no_block_cipher(monkeypatch):
    """The refusal says what to install."""
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.ciphers", None)
    with pytest.raises(LocalError, match=r"pip install 'pointsman\[secure\]'"):
        Ccm(bytes(16))
