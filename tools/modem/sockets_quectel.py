"""Quectel's own commands: the SIM's number and status, contexts and UDP sockets (Quectel LTE Standard TCP/IP
Application Note). Only UDP, in buffer access mode (0) and direct push mode (1).
"""

from . import sockets
from .basic_commands import need_sim, pick, usb_network
from .dialogue import Answer, Refused
from .sim_commands import QPINC

MAX_SEND = 1460
_TEXTS = {0: "operate successfully", 552: "invalid parameters", 561: "open PDP context failed",
          563: "socket identity has been used", 565: "DNS parse failed", 566: "socket connect failed"}  # fmt: skip
_NO_CONTEXT = 561


def _fail(modem, code):
    modem.state.last_error = code
    raise Refused()


def _iccid(modem, operator, arguments):
    need_sim(modem)
    return ["+QCCID: " + modem.state.sim.iccid]


def _switch(name):
    """A session setting that can be read back."""
    def answer(modem, operator, arguments):
        session = modem.state.session
        if operator == "?":
            present = ",%d" % modem.state.sim.present if name == "+QSIMSTAT" else ""
            return ["%s: %d%s" % (name, session[name], present)]
        session[name] = pick(arguments[0], 0, 1)
        return None

    return answer


def _setting(modem, operator, arguments):
    """+QURCCFG: taken and forgotten; there is one port only."""


def _context(modem, operator, arguments):
    context = modem.state.context(pick(arguments[0], *range(1, 17)))
    if len(arguments) == 1:
        return ['+QICSGP: 1,"%s","","",0' % context.apn]
    context.apn = arguments[2]
    return None


async def _activate(modem, operator, arguments):
    state = modem.state
    if operator == "?":
        return ['+QIACT: %d,1,1,"%s"' % (cid, context.address)
                for cid, context in sorted(state.contexts.items()) if context.active]  # fmt: skip
    need_sim(modem)
    if not await modem.activate(pick(arguments[0], *range(1, 17))):
        _fail(modem, _NO_CONTEXT)
    return None


def _deactivate(modem, operator, arguments):
    modem.deactivate(pick(arguments[0], *range(1, 17)))


def _open(modem, operator, arguments):
    cid, number = pick(arguments[0], *range(1, 17)), pick(arguments[1], *range(12))
    kind, host, port = arguments[2], arguments[3], int(arguments[4])
    mode = pick((arguments + ["0"] * 3)[6] or "0", 0, 1)
    if kind != "UDP" or not host or not 0 < port < 65536:
        _fail(modem, sockets.PARAMETER)
    if not modem.state.context(cid).active:
        _fail(modem, _NO_CONTEXT)
    if modem.sockets.get(number):
        _fail(modem, sockets.IN_USE)
    return Answer(after=lambda: modem.later(_opened(modem, cid, number, host, port, mode)))


async def _opened(modem, cid, number, host, port, mode):
    await modem.pause("open")
    code = await modem.sockets.open(number, host, port, cid)
    modem.state.last_error = code
    if code == sockets.OK:
        modem.sockets.get(number).push = mode
    modem.note("socket", number=number, peer="%s:%d" % (host, port), result=_TEXTS[code])
    modem.say("+QIOPEN: %d,%d" % (number, code))


def _close(modem, operator, arguments):
    modem.sockets.close(pick(arguments[0], *range(12)))


def _state(modem, operator, arguments):
    wanted = int(arguments[1]) if arguments[:1] == ["1"] else None
    chosen = [relay for relay in modem.sockets if wanted in (None, relay.number)]
    return ['+QISTATE: %d,"UDP","%s",%d,0,2,%d,0,%d,"usbat"' % (r.number, *r.peer[:2], r.context, r.push)
            for r in chosen]  # fmt: skip


async def _send(modem, operator, arguments):
    relay = modem.sockets.get(pick(arguments[0], *range(12)))
    if relay is None:
        _fail(modem, sockets.PARAMETER)
    length = int(arguments[1])
    if length == 0:
        return ["+QISEND: %d,%d,0" % (relay.sent, relay.sent)]
    if not 0 < length <= MAX_SEND:
        _fail(modem, sockets.PARAMETER)
    data = await modem.prompt(length)
    if data is None:
        return None
    echoed = [data] if modem.state.session["+QISDE"] else []
    return Answer(echoed, final="SEND OK" if modem.sockets.send(relay.number, data) else "SEND FAIL")


def _read(modem, operator, arguments):
    number = pick(arguments[0], *range(12))
    if modem.sockets.get(number) is None:
        _fail(modem, sockets.PARAMETER)
    length = int(arguments[1]) if len(arguments) > 1 else 1500
    data = modem.sockets.take(number, length) if 0 < length <= 1500 else b""
    return ["+QIRD: %d" % len(data)] + ([data] if data else [])


def _last_error(modem, operator, arguments):
    code = modem.state.last_error
    return ["+QIGETERROR: %d,%s" % (code, _TEXTS[code])]


async def _usb(modem, operator, arguments):
    """+QNETDEVCTL: the network over USB; read: how it was started, and whether it is up."""
    if operator == "?":
        return ["+QNETDEVCTL: 1,1,1,%d" % modem.state.context(1).active]
    pick(arguments[0], 1)
    await usb_network(modem, pick(arguments[1], 0, 1))
    return None


def _power_down(modem, operator, arguments):
    return Answer(after=modem.power_down)


def arrived(modem, relay):
    """A datagram waits: tell it, or push it out, as the socket was opened."""
    while relay.push and relay.waiting:
        data = relay.waiting.popleft()
        modem.write(b'\r\n+QIURC: "recv",%d,%d\r\n' % (relay.number, len(data)) + data + b"\r\n")
    if relay.waiting:
        modem.say('+QIURC: "recv",%d' % relay.number)


SESSION = {"+QISDE": 1, "+QSIMSTAT": 0}
COMMANDS = {
    "+QCCID": _iccid, "+CCID": _iccid, "+QSIMSTAT": _switch("+QSIMSTAT"), "+QISDE": _switch("+QISDE"),
    "+QURCCFG": _setting, "+QICSGP": _context, "+QIACT": _activate, "+QIDEACT": _deactivate, "+QIOPEN": _open,
    "+QICLOSE": _close, "+QISTATE": _state, "+QISEND": _send, "+QIRD": _read, "+QIGETERROR": _last_error,
    "+QPOWD": _power_down, "+QNETDEVCTL": _usb, "+QPINC": QPINC,
}  # fmt: skip
