"""Entering the SIM's PIN without ever spending its last tries: a part of the modem engine, loaded for a locked SIM.

Three wrong PINs and only the operator can open the SIM again (TS 31.101 14.6, PUK). So a PIN that has failed with a
SIM is not entered again with it, the last try is always left to people, and an attempt is written down before it is
made: power that fails in the middle of one costs no second one. What is kept is no PIN but a hash of SIM and PIN.

`modem` is the Modem; its memory's row "pin" is a list of [mark of the SIM, mark of SIM and PIN, attempts whose end is
not known (_FAILED: it was wrong), whether it has been right before].
"""

from hashlib import sha256

from ..codec import at, at_sim
from ..errors import RemoteError

try:
    from micropython import const
except ImportError:
    const = lambda value: value

_FAILED = const(9)
_TRIES = const(3)  # that a SIM gives
_KEPT = const(4)  # combinations remembered
_BUSY, _NOT_RUN = 14, (3, 13, 15)  # +CME ERROR: 14 it was not looked at; or who knows
_LAG_S = const(10)  # for the modem to notice that the SIM is open


def unlock(modem, ask):
    """Enter the PIN where that is safe. Returns "" when it was right, else why the SIM stays locked.

    `ask` is modem_bringup's way to ask for one piece of identity.
    """
    if not modem._pin:
        return "SIM PIN: none is set"
    yield from ask(modem, "iccid", modem._channel.of("ICCID"), at.iccid)
    left = yield from _left(modem)
    doubts, proven = _recall(modem)
    reason = objection(left, doubts, proven, _others(modem))
    if reason:
        return "SIM PIN: " + reason
    before = modem._memory
    if not (yield from _note(modem, doubts + 1, proven)):
        modem._memory = before
        return "SIM PIN: it cannot be written down that it is tried"
    ok, lines = yield 'AT+CPIN="%s"' % modem._pin
    if not ok:
        return (yield from _refused(modem, at.cause(lines[-1]), doubts, proven))
    yield from _note(modem, 0, True)
    for _ in range(_LAG_S):
        ok, lines = yield "AT+CPIN?"
        if not ok or modem._parsed(at.sim, lines) != "SIM PIN":
            return ""
        yield 1000
    return "SIM PIN: the modem asks for it again"


def objection(left, doubts, proven, others):
    """Why the PIN shall not be entered, or "".

    left: tries that the SIM has, None when the modem cannot tell; doubts: attempts of this combination whose end is
    not known; others: different PINs that may have been wrong with this SIM.
    """
    if doubts >= _FAILED:
        return "this one was wrong before"
    if left is not None and left < 2:
        return "%d tries left, and none is risked" % left
    if doubts and (left is None and (doubts > 1 or not proven) or (left or _TRIES) < _TRIES):
        return "how the last attempt ended is not known"
    if left is None and others > _TRIES - 2:
        return "one try may be left, and it is not risked"
    return ""


def settled(modem):
    """The SIM is open: an attempt whose end was not known was right."""
    doubts, _ = _recall(modem)
    if 0 < doubts < _FAILED:
        yield from _note(modem, 0, True)


def _refused(modem, cause, doubts, proven):
    if cause == _BUSY:
        yield from _note(modem, doubts, proven)
        return "SIM busy"
    if cause in _NOT_RUN:
        return "SIM PIN: refused (%s)" % cause
    yield from _note(modem, _FAILED, False)
    return "SIM PIN: wrong"


def _left(modem):
    """How many tries the SIM has left, or None."""
    ok, lines = yield modem._channel.of("TRIES")
    try:
        return at_sim.tries(lines).get("pin") if ok else None
    except RemoteError:
        return None


def _marks(modem):
    sim = modem.identity.get("iccid", "?")
    return sha256(sim.encode()).digest()[:6], sha256(("%s:%s" % (sim, modem._pin)).encode()).digest()[:6]


def _recall(modem):
    """(doubts, proven) of this SIM and PIN."""
    mark = _marks(modem)[1]
    for row in modem._memory.get("pin", ()):
        if row[1] == mark:
            return row[2], row[3]
    return 0, False


def _others(modem):
    sim, mark = _marks(modem)
    return len([row for row in modem._memory.get("pin", ()) if row[0] == sim and row[1] != mark and row[2]])


def _note(modem, doubts, proven):
    """Remember how it stands; a right PIN settles what is known of other ones. Whether that is written durably."""
    sim, mark = _marks(modem)
    rows = [row for row in modem._memory.get("pin", ()) if row[1] != mark and not (proven and row[0] == sim)]
    modem._keep("pin", rows[1 - _KEPT :] + [[sim, mark, doubts, proven]])
    yield 0
    return modem._memory.get("kept", False)
