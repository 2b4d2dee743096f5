"""Times of the day (UTC) in a policy: when the next report is due, and whether a maintenance window is open.

Rows are as policy_rules.py lets them through: they ascend and do not overlap; what spans midnight is two rows. Loaded
while a policy says such a thing.
"""

_DAY_S = 86400


def following(wall, rows, period_s, offset):
    """The first moment after `wall` (Unix s) at which a report is due. rows: [(start, end, period in s)]: from `start`
    on and each period after it, before `end`. At other times of the day: each whole `period_s` of the clock.
    offset: s that all of it is later on this device."""
    at = wall - offset + 1
    while True:
        midnight, begins, ends, period = _part(at, rows, period_s)
        origin = midnight + begins if midnight is not None else 0
        due = at + (origin - at) % period
        if ends is None or due < ends:
            return due + offset
        at = ends


def _part(at, rows, period_s):
    """-> (its midnight, start, end in Unix s, period) of the row that `at` (Unix s) is in; between rows the midnight is
    None and the end that of the gap, None where there are no rows."""
    second = at % _DAY_S
    midnight = at - second
    for start, end, period in rows:
        if second < start:
            return None, 0, midnight + start, period_s
        if second < end:
            return midnight, start, midnight + end, period
    return None, 0, midnight + _DAY_S + rows[0][0] if rows else None, period_s


def opening(windows, wall):
    """How long it takes until one of these windows [(start, end)] is open (s); 0: one is, or there are none."""
    second = wall % _DAY_S
    waits = [0 if start <= second < end else (start - second) % _DAY_S for start, end in windows]
    return min(waits) if waits else 0
