"""The files of the keys that policies are signed with, and what is signed with them: refused before a device would."""

import json
import os
import stat

import pytest

from agent.codec import cose, strict
from pointsman.tools.faults import Fault
from pointsman.tools.policies import keys, signing
from pointsman.tools.policies.keys import Signer, Signers

GROUP = b"meters-north"
POLICY = {1: GROUP, 2: 1, 3: 0, 4: 2000000000, 5: {1: 900}}


def mode(file):
    return stat.S_IMODE(os.stat(file).st_mode)


def test_a_key_comes_back_from_its_file(tmp_path):
    key = keys.create(tmp_path / "root.pem")
    again = keys.load(tmp_path / "root.pem")
    assert key.public == again.public and key.kid == again.kid == keys.kid(key.public) and len(key.kid) == 4
    assert mode(tmp_path / "root.pem") == 0o600
    assert keys.create(tmp_path / "other.pem").public != key.public
    assert signing.opened(signing.sign(POLICY, again), key.public) == POLICY


def test_a_key_is_not_shown(tmp_path):
    key = keys.create(tmp_path / "root.pem")
    secret = "".join((tmp_path / "root.pem").read_text().splitlines()[1:-1])
    assert secret[:12] not in repr(key) + str(key) and "PRIVATE" not in repr(key)


def test_a_key_that_is_there_is_not_written_over(tmp_path):
    before = keys.create(tmp_path / "root.pem").public
    with pytest.raises(Fault, match="cannot write .*root.pem: File exists; name a new file"):
        keys.create(tmp_path / "root.pem")
    assert keys.load(tmp_path / "root.pem").public == before


