"""What the links did and cost: moves and how long each of their phases took, bytes a link and day, time in each state.

A move has three phases: detect (from the last sign of life to the verdict; 0 when carrier was lost), dial (until there
is another link to aim at) and register. What a metered link carries in 30 days is kept in the store, coarsely: a
restart forgets what came after the last full step.
"""

_STEP = 65536  # bytes on a metered link between two writes
_PERIOD_S = 2592000  # 30 days
_DAY_S = 86400


class Metrics:
    """store: Store; metered: names of links; cap: bytes a month of each, 0 = none."""

    def __init__(self, store, metered, cap, now):
        self._store, self._metered = store, metered
        self._caps = dict.fromkeys(metered, cap) if cap else {}
        self.moves = self.resets = 0
        self.last = [0, 0, 0]  # ms: detect, dial, register, of the last move
        self.total = [0, 0, 0]
        self.worst = 0
        self.sums = [0, 0]  # bytes sent and received over all links
        self.bytes = {}  # link: [sent, received] today
        self.before = {}  # and yesterday
        self.seconds = {}  # registration state: ms
        self.state, self._since = "idle", now
        self._lost_at = self._aimed_at = None
        self._detect_ms = 0
        self._day = 0
        kept = store.get("spent", [0, {}])
        self._period, self.spent = kept[0], {link: kept[1][link] for link in kept[1]}
        self._unwritten = 0

    def lost(self, detect_ms, now):
        """The active link is not any more."""
        if self._lost_at is None:
            self._lost_at, self._aimed_at, self._detect_ms = now, None, detect_ms

    def aimed(self, link, now):
        if link and self._lost_at is not None and self._aimed_at is None:
            self._aimed_at = now

    def registered(self, now):
        """-> whether this ended a move that a loss had caused."""
        if self._lost_at is None or self._aimed_at is None:
            return False
        self.last = [self._detect_ms, self._aimed_at - self._lost_at, now - self._aimed_at]
        self.total = [one + more for one, more in zip(self.total, self.last)]
        self.worst = max(self.worst, sum(self.last))
        self.moves += 1
        self._lost_at = None
        return True

    def entered(self, state, now):
        """The registration is in another state."""
        self.seconds[self.state] = self.seconds.get(self.state, 0) + now - self._since
        self.state, self._since = state, now

    def modem(self, state):
        self.resets += state == "initializing"

    def count(self, link, way, size):
        """Bytes of payload on a link; way: 0 sent, 1 received. 28 bytes of IP and UDP come on top of each datagram."""
        size += 28
        self.sums[way] += size
        self.bytes.setdefault(link, [0, 0])[way] += size
        if link in self._metered:
            self.spent[link] = self.spent.get(link, 0) + size
            self._unwritten += size

    def keep(self, wall, now):
        """Now and then: begin a new day or month, write what is due. -> the links that have spent their budget."""
        self.entered(self.state, now)
        day = wall // _DAY_S
        if day > self._day:
            if self._day:  # else it is only now that the clock is set
                self.before, self.bytes = self.bytes, {}
            self._day = day
        if wall and wall // _PERIOD_S != self._period:
            self._period, self.spent, self._unwritten = wall // _PERIOD_S, {}, _STEP
        if self._unwritten >= _STEP:
            self._unwritten = 0
            self._store.keep({"spent": [self._period, dict(self.spent)]})
        return [link for link in self._caps if self.spent.get(link, 0) >= self._caps[link]]
