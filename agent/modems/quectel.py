"""Quectel EC2x, EG2x, EG9x: datagrams through the modem's own sockets (Quectel TCP/IP application notes).

Sockets are used in buffer access mode: the modem says once that something is there, and each read takes a datagram.
The data then comes inside an answer that we asked for, with its length, so nothing can land in the middle of another
one; and should the notice get lost on a noisy line, a read finds the data all the same.
"""

from ..codec import at
from . import generic

# What is sent is not echoed; SIM insertion is reported; unsolicited lines come on every port, so also on ours.
INIT = '\nAT+QISDE=0\nAT+QSIMSTAT=1\nAT+QURCCFG="urcport","all"\n'
ICCID = "AT+QCCID"
TRIES = 'AT+QPINC="SC"'
COUNTED = {"+QIRD": 0}
SOCKETS = 4
TIMEOUTS = {"AT+QIACT?": 5000, "AT+QIACT": 150000, "AT+QIDEACT": 40000, "AT+QISEND": 10000,
            "AT+QICLOSE": 10000, "AT+QPOWD": 5000}  # fmt: skip
POWER = "1500 500 15000 5000"
OFF = "AT+QPOWD=1"
MUX = "AT+CMUX=0,0,5,127,10,3,30,10,2"
_OPEN_MS = 150000  # from OK to +QIOPEN; the OK itself comes at once, and when it is lost nobody should wait that long


def event(line):
    """As generic.event, and sockets and contexts by +QIURC, the SIM by +QSIMSTAT and +QUSIM."""
    parts = at.fields(line)
    number = at.number(parts[1]) if len(parts) > 1 else None
    if line.startswith("+QIURC:"):
        if parts[0] == "pdpdeact":
            return "context", number
        return (parts[0], number) if parts[0] in ("recv", "closed") and number is not None else None
    if line.startswith("+QSIMSTAT:"):
        return "sim", number == 1
    if line.startswith("+QUSIM:"):
        return "sim", True
    return generic.event(line)


def connect(apn):
    """Activate context 1 for this APN; one that is active with it already (we restarted, the modem did not) is kept.

    Returns "" or why it was refused.
    """
    ok, lines = yield "AT+QICSGP=1"
    same = ok and bool(lines) and at.fields(lines[0])[1:2] == [apn]
    if (yield from active()):
        if same:
            for number in range(SOCKETS):
                yield from close_socket(number)
            return ""
        yield from disconnect()
    if not same:
        ok, lines = yield 'AT+QICSGP=1,1,"%s","","",0' % apn
        if not ok:
            return lines[-1]
    ok, lines = yield "AT+QIACT=1"
    if ok:
        return ""
    yield from disconnect()  # a context that is half up refuses every later attempt
    return lines[-1]


def active():
    """Whether context 1 is active."""
    ok, lines = yield "AT+QIACT?"
    for line in lines:
        if ok and at.fields(line)[:2] == ["1", "1"]:
            return True
    return False


def disconnect():
    """Deactivate context 1; the modem wants this also after it was deactivated by the network."""
    yield "AT+QIDEACT=1"


def open_socket(number, host, port):
    """Open UDP socket `number` to one peer (the modem resolves names).

    Returns what the other procedures shall be given for it, or None when it could not be opened (and is closed).
    """
    command = 'AT+QIOPEN=1,%d,"UDP","%s",%d,0,0' % (number, host, port)
    line = yield from generic.answer(command, "+QIOPEN:", _OPEN_MS)
    if line and at.number((at.fields(line) + [""])[1]) == 0:
        return number
    yield from close_socket(number)
    return None


def send(number, data):
    """Send one datagram; "" when the modem took it, "full" when it had no room, else why the socket is no good."""
    ok, lines = yield ("AT+QISEND=%d,%d" % (number, len(data)), data)
    if ok:
        return ""
    return "full" if lines[-1] == "SEND FAIL" else lines[-1]


def receive(number):
    """Take one datagram from a socket; None when there is none."""
    _, lines = yield "AT+QIRD=%d,1500" % number
    return lines[1] if len(lines) > 1 and isinstance(lines[1], bytes) else None


def close_socket(number):
    """Close a socket; that it was closed already is no error."""
    yield "AT+QICLOSE=%d" % number
