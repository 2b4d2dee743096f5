"""SIMCom SIM7000: as SIM7080, with the commands' older forms (SIM7000 Series TCPUDP(S) Application Note).

It hangs when it is asked for more than has come, and when it is asked what has come while no socket is open; so both
are asked first, and only what there is is read (TinyGSM's notes).
"""

from ..codec import at
from . import generic
from .simcom70 import *  # noqa: F403 - a family is a namespace, and this one is that of SIM7080 but for a few names

INIT = "\nAT+CBATCHK=1\nAT+CGEREP=2,1\n"
_ACTIVE_MS = 60000
_GONE_MS = 5000


def connect(apn):
    """Activate the network for this APN, anew in any case. Returns "" or why it was refused."""
    if (yield from active()):
        yield from disconnect()
    yield 'AT+CGDCONT=1,"IP","%s"' % apn
    line = yield from generic.answer('AT+CNACT=1,"%s"' % apn, "+APP PDP:", _ACTIVE_MS)
    if line and at.fields(line)[-1] == "ACTIVE":
        return ""
    yield from disconnect()
    return line or "no network"


def active():
    """Whether the network is active."""
    ok, lines = yield "AT+CNACT?"
    return ok and bool(lines) and at.fields(lines[0])[0] == "1"


def disconnect():
    """Deactivate it, and with it every socket."""
    yield from generic.answer("AT+CNACT=0", "+APP PDP:", _GONE_MS)


def open_socket(number, host, port):
    """Open UDP socket `number` to one peer (the modem resolves names); its number, or None."""
    for command in ("AT+CACID=%d", "AT+CASSLCFG=%d,ssl,0", "AT+CASSLCFG=%d,protocol,1"):
        yield command % number
    line = yield from generic.answer('AT+CAOPEN=%d,"%s",%d' % (number, host, port), "+CAOPEN:", _ACTIVE_MS)
    if line and at.fields(line) == [str(number), "0"]:
        return number
    yield "AT+CACLOSE=%d" % number
    return None


def receive(number):
    """Take one datagram from a socket; None when there is none, False when the socket is closed.

    The notice of a closing socket looks like the answer about one, and may come inside that.
    """
    ok, lines = yield "AT+CASTATE?"
    states = [at.fields(line)[:2] for line in lines]
    if not ok:
        return None
    if [str(number), "1"] not in states or [str(number), "0"] in states:
        return False
    ok, lines = yield "AT+CARECV?"
    for line in lines if ok else ():
        parts = [at.number(part) for part in at.fields(line)]
        if parts[:1] == [number] and parts[1:] > [0]:
            _, lines = yield "AT+CARECV=%d,%d" % (number, parts[1])
            return lines[1] if len(lines) > 1 and isinstance(lines[1], bytes) else None
    return None
