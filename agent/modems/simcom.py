"""SIMCom SIM7500 and SIM7600, and what the A76xx shares with them: sockets by +NETOPEN, +CIPOPEN, +CIPSEND, +CIPRXGET
(SIM7500_SIM7600 Series TCPIP Application Note).

A UDP socket is open to anybody: each datagram is sent with its destination, which must be an address, so names are
resolved first. What came is kept by the modem and read when we ask (+CIPRXGET=1).
"""

from ..codec import at
from . import context, generic

# SIM insertion is reported where the holder can tell; contexts are; the time zone is not.
INIT = "\nAT+UIMHOTSWAPON=1\nAT+CGEREP=2,1\nAT+CTZR=0\n"
ICCID = "AT+CICCID"
TRIES = "AT+SPIC"
PREFIXES = {"AT+CICCID": "+ICCID:", "AT+CIPRXGET": "+CIPRXGET: 2,"}
COUNTED = {"+CIPRXGET": 2}
SOCKETS = 4
TIMEOUTS = {"AT+NETOPEN?": 5000, "AT+NETOPEN": 75000, "AT+NETCLOSE": 60000, "AT+CIPOPEN": 75000, "AT+CIPSEND": 15000,
            "AT+CIPCLOSE": 15000, "AT+CDNSGIP": 15000, "AT+CRESET": 10000, "AT+CPOF": 10000}  # fmt: skip
POWER = "500 500 25000 8000"  # *not verified*: taken from boards with a SIM7600
OFF = "AT+CPOF"
RESET = "AT+CRESET"
DIAL = "ATD*99#"
# Command mode; send without waiting; numbers, not texts, for errors; what came is kept, and bare.
_SETUP = (
    "AT+CIPMODE=0\nAT+CIPSENDMODE=0\nAT+CIPCCFG=10,0,0,0,1,0,75000\nAT+CIPTIMEOUT=75000,15000,15000\nAT+CIPSRIP=0\n"
    "AT+CIPRXGET=1"
)
_OPEN_MS = 75000  # from OK to +NETOPEN
_SHORT_MS = 15000  # the same to +CIPOPEN, +CDNSGIP, +NETCLOSE
_PORT = 50000  # local, of the first socket


def event(line):
    """As generic.event; sockets by +CIPRXGET and +IPCLOSE, the context by +CIPEVENT, the SIM by +SIMCARD."""
    parts = at.fields(line)
    if line.startswith("+CIPRXGET:") and parts[0] == "1" or line.startswith("+CADATAIND:"):  # that of some A7670
        number = at.number((parts[line.startswith("+CIP") :] + [""])[0])
        return None if number is None else ("recv", number)
    if line.startswith("+IPCLOSE:") and at.number(parts[0]) is not None:
        return "closed", at.number(parts[0])
    if line.startswith("+CIPEVENT:"):
        return "context", None
    if line.startswith("*ATREADY:"):
        return ("boot",)
    if line.startswith("+SIMCARD:"):
        return "sim", "NOT" not in line
    return generic.event(line)


def connect(apn):
    """Open the network with context 1 for this APN; one that is open with it already is kept.

    Returns "" or why it was refused.
    """
    same = yield from context.defined(apn)
    if (yield from active()):
        if same:
            for number in range(SOCKETS):
                yield from close_socket(number)
            return ""
        yield from disconnect()
    if not same:
        ok, lines = yield 'AT+CGDCONT=1,"IP","%s"' % apn
        if not ok:
            return lines[-1]
    for command in _SETUP.split("\n"):
        yield command
    line = yield from generic.answer("AT+NETOPEN", "+NETOPEN:", _OPEN_MS)
    if line and at.fields(line) == ["0"]:
        return ""
    yield from disconnect()
    return line or "no network"


def active():
    """Whether the network is open."""
    ok, lines = yield "AT+NETOPEN?"
    return ok and bool(lines) and at.fields(lines[0])[0] == "1"


def disconnect():
    """Close the network and all sockets; the modem wants this also after the network was lost."""
    yield from generic.answer("AT+NETCLOSE", "+NETCLOSE:", _SHORT_MS)


def open_socket(number, host, port):
    """Open UDP socket `number`; (number, address, port) for the other procedures, or None."""
    address = host
    if host.strip("0123456789."):
        line = yield from generic.answer('AT+CDNSGIP="%s"' % host, "+CDNSGIP:", _SHORT_MS)
        address = (at.fields(line or "") + ["", "", ""])[2]
    line = None
    if address:
        line = yield from generic.answer('AT+CIPOPEN=%d,"UDP",,,%d' % (number, _PORT + number), "+CIPOPEN:", _SHORT_MS)
        if line and at.fields(line) == [str(number), "0"]:
            return number, address, port
    yield from close_socket(number)
    return None


def send(socket, data):
    """Send one datagram; "" when the modem took it, else why the socket is no good."""
    number, address, port = socket
    ok, lines = yield ('AT+CIPSEND=%d,%d,"%s",%d' % (number, len(data), address, port), data)
    return "" if ok else lines[-1]


def receive(socket):
    """Take one datagram from a socket; None when there is none."""
    _, lines = yield "AT+CIPRXGET=2,%d,1500" % socket[0]
    return lines[1] if len(lines) > 1 and isinstance(lines[1], bytes) else None


def close_socket(socket):
    """Close a socket (what open_socket gave, or a number); that it was closed already is no error."""
    yield "AT+CIPCLOSE=%d" % (socket[0] if isinstance(socket, tuple) else socket)
