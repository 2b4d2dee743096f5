"""Joins to the agent what a policy says about time: when it measures and reports (rhythm.py), what is told at once
(alarms.py), and when the device may be restarted.

Loaded while a policy sets any of it (obeying_times.py), and then kept.
"""

from ..engine.timetable import opening
from ..overlay import drop

_JITTER, _INTERVAL, _SCHEDULE, _LIMITS, _WINDOWS = 2, 3, 4, 8, 9
_LOOK_S = 60  # between two looks at a window that is closed: the clock may be set meanwhile
_CLOCKLESS_MS = 86400000  # who does not know the time for a day need not wait any longer


class Timing:
    """The agent's engine `timing`."""

    _rhythm = _alarms = None
    _windows = ()
    _read = None  # ms: of the last reading that was looked at
    _waits = False  # to be restarted
    _look_at = _let = None  # ms: the next look at the window; the restart that may be

    def __init__(self, agent, now):
        self._agent, self._since = agent, now

    def obey(self, now, settings, offset):
        """These settings hold from now on: {number: value}. offset: of the reports (s)."""
        agent, get = self._agent, settings.get
        self._windows, self._look_at = get(_WINDOWS, ()), now
        self._rest(now)
        if get(_JITTER) or _INTERVAL in settings or _SCHEDULE in settings:
            from .rhythm import Rhythm

            self._rhythm = Rhythm(agent, now, get(1), get(_INTERVAL), get(_SCHEDULE, ()), offset)
        if _LIMITS not in settings:
            self._alarms = None
        elif not self._alarms or self._alarms.rows != settings[_LIMITS]:
            from .alarms import Alarms

            self._alarms, self._read = Alarms(settings[_LIMITS]), agent.reports._last

    def end(self, now):
        """No policy says anything about time any more."""
        self._windows, self._alarms = (), None
        self._rest(now)
        self._open(now)

    def answered(self, handle, response, now):
        """-> whether it was about an alarm."""
        return bool(self._alarms) and self._alarms.answered(handle, response, now)

    def closed(self, now=None):
        """How long the device is not to be restarted (s; it may be less), 0: it may. now: None where not known."""
        wall = self._agent.wall()
        if wall or not self._windows:
            return min(opening(self._windows, wall), _LOOK_S)
        return _LOOK_S if now is None or now - self._since < _CLOCKLESS_MS else 0

    def poll(self, now):
        for part in (self._rhythm, self._alarms):
            if part:
                part.poll(now)
        if self._waits and now >= self._look_at:
            self._open(now)

    def deadline(self):
        """When poll() has something to do (ms), or None."""
        found = [part.deadline() for part in (self._rhythm, self._alarms) if part]
        found = [at for at in found + [self._look_at if self._waits else None] if at is not None]
        return min(found) if found else None

    def take(self):
        """-> [("do",)] where there is something to do: after the engine of reports, so that a reading that is due at
        the same time goes along."""
        agent = self._agent
        due = self._rhythm and self._rhythm.due or self._alarms and (self._is_read() or self._alarms.is_due(agent))
        return [("do",)] if due or agent._reset_at not in (None, self._let) else ()

    def do(self, agent, now):
        """All that there is to do."""
        alarms, rhythm = self._alarms, self._rhythm
        if alarms and self._is_read():
            self._read = agent.reports._last
            if alarms.look(agent, now) and rhythm:
                rhythm.due = True
        if rhythm and rhythm.due:
            rhythm.release(now)
        if alarms and alarms.is_due(agent):
            alarms.tell(agent, now)
        if agent._reset_at not in (None, self._let):
            self._hold(agent, now)

    def _is_read(self):
        return self._agent.reports._last != self._read

    def _hold(self, agent, now):
        """Somebody wants the device restarted."""
        if not self.closed(now):
            self._let = agent._reset_at
            return
        agent._reset_at, self._waits, self._look_at = None, True, now
        agent.log.info(now, "policies", "restart waits")

    def _open(self, now):
        wait = self.closed(now)
        self._look_at = now + wait * 1000
        if self._waits and not wait:
            self._waits, self._agent._reset_at, self._let = False, now, now

    def _rest(self, now):
        if self._rhythm:
            self._rhythm.end(now)
            self._rhythm = None
            drop("north.rhythm")
