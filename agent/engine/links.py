"""Which link carries traffic: preference, cost, carrier, silent loss, fail-back hold, and a penalty for flapping.

The most preferred link that can be used is active. The loss of the active one acts at once (or after `delay_ms`, to
ride out a bounce). A better one takes over only after a good spell without a break, its hold: `hold_ms`, doubled by
each loss up to `flap_max_ms`, while what was added halves every five minutes. So a link that flaps costs ever fewer
moves.

A link whose registrar does not answer is suspect, one that swallows everything is bad. Both are used only when there is
no other, until an answer came over them, or for a while that doubles each time. A metered link that has spent its
data budget comes after all others.
"""

from ..table import follow

# state event next-state
_TRANSITIONS = """
down up probing
probing up probing
good up good
suspect up suspect
bad up bad
probing held good
probing down down
good down down
suspect down down
bad down down
probing doubted suspect
good doubted suspect
suspect doubted suspect
bad doubted bad
probing silent bad
good silent bad
suspect silent bad
bad silent bad
suspect answered probing
bad answered probing
probing answered probing
good answered good
suspect over probing
bad over probing
down trusted down
probing trusted good
good trusted good
suspect trusted good
bad trusted good
"""
_DISTRUST_MAX_MS = 600000
_HALF_LIFE_MS = 300000  # of the flap penalty


class _Link:
    state = "down"
    since = 0  # ms: the good spell began, or that state
    down_at = None  # carrier lost, loss takes effect then
    until = None  # suspect or bad, but not longer than this
    strikes = 0  # times it was doubted without an answer in between
    lost_at = -86400000  # long ago
    spent = False

    def __init__(self, name, hold_ms):
        self.name = name
        self.hold_ms = hold_ms
        self.penalty = hold_ms // 2  # what the next loss doubles

    @property
    def up(self):
        return self.state != "down"

    @property
    def usable(self):
        return self.state in ("probing", "good")


class Links:
    """names: most preferred first; hold_ms, delay_ms, distrust_ms, flap_max_ms as in the module's text."""

    def __init__(self, names, hold_ms=10000, delay_ms=0, distrust_ms=30000, flap_max_ms=600000):
        self._known = self._links = [_Link(name, hold_ms) for name in names]  # all there are; those to be used
        self._hold_ms, self._delay_ms, self._distrust_ms = hold_ms, delay_ms, distrust_ms
        self._flap_max_ms = max(flap_max_ms, hold_ms)
        self.active = None
        self._out = []

    def change(self, name, up, now):
        """The board or the modem says that the link has carrier (and an address), or has not."""
        link = self._find(name)
        if link is None:
            return
        if up:
            link.down_at = None
            self._do(link, "up", now)
        elif link.up and link.down_at is None:
            link.down_at = now + self._delay_ms
        self.poll(now)

    def distrust(self, name, now, silent=False):
        """The registrar behind this link did not answer; silent: nothing at all does any more."""
        link = self._find(name)
        if link is not None and link.up:
            link.until = now + min(self._distrust_ms << min(link.strikes, 8), _DISTRUST_MAX_MS)
            link.strikes += 1
            if silent and link.usable:
                self._punish(link, now)
            self._do(link, "silent" if silent else "doubted", now)
            self.poll(now)

    def answered(self, name, now):
        """Somebody answered over this link: if it was left alone, its good spell begins."""
        link = self._find(name)
        if link is not None and link.until is not None:
            link.until = None
            self._do(link, "answered", now)
            self.poll(now)

    def trust(self, name, now):
        """The registrar behind this link has registered us."""
        link = self._find(name)
        if link is not None:
            link.strikes, link.until = 0, None
            self._do(link, "trusted", now)

    def spend(self, name, spent):
        """Whether the link has used up its data budget."""
        link = self._find(name)
        if link is not None:
            link.spent = spent

    def is_spent(self, name):
        link = self._find(name)
        return link is not None and link.spent

    def lost_since(self, name, since):
        """Whether a link that is preferred to `name` was lost after that time (ms)."""
        for link in self._links:
            if link.name == name or link.lost_at > since:
                return link.name != name
        return False

    def is_up(self, name):
        link = self._find(name)
        return link is not None and link.up

    def is_usable(self, name):
        """Up, and nothing speaks against it."""
        link = self._find(name)
        return link is not None and link.usable

    def state(self, name):
        """down | probing | good | suspect | bad."""
        link = self._find(name)
        return link.state if link else "down"

    def up(self):
        """-> names of the links that are up, most preferred first."""
        return [link.name for link in self._links if link.up]

    def better_than(self, name):
        """Whether a link preferred to `name` is up and trusted, be it still in its hold time. One that is there and not
        to be used is worse than none."""
        for link in self._links:
            if link.name == name:
                return False
            if link.usable:
                return True
        return self._find(name) is not None

    def candidates(self):
        """-> names of the links that are up and would be preferred to the active one, did they deserve it."""
        found = []
        for link in self._links:
            if link.name == self.active:
                break
            if link.up:
                found.append(link.name)
        return found

    def poll(self, now):
        for link in self._known:
            if link.down_at is not None and now >= link.down_at:
                self._punish(link, now)
                link.down_at = link.until = None
                link.strikes = 0
                self._do(link, "down", now)
            if link.until is not None and now >= link.until:
                link.until = None
                self._do(link, "over", now)
            if link.state == "probing" and now >= link.since + link.hold_ms:
                self._do(link, "held", now)
        best = self._best(now)
        if best != self.active:
            self.active = best
            self._out.append(("active", best))

    def deadline(self):
        """When something may change by itself (ms), or None."""
        due = []
        better = self.active is not None
        for link in self._links:
            better = better and link.name != self.active
            if link.down_at is not None:
                due.append(link.down_at)
            if link.until is not None:
                due.append(link.until)
            elif better and link.state == "probing":
                due.append(link.since + link.hold_ms)
        return min(due) if due else None

    def take(self):
        """-> [("active", name or None)], what changed since the last call."""
        out, self._out = self._out, []
        return out

    def _do(self, link, event, now):
        state = follow(_TRANSITIONS, link.state, event)
        if state != link.state:
            link.state, link.since = state, now

    def _punish(self, link, now):
        """A loss: the hold doubles, from what is left of the last one."""
        away = now - link.lost_at
        left = link.penalty >> min(away // _HALF_LIFE_MS, 30)
        left -= left * (away % _HALF_LIFE_MS) // (2 * _HALF_LIFE_MS)
        link.penalty = link.hold_ms = min(2 * max(left, self._hold_ms // 2), self._flap_max_ms)
        link.lost_at = now

    def _find(self, name):
        for link in self._known:
            if link.name == name:
                return link
        return None

    def _best(self, now):
        order = [link for link in self._links if not link.spent] + [link for link in self._links if link.spent]
        usable = [link for link in order if link.usable]
        active = self._find(self.active)
        if active not in usable:
            if usable:
                return usable[0].name
            up = [link for link in order if link.up]
            return active.name if active in up else (up[0].name if up else None)
        for link in usable:
            if link is active or link.state == "good":
                return link.name
        return self.active
