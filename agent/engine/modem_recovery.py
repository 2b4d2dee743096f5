"""What to do about a modem that does not do what it should: a part of the modem engine, loaded when that happens.

The ladder: try again -> speak again (modem_probe.py) -> radio off and on -> restart by command -> the board's reset
line and power key, where it has them. Each rung has an hourly budget, as networks punish what repeats and a SIM's data
plan pays for it (u-blox, SARA-R4 application notes; GSMA TS.34). What is spent of it is kept over power cuts: sparsely,
as flash wears out, so a restart may find less left than there was, but never more.

Generators as in modem_ladder.py; `modem` is the Modem.
"""

from ..errors import LinkError
from ..overlay import drop
from ..table import find

try:
    from micropython import const
except ImportError:
    const = lambda value: value

_HOUR_MS = const(3600000)
_BACKOFF_MS = (1000, 2000, 5000, 10000, 30000)
_REFUSED_MS = (1000, 2000, 5000, 10000, 30000, 60000, 150000)  # so that what may be dialled in an hour lasts an hour
_AHEAD = const(4)  # dials that are written down together
_AGE_MS = const(900000)  # until what is written down is looked at again
# What may be done how often in an hour
_MOST = """
dial 30
toggle 6
reset 2
power 2
on 2
"""
# Searching in vain: minutes on this rung, then what to do; the last row again and again
_VAIN = "5 toggle\n10 reset\n15 toggle\n30 power\n60 reset"
_DENIED = "1 toggle\n5 toggle\n15 toggle\n60 toggle"
_WEAKER = {"power": "reset", "reset": "toggle"}  # where the budget for one is spent
_REFUSALS = const(6)  # dials in a row, for each rung
_FRUITLESS = const(3)  # contexts in a row through which nothing came, for each rung
_RELATED_MS = const(900000)  # between two of these
_GOING_DOWN_MS = const(3000)  # until a modem that is restarting cannot be mistaken for one that has restarted
_POLLED_MS = const(15000)  # of its start-up time it is asked whether it is up


def recover(modem, reason):
    """A command was not answered."""
    from . import modem_probe as probe

    modem._silent += 1
    if modem.state == "connecting":
        back_off(modem, _REFUSED_MS)
        modem._event("refused", reason)
    try:
        yield from probe.sync(modem, 3, b"\x1b")  # ESC ends a prompt that may be open
        if modem._silent < 3:
            return
        steps = ("toggle", "reset", "power") if modem._silent == 3 else ("reset", "power")
    except LinkError:
        modem._sockets.reset()
        if modem._mux:
            modem._mux.close()
        if (yield from probe.find(modem)):
            return modem._event("lost", reason)
        # A modem that never said a word is off or absent rather than stuck.
        steps = ("reset", "power") if modem._heard else ("on", "power")
    modem._sockets.reset()
    for step in steps:
        if (yield from _act(modem, step, reason)):
            return
    modem._event("failed", reason)
    yield from hold(modem, _BACKOFF_MS)


def search(modem, denied):
    """No network for long, or it does not want us: look on, and now and then begin afresh."""
    if denied != (modem.reason[:6] == "denied"):
        modem._event("search", (yield from _cause(modem)) if denied else "")
    rows = (_DENIED if denied else _VAIN).split("\n")
    minutes, step = rows[min(modem._toggles, len(rows) - 1)].split()
    if modem._now - modem._entered >= int(minutes) * 60000:
        modem._toggles += 1
        return (yield from climb(modem, step, modem.reason or "no network"))
    yield 2000 if modem._now - modem._entered < 60000 else 10000


def _cause(modem):
    """Why the network does not want us: "denied", with its number and text where the modem tells (27.007 7.2)."""
    from ..codec import at_errors, at_network

    drop("codec.at_errors", "codec.at_network")
    found = None
    denying = [name for name in ("+CEREG", "+CGREG", "+CREG") if modem._registration.get(name) == 3]
    for name in denying[:1]:
        yield "AT%s=3" % name  # for this one answer
        ok, lines = yield "AT%s?" % name
        yield "AT%s=1" % name
        found = modem._parsed(lambda line: at_network.rejection(line, True), lines) if ok else None
    if not found or found[0]:  # nothing, or the maker's own number
        return "denied"
    return "denied: cause %d, %s" % (found[1], at_errors.equipment_text(100 + found[1]) or "not known")


