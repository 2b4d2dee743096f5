"""The SIM, from the wait for one to who it is: a part of the modem engine, loaded for that and dropped again.

Generators as in modem_ladder.py; `modem` is the Modem. A locked one is modem_pin.py's.
"""

from ..codec import at
from ..overlay import drop

_WAITS_MS = (10000, 30000, 60000, 300000)
_TRIES = 20  # a second apart
_OPEN = ("READY", "SIM PIN2", "SIM PUK2")  # the second PIN is for what we do not use


def initializing(modem):
    """Wait for the SIM, and read who it is."""
    if not (yield from _ready(modem)):
        return modem._event("lost")  # told to go off meanwhile
    yield from ask(modem, "iccid", modem._channel.of("ICCID"), at.iccid)
    if modem._pin and modem._memory.get("pin"):
        yield from _pin().settled(modem)
    drop("engine.modem_pin", "codec.at_sim")
    yield from ask(modem, "imsi", "AT+CIMI", at.imsi)
    modem._out.append(("identity",))
    modem._silent = modem._holds = 0
    modem._event("ready")


def recheck(modem):
    """A SIM was put in that nobody had missed, or was locked: if it is another one, or of no use, start over."""
    known, modem._swapped = modem.identity.get("iccid"), False
    ok, lines = yield "AT+CPIN?"
    status = modem._parsed(at.sim, lines) if ok else at.cause(lines[-1])
    if status in (10, 11, 12, "NOT INSERTED") or str(status)[:3] in ("SIM", "PH-") and status not in _OPEN:
        return modem._forget("lost", "SIM: %s" % (status if ok else "locked or gone"))
    yield from ask(modem, "iccid", modem._channel.of("ICCID"), at.iccid)
    if modem.identity.get("iccid") != known:
        modem._forget("lost", "another SIM")


def ask(modem, key, command, parser):
    """One piece of identity; a SIM that is still busy is asked again."""
    for _ in range(3):
        ok, lines = yield command
        if ok or at.cause(lines[-1]) not in (13, 14):
            break
        yield 1000
    value = modem._parsed(parser, lines) if ok else None
    if value is not None:
        modem.identity[key] = value


def _ready(modem):
    """Wait for the SIM, for ever if need be; False when told to go off meanwhile."""
    busy = 0
    while modem._rung != "off":
        ok, lines = yield "AT+CPIN?"
        status = modem._parsed(at.sim, lines) if ok else at.cause(lines[-1])
        if status in _OPEN:
            if modem.state != "initializing":
                modem._event("answered")
            return True
        if status in ("SIM PIN", 11):
            reason = yield from _pin().unlock(modem, ask)
            if not reason:
                continue
            modem._event("locked", reason)
        elif status == 12 or str(status)[:3] in ("SIM", "PH-"):
            modem._event("locked", "SIM: %s" % status)
        elif status in (10, "NOT INSERTED") or busy == _TRIES:
            modem._event("failed", "no SIM")
        else:
            busy += 1
            yield 1000
            continue
        yield from modem._rescue().hold(modem, _WAITS_MS)
    return False


def _pin():
    from . import modem_pin

    return modem_pin
