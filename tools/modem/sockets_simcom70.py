"""SIMCom's sockets of SIM70xx: +CNCFG, +CNACT, +CAOPEN, +CASEND, +CARECV (SIM7070_SIM7080_SIM7090 and SIM7000 Series
TCPUDP(S) Application Notes). Only UDP. OLD has what SIM7000 does otherwise, among it to hang when it is asked for more
than there is, or for anything while no socket is open.
"""

from . import sockets
from .basic_commands import accept, need_sim, pick
from .dialogue import Answer, Refused
from .sim_commands import SPIC
from .sockets_simcom import power_down

LINKS = range(13)
MAX_SEND = 1459
CONTEXT = 1  # what its first connection is to the rest of the modem
# Results of +CAOPEN
_CODES = {sockets.OK: 0, sockets.IN_USE: 4, sockets.NO_NAME: 20, sockets.NO_CONNECTION: 27}


def _iccid(modem, operator, arguments):
    need_sim(modem)
    return [modem.state.sim.iccid]


def _configure(modem, operator, arguments):
    context = modem.state.context(CONTEXT)
    if operator == "?":
        first = '+CNCFG: 0,1,"%s","","",0' % context.apn
        return [first] + ['+CNCFG: %d,0,"","","",0' % number for number in (1, 2, 3)]
    if pick(arguments[0], 0, 1, 2, 3) == 0:
        context.apn = arguments[2]
    return None


def _activate(modem, operator, arguments):
    context = modem.state.context(CONTEXT)
    if operator == "?":
        first = '+CNACT: 0,%d,"%s"' % (context.active, context.address or "0.0.0.0")
        return [first] + ['+CNACT: %d,0,"0.0.0.0"' % number for number in (1, 2, 3)]
    pick(arguments[0], 0)
    return _turn(modem, pick(arguments[1], 0, 1, 2), "+APP PDP: 0,")


def _activate_old(modem, operator, arguments):
    context = modem.state.context(CONTEXT)
    if operator == "?":
        return ['+CNACT: %d,"%s"' % (context.active, context.address or "0.0.0.0")]
    wanted = pick(arguments[0], 0, 1, 2)
    if wanted:
        context.apn = arguments[1]
    return _turn(modem, wanted, "+APP PDP: ")


def _turn(modem, wanted, name):
    if wanted:
        need_sim(modem)
        return Answer(after=lambda: modem.later(_turned_on(modem, name)))
    if not modem.deactivate(CONTEXT):
        raise Refused()
    return Answer(after=lambda: modem.say(name + "DEACTIVE"))


async def _turned_on(modem, name):
    modem.say(name + ("ACTIVE" if await modem.activate(CONTEXT) else "DEACTIVE"))


async def _open(modem, operator, arguments):
    number = pick(arguments[0], *LINKS)
    pick(arguments[1], 0)
    kind, host, port = arguments[2:5]
    return await _opened(modem, number, kind, host, int(port))


async def _open_old(modem, operator, arguments):
    number = pick(arguments[0], *LINKS)
    session = modem.state.session
    kind = "UDP" if session["+CACID"] == number and session["protocol"] == "1" else "TCP"
    host, port = arguments[1:3]
    return await _opened(modem, number, kind, host, int(port))


async def _opened(modem, number, kind, host, port):
    if kind != "UDP" or not host or not 0 < port < 65536:
        return ["+CAOPEN: %d,4" % number]
    if not modem.state.context(CONTEXT).active:
        return ["+CAOPEN: %d,21" % number]
    await modem.pause("open")
    code = await modem.sockets.open(number, host, port, CONTEXT)
    modem.note("socket", number=number, peer="%s:%d" % (host, port), result=_CODES[code])
    return ["+CAOPEN: %d,%d" % (number, _CODES[code])]


def _identify(modem, operator, arguments):
    modem.state.session["+CACID"] = pick(arguments[0], *LINKS)


def _protocol(modem, operator, arguments):
    if arguments[1].strip('"').lower() == "protocol":
        modem.state.session["protocol"] = arguments[2]


def _close(modem, operator, arguments):
    number = pick(arguments[0], *LINKS)
    if modem.sockets.get(number) is None:
        raise Refused()
    modem.sockets.close(number)


def _state(modem, operator, arguments):
    return ["+CASTATE: %d,1" % relay.number for relay in modem.sockets]


async def _send(modem, operator, arguments):
    number, length = pick(arguments[0], *LINKS), int(arguments[1])
    if modem.sockets.get(number) is None or not 0 < length <= MAX_SEND:
        raise Refused()
    data = await modem.prompt(length)
    if data is None:
        return None
    if not modem.sockets.send(number, data):
        raise Refused()
    return Answer(after=lambda: modem.say("+CASEND: %d,0,%d" % (number, length)))


def _receive(modem, operator, arguments):
    if operator == "?":
        return ["+CARECV: %d,%d" % (relay.number, len(relay.waiting[0])) for relay in modem.sockets if relay.waiting]
    number, length = pick(arguments[0], *LINKS), int(arguments[1])
    relay = modem.sockets.get(number)
    if relay is None or not 0 < length <= MAX_SEND:
        raise Refused()
    data = modem.sockets.take(number, length)
    if relay.waiting:
        modem.later(_again(modem, number))
    return [b"+CARECV: %d,%s" % (len(data), data)] if data else ["+CARECV: 0"]


async def _again(modem, number):
    """There is more: it is told again."""
    modem.say("+CADATAIND: %d" % number)


def _receive_old(modem, operator, arguments):
    open_ones = list(modem.sockets)
    relay = modem.sockets.get(int(arguments[0])) if arguments else None
    if not open_ones or relay and int(arguments[1]) > len(relay.waiting[0] if relay.waiting else b""):
        modem.state.faults.mute = True
        modem.note("hangs", command="+CARECV")
    return _receive(modem, operator, arguments)


SESSION = {"+CACID": 0, "protocol": "0"}
COMMANDS = {
    "+CCID": _iccid, "+CNCFG": _configure, "+CNACT": _activate, "+CAOPEN": _open, "+CACLOSE": _close,
    "+CASTATE": _state, "+CASEND": _send, "+CARECV": _receive, "+CPOWD": power_down, "+CBATCHK": accept,
    "+CLTS": accept, "+CNMP": accept, "+CMNB": accept, "+CACID": _identify, "+CASSLCFG": _protocol, "+SPIC": SPIC,
}  # fmt: skip
OLD = {"+CNACT": _activate_old, "+CAOPEN": _open_old, "+CARECV": _receive_old}
