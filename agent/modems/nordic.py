"""Nordic nRF9160, nRF91x1 with the Serial Modem firmware, or the Serial LTE Modem it comes from: datagrams by
#XSOCKET, #XCONNECT, #XSEND, #XRECV, told by #XAPOLL (their documentation; migration notes from nRF Connect SDK 3.1).

The newer firmware names the socket in every command; the older one works on the one that was selected. Which it is
shows when a socket is connected. Data goes out after "OK", in data mode: by its length, or in the older one up to
"+++", which therefore cannot be sent. Firmware from before #XAPOLL tells nothing: an answer is found when it has been
waited for.
"""

from ..codec import at
from . import generic

# With the radio off the SIM is off too, unless it is wanted; its state and contexts are reported.
INIT = "\nAT+CFUN=41\nAT%XSIM=1\nAT+CGEREP=1\n"
ICCID = "AT%XICCID"
SIGNAL = "AT+CESQ"
SUCCESSES = "\n#XDATAMODE: 0\n"
SOCKETS = 4
TIMEOUTS = {"AT+CGACT?": 5000, "AT+CGACT": 150000, "AT#XCONNECT": 60000, "AT#XSEND": 15000, "AT#XRESET": 10000,
            "AT+CGDATA": 60000}  # fmt: skip
POWER = "100 500 5000 1000"  # the first and the last *not verified*: boards without a power pin need neither
OFF = "AT#XSHUTDOWN"
RESET = "AT#XRESET"
FLIGHT = "AT+CFUN=44"  # the SIM stays on
DIAL = 'AT+CGDATA="PPP",0'  # from Serial Modem 2.0 on; before, PPP is on a channel or port of its own. No ATD at all
BACK = ""
MUX = "AT+CMUX=0,0"  # from 2.0 on, and with no parameter more; frames are of the standard's size, 31
# Messages are in PDU mode only, stored nowhere, and come again unless they are acknowledged. *Not verified* on metal.
SMS = "AT+CNMI=3,2,0,1"
TAKEN = "AT+CNMA=1"
_ALL = 8  # sockets that the modem has
_MAX = 1200  # bytes in a datagram
_END = b"+++"
_GONE = 8 | 16 | 32  # error, hang-up, no such socket


def _length(line):
    return at.number(at.fields(line)[-1]) or 0


COUNTED = {"#XRECV": _length}


def asks(line):
    """Data is wanted once it has said OK."""
    return _MAX + len(_END) if line == "OK" else None


def event(line):
    """As generic.event; sockets by #XAPOLL, the SIM by %XSIM, a restart by Ready and #XMODEM."""
    parts = at.fields(line) + [""]
    number, state = at.number(parts[0]), at.number(parts[1])
    if line == "Ready" or line.startswith("#XMODEM: FAULT"):
        return ("boot",)
    if line.startswith("%XSIM:") and number is not None:
        return "sim", number == 1
    if line.startswith("#XAPOLL:") and number is not None and state:
        return ("closed", number) if state & _GONE else ("recv", number) if state & 1 else None
    return generic.event(line)


def connect(apn):
    """Have context 0 be for this APN, and active. Returns "" or why it was refused."""
    reason = yield from define(apn)
    if reason:
        return reason
    if not (yield from active()):
        ok, lines = yield "AT+CGACT=1,0"
        if not ok:
            return lines[-1]
    yield from disconnect()
    return ""


def define(apn):
    """Have the context of the attach, number 0, be for this APN; it can be changed only while the radio is off.

    Returns "" or why we cannot go on yet: it attaches anew.
    """
    ok, lines = yield "AT+CGDCONT?"
    for line in lines:
        parts = at.fields(line) + ["", "", ""]
        # What the network has added to the name ("iot.mnc001.mcc001.gprs") does not count; without one, any is right.
        if ok and parts[0] == "0" and (parts[2].lower() + ".mnc").startswith(apn and apn.lower() + ".mnc"):
            return ""
    if not apn:
        return ""
    yield FLIGHT
    ok, lines = yield 'AT+CGDCONT=0,"IP","%s"' % apn
    yield "AT+CFUN=1"
    return "attaches with another APN" if ok else lines[-1]


def active():
    """Whether context 0 is active."""
    ok, lines = yield "AT+CGACT?"
    for line in lines:
        if ok and at.fields(line)[:2] == ["0", "1"]:
            return True
    return False


def disconnect():
    """Close all sockets; the context is that of the attach, and stays."""
    ok, _ = yield "AT#XCLOSE"
    for _ in range(0 if ok else _ALL):
        ok, _ = yield "AT#XSOCKET=0"
        if not ok:
            return


def open_socket(number, host, port):
    """Open a UDP socket to one peer (the modem resolves names); (its number, whether it must be selected), or None."""
    ok, lines = yield "AT#XSOCKET=1,2,0"
    handle = at.number(at.fields(lines[0])[0]) if ok and lines else None
    if handle is None:
        return None
    ok, _ = yield 'AT#XCONNECT=%d,"%s",%d' % (handle, host, port)
    if ok:
        yield "AT#XAPOLL=%d,1,1" % handle
        return handle, False
    ok, _ = yield 'AT#XCONNECT="%s",%d' % (host, port)
    if ok:
        yield "AT#XAPOLL=1,1"
        return handle, True
    ok, _ = yield "AT#XCLOSE=%d" % handle
    if not ok:
        yield "AT#XSOCKET=0"  # the one opened last is selected
    return None


def _select(socket):
    """Whether a socket can be worked on now."""
    return not socket[1] or (yield "AT#XSOCKETSELECT=%d" % socket[0])[0]


def send(socket, data):
    """Send one datagram; "" when the modem took it, "full" when it cannot be, else why the socket is no good."""
    handle, old = socket
    odd = _END in data or data.endswith(b"+")
    if len(data) > _MAX or old and odd:
        return "full"
    if not (yield from _select(socket)):
        return "closed"
    if odd:
        ok, lines = yield 'AT#XSEND=%d,1,0,"%s"' % (handle, "".join(["%02X" % byte for byte in data]))
    else:
        ok, lines = yield ("AT#XSEND" if old else "AT#XSEND=%d,2,0" % handle, data + _END)
    return "" if ok else lines[-1]


def receive(socket):
    """Take one datagram from a socket; None when there is none."""
    if not (yield from _select(socket)):
        return None
    _, lines = yield "AT#XRECV=0,64" if socket[1] else "AT#XRECV=%d,0,64,0" % socket[0]
    return lines[1] if len(lines) > 1 and isinstance(lines[1], bytes) else None


def close_socket(socket):
    """Close a socket that was opened; that it was closed already is no error."""
    if not isinstance(socket, tuple):
        return
    if not socket[1]:
        yield "AT#XCLOSE=%d" % socket[0]
    elif (yield from _select(socket)):
        yield "AT#XSOCKET=0"
