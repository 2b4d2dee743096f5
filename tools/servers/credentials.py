"""What a server shares with each of its devices: keys derived from one secret of the server's, which lies in a file
that nobody else may read.

A device has its keys as settings or from a bootstrap; the server derives them when a device speaks, and so needs no
list of devices. One name, one key: whoever speaks under a device's key is that device and may name no other.
"""

import hashlib
import os
import re
import stat
from pathlib import Path

from ...agent.crypto.hashes import hkdf

NONE, DTLS, OSCORE = KINDS = ("none", "dtls", "oscore")
SERVER_ID = b""  # the OSCORE id of every server
KEY_SIZE = 16  # bytes of a device's key
_KID = 5  # bytes; sequence numbers have as many to themselves
_HEX = re.compile(rb"[0-9a-fA-F]+\s*")
_MAKE = "make one: (umask 77; openssl rand -hex 32 > %s)"
_GIVE = "have the server's owner make it: pointsman key --help"


class BadSecret(Exception):
    """No secret in this file; `remedy` is what to do. Neither has a byte of the file's in it."""

    def __init__(self, cause, remedy):
        super().__init__(cause)
        self.remedy = remedy


class Secret:
    """A server's secret of 32 bytes. It is never shown: not by repr, not in an error."""

    def __init__(self, value):
        if len(value) != 32:
            raise ValueError("a server's secret has 32 bytes")
        self._value = bytes(value)

    def device_key(self, security, endpoint):
        """The key of `endpoint` for OSCORE (its master secret) or DTLS (its pre-shared key): 16 bytes."""
        return self.oscore_key(kid(endpoint)) if security == OSCORE else self.dtls_key(endpoint.encode())

    def oscore_key(self, kid):
        """The master secret of who has this sender id (RFC 8613 3.2), None for what is none: no salt, no ID context."""
        return None if len(kid) != _KID else hkdf(b"", self._value, b"pointsman oscore " + kid, KEY_SIZE)

    def dtls_key(self, identity):
        """The pre-shared key of this identity (bytes; RFC 4279)."""
        return hkdf(b"", self._value, b"pointsman dtls " + identity, KEY_SIZE)


def kid(endpoint):
    """The OSCORE sender id of an endpoint name."""
    return hashlib.sha256(endpoint.encode()).digest()[:_KID]


def load(file):
    """The Secret in a file: 64 hexadecimal digits, for its owner's eyes alone. Raises BadSecret."""
    return Secret(_read(str(file), 32, _MAKE % file))


def load_key(file):
    """The key of one endpoint in a file: 32 hexadecimal digits, for its owner's eyes alone. Raises BadSecret."""
    return _read(str(file), KEY_SIZE, _GIVE)


def _read(file, size, remedy):
    text = read_private(file, 100, remedy)
    if not _HEX.fullmatch(text) or len(text.strip()) != 2 * size:
        raise BadSecret(f"{file} does not hold {2 * size} hexadecimal digits and nothing else", remedy)
    return bytes.fromhex(text.decode())


def read_private(file, most, remedy):
    """The first so many bytes of a file for its owner's eyes alone. Raises BadSecret, with this remedy if there is
    none."""
    try:
        with open(file, "rb") as source:
            mode = os.fstat(source.fileno()).st_mode
            text = source.read(most)
    except FileNotFoundError as problem:
        raise BadSecret(f"there is no {file}", remedy) from problem
    except OSError as problem:
        raise BadSecret(f"cannot read {file}: {problem.strerror}", "name a file that you own") from problem
    if not stat.S_ISREG(mode) or stat.S_IMODE(mode) & 0o077:
        raise BadSecret(f"others may read {file}", f"chmod 600 {file}, and make another secret if they could")
    return text


def create(file):
    """Makes a new secret in a file that does not exist yet, and returns it. Raises OSError."""
    value = os.urandom(32)
    write(file, value.hex())
    return Secret(value)


def write(file, text):
    """A new file with this line, for its owner alone. Raises OSError."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as target:
        target.write(text + "\n")


def ready(file):
    """The secret in the file; made where there is none yet. Raises BadSecret, OSError."""
    return load(file) if Path(file).exists() else create(file)


class Owner:
    """Whom a request's credentials show: an endpoint (DTLS: its name, OSCORE: the kid of it, both bytes), or nobody,
    on a server that asks for none."""

    def __init__(self, security=NONE, name=None):
        self.security, self.name = security, name

    def __eq__(self, other):
        return isinstance(other, Owner) and (self.security, self.name) == (other.security, other.name)

    def __hash__(self):
        return hash((self.security, self.name))

    @property
    def endpoint(self):
        """The name that goes without saying, "" where the credentials do not tell it."""
        return self.name.decode() if self.security == DTLS else ""

    def fits(self, endpoint):
        """Whether it may speak for this endpoint."""
        if self.security == OSCORE:
            return self.name == kid(endpoint)
        return self.security == NONE or self.name == endpoint.encode()
