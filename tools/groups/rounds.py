"""Two ways to keep at it until everybody has answered: rounds of multicast on one LAN, and tries by unicast."""

import heapq

from . import planning

MAX_ROUNDS = 12
_DEAF = 20  # less than one in so many answered a round: the others do not hear multicast
_STEP_MS = 10  # sendings are due at multiples of it: as many wake-ups

ONLINE_TRIES = 16  # of one that is known to be online: at 36 % lost round trips one in ten million is left
MIN_WAIT_MS, MAX_WAIT_MS = 2000, 3000
_RARE_MS = 600_000


class Lane:
    """The members on the LAN of one gateway that are spoken to by multicast, round after round."""

    def __init__(self, terms):
        self._terms = terms
        self.missing = set()
        self.due = None  # ms: when the round ends
        self._round, self._before = 0, 0

    def begin(self, indexes, whole, window, now):
        """The announcements [(base, bitmap)] of the first round; [] where unicast is better."""
        sent = planning.announcements(indexes, whole)
        if sent:
            self.missing.update(indexes)
            self._round, self._before = 0, len(self.missing)
            self.due = now + window + self._terms.grace_ms
        return sent

    def drop(self, index):
        """It has answered, or has gone."""
        self.missing.discard(index)
        if not self.missing:
            self.due = None

    def again(self, window, now):
        """At the end of a round: the announcements of the next; [] where the rest of `missing` is for unicast."""
        gained = self._before - len(self.missing)
        self._round += 1
        if self._round >= MAX_ROUNDS or gained * _DEAF < self._before:
            return []
        return self._repair(window, now)

    def _repair(self, window, now):
        sent = planning.announcements(self.missing, False)
        self._before = len(self.missing)
        self.due = now + window + self._terms.grace_ms
        return sent

    def rest(self):
        """Give up on multicast: who is still missing."""
        rest, self.missing, self.due = self.missing, set(), None
        return rest

    def shift(self, by):
        """It has been paused for so long (ms)."""
        if self.due is not None:
            self.due += by


class Tries:
    """Unicast, again and again: every 2 to 3 s as long as it may be loss, ever more rarely then."""

    def __init__(self, chance):
        self._chance = chance
        self._heap, self._next = [], {}  # (due, index); index: [due, tries so far]

    def __contains__(self, index):
        return index in self._next

    def add(self, index, due):
        """Try it at a time (ms), as if never before."""
        self._put(index, -(-due // _STEP_MS) * _STEP_MS, 0)

    def drop(self, index):
        """It has answered, or has gone."""
        self._next.pop(index, None)

    def due(self, now):
        """Yield (index, how many times it has been tried before) of all whose time has come."""
        while self._heap and self._heap[0][0] <= now:
            due, index = heapq.heappop(self._heap)
            if self._next.get(index, (None,))[0] == due:
                tried = self._next[index][1]
                self._put(index, now + self._wait(tried + 1), tried + 1)
                yield index, tried

    def deadline(self):
        """When the next is due (ms), or None."""
        while self._heap and self._next.get(self._heap[0][1], (None,))[0] != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def shift(self, by):
        """It has been paused for so long (ms)."""
        kept, self._heap = self._next, []
        for index, (due, tried) in kept.items():
            self._put(index, due + by, tried)

    def _put(self, index, due, tried):
        self._next[index] = (due, tried)
        heapq.heappush(self._heap, (due, index))

    def _wait(self, tried):
        wait = self._chance.randint(MIN_WAIT_MS, MAX_WAIT_MS)
        if tried > ONLINE_TRIES:
            wait = min(wait << min(tried - ONLINE_TRIES, 10), _RARE_MS)
        return -(-wait // _STEP_MS) * _STEP_MS
