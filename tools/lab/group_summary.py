"""What a group has made of its policy, computed from the servers' own records: when each member obeyed, how its
readings came before and after, what was lost."""

from statistics import median
from typing import NamedTuple

from . import timeline
from .options import FIRST_PERIOD_S, POLICY_PERIOD_S

_TOLERANCE = 0.4  # of a period


class Outcome(NamedTuple):
    """What a member has said of a version, and when (Unix s)."""

    state: str
    reason: str
    way: str
    at: float


def gaps(times):
    """The distances (s) of readings that came at these times."""
    return [b - a for a, b in zip(times, times[1:], strict=False)]


def at_rate(times, outcome):
    """Whether readings have come as the policy says since the member obeyed: there is such a gap."""
    if outcome is None:
        return False
    return any(abs(gap - POLICY_PERIOD_S) < _TOLERANCE * POLICY_PERIOD_S for gap in gaps(_from(times, outcome.at)))


def periods(times, outcome):
    """The usual distance (s) of readings before and after; None: there are too few."""
    at = outcome.at if outcome else float("inf")
    found = gaps([t for t in times if t <= at]), gaps(_from(times, at))
    return [round(median(one), 1) if one else None for one in found]


def device(figures, times, outcome, pushed_at):
    """summary.device() of a member, whose readings came at these times (Unix s), and what its policy adds to that."""
    found = {name: figures[name] for name in ("readings", "lost", "duplicated", "broken")}
    before, after = periods(times, outcome)
    found.update(state=outcome and outcome.state, way=outcome and outcome.way, period_before_s=before,
                 period_s=after, answered_ms=outcome and round((outcome.at - pushed_at) * 1000, 1))
    found["broken"] = found["broken"] or _wrong(found, times, outcome)
    found["ok"] = not found["broken"]
    return found


def _wrong(found, times, outcome):
    """What is not as it should be, in words."""
    if found["state"] != "acknowledged":
        return "it is %s, not acknowledged" % (found["state"] or "not known")
    if not at_rate(times, outcome):
        return "its readings come every %s s, not every %d" % (found["period_s"], POLICY_PERIOD_S)
    if found["lost"] or found["duplicated"]:
        return "lost %d, duplicated %d" % (found["lost"], found["duplicated"])
    return ""


def summarise(by_device, sent, there):
    """The last line of `--json`. sent: {way: messages} of the platform; there: the members that it reached at once."""
    found = list(by_device.values())
    total = {name: sum(f[name] for f in found) for name in ("readings", "lost", "duplicated")}
    times = [by_device[name]["answered_ms"] for name in there]
    total.update(members=len(found), acknowledged=sum(f["state"] == "acknowledged" for f in found), sent=sent,
                 all_answered_ms=max(times) if times and None not in times else None,
                 period_s=[FIRST_PERIOD_S, POLICY_PERIOD_S],
                 ok=bool(found) and all(f["ok"] for f in found))
    return total


def rows(total, devices):
    """(what, figure, remark) for people."""
    yield "members that have obeyed and said so", "%(acknowledged)d of %(members)d" % total, ""
    ways = ", ".join("%d %s" % (count, way) for way, count in total["sent"].items() if count)
    yield "until those who were there had answered", timeline.ms(total["all_answered_ms"]), "messages: " + ways
    yield "readings in the books", total["readings"], "lost %(lost)d, duplicated %(duplicated)d" % total


def _from(times, at):
    """Those after `at`, and the one before them."""
    later = [t for t in times if t > at]
    return times[max(0, len(times) - len(later) - 1):]
