"""A deterministic world in virtual time: integer milliseconds, seeded faults, no asyncio, no sockets.

The same seed gives the same digest on any Python: own random numbers (chance.py), events ordered by (time,
sequence), and nothing that depends on the order of a dict or a set goes into the trace.

Three mistakes that this file is built not to repeat: queueing a wake-up on every flush bred duplicates (300 s
instead of 1.6 s a sweep, with the same digest), so a node has one armed deadline; an unbounded list killed
the run in a small heap, so nothing here grows with time but the platform's books; a deadline that stays in
the past would spin for ever, so the events of one millisecond are counted.
"""

import heapq
from binascii import crc32

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
_SAME_INSTANT = 5000  # events in one millisecond before we call it a spin


class Node:
    """What has a clock of its own in the world: a device or a server. Its engines say when they want to be
    woken."""

    def __init__(self, world, name):
        self.world = world
        self.name = name
        self.armed = None
        world.nodes.append(self)

    def deadline(self):
        """When poll() is due (ms), or None."""
        return None

    def poll(self, now):
        """Time has come."""

    def flush(self):
        """Carry away what the engines want done, then arm the one wake-up."""
        self.rearm()

    def rearm(self):
        due = self.deadline()
        if due is None:
            self.armed = None
        elif self.armed is None or due < self.armed:  # a later one is noticed when the armed one fires
            self.armed = due
            self.world.at(due, self.wake, due)

    def wake(self, due):
        if due != self.armed:
            return  # superseded
        self.armed = None
        real = self.deadline()
        if real is not None and real <= self.world.now:
            self.poll(self.world.now)
            self.flush()
        else:
            self.rearm()


class World:
    """The clock, the queue and the digest. `check(world)` is called after every event; `tell(text)` gets the
    trace."""

    def __init__(self, seed, check=None, tell=None):
        self.seed = seed
        self.now = 0
        self.events = 0
        self.digest = 2166136261
        self.nodes = []
        self.check = check
        self.tell = tell
        self._queue = []
        self._order = 0

    def at(self, when, what, *args):
        """Call what(*args) at `when` (ms), not before the present."""
        self._order += 1
        heapq.heappush(self._queue, (max(when, self.now), self._order, what, args))

    def after(self, wait, what, *args):
        self.at(self.now + wait, what, *args)

    def trace(self, what, data=b""):
        """One event into the digest: FNV-1a over words, a word being the CRC of what happened and when."""
        self.events += 1
        word = crc32(data, crc32(b"%d %s" % (self.now, what.encode())))
        self.digest = ((self.digest ^ word) * 16777619) & 0xFFFFFFFF
        if self.tell:
            self.tell("%11.3f %s %s" % (self.now / 1000, what, data.hex() if data else ""))

    def run(self, until):
        """Play every event up to and including `until` (ms)."""
        queue, instant = self._queue, 0
        while queue and queue[0][0] <= until:
            when, _, what, args = heapq.heappop(queue)
            instant = instant + 1 if when == self.now else 0
            assert instant < _SAME_INSTANT, "a deadline stays in the past: %s" % (what,)
            self.now = when
            what(*args)
            if self.check:
                self.check(self)
        self.now = until
