"""Telit's own commands: #SGACT, #SD, #SSENDEXT, #SRECV, #QSS, #ECM (80407ST10116A LE9x0 and 80617ST10991A ME910G1 AT
Commands Reference Guides). Only UDP, in command mode; without the data's source a read joins datagrams.
"""

from . import sockets
from .basic_commands import NOT_ALLOWED, accept, need_sim, pick, usb_network
from .dialogue import Refused
from .sim_commands import NO_SIM
from .sockets_simcom import power_down, restart

NUMBERS = range(1, 7)
MAX_SEND = 1500
CONTEXT = 1
ALREADY_ACTIVE, ACTIVATION_FAILED, NOT_OPENED, NO_NAME, NO_SOCKET = 553, 555, 556, 558, 560


def _iccid(modem, operator, arguments):
    need_sim(modem)
    return ["#CCID: " + modem.state.sim.iccid]


def _sim_status(modem, operator, arguments):
    """#QSS: 0 no SIM, 1 inserted, 2 unlocked, 3 ready; told by itself when the setting is 2."""
    sim = modem.state.sim
    if operator == "?":
        status = 0 if not sim.present else 3 if sim.ready and not sim.lock else 1
        return ["#QSS: %d,%d" % (modem.state.session["#QSS"], status)]
    modem.state.session["#QSS"] = pick(arguments[0], 0, 1, 2)
    return None


def _tries(modem, operator, arguments):
    """#PCT: of the code that is asked for, else of the PIN."""
    sim = modem.state.sim
    if not sim.present:
        raise Refused(NO_SIM)
    return ["#PCT: %d" % (sim.puk_tries if sim.lock == "SIM PUK" else sim.tries)]


def _save(modem, operator, arguments):
    """&W: what a restart leaves as it is."""
    modem.state.settings["#QSS"] = modem.state.session["#QSS"]


async def _activate(modem, operator, arguments):
    state = modem.state
    if operator == "?":
        return ["#SGACT: %d,%d" % (cid, context.active) for cid, context in sorted(state.contexts.items())]
    cid = pick(arguments[0], CONTEXT)
    if not pick(arguments[1], 0, 1):
        modem.deactivate(cid)
        return None
    need_sim(modem)
    if state.context(cid).active:
        raise Refused(ALREADY_ACTIVE)
    if not await modem.activate(cid):
        raise Refused(ACTIVATION_FAILED)
    return ["#SGACT: " + state.context(cid).address]


def _setting(modem, operator, arguments):
    """#SCFG, #SCFGEXT, #SCFGEXT2: checked and forgotten; not while the socket is in use."""
    if modem.sockets.get(pick(arguments[0], *NUMBERS)):
        raise Refused(NOT_ALLOWED)


async def _open(modem, operator, arguments):
    number = pick(arguments[0], *NUMBERS)
    host, port, local = arguments[3], int(arguments[2]), int(arguments[5])
    pick(arguments[1], 1)  # UDP
    pick(arguments[6], 1)  # command mode
    if not host or not 0 < port < 65536 or not 0 < local < 65536:
        raise Refused(50)
    if not modem.state.context(CONTEXT).active:
        raise Refused(NOT_OPENED)
    if modem.sockets.get(number):
        raise Refused(NOT_ALLOWED)
    await modem.pause("open")
    code = await modem.sockets.open(number, host, port, CONTEXT)
    modem.note("socket", number=number, peer="%s:%d" % (host, port), result=code)
    if code != sockets.OK:
        raise Refused(NO_NAME if code == sockets.NO_NAME else NO_SOCKET)


def _known(modem, number):
    relay = modem.sockets.get(pick(number, *NUMBERS))
    if relay is None:
        raise Refused(NOT_ALLOWED)
    return relay


async def _send(modem, operator, arguments):
    relay, length = _known(modem, arguments[0]), int(arguments[1])
    if not 0 < length <= MAX_SEND:
        raise Refused(50)
    data = await modem.prompt(length)
    if data is None or not modem.sockets.send(relay.number, data):
        raise Refused(NOT_ALLOWED)


def _read(modem, operator, arguments):
    relay, length = _known(modem, arguments[0]), int(arguments[1])
    if not 0 < length <= 1500:
        raise Refused(50)
    data = modem.sockets.take(relay.number, length)
    if not data:
        raise Refused(NOT_ALLOWED)
    if arguments[2:3] == ["1"]:
        left = 0  # of this datagram; what was longer is the next one here
        return ["#SRECV: %s,%d,%d,%d,%d" % (*relay.source, relay.number, len(data), left), data]
    while relay.waiting and len(data) < length:
        data += modem.sockets.take(relay.number, length - len(data))
    return ["#SRECV: %d,%d" % (relay.number, len(data)), data]


def _status(modem, operator, arguments):
    found = []
    for number in NUMBERS:
        relay = modem.sockets.get(number)
        found.append("#SS: %d,%d" % (number, 0 if relay is None else 3 if relay.waiting else 2))
    return found


def _close(modem, operator, arguments):
    modem.sockets.close(_known(modem, arguments[0]).number)


async def _usb(modem, operator, arguments):
    """#ECM=cid,0: the network over USB; read: whether it is up."""
    if operator == "?":
        return ["#ECM: 0,%d" % modem.state.context(CONTEXT).active]
    pick(arguments[0], CONTEXT)
    await usb_network(modem, True)
    return None


async def _usb_end(modem, operator, arguments):
    pick(arguments[0], 0)
    await usb_network(modem, False)


SESSION = {"#QSS": 0}
COMMANDS = {
    "#CCID": _iccid, "#QSS": _sim_status, "#PCT": _tries, "&W": _save, "&P": accept, "#SGACT": _activate,
    "#SCFG": _setting, "#SCFGEXT": _setting, "#SCFGEXT2": _setting, "#SD": _open, "#SSENDEXT": _send,
    "#SRECV": _read, "#SS": _status, "#SH": _close, "#SHDN": power_down, "#REBOOT": restart,
}  # fmt: skip
ECM = {"#ECM": _usb, "#ECMD": _usb_end}
