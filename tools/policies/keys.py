"""The keys that policies are signed with: P-256, each in a file that nobody else may read; and who may sign for whom.

The root key stays away from every network. It signs who the signers are, no more than two at a time; they sign the
policies, each for its groups and in its time. Devices know the root's public key and learn the signers from it.
"""

import hashlib
import json
import os

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from .. import faults
from ..faults import Fault
from ..servers.credentials import BadSecret, read_private, write

MOST_SIGNERS = 2  # active at a time: the one in use and the one that follows it
MOST_GROUPS = 16
LATEST = 0xFFFFFFFF  # of a version, and Unix seconds of a time
_FILE_BYTES = 10_000
_KID_BYTES = 4
_PEM = serialization.Encoding.PEM


class Key:
    """A private key. It is never shown: not by repr, not in an error."""

    def __init__(self, private):
        self._private = private

    @property
    def public(self):
        """The public key as devices have it: x and y, 32 bytes each."""
        point = serialization.PublicFormat.UncompressedPoint
        return self._private.public_key().public_bytes(serialization.Encoding.X962, point)[1:]

    @property
    def kid(self):
        """Its id in what it signs."""
        return kid(self.public)

    def sign(self, data):
        """The ES256 signature of data (bytes) as COSE has it: r and s, 32 bytes each (RFC 9053 2.1)."""
        numbers = decode_dss_signature(self._private.sign(data, ec.ECDSA(hashes.SHA256())))
        return b"".join(number.to_bytes(32, "big") for number in numbers)


def kid(public):
    """The id of a public key (64 bytes): enough of its hash to tell it from the other few that a device knows."""
    return hashlib.sha256(public).digest()[:_KID_BYTES]


def create(file):
    """A new Key in a new file (PEM, mode 0600). Raises Fault: there is such a file, or none can be made."""
    private = ec.generate_private_key(ec.SECP256R1())
    pem = private.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    _write(file, pem.decode())
    return Key(private)


def load(file):
    """The Key in a file. Raises Fault: no file, others may read it, or no P-256 key in PEM without a password in it."""
    pem = _read(file)
    try:
        private = serialization.load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # whose texts may tell of the content
        private = None
    if not isinstance(private, ec.EllipticCurvePrivateKey) or not isinstance(private.curve, ec.SECP256R1):
        raise Fault(f"{file} holds no P-256 key in PEM without a password", "make one with create(), or convert it: "
                    "openssl pkcs8 -topk8 -nocrypt", faults.USAGE)
    return Key(private)


class Signer:
    """Who may sign policies: a public key (64 bytes), the ids of the groups (bytes each) it is for, and from when until
    when (Unix seconds). Raises Fault for what no device would take."""

    def __init__(self, public, groups, not_before=0, not_after=LATEST):
        self.public, self.groups = bytes(public), [bytes(group) for group in groups]
        self.not_before, self.not_after = not_before, not_after
        self._check()

    def _check(self):
        try:
            ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + self.public)
        except ValueError as problem:
            raise Fault("a signer's public key is no point of P-256", "take it from where the key was made",
                        faults.USAGE) from problem
        if not 1 <= len(set(self.groups)) == len(self.groups) <= MOST_GROUPS or \
                not all(1 <= len(group) <= 32 for group in self.groups):
            raise Fault(f"a signer needs 1 to {MOST_GROUPS} different groups, with ids of 1 to 32 bytes",
                        "name the groups that it is for", faults.USAGE)
        if not all(type(time) is int for time in (self.not_before, self.not_after)) or \
                not 0 <= self.not_before < self.not_after <= LATEST:
            raise Fault("a signer's time ends before it begins, or is no number of Unix seconds",
                        "give both in seconds since 1970", faults.USAGE)

    def entry(self):
        """As the keys document has it."""
        return [kid(self.public), self.public, self.groups, self.not_before, self.not_after]


class Signers:
    """The signers of now, and the version of the document that says so: it rises with each change."""

    def __init__(self, version=0, signers=()):
        self.version, self.signers = version, list(signers)

    def replace(self, signers):
        """Others from now on. Raises Fault: none, more than two, or the same key twice."""
        signers = list(signers)
        if not 1 <= len({signer.public for signer in signers}) == len(signers) <= MOST_SIGNERS:
            raise Fault(f"there are 1 to {MOST_SIGNERS} signers at a time, each with a key of its own",
                        "leave out the one that is no longer needed", faults.USAGE)
        if self.version >= LATEST:
            raise Fault("the keys document has no further version", "begin with another root key", faults.USAGE)
        self.version, self.signers = self.version + 1, signers

    def save(self, file):
        """Write the file (JSON, mode 0600), or leave it as it was. Raises Fault."""
        rows = [{"public": signer.public.hex(), "groups": [group.hex() for group in signer.groups],
                 "not_before": signer.not_before, "not_after": signer.not_after} for signer in self.signers]
        draft = f"{file}.{os.getpid()}"
        _write(draft, json.dumps({"version": self.version, "signers": rows}, indent=1))
        os.replace(draft, file)


def load_signers(file):
    """The Signers in a file. Raises Fault."""
    text = _read(file)
    try:
        known = json.loads(text)
        version, rows = known["version"], known["signers"]
        signers = [Signer(bytes.fromhex(row["public"]), map(bytes.fromhex, row["groups"]), row["not_before"],
                          row["not_after"]) for row in rows]
        if type(version) is not int or not 1 <= version <= LATEST:
            raise ValueError("version")
    except (ValueError, KeyError, TypeError) as problem:
        raise Fault(f"{file} is not what Signers.save() writes: {problem!r}", "restore it, as its version has to rise "
                    "from where it was", faults.STORE) from problem
    return Signers(version, signers)


def _read(file):
    try:
        return read_private(str(file), _FILE_BYTES, "name the file that the key was made in")
    except BadSecret as problem:
        raise Fault(str(problem), problem.remedy, faults.USAGE) from problem


def _write(file, text):
    try:
        write(file, text.strip())
    except OSError as problem:
        raise Fault(f"cannot write {file}: {problem.strerror}", "name a new file", faults.USAGE) from problem
