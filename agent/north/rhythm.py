"""When a device measures and when it reports, where a policy says more of that than a period.

Loaded while it does (timing.py), and then kept.
"""

from ..engine.timetable import following

_LOOK_MS = 60000  # until a device without a clock is asked for the time again
_SET_MS = 2000  # the clock was set: it is another time of day by that much


class Rhythm:
    """With a clock, readings are taken at whole intervals of it, so that those of all devices can be added up; reports
    are due as the schedule has it, or at whole periods, later by the device's own offset, so that devices that hear the
    same do not all report at once. Without one both follow upon the one before, and the schedule waits.

    period, interval, rows, offset: of the policy (s; None, (): it says nothing)."""

    due = False  # whether a report is
    _ahead = None  # ms: what the clock was ahead of `now`
    _at = _look = None  # ms: the next report, where it is not the next reading; the next look at the clock

    def __init__(self, agent, now, period, interval, rows, offset):
        self._agent, self._period, self._interval, self._rows, self._offset = agent, period, interval, rows, offset
        reports, wall = agent.reports, agent.wall()
        self._since, self._read, self._told = now, wall, wall  # what is due after these comes next; ms, Unix s, Unix s
        self._ahead = wall and wall * 1000 - now
        self._last = reports._last
        if interval:
            reports.set_period(interval * 1000, now)
            self.release(now)
        else:
            self.end(now)
        if offset and not wall:
            reports._measure_at = now + offset * 1000
        self._aim(now, wall)

    def end(self, now):
        """Readings do not wait any more."""
        self._agent.reports._upto = None
        self._agent.reports._advance(now)

    def release(self, now):
        """What has been read up to now may go, what comes later waits for the next report."""
        reports = self._agent.reports
        self.due = False
        if self._interval:
            reports._upto = reports.journal.next_seq - 1
            reports._advance(now)

    def poll(self, now):
        wall = self._agent.wall()
        if abs((wall and wall * 1000 - now) - self._ahead) >= _SET_MS:
            self._ahead, self._read, self._told, self._set = wall and wall * 1000 - now, wall, wall, None
        reports = self._agent.reports
        if reports._last != self._last:
            self._last, self._read = reports._last, wall
            self._told = self._told if self._interval else wall
        if self._at is not None and now >= self._at:
            self.due, self._since, self._told, self._set = True, now, wall, None
        if reports.journal.count * 2 > self._agent.settings.get("outbox_max"):
            self.due = True  # none is lost for want of room
        if reports._measure_at != self._set or (self._look is not None and now >= self._look):
            self._aim(now, wall)

    def deadline(self):
        """When poll() has something to do (ms), or None; readings are the business of the engine of reports."""
        return self._at if self._look is None or (self._at is not None and self._at < self._look) else self._look

    def _aim(self, now, wall):
        """When the next reading is to be taken, and the next report is due."""
        reports, period = self._agent.reports, self._period or self._agent.settings.get("report_period_s")
        self._at = self._look = None
        if self._interval and reports.period_ms != self._interval * 1000:
            reports.set_period(self._interval * 1000, now)  # the registrar has written another report period
        if not wall:
            self._look = now + _LOOK_MS
            if self._interval:
                self._at = self._since + period * 1000
        else:
            due = following(self._told, self._rows, period, self._offset)
            if self._interval:
                self._at = _moment(due, wall, now)
                due = (self._read // self._interval + 1) * self._interval
            reports._measure_at = _moment(due, wall, now)
        self._set = reports._measure_at


def _moment(due, wall, now):
    """A moment of the clock (Unix s) in ms; what is past is due now."""
    return now + max(due - wall, 0) * 1000
