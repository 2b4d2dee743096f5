"""Fibocom's sockets: +MIPCALL, +MIPOPEN, +MIPSEND, +MIPREAD, +MIPCLOSE, and +GTSET, +MSMPD, +GTRNDIS, as drivers of
others use them. Only UDP; what came is kept until it is read (+GTSET="IPRFMT",5), or pushed out in hexadecimal (0).
"""

from . import sockets
from .basic_commands import accept, need_sim, pick, usb_network
from .dialogue import Answer, Refused
from .sockets_simcom import power_down

NUMBERS = range(1, 7)
MAX_SEND = 1400
ROOM = 16384
CONTEXT = 1


def _iccid(modem, operator, arguments):
    need_sim(modem)
    return ["+CCID: " + modem.state.sim.iccid]


def _setting(modem, operator, arguments):
    if arguments[0].upper() == "IPRFMT":
        modem.state.session["IPRFMT"] = pick(arguments[1], 0, 5)


def _presence(modem, operator, arguments):
    modem.state.session["+MSMPD"] = pick(arguments[0], 0, 1)


def _call(modem, operator, arguments):
    context = modem.state.context(CONTEXT)
    if operator == "?":
        return ["+MIPCALL: 1,%s" % context.address] if context.active else ["+MIPCALL: 0"]
    if not pick(arguments[0], 0, 1):
        modem.deactivate(CONTEXT)
        return Answer(after=lambda: modem.say("+MIPCALL: 0"))
    need_sim(modem)
    if context.active:
        raise Refused()
    if len(arguments) > 1:
        context.apn = arguments[1]
    return Answer(after=lambda: modem.later(_called(modem)))


async def _called(modem):
    up = await modem.activate(CONTEXT)
    modem.say("+MIPCALL: " + (modem.state.context(CONTEXT).address if up else "0"))


def _open(modem, operator, arguments):
    if operator == "?":
        free = [str(number) for number in NUMBERS if modem.sockets.get(number) is None]
        return ["+MIPOPEN: " + (",".join(free) or "0")]
    number, host, port = pick(arguments[0], *NUMBERS), arguments[2], int(arguments[3])
    pick(arguments[4], 1)
    if not host or not 0 < port < 65536 or modem.sockets.get(number) or not modem.state.context(CONTEXT).active:
        raise Refused()
    return Answer(after=lambda: modem.later(_opened(modem, number, host, port)))


async def _opened(modem, number, host, port):
    await modem.pause("open")
    code = await modem.sockets.open(number, host, port, CONTEXT)
    modem.note("socket", number=number, peer="%s:%d" % (host, port), result=code)
    modem.say("+MIPOPEN: %d,%d" % (number, code == sockets.OK))


def _known(modem, number):
    relay = modem.sockets.get(pick(number, *NUMBERS))
    if relay is None:
        raise Refused()
    return relay


async def _send(modem, operator, arguments):
    relay, length = _known(modem, arguments[0]), int(arguments[1])
    if not 0 < length <= MAX_SEND:
        raise Refused()
    data = await modem.prompt(length)
    if data is None or not modem.sockets.send(relay.number, data):
        raise Refused()
    return Answer(["+MIPSEND: %d,0,%d" % (relay.number, ROOM)],
                  after=lambda: modem.say("+MIPPUSH: %d,0" % relay.number))


def _read(modem, operator, arguments):
    relay, length = _known(modem, arguments[0]), int(arguments[1])
    data = modem.sockets.take(relay.number, length) if 0 < length <= 3072 else b""
    if relay.waiting:
        modem.later(_again(modem, relay))
    return ["+MIPDATA: %d,%d" % (relay.number, len(data)), data] if data else []


async def _again(modem, relay):
    """There is more: it is told again."""
    arrived(modem, relay)


def arrived(modem, relay):
    """A datagram waits: tell it, or push it out, as +GTSET says."""
    while relay.waiting and modem.state.session["IPRFMT"] == 0:
        host, port, data = *relay.source, relay.waiting.popleft()
        modem.say("+MIPRUDP: %s,%d,%d,%d,%s" % (host, port, relay.number, len(data), data.hex().upper()))
    if relay.waiting:
        modem.say("+MIPREAD: %d,%d" % (relay.number, len(relay.waiting[0])))


def _close(modem, operator, arguments):
    number = _known(modem, arguments[0]).number
    modem.sockets.close(number)
    return Answer(after=lambda: modem.say("+MIPCLOSE: %d,0" % number))


async def _usb(modem, operator, arguments):
    """+GTRNDIS: the network over USB."""
    context = modem.state.context(CONTEXT)
    if operator == "?":
        return ['+GTRNDIS: 1,1,"%s"' % context.address] if context.active else ["+GTRNDIS: 0"]
    await usb_network(modem, pick(arguments[0], 0, 1))
    return None


SESSION = {"IPRFMT": 0, "+MSMPD": 0}
COMMANDS = {
    "+CCID": _iccid, "+ICCID": _iccid, "+GTSET": _setting, "+MSMPD": _presence, "+MIPCALL": _call, "+MIPOPEN": _open,
    "+MIPSEND": _send, "+MIPREAD": _read, "+MIPCLOSE": _close, "+CPWROFF": power_down, "+GTRNDIS": _usb,
    "+GTUSBMODE": accept,
}  # fmt: skip
