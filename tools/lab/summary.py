"""The lab's verdict, computed from the servers' own records and the lab's own acts - never from what an agent says.

`Registration` and `Reading` are rows of the servers' books; `Moments` says when the lab did something to a device (Unix
seconds, the same clock as the books: all of it runs on one machine).
"""

from dataclasses import dataclass
from typing import NamedTuple

PLATFORM = "platform"  # the platform's name in the books; any other server is a gateway
FIRST_ATTEMPT_MS = 1000  # the servers' ACK_TIMEOUT: what took longer was sent again
_CROWD = 5  # so many devices more, and an exchange may take that much longer: one process serves them all


class Registration(NamedTuple):
    """One registration record: `via` names the gateway that made it, None when the device registered itself."""

    server: str
    endpoint: str
    epoch: int | None
    via: str | None
    opened_at: float
    closed_at: float | None


class Reading(NamedTuple):
    """One reading in the platform's books."""

    endpoint: str
    sequence: int
    value: float
    received_at: float
    time: float | None = None  # when it was taken, as the device says


@dataclass
class Moments:
    """What the lab did to one device, and when (Unix s); how often its power was cut; the act that did not happen."""

    pulled_at: float | None = None
    plugged_at: float | None = None
    cuts: int = 0
    broken: str = ""


def overlap_s(one, other, now):
    """The longest time (s) in which a record of `one` and a record of `other` were live together."""
    longest = 0.0
    for a in one:
        for b in other:
            start = max(a.opened_at, b.opened_at)
            end = min(a.closed_at or now, b.closed_at or now)
            longest = max(longest, end - start)
    return longest


def delay_ms(registrations, since):
    """From `since` to the first of these records opened after it (ms); None when there is none."""
    if since is None:
        return None
    later = [r.opened_at for r in registrations if r.opened_at >= since]
    return (min(later) - since) * 1000 if later else None


def lost(readings, cuts=0):
    """How many readings are missing from the books.

    Two ways to count, and the worse one is believed: sequences between 1 (a device's first) and the last one that are
    not there; and values of the meter that are not there, which the device could have taken without giving them a
    number. A power cut in the middle of the write may take the one measurement that was being written: nobody had
    been promised it.
    """
    have, values = {r.sequence for r in readings}, {int(r.value) for r in readings}
    if not have:
        return 0
    never_written = max(values) - len(values) - cuts
    return max(max(have) - len(have), never_written, 0)


def duplicated(readings):
    """Rows that say what another row has said: the same sequence twice, or one measurement under two sequences.

    The simulated board's meter never shows the same value twice, so an equal value is the same measurement.
    """
    sequences = {r.sequence for r in readings}
    values = {r.value for r in readings}
    return max(len(readings) - len(sequences), len(readings) - len(values))


def device(registrations, readings, moments, exchange_ms, now):
    """The figures of one device under the summary's names. registrations: all of this device, of both registrars; what
    is still open counts up to `now`; exchange_ms: the gateway-platform exchange about this device, or None."""
    at_gateway = [r for r in registrations if r.server != PLATFORM]
    direct = [r for r in registrations if r.server == PLATFORM and not r.via]
    return {
        "readings": len(readings),
        "lost": lost(readings, moments.cuts),
        "duplicated": duplicated(readings),
        "failover_ms": _ms(delay_ms(direct, moments.pulled_at)),
        "failback_ms": _ms(delay_ms(at_gateway, moments.plugged_at)),
        # W2: the platform's record via the gateway is the gateway's own of its device: the same track
        "double_registration_ms": _ms(overlap_s(at_gateway, direct, now) * 1000),
        "exchange_ms": _ms(exchange_ms),
        "broken": moments.broken,
    }


def _ms(value):
    return None if value is None else round(value, 1)


def _worst(figures, name):
    values = [f[name] for f in figures if f[name] is not None]
    return max(values) if values else None


def verdict(figures, devices=1):
    """Whether one device's figures are what the story promises, as one of so many.

    The bound of a double registration is one gateway-platform exchange, and of all those exchanges the very one that
    ends it: the device registers with the platform while its cable is dead, so nobody can tell the gateway but the
    platform. The gateway must have dropped its record before it has answered this word, and the word must have got
    through at the first attempt: an exchange with a retransmission would be an excuse for any figure.
    Among many devices such a word waits for its turn.
    """
    double, exchange = figures["double_registration_ms"], figures["exchange_ms"]
    return (
        not figures["broken"]
        and figures["readings"] > 0
        and figures["lost"] == 0
        and figures["duplicated"] == 0
        and figures["failover_ms"] is not None
        and figures["failback_ms"] is not None
        and exchange is not None
        and double <= exchange <= FIRST_ATTEMPT_MS * (1 + devices // _CROWD)
    )


def summarise(by_device):
    """The last line of `--json`: sums of readings, worst case of times, `ok` only when every device is.

    by_device: {endpoint: device(...)}; each gets its own `ok`.
    """
    figures = list(by_device.values())
    total = {name: sum(f[name] for f in figures) for name in ("readings", "lost", "duplicated")}
    for name in ("failover_ms", "failback_ms", "double_registration_ms", "exchange_ms"):
        total[name] = _worst(figures, name)
    for f in figures:
        f["ok"] = verdict(f, len(figures))
    total["ok"] = bool(figures) and all(f["ok"] for f in figures)
    return total
