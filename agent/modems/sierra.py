"""Sierra Wireless HL7800, HL7802, HL7810, HL7812: sockets by +KCNXCFG, +KUDPCFG, +KUDPSND, +KUDPRCV (AirPrime HL78xx AT
Commands Interface Guide 41111821).

Data goes both ways after "CONNECT", and ends with a pattern that we choose. It is another one each time the agent
starts: whoever could guess it could end his datagram early and go on as if the modem spoke. That a read gives one
datagram is *not verified*.
"""

from ..codec import at
from . import attach, generic

# The restart is told (+KSUP), contexts are; never sleep: in its sleep it does not hear the serial line. PPP without a
# secret. The SIM is told where the board's maker has wired its holder to GPIO3 and set +KSIMDET; we do not: without
# the wire there would be no SIM at all.
INIT = "\nAT+KSREP=1\nAT+CGEREP=2\nAT+KSLEEP=2\nAT+CPSMS=0\nAT+CEDRXS=0\nAT+WPPP=0\n"
ICCID = "AT+CCID"
PREFIXES = {"AT+KUDPRCV": "CONNECT", "AT+KCNXUP": "+KCNX_IND:"}
COUNTED = {"CONNECT": b""}  # the pattern
REFUSALS = "\nNO CNX\n+KUDP_ERROR:\n+KCNX_ERROR:\n"
SOCKETS = 4
TIMEOUTS = {"AT+KCNXUP": 30000, "AT+KCNXDOWN": 30000, "AT+KUDPCFG": 10000, "AT+KUDPSND": 15000,
            "AT+KUDPRCV": 10000, "AT+KUDPCLOSE": 10000, "AT+CPWROFF": 10000}  # fmt: skip
POWER = "1500 100 10000 5000"
OFF = "AT+CPWROFF"
_ALL = 6  # sockets that the modem has
_UP_MS = 150000  # from OK to +KCNX_IND
_READY_MS = 10000  # from OK to +KUDP_IND
_LENGTH = "8"  # +KUDP_NOTIF: sent, although the length was another one


def reader(below):
    """What reads this family's lines; below(n) -> random int in [0, n). The first one settles the pattern."""
    global INIT
    from ..codec.at_pattern import Reader

    if not COUNTED["CONNECT"]:
        pattern = "%08x%08x" % (below(1 << 30), below(1 << 30))
        COUNTED["CONNECT"] = pattern.encode()
        INIT += 'AT+KPATTERN="%s"\n' % pattern
    return Reader()


def event(line):
    """As generic.event; sockets by +KUDP_DATA and +KUDP_NOTIF, the context by +KCNX_IND, the SIM by +SIM."""
    parts = at.fields(line) + [""]
    number = at.number(parts[0])
    if line.startswith("+KSUP:"):
        return ("boot",)
    if number is None:
        return generic.event(line)
    if line.startswith("+KUDP_DATA:"):
        return "recv", number
    if line.startswith("+KUDP_NOTIF:") and parts[1] != _LENGTH:
        return "closed", number
    if line.startswith("+KCNX_IND:") and parts[1] in ("0", "2", "3"):
        return "context", number
    if line.startswith("+SIM:"):
        return "sim", number != 0
    return None


def connect(apn):
    """Bring context 1 up for this APN; one that is up with it already is kept. "" or why it was refused."""
    reason = yield from attach.define(apn)
    if reason:
        return reason
    if not (yield from active()):
        yield 'AT+KCNXCFG=1,"GPRS","%s",,,"IPV4"' % apn
        reason = yield from _up()
        if reason:
            yield from disconnect()
            return reason
    for number in range(_ALL):  # of a life before
        yield "AT+KUDPCLOSE=%d" % (number + 1)
    return ""


def _up():
    line = yield from generic.answer("AT+KCNXUP=1", "+KCNX_IND:", _UP_MS)
    for _ in range(9):  # it tells each attempt
        state = (at.fields(line or "") + ["", ""])[1]
        if state in ("", "0", "1", "2"):
            return "" if state == "1" else line or "no network"
        line = yield ("+KCNX_IND:", _UP_MS)
    return line or "no network"


def active():
    """Whether context 1 is active."""
    return attach.active("AT+CGACT?")


def disconnect():
    """Bring context 1 down; that it was down already is no error."""
    yield "AT+KCNXDOWN=1,1"


def open_socket(number, host, port):
    """Open a UDP socket; (the modem's number of it, host, port) for the other procedures, or None.

    The modem resolves names when it sends.
    """
    ok, lines = yield "AT+KUDPCFG=1,0"
    own = at.number(at.fields(lines[0])[0]) if ok and lines else None
    if own is None:
        return None
    yield ("+KUDP_IND:", _READY_MS)  # if it is not ready then, it refuses to send
    return own, host, port


def send(socket, data):
    """Send one datagram; "" when the modem took it, "full" when it cannot carry it, else why the socket is no good."""
    end = COUNTED["CONNECT"]
    if end in data:
        return "full"
    ok, lines = yield ('AT+KUDPSND=%d,"%s",%d,%d' % (socket + (len(data),)), data + end)
    return "" if ok else lines[-1]


def receive(socket):
    """Take one datagram from a socket; None when there is none."""
    _, lines = yield "AT+KUDPRCV=%d,1500" % socket[0]
    return lines[0] if lines and lines[0] and isinstance(lines[0], bytes) else None


def close_socket(socket):
    """Close a socket (what open_socket gave, or a number); that it was closed already is no error."""
    yield "AT+KUDPCLOSE=%d" % (socket[0] if isinstance(socket, tuple) else socket)
