"""Which link carries traffic: preference, carrier-loss delay, fail-back hold, and distrust of a link that leads
nowhere.

A link is down or up; of the links that are up the most preferred one is active. A better link takes over only after
it has been up for `hold_ms` without a break; the loss of the active one acts at once (or after `delay_ms`, to ride
out a bounce). A link whose registrar did not answer is distrusted for a while that doubles each time, so that a dead
server behind a good cable cannot hold the device: it is used only when there is no other.
"""

_DISTRUST_MAX_MS = 600000


class _Link:
    def __init__(self, name):
        self.name = name
        self.up_since = None  # ms, None = down
        self.down_at = None  # carrier lost, loss takes effect then
        self.suspect_until = None
        self.strikes = 0


class Links:
    """names: most preferred first; hold_ms, delay_ms, distrust_ms as in the module's text."""

    def __init__(self, names, hold_ms=10000, delay_ms=0, distrust_ms=30000):
        self._links = [_Link(name) for name in names]
        self._hold_ms, self._delay_ms, self._distrust_ms = hold_ms, delay_ms, distrust_ms
        self.active = None
        self._out = []

    def change(self, name, up, now):
        """The board or the modem says that the link has carrier (and an address), or has not."""
        link = self._find(name)
        if link is None:
            return
        if up:
            link.down_at = None
            if link.up_since is None:
                link.up_since = now
        elif link.up_since is not None and link.down_at is None:
            link.down_at = now + self._delay_ms
        self.poll(now)

    def distrust(self, name, now):
        """The registrar behind this link did not answer."""
        link = self._find(name)
        if link is not None and link.up_since is not None:
            wait = min(self._distrust_ms << min(link.strikes, 8), _DISTRUST_MAX_MS)
            link.strikes += 1
            link.suspect_until = now + wait
            self.poll(now)

    def trust(self, name):
        """The registrar behind this link answered."""
        link = self._find(name)
        if link is not None:
            link.strikes, link.suspect_until = 0, None

    def is_up(self, name):
        link = self._find(name)
        return link is not None and link.up_since is not None

    def up(self):
        """-> names of the links that are up, most preferred first."""
        return [link.name for link in self._links if link.up_since is not None]

    def better_than(self, name):
        """Whether a link preferred to `name` is up and trusted, be it still in its hold time."""
        for link in self._links:
            if link.name == name:
                return False
            if link.up_since is not None and link.suspect_until is None:
                return True
        return False

    def poll(self, now):
        for link in self._links:
            if link.down_at is not None and now >= link.down_at:
                link.up_since = link.down_at = link.suspect_until = None
                link.strikes = 0
            if link.suspect_until is not None and now >= link.suspect_until:
                link.suspect_until = None
                link.up_since = now  # the good spell begins anew
        best = self._best(now)
        if best != self.active:
            self.active = best
            self._out.append(("active", best))

    def deadline(self):
        """When something may change by itself (ms), or None."""
        due = []
        for link in self._links:
            if link.down_at is not None:
                due.append(link.down_at)
            if link.suspect_until is not None:
                due.append(link.suspect_until)
            elif link.up_since is not None and not self._settled(link):
                due.append(link.up_since + self._hold_ms)
        return min(due) if due else None

    def take(self):
        """-> [("active", name or None)], what changed since the last call."""
        out, self._out = self._out, []
        return out

    def _settled(self, link):
        """Nothing to wait for: the active link, or one less preferred than it."""
        for other in self._links:
            if other.name == self.active:
                return True
            if other is link:
                return False
        return True

    def _find(self, name):
        for link in self._links:
            if link.name == name:
                return link
        return None

    def _best(self, now):
        up = [link for link in self._links if link.up_since is not None]
        good = [link for link in up if link.suspect_until is None]
        active = self._find(self.active)
        if active not in good:
            if good:
                return good[0].name
            return active.name if active in up else (up[0].name if up else None)
        for link in good:
            if link is active or now - link.up_since >= self._hold_ms:
                return link.name
        return self.active
