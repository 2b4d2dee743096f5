"""SIMCom's sockets of SIM7500, SIM7600 and A76xx: +NETOPEN, +CIPOPEN, +CIPSEND, +CIPRXGET (SIM7500_SIM7600 Series
TCPIP Application Note). Only UDP, several at a time. The profile row `net_state` is what +NETOPEN? answers.
"""

import ipaddress

from . import sockets
from .basic_commands import accept, need_sim, pick, usb_network
from .dialogue import Answer, Refused
from .sim_commands import SPIC

LINKS = range(10)
MAX_SEND = 1500
CONTEXT = 1


def _iccid(modem, operator, arguments):
    need_sim(modem)
    return ["+ICCID: " + modem.state.sim.iccid]


def failed(line):
    """A line that tells what is wrong, and ERROR."""
    return Answer([line], final="ERROR")


def _open_network(modem, operator, arguments):
    if operator == "?":
        return [modem.profile["net_state"] % modem.state.context(CONTEXT).active]
    if modem.state.context(CONTEXT).active:
        return failed("+IP ERROR: Network is already opened")
    need_sim(modem)
    return Answer(after=lambda: modem.later(_opened_network(modem)))


async def _opened_network(modem):
    modem.say("+NETOPEN: %d" % (not await modem.activate(CONTEXT)))


def _close_network(modem, operator, arguments):
    if not modem.deactivate(CONTEXT):
        return failed("+NETCLOSE: 2")
    return Answer(after=lambda: modem.say("+NETCLOSE: 0"))


def _open(modem, operator, arguments):
    number, kind = pick(arguments[0], *LINKS), arguments[1]
    port = int(arguments[4])
    if not modem.state.context(CONTEXT).active:
        return failed("+CIPOPEN: %d,2" % number)
    if kind != "UDP" or arguments[2] or arguments[3] or not 0 < port < 65536:
        raise Refused()
    if modem.sockets.get(number):
        return failed("+CIPOPEN: %d,4" % number)
    return Answer(after=lambda: modem.later(_opened(modem, number)))


async def _opened(modem, number):
    await modem.pause("open")
    code = await modem.sockets.open(number, None, 0, CONTEXT)
    modem.note("socket", number=number, result="open" if code == sockets.OK else "failed")
    modem.say("+CIPOPEN: %d,%d" % (number, 0 if code == sockets.OK else 1))


def _close(modem, operator, arguments):
    if operator == "?":
        return ["+CIPCLOSE: " + ",".join("%d" % (modem.sockets.get(number) is not None) for number in LINKS)]
    number = pick(arguments[0], *LINKS)
    if modem.sockets.get(number) is None:
        return failed("+CIPCLOSE: %d,4" % number)
    modem.sockets.close(number)
    return ["+CIPCLOSE: %d,0" % number]


async def _send(modem, operator, arguments):
    number, length = pick(arguments[0], *LINKS), int(arguments[1])
    host, port = str(ipaddress.IPv4Address(arguments[2])), int(arguments[3])
    if modem.sockets.get(number) is None:
        return failed("+CIPERROR: 4")
    if not 0 < length <= MAX_SEND or not 0 < port < 65536:
        raise Refused()
    data = await modem.prompt(length)
    if data is None:
        return None
    if not modem.sockets.send(number, data, (host, port)):
        return failed("+CIPERROR: 4")
    return Answer(after=lambda: modem.say("+CIPSEND: %d,%d,%d" % (number, length, length)))


def _receive(modem, operator, arguments):
    session = modem.state.session
    if operator == "?":
        return ["+CIPRXGET: %d" % session["+CIPRXGET"]]
    mode = pick(arguments[0], 0, 1, 2, 4)
    if mode < 2:
        session["+CIPRXGET"] = mode
        return None
    number = pick(arguments[1], *LINKS)
    relay = modem.sockets.get(number)
    if relay is None:
        return failed("+IP ERROR: No connection")
    if mode == 4:
        return ["+CIPRXGET: 4,%d,%d" % (number, sum(map(len, relay.waiting)))]
    length = int(arguments[2])
    data = modem.sockets.take(number, length) if 0 < length <= 1500 else b""
    if not data:
        return failed("+IP ERROR: No data")
    return ["+CIPRXGET: 2,%d,%d,%d" % (number, len(data), sum(map(len, relay.waiting))), data]


async def _resolve(modem, operator, arguments):
    host = arguments[0]
    if not modem.state.context(CONTEXT).active or not host or not host.strip("0123456789."):
        raise Refused()
    return Answer(after=lambda: modem.later(_resolved(modem, host)))


async def _resolved(modem, host):
    try:
        address = await modem.sockets.find(host, 0)
        modem.say('+CDNSGIP: 1,"%s","%s"' % (host, address[0]))
    except (OSError, UnicodeError):
        modem.say("+CDNSGIP: 0,10")


def _address(modem, operator, arguments):
    context = modem.state.context(CONTEXT)
    if not context.active:
        return failed("+IP ERROR: Network not opened")
    return ["+IPADDR: " + context.address]


async def _usb(modem, operator, arguments):
    """$QCRMCALL: the network over USB."""
    if operator != "?":
        await usb_network(modem, pick(arguments[0], 0, 1))
    return ["$QCRMCALL: 1,V4"] if modem.state.context(CONTEXT).active else []


def power_down(modem, operator, arguments):
    """+CPOF and other makers' likes."""
    return Answer(after=modem.power_down)


def restart(modem, operator, arguments):
    """+CRESET and other makers' likes."""
    return Answer(after=modem.restart)


def arrived(modem, relay):
    """A datagram waits: tell it, or push it out, as +CIPRXGET says."""
    if modem.state.session["+CIPRXGET"]:
        return modem.say("+CIPRXGET: 1,%d" % relay.number)
    while relay.waiting:
        data = relay.waiting.popleft()
        modem.write(b"\r\nRECV FROM:%s:%d\r\n+IPD%d\r\n" % (relay.source[0].encode(), relay.source[1], len(data)))
        modem.write(data + b"\r\n")
    return None


SESSION = {"+CIPRXGET": 0}
COMMANDS = {
    "+CICCID": _iccid, "+NETOPEN": _open_network, "+NETCLOSE": _close_network, "+CIPOPEN": _open, "+CIPCLOSE": _close,
    "+CIPSEND": _send, "+CIPRXGET": _receive, "+CDNSGIP": _resolve, "+IPADDR": _address, "+CPOF": power_down,
    "+CRESET": restart, "+CIPMODE": accept, "+CIPSENDMODE": accept, "+CIPCCFG": accept, "+CIPTIMEOUT": accept,
    "+CIPSRIP": accept, "$QCRMCALL": _usb, "+CIPHEAD": accept, "+CNMP": accept, "+CSCLK": accept, "+SPIC": SPIC,
}  # fmt: skip
