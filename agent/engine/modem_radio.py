"""The radio, off and on: a part of the modem engine, loaded for that and dropped again.

Generators as in modem_ladder.py; `modem` is the Modem.
"""

from ..codec import at

_BACKOFF_MS = (1000, 2000, 5000, 10000, 30000)


def disabled(modem):
    """The radio is off until it is wanted."""
    if modem._rung == "off":
        return (yield modem._rest())
    modem._event("enable")


def enabling(modem):
    """Switch the radio on, however often it refuses."""
    ok, lines = yield "AT+CFUN?"
    if not (ok and lines and at.number(at.fields(lines[0])[0]) == 1 or (yield "AT+CFUN=1")[0]):
        return (yield from modem._rescue().hold(modem, _BACKOFF_MS))
    if modem._dialler:
        modem._dialler.since = modem._now  # the radio is on; at the latest
    for command in "AT+CEREG AT+CGREG AT+CREG".split():
        yield command + "=1"
    modem._event("enabled")
