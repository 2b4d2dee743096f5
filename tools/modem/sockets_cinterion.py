"""Cinterion's Internet services: ^SICA, ^SICS, ^SISS, ^SISO, ^SISC, ^SISI, ^SISW, ^SISR, and ^SCID, ^SCKS, ^SMSO,
^SCFG, ^SWWAN (EHS6_ATC, ENS22-E_ATC, BGS2T_ATC). Only UDP clients, in URC mode. OLD has what modems do that know no
^SICA: the context comes up when a service opens.
"""

from . import sockets
from .basic_commands import NO_NETWORK, NOT_ALLOWED, accept, need_sim, pick, usb_network
from .dialogue import Answer, Refused
from .sim_commands import CINTERION_SPIC

PROFILES = range(10)
CONTEXT = 1
MAX_READ = 1500
MAX_SEND = 1460
ALLOCATED, CONNECTING, UP, DOWN = 2, 3, 4, 6


def _iccid(modem, operator, arguments):
    need_sim(modem)
    return ["^SCID: " + modem.state.sim.iccid]


def _holder(modem, operator, arguments):
    if operator == "?":
        return ["^SCKS: %d,%d" % (modem.state.session["^SCKS"], modem.state.sim.present)]
    modem.state.session["^SCKS"] = pick(arguments[0], 0, 1)
    return None


def _off(modem, operator, arguments):
    return Answer(["^SMSO: MS OFF"], after=modem.power_down)


async def _attach(modem, operator, arguments):
    context = modem.state.context(CONTEXT)
    if operator == "?":
        return ["^SICA: %d,%d" % (CONTEXT, context.active)]
    wanted = pick(arguments[0], 0, 1)
    pick(arguments[1], CONTEXT)
    if not wanted:
        modem.deactivate(CONTEXT)
    elif not await modem.activate(CONTEXT):
        raise Refused(NO_NETWORK)
    return None


def _connection(modem, operator, arguments):
    pick(arguments[0], *range(6))
    if arguments[1].lower() == "apn":
        modem.state.context(CONTEXT).apn = arguments[2]


def _services(modem):
    """{profile: what ^SISS has been told, in lower case}, of this life of the modem."""
    return modem.state.session.setdefault("^SISS", {})


def _set(modem, operator, arguments):
    number, name, value = pick(arguments[0], *PROFILES), arguments[1].lower(), arguments[2]
    known = _services(modem).setdefault(number, {"state": ALLOCATED})
    if known["state"] != ALLOCATED:
        raise Refused(NOT_ALLOWED)
    if name == "srvtype" and value.lower() not in ("socket", "none"):
        raise Refused(50)
    known[name] = value
    if value.lower() == "none":
        del _services(modem)[number]


def _open(modem, operator, arguments):
    number = pick(arguments[0], *PROFILES)
    known = _services(modem).get(number, {})
    peer = known.get("address", "").partition("sockudp://")[2]
    host, _, port = peer.rpartition(":")
    if known.get("state") != ALLOCATED or not host or not 0 < int(port) < 65536 or known.get("conid") != "1":
        raise Refused(NOT_ALLOWED)
    known["state"] = CONNECTING
    return Answer(after=lambda: modem.later(_opened(modem, number, known, host, int(port))))


async def _opened(modem, number, known, host, port):
    await modem.pause("open")
    if modem.profile["on_demand"]:
        await modem.activate(CONTEXT)
    code = sockets.NO_CONNECTION
    if modem.state.context(CONTEXT).active:
        code = await modem.sockets.open(number, host, port, CONTEXT)
    modem.note("socket", number=number, peer="%s:%d" % (host, port), result=code)
    known["state"] = DOWN if code else UP
    if code:
        modem.say('^SIS: %d,0,%d,"Host not found"' % (number, 48 if code == sockets.NO_NAME else 15))
    else:
        modem.say("^SISW: %d,1" % number)


def _close(modem, operator, arguments):
    number = pick(arguments[0], *PROFILES)
    known = _services(modem).get(number)
    if known is None:
        raise Refused(NOT_ALLOWED)
    modem.sockets.close(number)
    known["state"] = ALLOCATED


def _state(modem, number, known):
    return DOWN if known["state"] == UP and modem.sockets.get(number) is None else known["state"]


def _information(modem, operator, arguments):
    known = _services(modem)
    wanted = sorted(known) if operator == "?" else [pick(arguments[0], *known)]
    return ["^SISI: %d,%d,0,0,0,0" % (number, _state(modem, number, known[number])) for number in wanted]


async def _write(modem, operator, arguments):
    number, length = pick(arguments[0], *PROFILES), int(arguments[1])
    if modem.sockets.get(number) is None or not 0 < length <= MAX_READ:
        raise Refused(NOT_ALLOWED)
    data = await modem.prompt(length, "\r\n^SISW: %d,%d,0\r\n" % (number, length))
    if len(data) > MAX_SEND:
        modem.say('^SIS: %d,0,9,"The supplied buffer was too small / large"' % number)
        modem.sockets.close(number)
    elif not modem.sockets.send(number, data):
        raise Refused(NOT_ALLOWED)
    return Answer(after=lambda: modem.say("^SISW: %d,1" % number))


def _read(modem, operator, arguments):
    number, length = pick(arguments[0], *PROFILES), int(arguments[1])
    relay = modem.sockets.get(number)
    if relay is None or not 0 <= length <= MAX_READ:
        raise Refused(NOT_ALLOWED)
    if not relay.waiting or not length:
        return ["^SISR: %d,%d" % (number, len(relay.waiting[0]) if relay.waiting else 0)]
    whole = len(relay.waiting[0])
    data = modem.sockets.take(number, length)
    left = ",%d" % (whole - len(data)) if whole >= length else ""  # not told when all of it was asked for, and more
    after = (lambda: modem.later(_again(modem, number))) if relay.waiting and len(data) < length else None
    return Answer(["^SISR: %d,%d%s" % (number, len(data), left), data], after=after)


async def _again(modem, number):
    """Less was given than asked for, and there is more: it is told again."""
    modem.say("^SISR: %d,1" % number)


async def _usb(modem, operator, arguments):
    """^SWWAN: the network over USB."""
    if operator == "?":
        return ["^SWWAN: 1,1,1"] if modem.state.context(CONTEXT).active else []
    await usb_network(modem, pick(arguments[0], 0, 1))
    return None


SESSION = {"^SCKS": 0}
COMMANDS = {
    "^SCID": _iccid, "^SCKS": _holder, "^SMSO": _off, "^SCFG": accept, "^SICA": _attach, "^SISS": _set,
    "^SISO": _open, "^SISC": _close, "^SISI": _information, "^SISW": _write, "^SISR": _read, "^SWWAN": _usb,
    "^SPIC": CINTERION_SPIC,
}  # fmt: skip
OLD = {name: function for name, function in COMMANDS.items() if name != "^SICA"}
OLD["^SICS"] = _connection
