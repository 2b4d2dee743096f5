"""A modem from power-on to who it is: a part of the modem engine, loaded for that and dropped again.

Generators as in modem_ladder.py, of which they are the lower end; `modem` is the Modem. Its SIM comes after this
(modem_sim.py), then its radio (modem_radio.py).
"""

from ..codec import at
from ..errors import LinkError, LocalError
from ..modems import generic
from ..overlay import drop

try:
    from micropython import const
except ImportError:
    const = lambda value: value

_AGE_MS = const(900000)  # as in modem_recovery.py
_QUIET_MS = const(1000)
_INTRODUCTIONS = const(4)  # before a modem is taken for one that nobody knows
_SHY = const(120)  # the same where it does not even say who made it: it is in trouble and will get over it
_MODE_TRIES = const(6)  # 2 s: then it may be in another mode
_BOOT_TRIES = const(25)  # 18 s: modems take up to 20 s to boot


def unknown(modem):
    """Make it answer, and find out who it is."""
    if modem._used is None:
        over = 0 < modem._memory.get("wall", 0) < modem._wall - 3600  # the hour that it counts for
        used = {} if over else modem._memory.get("used", {})
        then = modem._now - modem._memory.get("aged", 0)  # of an earlier life: at the latest
        modem._used = {kind: [then] * used[kind] for kind in used}
        if not over:  # one may have been dialled and not yet written down
            modem._used["dial"] = modem._used.get("dial", []) + [modem._now]
        modem._forget_at = modem._now + _AGE_MS
    if modem._rung == "off":
        return (yield modem._rest())
    if modem._dialler:
        yield from modem._dialler.rouse()
    yield from _answer(modem)
    drop("engine.modem_probe", "engine.modem_recovery")
    yield "ATE0"
    yield "AT+CMEE=1"
    modem.identity = {}
    for asked in range(_SHY):
        yield from _ask(modem, "manufacturer", "AT+CGMI", at.text)
        yield from _ask(modem, "model", "AT+CGMM", at.text)
        if not modem._auto or _known(modem) or (asked >= _INTRODUCTIONS - 1 and "manufacturer" in modem.identity):
            break
        yield _QUIET_MS  # what it says may belong to an earlier question, or be damaged
    for command in modem._channel.of("INIT").split("\n")[1:-1]:
        yield command
    ok, lines = yield "AT+CFUN?"
    if ok and lines and at.number(at.fields(lines[0])[0]) == 0:
        yield modem._channel.of("FLIGHT")  # with everything off the SIM cannot be read
    yield from _ask(modem, "revision", "AT+CGMR", at.text)
    yield from _ask(modem, "imei", "AT+CGSN", at.imei)
    modem._event("answered")


def _known(modem):
    """Use the family's file; whether there is one."""
    family = generic.load(*[modem.identity.get(key, "?") for key in ("manufacturer", "model")])
    modem._use(family or generic)
    return family


def _answer(modem):
    from . import modem_probe as probe

    if modem._memory.get("baud"):
        modem._out.append(("baud", modem._memory["baud"]))
    try:
        yield from probe.sync(modem, _MODE_TRIES)
    except LinkError:
        if not (yield from probe.leave(modem)):
            yield from probe.sync(modem, _BOOT_TRIES)


def _ask(modem, key, command, parser):
    """One piece of identity."""
    ok, lines = yield command
    value = modem._parsed(parser, lines) if ok else None
    if value is not None:
        modem.identity[key] = value


def checked(apn):
    """An APN that a command can carry (TS 23.003 9.1: letters, digits, dots and hyphens)."""
    for char in apn:
        if len(apn) > 100 or char > "z" or not (char.isalpha() or char.isdigit() or char in ".-_"):
            raise LocalError("modem: APN: letters, digits, dots, hyphens; at most 100")
    return apn
