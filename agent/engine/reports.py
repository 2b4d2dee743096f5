"""When a reading is due, and how readings reach the registrar: one batch at a time, until each is
acknowledged.

The journal is the outbox: a reading is in it before anything else happens to it and leaves it only with its
acknowledgement. This engine says when to measure and which batch to send; going offline (or moving to another
registrar) just takes back the batch in flight, because it is still in the journal.
"""

from ..table import find

# state event next-state
_TRANSITIONS = """
offline online idle
idle send sending
sending acknowledged idle
sending failed waiting
waiting due idle
idle offline offline
sending offline offline
waiting offline offline
"""
_BACK_OFF_MS = 2000
_BACK_OFF_CAP_MS = 20000
_REJECTED_CAP_MS = 3600000


class Reports:
    """`journal` is a Journal; a batch holds at most `batch` readings of consecutive sequences."""

    _upto = None  # readings behind this sequence wait, where a policy has some taken more often than it has them sent

    def __init__(self, journal, period_ms, batch=16):
        self.state = "offline"
        self.journal, self.period_ms, self._batch = journal, period_ms, batch
        self._last = self._measure_at = None  # the reading before, the next one
        self._retry_at = None
        self.failures = 0  # in a row
        self._sent = 0  # last sequence of the batch in flight
        self._actions = []

    def start(self, now):
        """Begin to measure; the first reading is due after one period."""
        self._last, self._measure_at = now, now + self.period_ms

    def set_period(self, period_ms, now):
        """A new period, counted from the last reading: at once when that is already longer ago."""
        self.period_ms = period_ms
        if self._last is not None:
            self._measure_at = max(now, self._last + period_ms)

    def add(self, value, wall, now):
        """Keep a reading and send it when possible; its sequence. Raises what Journal.append() raises."""
        seq = self.journal.append(wall, value)
        self._advance(now)
        return seq

    def online(self, yes, now):
        """May batches be sent (is there a registrar)? False takes back the one in flight: it stays
        pending."""
        if self._enter("online" if yes else "offline"):
            self.failures = 0
            if not yes:
                self._actions = [action for action in self._actions if action[0] != "send"]
            self._advance(now)

    def acknowledged(self, now):
        """The registrar keeps the batch in flight: forget it, send the next one."""
        if self._enter("acknowledged"):
            self.failures = 0
            self.journal.acknowledge(self._sent)
            self._advance(now)

    def failed(self, now, rejected=False):
        """The batch in flight got no acknowledgement; it is repeated after 2, 4, 8 ... 20 s. rejected: the registrar
        answers, but will have none of it (some servers know no Send): ... 1 h. Registered anew it is repeated at once.
        """
        if self._enter("failed"):
            cap = _REJECTED_CAP_MS if rejected else _BACK_OFF_CAP_MS
            self._retry_at = now + min(_BACK_OFF_MS << self.failures, cap)
            self.failures = min(self.failures + 1, 11)

    def poll(self, now):
        """Say what is due at `now`."""
        if self._measure_at is not None and now >= self._measure_at:
            self._last = self._measure_at
            if now - self._last >= self.period_ms:  # slept: no burst to catch up
                self._last = now
            self._measure_at = self._last + self.period_ms
            self._actions.append(("measure",))
        if self.state == "waiting" and now >= self._retry_at:
            self._enter("due")
            self._advance(now)

    def deadline(self):
        """When poll() has something to do (ms), or None."""
        if self.state == "waiting" and (self._measure_at is None or self._retry_at < self._measure_at):
            return self._retry_at
        return self._measure_at

    def take(self):
        """[("measure",) | ("send", [(sequence, wall, value), ...])]"""
        actions, self._actions = self._actions, []
        return actions

    def _enter(self, event):
        """Follow the table. -> whether it has such a row: an answer may be late, or repeated, and then means
        nothing."""
        found = find(_TRANSITIONS, self.state, event)
        if found:
            self.state = found[0]
        return bool(found)

    def _advance(self, now):
        if self.state != "idle":
            return
        batch = []
        for reading in self.journal.pending(self._batch):
            if batch and reading[0] != batch[-1][0] + 1 or self._upto is not None and reading[0] > self._upto:
                break
            batch.append(reading)
        if batch:
            self._enter("send")
            self._sent = batch[-1][0]
            self._actions.append(("send", batch))
