"""A modem from power-on to a radio that searches: a part of the modem engine, loaded for that and dropped again.

Generators as in modem_ladder.py, of which they are the lower half; `modem` is the Modem.
"""

from ..codec import at
from ..errors import LinkError
from ..modems import generic

try:
    from micropython import const
except ImportError:
    const = lambda value: value

_SIM_MS = (10000, 30000, 60000, 300000)
_BACKOFF_MS = (1000, 2000, 5000, 10000, 30000)
_FOREVER_MS = const(86400000)
_QUIET_MS = const(1000)  # a late answer would have come by then
_BOOT_TRIES = const(25)  # 18 s: modems take up to 20 s to boot
_SIM_TRIES = const(20)  # a second apart


def unknown(modem):
    """Make it answer, find out who it is, and wait for its SIM."""
    while modem._rung == "off":
        yield _FOREVER_MS
    if modem._dialler:
        yield from modem._dialler.rouse()
    yield from sync(modem, _BOOT_TRIES)
    modem._event("answered")
    yield "ATE0"
    yield "AT+CMEE=1"
    modem.identity = {}
    yield from _ask(modem, "manufacturer", "AT+CGMI", at.text)
    yield from _ask(modem, "model", "AT+CGMM", at.text)
    if modem._auto:
        modem._use(generic.load(*[modem.identity.get(key, "?") for key in ("manufacturer", "model")]) or generic)
    for command in modem._channel.of("INIT").split("\n")[1:-1]:
        yield command
    if (yield from _radio(modem)) == 0:
        yield modem._channel.of("FLIGHT")  # with everything off the SIM cannot be read
    yield from _ask(modem, "revision", "AT+CGMR", at.text)
    yield from _ask(modem, "imei", "AT+CGSN", at.imei)
    if (yield from _sim(modem)):
        yield from _ask(modem, "iccid", modem._channel.of("ICCID"), at.iccid)
        yield from _ask(modem, "imsi", "AT+CIMI", at.imsi)
        modem._out.append(("identity",))
        modem._silent = modem._holds = 0
        modem._event("ready")


def sync(modem, tries, escape=b""):
    """AT until it is answered, and until no late answer can come any more. LinkError when it never is."""
    for attempt in range(1, tries + 1):
        modem._channel.out.append(escape)
        try:
            yield "AT"
            break
        except LinkError:
            if attempt == tries:
                raise
        yield 0 if attempt < 10 else 700
    while modem._channel.stale:
        if not (yield _QUIET_MS):
            modem._channel.stale = 0


def _ask(modem, key, command, parser):
    """One piece of identity; a SIM that is still busy is asked again."""
    for _ in range(3):
        ok, lines = yield command
        if ok or at.cause(lines[-1]) not in (13, 14):
            break
        yield 1000
    value = modem._parsed(parser, lines) if ok else None
    if value is not None:
        modem.identity[key] = value


def _radio(modem):
    """+CFUN: 1 = on, 0 = everything off, 4 = flight mode; None = not told."""
    ok, lines = yield "AT+CFUN?"
    return at.number(at.fields(lines[0])[0]) if ok and lines else None


def _sim(modem):
    """Wait for the SIM, for ever if need be; False when told to go off meanwhile."""
    busy = 0
    while modem._rung != "off":
        ok, lines = yield "AT+CPIN?"
        status = modem._parsed(at.sim, lines) if ok else at.cause(lines[-1])
        if status == "READY":
            if modem.state != "initializing":
                modem._event("answered")
            return True
        if status in (11, 12) or str(status)[:3] in ("SIM", "PH-"):
            modem._event("locked", "SIM: %s" % status)
        elif status in (10, "NOT INSERTED") or busy == _SIM_TRIES:
            modem._event("failed", "no SIM")
        else:
            busy += 1
            yield 1000
            continue
        yield from modem._hold(_SIM_MS)
    return False


def disabled(modem):
    """The radio is off until it is wanted."""
    while modem._rung == "off":
        yield _FOREVER_MS
    modem._event("enable")


def enabling(modem):
    """Switch the radio on, however often it refuses."""
    ok = (yield from _radio(modem)) == 1 or (yield "AT+CFUN=1")[0]
    if not ok:
        return (yield from modem._hold(_BACKOFF_MS))
    for command in "AT+CEREG AT+CGREG AT+CREG".split():
        yield command + "=1"
    modem._event("enabled")
