"""A device in groups: the engine of policies with a medium in memory and a COSE that says yes or no.

The double of COSE is an array [tag, algorithm, kid, content, proof]; a proof is right when it names key and digest.
"""

from hashlib import sha256

from coap_pair import below
from policy_documents import GROUP, WALL, document, encoded
from torn import Medium

from agent.codec import cbor
from agent.crypto.hashes import hmac
from agent.engine import group_policies, policy_course
from agent.errors import RemoteError

ROOT, OPERATOR, SECOND = b"R" * 64, b"O" * 64, b"S" * 64
POLICY, KEYS = b"pointsman-policy-v1", b"pointsman-keys-v1"
NORTH, SOUTH = GROUP, b"meters-south"
LINKS = {"eth": True, "lte": True}
FOREVER = 4294967295

group_policies.drop = lambda *names: None  # a test need not compile them anew for each document


def split(data, purpose):
    """As agent/codec/cose.py does it, over an array."""
    if len(data) > 1024:
        raise RemoteError("too long")
    parts = cbor.decode(data)
    if not isinstance(parts, list) or [type(part) for part in parts] != [int, int, bytes, bytes, bytes]:
        raise RemoteError("no envelope")
    tag, algorithm, kid, body, proof = parts
    if (tag, algorithm) not in ((18, -7), (17, 4)):
        raise RemoteError("no envelope")
    return tag, algorithm, kid, purpose + kid + body, body, proof


def verify(key, proof, digest):
    return proof == key[:8] + digest


def signed(value, key=OPERATOR, kid=b"op1", purpose=POLICY):
    """An envelope (bytes) around a document (map or bytes)."""
    body = value if isinstance(value, bytes) else encoded(value)
    return cbor.encode([18, -7, kid, body, key[:8] + sha256(purpose + kid + body).digest()])


def wrapped(envelope, guard):
    """In a MAC of the group's key."""
    return cbor.encode([17, 4, b"g", envelope, hmac(guard, POLICY + b"g" + envelope)[:8]])


def keys(version=1, *signers, key=ROOT):
    return signed({1: version, 2: list(signers) or [signer()]}, key, b"root", KEYS)


def signer(kid=b"op1", key=OPERATOR, groups=(NORTH, SOUTH), begins=0, ends=FOREVER):
    return [kid, key, list(groups), begins, ends]


class World:
    """`now` in ms, `wall` in Unix s (0: the device has no clock); verified: signatures that were looked at."""

    def __init__(self, groups=((NORTH, 1, None),), medium=None, wall=WALL, known=True):
        self.medium, self.groups, self.now, self.wall = medium or Medium(), groups, 0, wall
        self.links, self.verified, self.got = dict(LINKS), 0, []
        self.engine = group_policies.GroupPolicies(self.medium, b"device key", below(3), lambda: self.links, ROOT)
        self.engine.split, self.engine.verify = split, self._verify
        if known and not medium:
            assert self.engine.offer_keys(keys(), "usb", 0, wall) == (0, None)
            self.verified = 0
        self.engine.start(list(groups), 0, wall)

    def _verify(self, key, proof, digest):
        self.verified += 1
        return verify(key, proof, digest)

    def offer(self, value, via="multicast", window_ms=None):
        """A document (map), or an envelope (bytes)."""
        data = value if isinstance(value, bytes) else signed(value)
        return self.engine.offer(data, via, self.now, self.wall and self.wall + self.now // 1000, window_ms)

    def push(self, version, settings=None, via="multicast", **more):
        return self.offer(document(version, settings, **more), via)

    def wait(self, seconds):
        """Time passes, from deadline to deadline."""
        end = self.now + seconds * 1000
        for _ in range(100):
            at = self.engine.deadline()
            if at is None or at > end:
                break
            self.now = max(self.now, at)
            self.engine.poll(self.now)
        else:
            raise AssertionError("a deadline that does not pass")
        self.now = end
        self.engine.poll(end)
        return self

    def take(self, kind=None):
        """What the engine said since, without the moment of an acknowledgement; of one kind."""
        self.got = self.engine.take()
        return [event[:5] for event in self.got if kind in (None, event[0])]

    def acks(self):
        """(version, status, detail) of what was acknowledged up to now."""
        return [event[2:5] for event in self.take("ack")]

    def state(self, number=0):
        return self.engine.summary()[number][3]

    def version(self):
        return self.engine.summary()[0][1]

    def force(self):
        """The settings in force, as the medium says."""
        return policy_course.merged(self.engine)[0]

    def restart(self, budget=None, tear=None, wall=None):
        """The device starts anew with what is on its medium."""
        medium = Medium(self.medium.files, budget, tear)
        return World(self.groups, medium, self.wall if wall is None else wall)
