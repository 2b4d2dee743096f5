"""Fibocom L610, L716, NL668, NL678: datagrams by +MIPCALL, +MIPOPEN, +MIPSEND, +MIPREAD (as drivers of others use
them; the exact lines are *not verified* against the maker's manual).

What came is kept by the modem (+GTSET="IPRFMT",5) and announced by "+MIPREAD: socket,length"; the answer about it is
"+MIPDATA: socket,length" and the data. Sockets are numbered from 1.
"""

from ..codec import at
from . import context, generic

# What came is read on demand; SIM insertion and contexts are reported.
INIT = '\nAT+GTSET="IPRFMT",5\nAT+MSMPD=1\nAT+CGEREP=2,1\n'
ICCID = "AT+CCID"
PREFIXES = {"AT+MIPREAD": "+MIPDATA:"}
COUNTED = {"+MIPDATA": 1}
SOCKETS = 4
TIMEOUTS = {"AT+MIPCALL?": 5000, "AT+MIPCALL": 65000, "AT+MIPOPEN": 65000, "AT+MIPSEND": 15000, "AT+MIPREAD": 10000,
            "AT+MIPCLOSE": 15000, "AT+CPWROFF": 5000, "AT+GTRNDIS": 60000}  # fmt: skip
POWER = "2000 500 15000 5000"  # *not verified*
OFF = "AT+CPWROFF"
RESET = "AT+CFUN=15"
DIAL = "ATD*99#"
_UP_MS = 65000  # from OK to +MIPCALL, +MIPOPEN
_GONE_MS = 2000
_MAX = 1400  # bytes in a datagram


def event(line):
    """As generic.event; sockets by +MIPREAD, +MIPSTAT, +MIPCLOSE, the context by +MIPCALL, the SIM by +SIM."""
    parts = at.fields(line)
    number = at.number(parts[0])
    if line.startswith("+SIM"):  # "+SIM: Inserted", "+SIM: Removed", "+SIM READY", "+SIM DROP"
        return "sim", "Removed" not in line and "DROP" not in line
    if line.startswith("+MIPCALL:"):
        return ("context", None) if parts == ["0"] else None
    if number is None:
        return generic.event(line)
    if line.startswith("+MIPREAD:"):
        return "recv", number
    if line[:9] in ("+MIPSTAT:", "+MIPCLOSE"):
        return "closed", number
    return generic.event(line)


def connect(apn):
    """Activate the context for this APN; one that is active with it already is kept. "" or why it was refused."""
    same = yield from context.defined(apn)
    if (yield from active()):
        if same:
            for number in range(1, SOCKETS + 1):
                yield from close_socket(number)
            return ""
        yield from disconnect()
    if not same:
        ok, lines = yield 'AT+CGDCONT=1,"IP","%s"' % apn
        if not ok:
            return lines[-1]
    line = yield from generic.answer('AT+MIPCALL=1,"%s"' % apn if apn else "AT+MIPCALL=1", "+MIPCALL:", _UP_MS)
    if line and "." in at.fields(line)[-1]:
        return ""
    yield from disconnect()
    return line or "no network"


def active():
    """Whether the context is active."""
    ok, lines = yield "AT+MIPCALL?"
    return ok and bool(lines) and at.fields(lines[0])[0] == "1"


def disconnect():
    """Deactivate the context; that it was inactive already is no error."""
    yield from generic.answer("AT+MIPCALL=0", "+MIPCALL:", _GONE_MS)


def open_socket(number, host, port):
    """Open a UDP socket to one peer (the modem resolves names); the modem's number of it, or None."""
    own = number + 1
    line = yield from generic.answer('AT+MIPOPEN=%d,,"%s",%d,1' % (own, host, port), "+MIPOPEN:", _UP_MS)
    if line and at.fields(line)[:2] == [str(own), "1"]:
        return own
    yield from close_socket(own)
    return None


def send(number, data):
    """Send one datagram; "" when the modem took it, "full" when it had no room, else why the socket is no good."""
    if len(data) > _MAX:
        return "full"
    ok, lines = yield ("AT+MIPSEND=%d,%d" % (number, len(data)), data)
    if not ok:
        return lines[-1]
    return "full" if lines and at.fields(lines[0])[1:2] == ["1"] else ""  # "+MIPSEND: socket,status,room"


def receive(number):
    """Take one datagram from a socket; None when there is none."""
    _, lines = yield "AT+MIPREAD=%d,1500" % number
    return lines[1] if len(lines) > 1 and isinstance(lines[1], bytes) else None


def close_socket(number):
    """Close a socket, and hear that it is, lest that be taken for the end of the next one; open or not."""
    yield from generic.answer("AT+MIPCLOSE=%d" % number, "+MIPCLOSE:", _GONE_MS)
