"""Telit LE910, LE910Cx, ME910, ME310: sockets by #SGACT, #SD, #SSENDEXT, #SRECV (80407ST10116A LE9x0 and 80617ST10991A
ME910G1 AT Commands Reference Guides). They are numbered from 1; what came is told by SRING and kept until it is read.
"""

from ..codec import at
from . import attach, generic

# The SIM's state is told from the next start on too (&W, &P): the only line that it says by itself after a start.
INIT = "\nAT#QSS=2;&W0;&P0\nAT+CGEREP=2\n"
ICCID = "AT#CCID"
TRIES = "AT#PCT"
COUNTED = {"#SRECV": 3}
SOCKETS = 4
MUX = "AT+CMUX=0,0,5,127,10,3,30,10,2"
MUX_MS = 5000  # after AT+CFUN=1 (Zephyr's notes)
TIMEOUTS = {"AT#SGACT?": 5000, "AT#SGACT": 180000, "AT#SD": 75000, "AT#SSENDEXT": 15000, "AT#SRECV": 10000,
            "AT#SH": 10000, "AT#SHDN": 15000, "AT#REBOOT": 10000}  # fmt: skip
POWER = "5050 250 20000 15000"
OFF = "AT#SHDN"
RESET = "AT#REBOOT"
WORDS = generic.WORDS + "SRING:\nNO CARRIER:\n"
# Of context 1, 1500 bytes a packet, closed never because nobody sends, 60 s to open, 5 s to send; told by number only;
# an end that is told with the socket's number and not as NO CARRIER, which also ends a command.
_SETUP = "AT#SCFG=%d,1,1500,0,600,50;#SCFGEXT=%d,0,0,0,0,0;#SCFGEXT2=%d,0,0,0,0,2"
_PORT = 50000  # local, of the first socket


def event(line):
    """As generic.event; sockets by SRING and NO CARRIER, the SIM and a restart by #QSS."""
    name, colon, _ = line.partition(":")
    number = at.number(at.fields(line[len(name) + 1 :])[0]) if colon else None
    if number is None:
        return generic.event(line)
    if name in ("SRING", "NO CARRIER"):
        return "recv" if name == "SRING" else "closed", number
    if name == "#QSS":
        # "Inserted" comes only after a start or an insertion, and after either we begin anew.
        return ("boot",) if number == 1 else ("sim", number != 0)
    return generic.event(line)


def connect(apn):
    """Activate context 1 for this APN; one that is active with it already is kept. "" or why it was refused."""
    reason = yield from attach.define(apn)
    if reason:
        return reason
    if not (yield from active()):
        ok, lines = yield "AT#SGACT=1,1"
        if not ok:
            yield from disconnect()
            return lines[-1]
    for number in range(SOCKETS):
        yield from close_socket(number + 1)  # of a life before
        yield _SETUP % ((number + 1,) * 3)
    return ""


def active():
    """Whether context 1 is active."""
    return attach.active("AT#SGACT?")


def disconnect():
    """Deactivate context 1; that it was inactive already is no error."""
    yield "AT#SGACT=1,0"


def open_socket(number, host, port):
    """Open a UDP socket to one peer (the modem resolves names); its number, or None."""
    ok, _ = yield 'AT#SD=%d,1,%d,"%s",0,%d,1' % (number + 1, port, host, _PORT + number)
    if ok:
        return number + 1
    yield from close_socket(number + 1)
    return None


def send(number, data):
    """Send one datagram; "" when the modem took it, else why the socket is no good."""
    ok, lines = yield ("AT#SSENDEXT=%d,%d" % (number, len(data)), data)
    return "" if ok else lines[-1]


def receive(number):
    """Take one datagram from a socket (without the 1 at the end it would join several); None when there is none."""
    _, lines = yield "AT#SRECV=%d,1500,1" % number
    return lines[1] if len(lines) > 1 and isinstance(lines[1], bytes) else None


def close_socket(number):
    """Close a socket; that it was closed already is no error."""
    yield "AT#SH=%d" % number