def test_files_that_are_no_keys(tmp_path):
    file = tmp_path / "key.pem"
    with pytest.raises(Fault, match="there is no .*key.pem; name the file that the key was made in"):
        keys.load(file)
    keys.create(file)
    good = file.read_text()
    file.chmod(0o640)
    with pytest.raises(Fault, match="others may read .*; chmod 600"):
        keys.load(file)
    file.chmod(0o600)
    for text in ("", "hello", good[: len(good) // 2], good.replace("PRIVATE", "PUBLIC"), "\0" * 50, good[::-1]):
        file.write_text(text)
        with pytest.raises(Fault, match="holds no P-256 key in PEM") as raised:
            keys.load(file)
        assert good.splitlines()[1][:12] not in str(raised.value)


def test_keys_of_other_kinds(tmp_path):
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519

    for number, other in enumerate((ec.generate_private_key(ec.SECP384R1()), ed25519.Ed25519PrivateKey.generate(),
                                    ec.generate_private_key(ec.SECP256R1()))):
        cipher = serialization.BestAvailableEncryption(b"password") if number == 2 else serialization.NoEncryption()
        file = tmp_path / str(number)
        with open(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as target:
            target.write(other.private_bytes(keys._PEM, serialization.PrivateFormat.PKCS8, cipher))
        with pytest.raises(Fault, match="holds no P-256 key in PEM without a password"):
            keys.load(file)


def test_signers_under_the_root(tmp_path):
    root, one, two = [keys.create(tmp_path / name) for name in ("root", "one", "two")]
    signers = Signers()
    signers.replace([Signer(one.public, [GROUP], 5, 9), Signer(two.public, [GROUP, b"\xff"])])
    envelope = signing.sign_signers(signers, root)
    assert signing.opened(envelope, root.public, signing.KEYS) == {1: 1, 2: [
        [one.kid, one.public, [GROUP], 5, 9], [two.kid, two.public, [GROUP, b"\xff"], 0, 0xFFFFFFFF]]}
    with pytest.raises(Fault, match="the signature is not by this key"):
        signing.opened(envelope, one.public, signing.KEYS)
    with pytest.raises(Fault, match="the signature is not by this key"):
        signing.opened(envelope, root.public, signing.POLICY)


def test_the_largest_keys_document_fits(tmp_path):
    """Two signers, each for as many groups as there may be with names as long as they may be, would not: half do."""
    root, signers = keys.create(tmp_path / "root"), Signers(keys.LATEST - 1)
    rows = [Signer(keys.create(tmp_path / str(n)).public, [bytes([n, i]) * 16 for i in range(10)]) for n in range(2)]
    signers.replace(rows)
    assert len(signing.sign_signers(signers, root)) <= 1024
    with pytest.raises(Fault, match="no further version"):
        signers.replace(rows)


def test_signers_come_back_from_their_file(tmp_path):
    signers, file = Signers(), tmp_path / "signers.json"
    for number in range(3):
        signers.replace([Signer(keys.create(tmp_path / str(number)).public, [GROUP, b"\0\xff"], number, 100)])
        signers.save(file)
        again = keys.load_signers(file)
        assert again.version == number + 1 and [signer.entry() for signer in again.signers] == [
            signer.entry() for signer in signers.signers]
    assert mode(file) == 0o600 and sorted(os.listdir(tmp_path)) == ["0", "1", "2", "signers.json"]


@pytest.mark.parametrize("damage", [
    lambda known: known.pop("version"), lambda known: known.update(version=0), lambda known: known.update(version="1"),
    lambda known: known.update(version=True), lambda known: known.update(signers=7),
    lambda known: known["signers"].append({}), lambda known: known["signers"][0].update(public="xy"),
    lambda known: known["signers"][0].update(groups=7)])
def test_a_damaged_file_of_signers_is_refused(tmp_path, damage):
    signers, file = Signers(), tmp_path / "signers.json"
    signers.replace([Signer(keys.create(tmp_path / "key").public, [GROUP])])
    signers.save(file)
    known = json.loads(file.read_text())
    damage(known)
    file.write_text(json.dumps(known))
    with pytest.raises(Fault, match="is not what Signers.save"):
        keys.load_signers(file)
    file.write_text("{")
    with pytest.raises(Fault, match="is not what Signers.save"):
        keys.load_signers(file)


def test_signers_that_no_device_would_take(tmp_path):
    key = keys.create(tmp_path / "key")
    beside = key.public[:63] + bytes((key.public[63] ^ 1,))
    for public in (b"", bytes(64), key.public[:63], b"\x04" + key.public, beside):
        with pytest.raises(Fault, match="no point of P-256"):
            Signer(public, [GROUP])
    for groups in ([], [b""], [bytes(33)], [GROUP, GROUP], [bytes((n,)) for n in range(17)]):
        with pytest.raises(Fault, match="1 to 16 different groups"):
            Signer(key.public, groups)
    for times in ((5, 5), (9, 5), (-1, 5), (0, 1 << 32), (0.5, 9), (False, 9)):
        with pytest.raises(Fault, match="a signer's time"):
            Signer(key.public, [GROUP], *times)
    signers = Signers()
    for rows in ([], [Signer(key.public, [GROUP])] * 2, [Signer(keys.create(tmp_path / str(n)).public, [GROUP])
                                                         for n in range(3)]):
        with pytest.raises(Fault, match="1 to 2 signers at a time"):
            signers.replace(rows)
    assert signers.version == 0 and not signers.signers


@pytest.mark.parametrize("value", [1.5, None, True, 1 << 64, {b"k": 1}, object(), [[[[[[[0]]]]]]]])
def test_what_has_no_place_in_a_document(tmp_path, value):
    with pytest.raises(Fault, match="no place in a document|no device takes this document"):
        signing.sign(POLICY | {5: value}, keys.create(tmp_path / "key"))


def test_a_document_that_is_too_long(tmp_path):
    key = keys.create(tmp_path / "key")
    room = 1024 - len(signing.sign(POLICY, key)) - 10
    assert len(signing.sign(POLICY | {9: bytes(room)}, key)) <= 1024
    with pytest.raises(Fault, match="no device takes this document: cose: over 1024 bytes; say less in it"):
        signing.sign(POLICY | {9: bytes(1024)}, key)


def test_an_enclosed_document(tmp_path):
    key = keys.create(tmp_path / "key")
    envelope = signing.sign(POLICY, key)
    enclosed = signing.enclose(envelope, bytes(16), b"g")
    assert cose.split(enclosed)[4] == envelope and len(enclosed) <= len(envelope) + 23
    assert strict.load_all(cose.split(envelope)[4]) == POLICY
    with pytest.raises(Fault, match="the signature is not by this key"):
        signing.opened(enclosed, key.public)
    with pytest.raises(Fault, match="over 1024 bytes"):
        signing.enclose(bytes(1020), bytes(16), b"g")
