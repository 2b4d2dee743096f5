"""Policies pushed to the groups of this device: offered in whatever way, judged, stored, tried, obeyed, answered for.

A device may be in several groups. Of two that set the same the one of higher rank holds; what none sets is as it was
before there were any. A document that changes how the device reaches its registrar is on trial first: unless the agent
says that it is connected under it, what held before comes back. The answer to a document goes out at a random moment of
a window, so that many devices do not answer at once; who missed it reads summary().
"""

from binascii import crc32

from ..codec import cbor
from ..errors import LocalError
from ..overlay import drop
from .policy_member import Member

_MOST = 8
_CUTS_OFF = (5, 6, 7, 10)  # WAN order, cap, APN, lifetime: what may lose us the connection
_TRIAL_S = 300
_APPLIED, _STORED, _TRIAL, _DUPLICATE, _ROLLED, _STORAGE, _EXPIRED, _OVERRIDE = 0, 1, 2, 3, 7, 8, 10, 11
_RULED_OUT = (5, 6)  # bad value, unsupported
_NO_CLOCK, _NOT_CONFIRMED = 1, 1
_WINDOW_MAX_S = 65535
_ASIDE = "engine.policy_gate engine.policy_rules engine.policy_keys codec.cose codec.strict crypto.es256"
_NOTHING = crc32(cbor.encode([{}, 0]))


