"""What a policy says about time, put into effect: how often is measured and how often reported, and when in the day.

Loaded while a policy sets any of it (obeying_times.py), and then kept.
"""

from ..engine.timetable import following

INTERVAL, SCHEDULE = 3, 4
_LOOK_MS = 60000  # until a device without a clock is asked for the time again
_SET_MS = 2000  # the clock was set: it is another time of day by that much


class Timing:
    """The agent's engine `timing`. With a clock, readings are taken at whole intervals of it, so that those of all
    devices can be added up; reports are due as the schedule has it, or at whole periods, later by the device's own
    offset, so that devices that hear the same do not all report at once. Without one both follow upon the one before,
    and the schedule waits."""

    _interval = _period = None
    _rows = ()
    _offset = 0
    _ahead = None  # ms: what the clock was ahead of `now`
    _read = _told = 0  # Unix s: what is due after these comes next
    _since = 0  # ms: the same without a clock
    _due = _look = None  # ms: the next report, where it is not the next reading; the next look at the clock
    _report = False

    def __init__(self, agent):
        self._agent = agent

    def obey(self, now, settings, offset):
        """These settings hold from now on: {number: value}. offset: of the reports (s)."""
        reports, wall = self._agent.reports, self._agent.wall()
        self._interval, self._rows, self._period = settings.get(INTERVAL), settings.get(SCHEDULE, ()), settings.get(1)
        self._offset, self._since, self._read, self._told = offset, now, wall, wall
        self._ahead = wall and wall * 1000 - now
        self._last = reports._last
        reports._held = None
        if self._interval:
            reports.set_period(self._interval * 1000, now)
            reports._held = reports.journal.next_seq - 1
        reports._advance(now)
        if offset and not wall:
            reports._measure_at = now + offset * 1000
        self._aim(now, wall)

    def end(self, now):
        """No policy says anything about time any more."""
        reports = self._agent.reports
        reports._held = None
        reports._advance(now)

    def poll(self, now):
        wall = self._agent.wall()
        if abs((wall and wall * 1000 - now) - self._ahead) >= _SET_MS:
            self._ahead, self._read, self._told, self._set = wall and wall * 1000 - now, wall, wall, None
        reports = self._agent.reports
        if reports._last != self._last:
            self._last, self._read = reports._last, wall
            self._told = self._told if self._interval else wall
        if self._due is not None and now >= self._due:
            self._report, self._since, self._told, self._set = True, now, wall, None
        if reports.journal.count * 2 > self._agent.settings.get("outbox_max"):
            self._report = True  # none is lost for want of room
        if reports._measure_at != self._set or (self._look is not None and now >= self._look):
            self._aim(now, wall)

    def deadline(self):
        """When poll() has something to do (ms), or None; readings are the business of the engine of reports."""
        if self._due is None or (self._look is not None and self._look < self._due):
            return self._look
        return self._due

    def take(self):
        """-> [("do",)] where there is something to do: after the engine of reports, so that a reading that is due at
        the same time goes along."""
        return [("do",)] if self._report else ()

    def do(self, agent, now):
        """What has been read up to now may go."""
        self._report = False
        agent.reports._held = agent.reports.journal.next_seq - 1
        agent.reports._advance(now)

    def _aim(self, now, wall):
        """When the next reading is to be taken, and the next report is due."""
        reports, period = self._agent.reports, self._period or self._agent.settings.get("report_period_s")
        self._due = self._look = None
        if not wall:
            self._look = now + _LOOK_MS
            if self._interval:
                self._due = self._since + period * 1000
        else:
            due = following(self._told, self._rows, period, self._offset)
            if self._interval:
                self._due = _moment(due, wall, now)
                due = (self._read // self._interval + 1) * self._interval
            reports._measure_at = _moment(due, wall, now)
        self._set = reports._measure_at


def _moment(due, wall, now):
    """A moment of the clock (Unix s) in ms; what is past is due now."""
    return now + max(due - wall, 0) * 1000
