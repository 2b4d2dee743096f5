"""Whether a document is to be obeyed: the cheap questions first, the signature last. Loaded when one comes in, dropped.

Most of what a stranger can send ends before the signature, which costs a microcontroller a second; the rest at a bucket
of verifications, which fills slowly. What comes over a session of the device's own needs none: its sender is known.
"""

from hashlib import sha256

from ..codec.cose import MAC0, POLICY, SIGN1
from ..crypto.hashes import hmac, same
from ..errors import RemoteError
from .policy_keys import find
from .policy_rules import Refused, read

SESSIONS = ("unicast", "usb")  # whoever speaks there has proven who it is, and may hear why nobody vouches for this
_DUPLICATE, _SUPERSEDED, _BAD_VALUE, _NOT_MEMBER, _EXPIRED = 3, 4, 5, 9, 10
_EARLY = 64 + 3
_BURST, _REFILL_MS = 3, 10000
_MEMORY_MS = 60000
_NOW = {"applied": 0, "stored": 1, "trial": 2, "rolled": 7, "reverted": 0}


def bucket():
    """[verifications left, counted since (ms), (hash, until, what it was refused with) of the last one refused]."""
    return [_BURST, 0, None]


def _spend(bucket, now):
    """Whether one may be verified now: 3 at once, then one in 10 s."""
    gained = max(now - bucket[1], 0) // _REFILL_MS
    bucket[0] = min(bucket[0] + gained, _BURST)
    bucket[1] = now if bucket[0] == _BURST else bucket[1] + gained * _REFILL_MS
    if bucket[0]:
        bucket[0] -= 1
        return True
    return False


def remember(bucket, data, why, now):
    """This envelope (bytes) met that Refused: for a minute it is not looked at again."""
    bucket[2] = (sha256(data).digest()[:8], now + _MEMORY_MS, why.args[0], why.status, why.detail, why.about)


def _recall(bucket, data, now):
    found = bucket[2]
    if found and now < found[1] and sha256(data).digest()[:8] == found[0]:
        why = Refused(*found[2:5])
        why.about = found[5]
        raise why


def opened(engine, data, via, now):
    """(member, document, its bytes, digest) of a genuine document that is newer than the one before.

    Raises Refused; with `about` where it is known to be genuine, with a status where there is one."""
    try:
        outer, inner = _envelopes(engine.split, data)
        _tag, _algorithm, kid, proven, body, proof = inner
        document = read(body)
    except RemoteError:
        raise Refused("malformed")
    member = engine.member(document[1])
    if member is None:
        raise Refused("stranger", _NOT_MEMBER)
    digest, wall = sha256(proven).digest(), engine.wall(now)
    _newer(engine, member, document[2], digest[:8])
    _in_time(document, wall)
    key = find(engine, kid, member.name, wall)
    if key is None:
        raise Refused("unknown key")
    _filtered(member, outer, via)
    _recall(engine.bucket, data, now)
    if via not in SESSIONS and not _spend(engine.bucket, now):
        raise Refused("throttled")
    if not engine.verify(key, proof, digest):
        why = Refused("forged")
        remember(engine.bucket, data, why, now)
        raise why
    return member, document, body, digest[:8]


def _envelopes(split, data):
    """(the outer one or None, the signed one), each as split() gives it."""
    outer, inner = None, split(data, POLICY)
    if inner[0] == MAC0:
        outer, inner = inner, split(inner[4], POLICY)
    if inner[0] != SIGN1:
        raise RemoteError("policy: a MAC vouches for nothing")
    return outer, inner


def _newer(engine, member, version, digest):
    if version < member.version:
        raise Refused("old", _SUPERSEDED)
    if version == member.version:
        if digest != member.digest:
            engine.say("security", member.name, version)
            raise Refused("other")
        why = Refused("duplicate", _DUPLICATE, _NOW.get(member.state, 0))
        why.about = member, version
        raise why


def _in_time(document, wall):
    if wall and wall < document[3]:
        raise Refused("early", _BAD_VALUE, _EARLY)
    if wall and wall >= document[4]:
        raise Refused("expired", _EXPIRED)


def _filtered(member, outer, via):
    """A group with a key of its own: what comes to everybody has to bear its MAC. It proves membership and no more, so
    it spares verifications and replaces none."""
    if not member.guard or (outer is None and via != "multicast"):
        return
    if outer is None or not same(hmac(member.guard, outer[3])[:8], outer[5]):
        raise Refused("filtered")
