"""u-blox SARA-R4, and what SARA-R5 and LARA-R6 share with it: sockets by +USOCR, +USOCO, +USOWR, +USORF (SARA-R4
AT Commands Manual UBX-17003787). The modem numbers the sockets; data goes out after the prompt "@", at which it wants
to be left alone for 50 ms, and comes in inside the line '+USORF: 0,"192.0.2.1",5683,3,"abc"'.
"""

from ..codec import at
from . import generic

# No banner tells of a restart, so give it one; data as it is, not in hexadecimal; the SIM's state is reported.
INIT = '\nAT+CSGT=1,"RDY"\nAT+UDCONF=1,0\nAT+USIMSTAT=1\nAT+CGEREP=2,1\nAT+CTZR=0\n'
COUNTED = {"+USORF": (3, b',"')}
SOCKETS = 4
PROMPT_MS = 50
TRIES = "AT+UPINCNT"
TIMEOUTS = {"AT+CGATT": 360000, "AT+CGACT?": 5000, "AT+CGACT": 150000, "AT+USOCR": 10000, "AT+USOCO": 120000,
            "AT+USOWR": 15000, "AT+USORF": 10000, "AT+USOCL": 15000, "AT+CPWROFF": 40000}  # fmt: skip
POWER = "1500 100 10000 5000"
OFF = "AT+CPWROFF"
RESET = "AT+CFUN=15"
_ALL = 7  # sockets that the modem has
_MAX = 1024  # bytes in a datagram


def event(line):
    """As generic.event; sockets by +UUSORF, +UUSORD, +UUSOCL, the context by +UUPSDD, the SIM by +UUSIMSTAT."""
    number = at.number(at.fields(line)[0])
    if number is None:
        return generic.event(line)
    if line[:8] in ("+UUSORF:", "+UUSORD:"):
        return "recv", number
    if line.startswith("+UUSOCL:"):
        return "closed", number
    if line.startswith("+UUPSDD:"):
        return "context", None
    if line.startswith("+UUSIMSTAT:"):
        return "sim", number != 0
    return None


def connect(apn):
    """Activate context 1 for this APN; one that is active with it already is kept. "" or why it was refused."""
    reason = yield from define(apn)
    if reason:
        return reason
    if not (yield from active()):
        ok, lines = yield "AT+CGACT=1,1"
        if not ok:
            yield from disconnect()
            return lines[-1]
    for number in range(_ALL):  # of a life before
        yield "AT+USOCL=%d" % number
    return ""


def define(apn):
    """Have context 1 be for this APN; the modem lets it be changed only while it is not registered.

    Returns "" or why we cannot go on yet.
    """
    ok, lines = yield "AT+CGDCONT?"
    for line in lines:
        parts = at.fields(line) + ["", "", ""]
        # What the network has added to the name ("iot.mnc001.mcc001.gprs") does not count; without one, any is right.
        if ok and parts[0] == "1" and (parts[2].lower() + ".mnc").startswith(apn and apn.lower() + ".mnc"):
            return ""
    ok, lines = yield 'AT+CGDCONT=1,"IP","%s"' % apn
    if ok:
        return ""
    yield "AT+CFUN=4"
    ok, lines = yield 'AT+CGDCONT=1,"IP","%s"' % apn
    yield "AT+CFUN=1"
    return "attaches with another APN" if ok else lines[-1]


def active():
    """Whether context 1 is active."""
    ok, lines = yield "AT+CGACT?"
    for line in lines:
        if ok and at.fields(line)[:2] == ["1", "1"]:
            return True
    return False


def disconnect():
    """Deactivate context 1; that it was inactive already is no error."""
    yield "AT+CGACT=0,1"


def open_socket(number, host, port):
    """Open a UDP socket to one peer (the modem resolves names); the modem's number of it, or None."""
    ok, lines = yield "AT+USOCR=17"
    own = at.number(at.fields(lines[0])[0]) if ok and lines else None
    if own is None:
        return None
    ok, _ = yield 'AT+USOCO=%d,"%s",%d' % (own, host, port)
    if ok:
        return own
    yield from close_socket(own)
    return None


def send(number, data):
    """Send one datagram; "" when the modem took it, "full" when it is too long, else why the socket is no good."""
    if len(data) > _MAX:
        return "full"
    ok, lines = yield ("AT+USOWR=%d,%d" % (number, len(data)), data)
    return "" if ok else lines[-1]


def receive(number):
    """Take one datagram from a socket; None when there is none."""
    _, lines = yield "AT+USORF=%d,%d" % (number, _MAX)
    return lines[1] if len(lines) > 1 and isinstance(lines[1], bytes) else None


def close_socket(number):
    """Close a socket; that it was closed already is no error."""
    yield "AT+USOCL=%d" % number