def refused(modem, reason):
    """Dialling was refused."""
    back_off(modem, _REFUSED_MS)
    modem._event("refused", reason)
    if modem._tries % _REFUSALS == 0:
        yield from climb(modem, _rung(modem._tries // _REFUSALS), reason)


def fruitless(modem):
    """The context was given up because nothing came through. What is to be done besides dialling again."""
    related = modem._now - modem._redialled < _RELATED_MS
    modem._redialled = modem._now
    modem._redials = modem._redials + 1 if related else 1
    return "tidy" if modem._redials % _FRUITLESS else _rung(modem._redials // _FRUITLESS)


def hold(modem, waits):
    """Wait before the next attempt, longer each time; only a strong reason ends it early."""
    modem._patient = True
    modem._holds += 1
    yield _jittered(modem, waits, modem._holds)


def _jittered(modem, waits, attempt):
    wait = waits[min(attempt, len(waits)) - 1]
    return wait + modem._below(wait // 5 + 1)


def _rung(number):
    return ("toggle", "reset", "power")[min(number, 3) - 1]


def climb(modem, step, reason):
    """Do this, or what is weaker when its budget is spent, or nothing."""
    while step not in (None, "tidy") and not (yield from _act(modem, step, reason)):
        step = _WEAKER.get(step)


def back_off(modem, waits=_BACKOFF_MS):
    """How long to wait before the next dial. What has been dialled is written down a few at a time."""
    modem._tries += 1
    modem._dial_at = modem._now + _jittered(modem, waits, modem._tries)
    _record(modem, "dial", _AHEAD)


def _spend(modem, kind):
    """Whether it may be done once more in this hour; then it counts as done."""
    most = int(find(_MOST, kind)[0])
    modem._used[kind] = [at for at in modem._used.get(kind, ()) if modem._now - at < _HOUR_MS]
    if len(modem._used[kind]) >= most:
        return False
    modem._used[kind].append(modem._now)
    if kind in ("reset", "power"):
        _record(modem, kind, 0)
    return True


def _record(modem, kind, ahead):
    """Write down how often something was done in this hour, unless more than that is written already."""
    count = _count(modem, kind)
    known = dict(modem._memory.get("used", {}))
    modem._forget_at = modem._now + _AGE_MS
    if count > known.get(kind, 0) or modem._memory.get("aged"):
        known[kind] = max(known.get(kind, 0), min(count + ahead, int(find(_MOST, kind)[0])))
        modem._memory["aged"] = 0
        modem._keep("used", known)


def _count(modem, kind):
    return len([at for at in modem._used.get(kind, ()) if modem._now - at < _HOUR_MS])


def age(modem):
    """Write down how little of it was in this hour, and how long ago: a restart knows no more than that."""
    used = {kind: _count(modem, kind) for kind in modem._memory["used"]}
    used = {kind: used[kind] for kind in used if used[kind]}
    modem._forget_at = modem._now + _AGE_MS
    modem._memory["aged"] = modem._now - max([max(modem._used[kind]) for kind in used]) if used else 0
    modem._keep("used", used)


def _act(modem, step, reason):
    """Do one thing, if it is possible here and its budget allows. Whether it was done."""
    if step == "toggle":
        able = modem.state in ("enabled", "searching", "registered") and _spend(modem, step)
        if able:
            modem._event("disable", reason)
        return able
    if not _spend(modem, step):
        return False
    hold, pull, boot, down = [int(word) for word in modem._channel.of("POWER").split()]
    if step == "reset":
        modem._channel.out.append(modem._channel.of("RESET").encode() + b"\r")  # whatever it answers
        modem._channel.stale += 1
    modem._heard = False
    modem._forget("lost", reason)
    if step == "power" and len(modem._used[step]) % 2:
        modem._out.append(("power", "reset", pull))
    elif step != "reset":
        if step == "power":
            modem._out.append(("power", "off", hold))
            modem._patient = True
            yield hold + down
        modem._out.append(("power", "on", hold))
    modem._patient = True  # but for the word that it has started
    yield max(_GOING_DOWN_MS, boot - _POLLED_MS)
    return True
