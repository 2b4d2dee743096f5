"""group.200.*: a signed policy to 200 MicroPython agents, each a process in a network namespace of its own, behind one
gateway: one datagram on the LAN, and who has acknowledged when, by what crosses the LAN (street.py).

The window is one in which two processors can verify 200 signatures; a round that needs a second datagram is none.
"""

import functools

from street import NAME, Street
from two_wans import missing

from pointsman.tools.faults import Fault
from pointsman.tools.groups.planning import Terms

WINDOW_S = 15
_LONGEST_S = 180


def measure(quick=False, figure="last_s"):
    """One row."""
    reason = missing()
    if reason:
        raise Fault("no street can be laid here: " + reason, "run it as root")
    count, rounds = (40, 3) if quick else (200, 20)
    found = _played(count, rounds)
    return [{"value": found[figure], "interpreter": "micropython", "n": count}]


@functools.cache
def _played(count, rounds):
    try:
        with Street(count) as street:
            return street.play(lambda street: _story(street, rounds))
    except AssertionError as problem:
        raise Fault(str(problem), "run it again") from problem


async def _story(street, rounds):
    await street.start()
    took = [await _pushed(street, version) for version in range(1, rounds + 1)]
    every, _ = street.memory()
    return {"last_s": round(max(took), 2), "process_kib": round(every / street.count)}


async def push(street, version, window_s):
    """One round, until all have acknowledged; -> what the platform has sent."""
    pushes = street.platform.pushes
    street.wire.forget()
    terms = Terms(rate=max(1, street.count // window_s))
    await pushes.push(NAME, street.signed(version, {1: 900 + version}), terms)
    await street.until(lambda: pushes.status(NAME, version)["state"] == "complete", "answers", _LONGEST_S)
    return pushes.status(NAME, version)["sent"]


async def _pushed(street, version):
    """Seconds from the announcement to the last answer. AssertionError: it needed more than one datagram, or one has
    not answered."""
    sent = await push(street, version, WINDOW_S)
    announced, answered = street.wire.announced, street.wire.acknowledged
    await street.until(lambda: len({host for _, host, _ in answered}) == street.count, "sight of the answers", 60)
    assert sent["unicast"] == 0 and len(announced) == 1, "sent %s" % sent
    return max(at for at, _, _ in answered) - announced[0][0]
