"""One stage of a rollout: who is in it, who has not yet said how it ended, and when it is over."""

from . import states


class Stage:
    """`number` from 0, -1: none yet; `members`: their indexes; `ends`: when it is over at the latest (ms), None: never,
    as for the last one."""

    def __init__(self, number=-1, members=(), ends=None):
        self.number = number
        self._members, self._open = frozenset(members), set(members)
        self._ends, self._soaks = ends, None

    def settle(self, index):
        """It has said how it ended, or nothing is expected of it now."""
        self._open.discard(index)

    def over(self, now, soak_ms):
        """Whether it is: so long after the last one has settled, or too late."""
        if not self._open and self._soaks is None:
            self._soaks = now + soak_ms
        return any(end is not None and now >= end for end in (self._ends, self._soaks))

    def deadline(self):
        """When over() is to be asked (ms), or None."""
        return min((end for end in (self._ends, self._soaks) if end is not None), default=None)

    def shift(self, by):
        """The rollout has been paused for so long (ms)."""
        self._ends = self._ends and self._ends + by
        self._soaks = self._soaks and self._soaks + by

    def silent(self, book):
        """(how many of it have not said how it ended though they could, of how many) by a states.Book."""
        here = [record for record in book if record.index in self._members]
        return sum(not record.settled and record.state != states.WAITING for record in here), len(here)
