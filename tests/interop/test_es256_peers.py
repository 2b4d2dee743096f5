"""Our ES256 verification beside OpenSSL's (by `cryptography`), under both Pythons: random keys, and the edge cases."""

import hashlib
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed,
    decode_dss_signature,
    encode_dss_signature,
)
from es256_cost import build, verdict  # tests/bench
from signed import SIGNED, SIGNER

from pointsman.tools.firmware.launch import need_micropython

HERE = Path(__file__).parent
EDGES = HERE.parent / "unit" / "es256_edges.txt"
KEYS = 60


def judged(key, signature, digest):
    """OpenSSL's verdict on bytes as COSE has them."""
    numbers = [int.from_bytes(half, "big") for half in (signature[:32], signature[32:])]
    try:
        public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + key)
        public.verify(encode_dss_signature(*numbers), digest, ec.ECDSA(Prehashed(hashes.SHA256())))
    except (ValueError, InvalidSignature):
        return False
    return True


def signed():
    """(key, signature, digest) of a new key and a new message, by OpenSSL."""
    private, message = ec.generate_private_key(ec.SECP256R1()), os.urandom(100)
    numbers = private.public_key().public_numbers()
    r, s = decode_dss_signature(private.sign(message, ec.ECDSA(hashes.SHA256())))
    key, signature = [b"".join(n.to_bytes(32, "big") for n in pair) for pair in ((numbers.x, numbers.y), (r, s))]
    return key, signature, hashlib.sha256(message).digest()


def with_a_bit_flipped(row):
    part = random.randrange(3)
    data = bytearray(row[part])
    data[random.randrange(len(data))] ^= 1 << random.randrange(8)
    return tuple(bytes(data) if number == part else other for number, other in enumerate(row))


@pytest.mark.parametrize("interpreter", ["cpython", "micropython"])
def test_random_keys(interpreter, tmp_path):
    good = [signed() for _ in range(KEYS)]
    rows = [row for one in good for row in (one, with_a_bit_flipped(one))]
    (tmp_path / "rows").write_text("".join(" ".join(part.hex() for part in row) + "\n" for row in rows))
    command = sys.executable if interpreter == "cpython" else need_micropython()
    words = [command, str(HERE / "es256_verdicts.py"), str(tmp_path / "rows")]
    done = subprocess.run(words, check=True, capture_output=True, text=True, timeout=600)
    found = [letter == "1" for letter in done.stdout.strip()]
    assert found == [judged(*row) for row in rows] and sum(found) == KEYS


def test_edge_cases():
    """The verdicts that tests/unit/test_es256.py holds ours to are OpenSSL's own."""
    rows = [line.split() for line in EDGES.read_text().splitlines() if line[0] != "#"]
    assert len({row[0] for row in rows}) == len(rows) > 60
    for name, good, *words in rows:
        assert judged(*map(bytes.fromhex, words)) is (good == "1"), name


def test_a_whole_document_in_a_small_heap(tmp_path):
    """64 KiB are enough for a policy and its signature, and for the refusal of a damaged one."""
    assert verdict(build(tmp_path / "good", SIGNED, SIGNER), 64) == "believed"
    assert verdict(build(tmp_path / "bad", SIGNED[:-1] + b"\0", SIGNER), 64) == "refused"
