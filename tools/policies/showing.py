"""What is in an envelope, said only after its signature has been verified: by a key that is named, or by one that the
root vouches for, for this group and at this time."""

from ...agent.codec import cose
from ...agent.engine import policy_rules as rules
from ...agent.errors import RemoteError
from .. import faults
from ..faults import Fault
from . import keys, signing, writing

MAX_ENVELOPE = 1024  # bytes


def read(file):
    """The bytes of an envelope in a file. Raises Fault."""
    try:
        with open(file, "rb") as source:
            data = source.read(MAX_ENVELOPE + 1)
    except OSError as problem:
        raise Fault(f"cannot read {file}: {problem.strerror}", "name what policy sign has written",
                    faults.USAGE) from problem
    if not 1 <= len(data) <= MAX_ENVELOPE:
        raise Fault(f"{file} has {len(data)} bytes, a document 1 to {MAX_ENVELOPE}", "name what policy sign wrote",
                    faults.USAGE)
    return data


def public_key(text):
    """64 bytes of a public key in hex. Raises Fault."""
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b""
    if len(found) != 64:
        raise Fault(f"{text[:20]!r} is no public key", "x and y in hex, 128 digits, as policy keys shows them",
                    faults.USAGE)
    return found


def policy(envelope, public):
    """The checked document in an envelope signed under this public key. Raises Fault."""
    try:
        found = signing.opened(signing.bare(envelope), public)
        rules.check(found)
    except (RemoteError, KeyError, TypeError) as problem:
        raise Fault(f"no device obeys this document: {problem}", "write another one", faults.FAILED) from problem
    return found


def signers(envelope, root):
    """(version, [entry]) of a keys document under the root's public key. Raises Fault."""
    found = signing.opened(envelope, root, signing.KEYS)
    return found[1], found[2]


def vouched(envelope, document_of_keys, root, now):
    """The checked document in an envelope, where the root lets its signer sign for this group now (Unix s). Raises
    Fault."""
    try:
        signed_by = cose.split(signing.bare(envelope))[2]
    except RemoteError as problem:
        raise Fault(f"no device takes this document: {problem}", "name what policy sign has written",
                    faults.FAILED) from problem
    for name, public, groups, begins, ends in signers(document_of_keys, root)[1]:
        if name != signed_by:
            continue
        found = policy(envelope, public)
        if found[1] not in groups:
            raise Fault(f"this key may not sign for {writing.shown(found[1])}", "policy keys --signer names its groups",
                        faults.FAILED)
        if not begins <= now < ends:
            raise Fault("this key may not sign at this time", "sign with the one that follows it", faults.FAILED)
        return found
    raise Fault(f"the root knows no key {signed_by.hex()}", "sign who the signers are: policy keys --signer",
                faults.FAILED)


def described(envelope):
    """What a person wants to know of an envelope besides its document."""
    inner = signing.bare(envelope)
    return {"bytes": len(envelope), "signed_by": cose.split(inner)[2].hex(), "enclosed": inner != envelope}


def entry(row):
    """One signer of a keys document, by names."""
    name, public, groups, begins, ends = row
    return {"kid": name.hex(), "public": public.hex(), "groups": [writing.shown(group) for group in groups],
            "not_before": begins, "not_after": None if ends == keys.LATEST else ends}
