"""What a server shares with its devices: one secret in a file of its owner's, a key of its own for each device."""

import hashlib

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from pointsman.tools.servers import credentials
from pointsman.tools.servers.credentials import BadSecret, Owner, Secret

VALUE = bytes(range(32))


def peer(info):
    """The key as another library derives it."""
    return HKDF(SHA256(), 16, b"", info).derive(VALUE)


def test_keys_of_a_device():
    """RFC 5869 over the server's secret; OSCORE's sender id is the beginning of the name's hash."""
    secret, kid = Secret(VALUE), hashlib.sha256(b"meter-7").digest()[:5]
    assert credentials.kid("meter-7") == kid
    assert secret.oscore_key(kid) == peer(b"pointsman oscore " + kid) == secret.device_key("oscore", "meter-7")
    assert secret.dtls_key(b"meter-7") == peer(b"pointsman dtls meter-7") == secret.device_key("dtls", "meter-7")
    assert len({secret.device_key(kind, name) for kind in ("oscore", "dtls") for name in ("a", "b")}) == 4
    assert secret.oscore_key(b"") is None and secret.oscore_key(b"server") is None  # no device's
    assert Secret(bytes(32)).dtls_key(b"meter-7") != secret.dtls_key(b"meter-7")


def test_a_secret_is_not_shown():
    secret = Secret(VALUE)
    assert VALUE.hex() not in repr(secret) + str(secret) and repr(VALUE) not in repr(secret)
    with pytest.raises(ValueError, match="32 bytes") as raised:
        Secret(b"short secret")
    assert "short secret" not in str(raised.value)


def test_file(tmp_path):
    """Made once, readable by its owner only, and the same ever after."""
    file = tmp_path / "secret"
    made = credentials.ready(file)
    assert file.stat().st_mode & 0o777 == 0o600 and len(file.read_text().strip()) == 64
    assert credentials.ready(file).dtls_key(b"a") == credentials.load(file).dtls_key(b"a") == made.dtls_key(b"a")
    with pytest.raises(FileExistsError):
        credentials.create(file)


@pytest.mark.parametrize(("text", "mode", "cause", "remedy"), [
    ("00" * 32, 0o640, "others may read", "chmod 600"),
    ("00" * 32, 0o604, "others may read", "chmod 600"),
    ("5e" * 31, 0o600, "64 hexadecimal digits", "openssl rand"),
    ("5e" * 33, 0o600, "64 hexadecimal digits", "openssl rand"),
    ("swordfish" * 8, 0o600, "64 hexadecimal digits", "openssl rand"),
    ("", 0o600, "64 hexadecimal digits", "openssl rand"),
    (None, 0, "there is no", "openssl rand"),
])  # fmt: skip
def test_bad_file(tmp_path, text, mode, cause, remedy):
    """Refused with its cause and the remedy; nothing of what is in it is told."""
    file = tmp_path / "secret"
    if text is not None:
        file.write_text(text)
        file.chmod(mode)
    with pytest.raises(BadSecret) as raised:
        credentials.load(file)
    told = str(raised.value) + raised.value.remedy
    assert cause in told and remedy in told and str(file) in told
    assert not text or text[:9] not in told.replace(str(file), "")  # its folder has the test's name


def test_a_folder_is_no_secret(tmp_path):
    with pytest.raises(BadSecret):
        credentials.load(tmp_path)


def test_owner():
    """One name, one key: nobody speaks for another."""
    assert Owner("dtls", b"meter-7").fits("meter-7") and not Owner("dtls", b"meter-7").fits("meter-8")
    kid = credentials.kid("meter-7")
    assert Owner("oscore", kid).fits("meter-7") and not Owner("oscore", kid).fits("meter-8")
    assert Owner().fits("anybody")
    assert Owner("dtls", kid) != Owner("oscore", kid) and len({Owner("oscore", kid), Owner("oscore", kid)}) == 1
