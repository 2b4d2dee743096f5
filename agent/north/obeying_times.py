"""What the settings of a policy that have to do with time do on this device. Loaded when they change, and dropped.

They are few devices' business: what puts them into effect is loaded while one of them is set, and no longer.
"""

from ..overlay import drop

TIMES = 2, 3, 4  # jitter, measurement interval, schedule
_LOADED = "north.timing engine.timetable"


def apply(agent, now, settings, offset):
    """As in obeying.py, which has set the report period."""
    timing = getattr(agent, "timing", None)
    if [key for key in TIMES if settings.get(key)]:
        if not timing:
            from .timing import Timing

            agent.timing = timing = Timing(agent)
            agent._compose()
        timing.obey(now, settings, offset)
    elif timing:
        timing.end(now)
        agent.timing = None
        agent._compose()
        drop(*_LOADED.split())
