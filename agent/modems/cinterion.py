"""Cinterion (Siemens, Gemalto, Thales, Telit Cinterion): BGSx, EHSx, ELSx, PLSx, EXSx, TXx: datagrams through their
Internet services, one service profile a socket: ^SISS, ^SISO, ^SISW, ^SISR (EHS6_ATC, ENS22-E_ATC, BGS2T_ATC).

The modem asks for data not by a prompt but by the line "^SISW: 0,5,0", and takes exactly as many bytes as that says.
A notice "^SISR: 0,1" looks like the answer "^SISR: 0,1" about one byte: a second field of 1 or 2 alone is taken for a
notice, so a datagram of one or two bytes gets through only when it is text.
"""

from ..codec import at
from . import context, generic

# Service notices on; SIM insertion and contexts are reported.
INIT = '\nAT^SCFG="Tcp/WithURCs","on"\nAT^SCKS=1\nAT+CGEREP=2,1\n'
ICCID = "AT^SCID"
TRIES = "AT^SPIC"
PREFIXES = {"AT^SISR": "^SISR: %s,"}  # not another service's
REFUSALS = "\n+EXT ERROR:\n"
SOCKETS = 4
TIMEOUTS = {"AT^SICA?": 5000, "AT^SICA": 150000, "AT^SISO": 120000, "AT^SISC": 30000, "AT^SISW": 30000,
            "AT^SISR": 30000, "AT^SMSO": 25000, "AT+CGATT": 60000}  # fmt: skip
POWER = "1000 100 10000 10000"  # *not verified*: hardware descriptions give 40 ms to 1 s, and 5 to 25 s to boot
OFF = "AT^SMSO"
MUX = ""  # data calls are on its first channel only, and ours for commands; the frame's size is fixed (MC55_ATC)
_MAX = 1460  # bytes in a datagram; larger ones may end a service ("supplied buffer was too large")
_UP_TRIES = 60  # 250 ms apart, until an opened service is up


def _length(line):
    parts = at.fields(line)
    size = at.number((parts + [""])[1]) or 0
    return size if size > 2 or len(parts) > 2 else 0


COUNTED = {"^SISR": _length}


def asks(line):
    """How many bytes of ours this line asks for ("^SISW: profile,length,unacknowledged"), or None."""
    parts = at.fields(line)
    return at.number(parts[1]) if line.startswith("^SISW:") and len(parts) == 3 else None


def event(line):
    """As generic.event; services by ^SISR and ^SIS, the SIM by ^SCKS and +CIEV, a restart by ^SYSSTART."""
    parts = at.fields(line) + ["", ""]
    number = at.number(parts[0])
    if line.startswith("^SYSSTART"):
        return ("boot",)
    if line.startswith("+CIEV: simlocal"):
        return "sim", parts[1] not in ("0", "5")
    if number is None:
        return generic.event(line)
    if line.startswith("^SISR:"):
        return ("recv" if parts[1] == "1" else "closed"), number
    if line.startswith("^SIS:") and parts[1] == "0" and at.number(parts[2]) in range(1, 2000):
        return "closed", number  # 1 to 2000 are errors, above are remarks
    if line.startswith("^SCKS:"):
        return "sim", number == 1
    return generic.event(line)


def connect(apn):
    """Activate context 1 for this APN; older modems do that when a service opens, and are told the APN another way.

    Returns "" or why it was refused.
    """
    if not (yield from context.defined(apn)):
        yield from disconnect()
        ok, lines = yield 'AT+CGDCONT=1,"IP","%s"' % apn
        if not ok:
            return lines[-1]
    for number in range(SOCKETS):
        yield from close_socket(number)
    if (yield from active()):
        ok, lines = yield "AT^SICA?"
        if ok:
            return ""
    ok, lines = yield "AT^SICA=1,1"
    if ok:
        return ""
    if at.cause(lines[-1]) == 30:  # no network: ^SICA is known
        return lines[-1]
    yield 'AT^SICS=1,"conType","GPRS0"'
    ok, lines = yield 'AT^SICS=1,"apn","%s"' % apn
    return "" if ok else lines[-1]


def active():
    """Whether context 1 is active; where services bring it up themselves, whether we are attached."""
    ok, lines = yield "AT^SICA?"
    if not ok:
        ok, lines = yield "AT+CGATT?"
        return ok and bool(lines) and at.fields(lines[0])[0] == "1"
    for line in lines:
        if at.fields(line)[:2] == ["1", "1"]:
            return True
    return False


def disconnect():
    """Deactivate context 1; that it was inactive already is no error."""
    yield "AT^SICA=0,1"


def open_socket(number, host, port):
    """Open service `number` as a UDP client of one peer (the modem resolves names); its number, or None."""
    for command in ('"srvType","Socket"', '"conId","1"', '"address","sockudp://%s:%d"' % (host, port)):
        ok, _ = yield "AT^SISS=%d,%s" % (number, command)
        if not ok:
            break
    else:
        ok, _ = yield "AT^SISO=%d" % number
    for _ in range(_UP_TRIES if ok else 0):
        ok, lines = yield "AT^SISI=%d" % number
        state = at.fields(lines[-1])[1:2] if ok and lines else []
        if state == ["4"]:
            return number
        if state != ["3"]:
            break  # not on its way any more
        yield 250
    yield from close_socket(number)
    return None


def send(number, data):
    """Send one datagram; "" when the modem took it, "full" when it had no room, else why the socket is no good."""
    if len(data) > _MAX:
        return "full"
    ok, lines = yield ("AT^SISW=%d,%d" % (number, len(data)), data)
    if not ok:
        return lines[-1]
    for line in lines:
        taken = asks(line)
        if taken is not None:
            return "" if taken == len(data) else "in parts" if taken else "full"
    return "no answer"


def receive(number):
    """Take one datagram from a socket; None when there is none."""
    for _ in range(3):
        ok, lines = yield "AT^SISR=%d,1500" % number
        for item in lines if ok else ():
            if isinstance(item, bytes):
                return item
        heard = [line for line in lines if line.startswith("^SISR:") and at.fields(line)[1] in ("1", "2")]
        if not ok or not heard:
            return None
        rest = "".join([line for line in lines if not line.startswith("^SISR:")])
        if 0 < len(rest) <= 2:  # what the second field of 1 or 2 counted
            return rest.encode()
    return None


def close_socket(number):
    """Close a service; that it was closed already is no error."""
    yield "AT^SISC=%d" % number
