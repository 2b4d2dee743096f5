"""What the settings of a policy that have to do with time do on this device. Loaded when they change, and dropped.

They are few devices' business: what puts them into effect is loaded while one of them is set, and no longer.
"""

from ..overlay import drop

TIMES = 2, 3, 4, 8, 9  # jitter, measurement interval, schedule, thresholds, maintenance windows
_LOADED = "north.timing north.alarms engine.timetable engine.thresholds"


def apply(agent, now, settings, offset):
    """As in obeying.py, which has set the report period."""
    timing = agent.timing
    if [key for key in TIMES if settings.get(key)]:
        if not timing:
            from .timing import Timing

            agent.timing = timing = Timing(agent, now)
            agent._compose()
        timing.obey(now, settings, offset)
    elif timing:
        timing.end(now)
        agent.timing = None
        agent._compose()
        drop(*_LOADED.split())