class GroupPolicies:
    """medium: where state is kept; device: a key of the device's own (bytes), for its offset; below(n): randomness;
    links() -> {name: is it up}; root: the public key (64 bytes) that vouches for the signers' keys, or None."""

    override = False  # somebody on site has taken the device over: nothing new is obeyed

    def __init__(self, medium, device, below, links, root):
        self.medium, self._device, self._below, self._links = medium, device, below, links
        self._root = root
        self._members = []
        self._ahead = None  # ms: what the time of day is ahead of `now`
        self.bucket = None  # of verifications, see policy_gate
        self.counts = {}  # word: how often a document was turned away for it
        self._changed, self._said = False, _NOTHING
        self._out = []

    def start(self, groups, now, wall):
        """The device has started; groups: [(name, rank, guard or None)] as bootstrap or USB have given them, 8 at most.
        wall: Unix s, or 0. Raises LocalError."""
        self.clock(now, wall)
        self.belong(groups)
        for member in self._members:
            if member.started(now):
                self._acknowledge(member, member.version, _ROLLED, member.detail, now)
            self._try(member, now)

    def belong(self, groups):
        """The groups are these now. What a group that was left has set is not in force any more. Raises LocalError."""
        if len(groups) > _MOST or len({one[0] for one in groups}) < len(groups):
            raise LocalError("policy: %d groups; %d different ones are possible" % (len(groups), _MOST))
        before, self._members = self._members, []
        for name, rank, guard in sorted(groups, key=lambda one: (-one[1], one[0])):
            member = [one for one in before if one.name == name] or [self._joined(name, rank, guard)]
            member[0].rank, member[0].guard = rank, guard
            self._members += member
        self._changed = True
        drop(*_ASIDE.split())

    def clock(self, now, wall):
        """The time of day is known, or another one, since `now`: Unix s; 0 says nothing."""
        if wall:
            self._ahead = wall * 1000 - now

    def wall(self, now):
        """Unix s, or 0."""
        return 0 if self._ahead is None else (now + self._ahead) // 1000

    def member(self, name):
        """The device as a member of this group, or None."""
        found = [one for one in self._members if one.name == name]
        return found[0] if found else None

    def offer(self, data, via, now, wall, window_s=None):
        """An envelope (bytes) that came by `via`: unicast, usb, multicast, mqtt, sms. window_s: of the acknowledgement,
        where the sender has said so, instead of the document's own.

        -> (status, detail or None) as may be told, None: nothing is. Over unicast that is the answer; else it is
        acknowledged later too."""
        self.clock(now, wall)
        from .policy_gate import SESSIONS, bucket, opened, remember
        from .policy_rules import Refused

        self.bucket = self.bucket or bucket()
        member = version = None
        try:
            member, document, body, digest = opened(self, data, via, now)
            version = document[2]
            status, detail = self._take_up(member, document, body, digest, now)
        except Refused as e:
            status, detail = e.status, e.detail
            ruled_out = member and status in _RULED_OUT
            self._count("refused" if ruled_out else e.args[0])
            if ruled_out:
                e.about = member, version
                remember(self.bucket, data, e, now)
            member, version = e.about or (member, version)
        finally:
            drop(*_ASIDE.split())
        if status is None or not (member or via in SESSIONS):
            return None
        if member and via != "unicast":
            self._acknowledge(member, version, status, detail, now, window_s)
        return status, detail

    def offer_keys(self, data, via, now, wall):
        """A keys document (bytes), which only comes over a session of the device's own. -> (status, detail) or None."""
        self.clock(now, wall)
        from .policy_gate import SESSIONS
        from .policy_keys import renew
        from .policy_rules import Refused

        try:
            if via not in SESSIONS:
                raise Refused("stranger")
            return renew(self, self._root, data)
        except Refused as e:
            self._count(e.args[0])
            return None if e.status is None else (e.status, e.detail)
        finally:
            drop(*_ASIDE.split())

    def confirmed(self, now):
        """The device is registered under what is on trial, and has been heard."""
        for member in self._members:
            if member.state == "trial":
                self._enter(member, "confirmed", _APPLIED, None, now)

    def poll(self, now):
        for member in self._members:
            if member.ack and now >= member.ack[3]:
                self._out.append(("ack", member.name) + member.ack)
                member.ack = None
            if member.until is not None and now >= member.until:
                self._enter(member, "failed", _ROLLED, _NOT_CONFIRMED, now)
            self._by_date(member, now, self.wall(now))
            if member.retry is not None and now >= member.retry:
                member.keep(now)

    def deadline(self):
        """When poll() has something to do (ms), or None."""
        due = []
        for member in self._members:
            due += [member.until, member.retry, member.ack and member.ack[3]]
            if self._ahead is not None:
                due += [at * 1000 - self._ahead for at in (member.activate, member.revert) if at]
        due = [at for at in due if at is not None]
        return min(due) if due else None

    def take(self):
        """-> [("ack", group, version, status, detail or None, ms) to be sent now | ("security", group, version) for the
        log: two documents of one version | ("damaged", group): nothing that was kept can be read | ("apply", {setting:
        value}, offset s): all that the groups set, by number, instead of what the last one said]."""
        out, self._out = self._out, []
        if self._changed:
            self._changed = False
            settings, offset = self._effective()
            said = crc32(cbor.encode([settings, offset]))
            if said != self._said:
                self._said = said
                out.append(("apply", settings, offset))
            drop("codec.strict")
        return out

    def summary(self):
        """-> [(group, version, 8 bytes of its hash, state)], for registration and Update; version 0: none yet."""
        return [(one.name, one.version, one.digest, one.state) for one in self._members]

    def split(self, data, purpose):
        """As codec/cose.py does it."""
        from ..codec.cose import split

        return split(data, purpose)

    def verify(self, key, signature, digest):
        """As crypto/es256.py does it."""
        from ..crypto.es256 import verify

        return verify(key, signature, digest)

    def alarm(self, member, version):
        """Somebody has another document of the version that we have: said once, however often it comes."""
        what = ("security", member.name, version)
        if what not in self._out:
            self._out.append(what)

    def _joined(self, name, rank, guard):
        member = Member(self.medium, name, rank, guard)
        if member.damaged:
            self._out.append(("damaged", name))
        return member

    def _take_up(self, member, document, body, digest, now):
        """-> (status, detail) of a genuine document that is newer. Raises Refused."""
        from .policy_rules import Refused, check

        if self.override:
            raise Refused("override", _OVERRIDE)
        check(document, self._links())
        wall = self.wall(now)
        if wall and 0 < document.get(8, 0) <= wall:
            raise Refused("over", _EXPIRED)
        if wall < document.get(6, 0):
            event, status = "store", _STORED
        else:
            event, status = ("try", _TRIAL) if self._risky(member, document) else ("apply", _APPLIED)
        if event == "store" and member.state == "trial":
            raise Refused("busy")  # there is room for what is on trial and what held before; the sender comes again
        try:
            member.accept(document, body, digest, event)
        except OSError as e:
            raise Refused("storage", _STORAGE, e.args[0])
        self._changed = True
        self._try(member, now)
        return status, None if wall else _NO_CLOCK

    def _risky(self, member, document):
        """Whether it may cut us off: it wants to be tried, or how we reach the registrar is not as it was proven."""
        before, after = self._merged(member, member.proven())[0], self._merged(member, document)[0]
        return 7 in document or any([before.get(key) != after.get(key) for key in _CUTS_OFF])

    def _merged(self, instead=None, document=None):
        """({setting: value} of all groups, (group, version) that the period is of); this member has that document
        instead. Jitter goes with its period."""
        settings, source = {}, None
        for member in self._members:
            found = document if member is instead else member.document()
            own = found.get(5, {})
            leads = 1 in own and 1 not in settings
            for key in own:
                if key not in settings and (key != 2 or leads):
                    settings[key] = own[key]
            if leads:
                source = member.name, found[2]
        return settings, source

    def _effective(self):
        settings, source = self._merged()
        if not settings.get(2):
            return settings, 0
        from .policy_offset import offset

        return settings, offset(self._device, source[0], source[1], settings[2])

    def _enter(self, member, event, status, detail, now):
        member.enter(event, now, detail or 0)
        self._changed = True
        self._acknowledge(member, member.version, status, detail, now)

    def _try(self, member, now):
        if member.state == "trial":
            member.until = now + member.newest().get(7, _TRIAL_S) * 1000

    def _by_date(self, member, now, wall):
        """What was to be from now on, or to be no more."""
        if member.revert and wall >= member.revert:
            member.enter("revert", now)
            self._changed = True
        if member.activate and wall >= member.activate:
            if self._risky(member, member.newest()):
                self._enter(member, "try", _TRIAL, None, now)
                self._try(member, now)
            else:
                self._enter(member, "apply", _APPLIED, None, now)

    def _acknowledge(self, member, version, status, detail, now, window_s=None):
        """At a random time within the window; a window of 0 s wants none."""
        if status == _DUPLICATE and member.ack and member.ack[0] == version:
            return  # the first answer is still to go, and says more
        window = member.window if window_s is None else min(max(window_s, 0), _WINDOW_MAX_S)
        if window:
            member.ack = (version, status, detail, now + self._below(window * 1000))

    def _count(self, word):
        self.counts[word] = self.counts.get(word, 0) + 1
