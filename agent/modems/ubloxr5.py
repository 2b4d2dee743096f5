"""u-blox SARA-R5: as SARA-R4, but its own IP stack has profiles that are activated by +UPSDA (SARA-R5 AT commands
manual UBX-19047455). Profile 0 is tied to context 1.
"""

from ..codec import at
from . import generic
from .ublox import *  # noqa: F403 - a family is a namespace, and this one is that of SARA-R4 but for a few names
from .ublox import define

TIMEOUTS = {"AT+CGATT": 360000, "AT+UPSDA": 180000, "AT+USOCR": 10000, "AT+USOCO": 120000, "AT+USOWR": 15000,
            "AT+USORF": 10000, "AT+USOCL": 15000, "AT+CPWROFF": 40000, "AT+UPSND": 10000}  # fmt: skip
PREFIXES = {"AT+UPSDA": "+UUPSDA:"}
POWER = "1500 100 1500 13000"
RESET = "AT+CFUN=16"
_UP_MS = 180000  # from OK to +UUPSDA
_ALL = 7  # sockets that the modem has


def connect(apn):
    """Activate profile 0 for this APN; one that is active with it already is kept. "" or why it was refused."""
    reason = yield from define(apn)
    if reason:
        return reason
    if not (yield from active()):
        yield "AT+UPSD=0,0,0"  # IPv4
        yield "AT+UPSD=0,100,1"  # of context 1
        line = yield from generic.answer("AT+UPSDA=0,3", "+UUPSDA:", _UP_MS)
        if not line or at.fields(line)[0] != "0":
            yield from disconnect()
            return line or "no network"
    for number in range(_ALL):  # of a life before
        yield "AT+USOCL=%d" % number
    return ""


def active():
    """Whether profile 0 is active."""
    ok, lines = yield "AT+UPSND=0,8"
    return ok and bool(lines) and at.fields(lines[0])[:3] == ["0", "8", "1"]


def disconnect():
    """Deactivate profile 0; that it was inactive already is no error."""
    yield "AT+UPSDA=0,4"
