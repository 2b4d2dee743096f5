"""Who may sign policies: at most two keys, each for some groups and some time, in a document that the root has signed.

Two at a time, so that one can follow the other without a day on which all have to change. Loaded when a document comes
in, and dropped.
"""

from hashlib import sha256

from ..codec.cose import KEYS, SIGN1
from ..errors import RemoteError
from . import policy_slots
from .policy_rules import BAD_VALUE, Refused, plain

_NAME = "policy.keys"
_MOST, _MOST_GROUPS = 2, 16
_DUPLICATE, _SUPERSEDED, _STORAGE = 3, 4, 8
_VERSION, _SIGNERS, _DIGEST, _ROOT = 1, 2, 3, 4  # members of the document; the last two of our record only


def find(engine, kid, group, wall):
    """The public key (64 bytes) under which a document for this group may be signed now; None: there is none.
    wall: Unix s, 0: unknown, and then no key is too young or too old."""
    try:
        signers = _kept(engine).get(_SIGNERS, ())
    except OSError:
        return None
    for name, key, groups, begins, ends in signers:
        if name == kid and group in groups and (not wall or begins <= wall < ends):
            return key
    return None


def renew(engine, data):
    """Take up a keys document (bytes). -> (0, None), it is stored.

    Raises Refused; the status is None where nobody vouches for the document."""
    try:
        tag, _algorithm, _kid, proven, body, proof = engine.split(data, KEYS)
        document = plain(body)
        version = document.get(_VERSION)
        if tag != SIGN1 or type(version) is not int or version < 1:
            raise RemoteError("policy: no keys document")
    except RemoteError:
        raise Refused("malformed")
    digest = sha256(proven).digest()
    _newer(engine, version, digest[:8])
    if not engine.root or not engine.verify(engine.root, proof, digest):
        raise Refused("forged")
    if len(document) != 2 or not _are_signers(document.get(_SIGNERS)):
        raise Refused("refused", BAD_VALUE, _SIGNERS)
    document[_DIGEST], document[_ROOT] = digest[:8], engine.root
    try:
        policy_slots.save(engine.medium, _NAME, document)
    except OSError as e:
        raise Refused("storage", _STORAGE, e.args[0])
    return 0, None


def _kept(engine):
    """Our record; nothing of what another root has signed. Raises OSError."""
    record = policy_slots.load(engine.medium, _NAME) or {}
    return record if record.get(_ROOT) == engine.root else {}


def _newer(engine, version, digest):
    try:
        stored = _kept(engine)
    except OSError as e:
        raise Refused("storage", _STORAGE, e.args[0])
    if version < stored.get(_VERSION, 0):
        raise Refused("old", _SUPERSEDED)
    if version == stored.get(_VERSION):
        if digest != stored[_DIGEST]:
            raise Refused("other")
        raise Refused("duplicate", _DUPLICATE)


def _are_signers(signers):
    if type(signers) is not list or not 1 <= len(signers) <= _MOST:
        return False
    return all([_is_signer(one) for one in signers]) and len({one[0] for one in signers}) == len(signers)


def _is_signer(one):
    if type(one) is not list or [type(part) for part in one] != [bytes, bytes, list, int, int]:
        return False
    kid, key, groups, begins, ends = one
    fit = [group for group in groups if type(group) is bytes and 1 <= len(group) <= 32]
    scoped = len(fit) == len(groups) and 1 <= len(groups) <= _MOST_GROUPS
    return scoped and 1 <= len(kid) <= 8 and len(key) == 64 and 0 <= begins < ends < 1 << 32
