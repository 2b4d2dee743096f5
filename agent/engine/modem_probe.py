"""Making a modem answer whatever it was left in - data mode, a multiplexer, a prompt, another speed: a part of the
modem engine, loaded for that and dropped again. Generators as in modem_ladder.py; `modem` is the Modem.
"""

from ..errors import LinkError

try:
    from micropython import const
except ImportError:
    const = lambda value: value

_QUIET_MS = const(1000)  # a late answer would have come by then
_GUARD_MS = const(1100)  # silence before and after +++ (V.250: a second)
TERMINATE = b"~\xff}#\xc0!}%}!} }$=\xc7~"  # LCP Terminate-Request (RFC 1661 5.5); some leave data mode for nothing else
CLOSE_DOWN = b"\xf9\x03\xef\x05\xc3\x01\xf2\xf9"  # ends the multiplexer (27.010 5.4.6.3.3)
_CONTROL = b"\xf9\x03\x3f\x01\x1c\xf9"  # opens its control channel (5.3.1)
_BAUDS = "0 115200 921600 460800 230400 57600 9600"  # 0 is the board's own


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


def leave(modem):
    """Out of a data call or a multiplexer that is on because we, or whoever had the port, were restarted. Whether it
    answers then."""
    for data, wait in ((TERMINATE + _CONTROL + CLOSE_DOWN, _GUARD_MS), (b"+++", _GUARD_MS), (b"\r", 200)):
        modem._channel.out.append(data)  # the last: in command mode +++ is the beginning of a line
        modem._patient = True
        yield wait
    if not (yield from _answers(modem)):
        return False
    try:
        yield "ATH"
    except LinkError:
        pass
    return True


def find(modem):
    """Whether it answers in one mode or another, at one speed or another; at which one is remembered."""
    if (yield from leave(modem)):
        return True
    for baud in [int(word) for word in _BAUDS.split()]:
        modem._out.append(("baud", baud))
        if (yield from _answers(modem)):
            if baud != modem._memory.get("baud", 0):
                modem._keep("baud", baud)
            return True
    modem._out.append(("baud", modem._memory.get("baud", 0)))
    return False


def _answers(modem):
    try:
        yield from sync(modem, 3, b"\r")  # what arrived at another speed must not be the beginning of the line
        return True
    except LinkError:
        return False
