"""Policies pushed to the groups of this device: offered in whatever way, judged, stored, tried, obeyed, answered for.

A device may be in several groups. Of two that set the same the one of higher rank holds; what none sets is as it was
before there were any. A document that changes how the device reaches its registrar is on trial first: unless the agent
says that it is connected under it, what held before comes back. The answer to a document goes out at a random moment of
a window, so that many devices do not answer at once; who missed it reads summary().

Here is what waits and is asked all the time. What acts (policy_offer.py, policy_course.py and what they use) is loaded
when something comes in or is due.
"""

from binascii import crc32

from ..codec import cbor
from ..overlay import drop

_DUPLICATE = 3
_WINDOW_MAX_MS = 65535000
_ASIDE = (
    "engine.policy_offer engine.policy_course engine.policy_gate engine.policy_rules engine.policy_keys "
    "engine.policy_member engine.policy_slots engine.policy_offset codec.cose codec.strict crypto.es256"
)


class Member:
    """The device in one group. name: of the group (bytes)."""

    rank = 0  # of two groups that set the same the higher one wins
    guard = None  # the key of what is sent to all (bytes)
    version, digest, state, detail, starts, window = 0, b"", "none", 0, 0, 5
    activate = revert = 0  # Unix s, 0: never
    until = None  # ms: the end of the trial
    retry = None  # ms: to be written again
    ack = None  # (version, status, detail, ms)

    def __init__(self, name):
        self.name = name


class GroupPolicies:
    """medium: where state is kept; device: a key of the device's own (bytes), for its offset; below(n): randomness;
    links() -> {name: is it up}; root: the public key (64 bytes) that vouches for the signers' keys, or None."""

    channels = None  # () -> the channels that it can compare with thresholds, where it has not all
    override = False  # somebody on site has taken the device over: nothing new is obeyed
    bucket = None  # of verifications, see policy_gate
    changed = False  # since the last take()

    def __init__(self, medium, device, below, links, root):
        self.medium, self._device, self._below, self.links, self.root = medium, device, below, links, root
        self.members = []
        self._ahead = None  # ms: what the time of day is ahead of `now`
        self.counts = {}  # word: how often a document was turned away for it
        self._said = None
        self._out = []

    def start(self, groups, now, wall):
        """The device has started; groups: [(name, rank, guard or None)] as bootstrap or USB have given them, 8 at most.
        wall: Unix s, or 0. Raises LocalError, and OSError when the medium cannot be read."""
        self.clock(now, wall)
        self.belong(groups)
        from .policy_course import start

        start(self, now)
        self._rest()

    def belong(self, groups):
        """The groups are these now. What a group that was left has set is not in force any more. Raises as start()."""
        from .policy_course import belong

        self.members = belong(self, groups, Member)
        self.changed = True
        self._rest()

    def clock(self, now, wall):
        """The time of day is known, or another one, since `now`: Unix s; 0 says nothing."""
        if wall:
            self._ahead = wall * 1000 - now

    def wall(self, now):
        """Unix s, or 0."""
        return 0 if self._ahead is None else (now + self._ahead) // 1000

    def member(self, name):
        """The device as a member of this group, or None."""
        for member in self.members:
            if member.name == name:
                return member
        return None

    def offer(self, data, via, now, wall, window_ms=None):
        """An envelope (bytes) that came by `via`: unicast, usb, multicast, mqtt, sms. window_ms: for the answer, where
        the sender has said so, instead of the document's own; 0: none is wanted.

        -> (status, detail or None) as may be told, None: nothing is. Over unicast that is the answer; else it is
        acknowledged later too."""
        self.clock(now, wall)
        from .policy_offer import offer

        try:
            return offer(self, data, via, now, window_ms)
        finally:
            self._rest()

    def offer_keys(self, data, via, now, wall):
        """A keys document (bytes), which only comes over a session of the device's own. -> (status, detail) or None."""
        self.clock(now, wall)
        from .policy_offer import offer_keys

        try:
            return offer_keys(self, data, via)
        finally:
            self._rest()

    def confirmed(self, now):
        """The device has registered since what is on trial took effect, and has been heard."""
        if [member for member in self.members if member.state == "trial"]:
            from .policy_course import confirm

            confirm(self, now)
            self._rest()

    def poll(self, now):
        for member in self.members:
            if member.ack and now >= member.ack[3]:
                self.say("ack", member.name, *member.ack)
                member.ack = None
            at = self._due(member)
            if at is not None and now >= at:
                from .policy_course import proceed

                proceed(self, member, now)
                self._rest()

    def deadline(self):
        """When poll() has something to do (ms), or None."""
        due = None
        for member in self.members:
            for at in (self._due(member), member.ack and member.ack[3]):
                if at is not None and (due is None or at < due):
                    due = at
        return due

    def take(self):
        """-> [("ack", group, version, status, detail or None, ms) to be sent now | ("security", group, version) for the
        log: two documents of one version | ("damaged", group): nothing that was kept can be read | ("apply", {setting:
        value}, offset s): all that the groups set, by number, instead of what the last one said]."""
        out, self._out = self._out, []
        if self.changed:
            self.changed = False
            from .policy_course import effective

            settings, offset = effective(self, self._device)
            said = crc32(cbor.encode([settings, offset])) if settings else None
            if said != self._said:
                self._said = said
                out.append(("apply", settings, offset))
            self._rest()
        return out

    def summary(self):
        """-> [(group, version, 8 bytes of its hash, state)], for registration and Update; version 0: none yet."""
        return [(one.name, one.version, one.digest, one.state) for one in self.members]

    def files(self):
        """Where the policies of its groups are kept: names of pairs of slots."""
        from .policy_member import file_of

        found = [file_of(member) for member in self.members]
        self._rest()
        return found

    # for the parts

    def split(self, data, purpose):
        """As codec/cose.py does it."""
        from ..codec.cose import split

        return split(data, purpose)

    def verify(self, key, signature, digest):
        """As crypto/es256.py does it."""
        from ..crypto.es256 import verify

        return verify(key, signature, digest)

    def say(self, *event):
        """Once, however often it comes until it is taken."""
        if event not in self._out:
            self._out.append(event)

    def acknowledge(self, member, version, status, detail, now, window_ms=None):
        """At a random time within the window; a window of 0 wants none."""
        if status == _DUPLICATE and member.ack and member.ack[0] == version:
            return  # the first answer is still to go, and says more
        window = member.window * 1000 if window_ms is None else min(window_ms, _WINDOW_MAX_MS)
        if window > 0:
            member.ack = (version, status, detail, now + self._below(window))

    def count(self, word):
        self.counts[word] = self.counts.get(word, 0) + 1

    def _due(self, member):
        """When something becomes of its policy by itself (ms), or None."""
        due = [at for at in (member.until, member.retry) if at is not None]
        if self._ahead is not None:
            due += [at * 1000 - self._ahead for at in (member.activate, member.revert) if at]
        return min(due) if due else None

    def _rest(self):
        drop(*_ASIDE.split())
