"""SIMCom SIM7070, SIM7080, SIM7090: sockets by +CNACT, +CAOPEN, +CASEND, +CARECV (SIM7070_SIM7080_SIM7090 Series
TCPUDP(S) Application Note). What came is kept by the modem; it hands it over inside the line "+CARECV: 3,abc".
"""

from ..codec import at
from . import generic

INIT = "\nAT+CBATCHK=1\nAT+CGEREP=2,1\n"
ICCID = "AT+CCID"
PREFIXES = {"AT+CNACT?": "+CNACT:", "AT+CNACT": "+APP PDP:"}
COUNTED = {"+CARECV": (0, b",")}
SOCKETS = 4
TIMEOUTS = {"AT+CNACT?": 5000, "AT+CNACT": 60000, "AT+CAOPEN": 75000, "AT+CASEND": 15000, "AT+CACLOSE": 10000,
            "AT+CPOWD": 10000}  # fmt: skip
POWER = "1500 100 10000 5000"
OFF = "AT+CPOWD=1"
_ACTIVE_MS = 60000  # from OK to +APP PDP
_GONE_MS = 5000
_MAX = 1459  # bytes in a datagram


def event(line):
    """As generic.event; sockets by +CADATAIND and +CASTATE, the context by +APP PDP."""
    number = at.number(at.fields(line)[0])
    if line.startswith("+APP PDP:") and "DEACTIVE" in line:
        return "context", None
    if number is not None and line.startswith("+CADATAIND:"):
        return "recv", number
    if number is not None and line.startswith("+CASTATE:") and at.fields(line)[1:2] == ["0"]:
        return "closed", number
    return generic.event(line)


def connect(apn):
    """Activate the network's first connection for this APN; one that is active with it already is kept.

    Returns "" or why it was refused.
    """
    same = yield from _defined(apn)
    if (yield from active()):
        if same:
            for number in range(SOCKETS):
                yield from close_socket(number)
            return ""
        yield from disconnect()
    if not same:
        yield 'AT+CGDCONT=1,"IP","%s"' % apn  # what it attaches with, from the next time on
        ok, lines = yield 'AT+CNCFG=0,1,"%s"' % apn
        if not ok:
            return lines[-1]
    line = yield from generic.answer("AT+CNACT=0,1", "+APP PDP:", _ACTIVE_MS)
    if line and at.fields(line)[-1] == "ACTIVE":
        return ""
    yield from disconnect()
    return line or "no network"


def _defined(apn):
    ok, lines = yield "AT+CNCFG?"
    for line in lines:
        if ok and at.fields(line)[:3] == ["0", "1", apn]:
            return True
    return False


def active():
    """Whether the network's first connection is active."""
    ok, lines = yield "AT+CNACT?"
    for line in lines:
        if ok and at.fields(line)[:2] == ["0", "1"]:
            return True
    return False


def disconnect():
    """Deactivate it; that it was inactive already is no error."""
    yield from generic.answer("AT+CNACT=0,0", "+APP PDP:", _GONE_MS)


def open_socket(number, host, port):
    """Open UDP socket `number` to one peer (the modem resolves names); its number, or None."""
    line = yield from generic.answer('AT+CAOPEN=%d,0,"UDP","%s",%d' % (number, host, port), "+CAOPEN:", _ACTIVE_MS)
    if line and at.fields(line) == [str(number), "0"]:
        return number
    yield from close_socket(number)
    return None


def send(number, data):
    """Send one datagram; "" when the modem took it, "full" when it is too long, else why the socket is no good."""
    if len(data) > _MAX:
        return "full"
    ok, lines = yield ("AT+CASEND=%d,%d" % (number, len(data)), data)
    return "" if ok else lines[-1]


def receive(number):
    """Take one datagram from a socket; None when there is none."""
    _, lines = yield "AT+CARECV=%d,%d" % (number, _MAX)
    return lines[1] if len(lines) > 1 and isinstance(lines[1], bytes) else None


def close_socket(number):
    """Close a socket; that it was closed already is no error."""
    yield "AT+CACLOSE=%d" % number
