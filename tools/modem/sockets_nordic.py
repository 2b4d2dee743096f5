"""Nordic's commands: +CFUN, +CGDCONT and +CGACT with context 0, %XSIM, %XICCID, #XRESET, #XSHUTDOWN and the sockets
of Serial Modem: #XSOCKET, #XCONNECT, #XSEND, #XRECV, #XAPOLL, #XCLOSE; OLD has those of Serial LTE Modem, which work on
the socket that was selected (their documentation). Only UDP; data goes out in data mode.
"""

from . import sockets
from .basic_commands import COMMANDS as BASIC
from .basic_commands import NO_NETWORK, need_sim, pick
from .dialogue import Answer, Refused
from .sockets_simcom import power_down, restart

HANDLES = range(8)
CONTEXT = 0
MAX_SEND = 1400
_READABLE, _NOT_VALID = 1, 32


def _iccid(modem, operator, arguments):
    need_sim(modem)
    return ["%XICCID: " + modem.state.sim.iccid]


def _with_sim(function):
    """With the SIM's power off there is none."""

    def answer(modem, operator, arguments):
        if not modem.state.session["uicc"]:
            raise Refused()
        return function(modem, operator, arguments)

    return answer


def _functionality(modem, operator, arguments):
    """0, 4: off, and the SIM with it; 44: but not the SIM; 1: on; 40, 41: the SIM off and on."""
    state = modem.state
    if operator == "?":
        return ["+CFUN: %d" % state.functionality]
    level = pick(arguments[0], 0, 1, 4, 40, 41, 44)
    was = state.session["uicc"]
    state.session["uicc"] = 1 if level in (1, 41) else was if level == 44 else 0
    if level < 40 or level == 44:
        state.functionality = level % 40
    turned = state.session["%XSIM"] and was != state.session["uicc"]
    return Answer(after=lambda: (modem.network.refresh(), turned and modem.say("%%XSIM: %d" % (not was))))


def _report(modem, operator, arguments):
    if operator == "?":
        return ["%%XSIM: %d" % (modem.state.sim.present and modem.state.session["uicc"])]
    modem.state.session["%XSIM"] = pick(arguments[0], 0, 1)
    return None


def _strength(modem, operator, arguments):
    """+CESQ: what +CSQ would tell, as RSRP of a narrow carrier (some 8 dB less)."""
    state = modem.state
    heard = state.functionality == 1 and modem.network.coverage
    return ["+CESQ: 99,99,255,255,255,%d" % (min(97, 2 * state.signal + 20) if heard else 255)]


def _define(modem, operator, arguments):
    if operator == "?":
        return BASIC["+CGDCONT"](modem, operator, arguments)
    cid = pick(arguments[0], *range(11))
    if cid == CONTEXT and modem.state.functionality == 1:
        raise Refused(3)
    modem.state.context(cid).apn = arguments[2]
    return None


async def _activate(modem, operator, arguments):
    if operator == "?":
        return await BASIC["+CGACT"](modem, operator, arguments)
    on, cid = pick(arguments[0], 0, 1), pick(arguments[1], *range(11))
    if on and not await modem.activate(cid):
        raise Refused(NO_NETWORK)
    if not on:
        modem.deactivate(cid)
    return None


async def _create(modem, operator, arguments):
    """#XSOCKET: family, type, role; the older one closes the selected socket with family 0."""
    if operator == "?":
        return ["#XSOCKET: %d,1,0,2,0" % relay.number for relay in modem.sockets]
    old = "#XSOCKETSELECT" in modem.profile["commands"]
    if pick(arguments[0], 0, 1) == 0:
        if not old:
            raise Refused()
        modem.sockets.close(_selected(modem).number)
        return ['#XSOCKET: 0,"closed"']
    pick(arguments[1], 2)
    pick(arguments[2], 0)
    free = [number for number in HANDLES if modem.sockets.get(number) is None]
    if not free or await modem.sockets.open(free[-1], None, 0, CONTEXT) != sockets.OK:
        raise Refused()
    modem.state.session["selected"] = free[-1]
    return ["#XSOCKET: %d,2,17" % free[-1]]


def _known(modem, number):
    relay = modem.sockets.get(pick(number, *HANDLES))
    if relay is None:
        raise Refused()
    return relay


def _selected(modem):
    """The socket that commands are about; another one when that has been closed."""
    left = [relay.number for relay in modem.sockets]
    number = modem.state.session["selected"]
    return _known(modem, number if number in left or not left else left[-1])


def _select(modem, operator, arguments):
    if operator == "?":
        return ["#XSOCKETSELECT: %d" % _selected(modem).number]
    modem.state.session["selected"] = _known(modem, arguments[0]).number
    return ["#XSOCKETSELECT: %s" % arguments[0]]


async def _connect(modem, relay, arguments):
    host, port = arguments[0], int(arguments[1])
    if not host or not 0 < port < 65536 or not modem.state.context(CONTEXT).active:
        raise Refused()
    await modem.pause("open")
    modem.sockets.close(relay.number)
    code = await modem.sockets.open(relay.number, host, port, CONTEXT)
    modem.note("socket", number=relay.number, peer="%s:%d" % (host, port), result=code)
    if code != sockets.OK:
        await modem.sockets.open(relay.number, None, 0, CONTEXT)  # it stays, unconnected
        raise Refused()
    return "1"


async def _connect_new(modem, operator, arguments):
    return ["#XCONNECT: %s,%s" % (arguments[0], await _connect(modem, _known(modem, arguments[0]), arguments[1:]))]


async def _connect_old(modem, operator, arguments):
    return ["#XCONNECT: " + await _connect(modem, _selected(modem), arguments)]


def _sent(modem, relay, data):
    if relay.peer[0] is None or not 0 < len(data) <= MAX_SEND or not modem.sockets.send(relay.number, data):
        raise Refused()


async def _data_mode(modem, relay):
    """What comes until +++."""
    _sent(modem, relay, (await modem.prompt(4096, "\r\nOK\r\n", b"+++"))[:-3])
    return Answer(final="#XDATAMODE: 0")


async def _send_new(modem, operator, arguments):
    """Handle, mode, flags, and in hexadecimal (1) the data, in data mode (2) nothing or its length."""
    relay = _known(modem, arguments[0])
    if pick(arguments[1], 1, 2) == 1:
        data = bytes.fromhex(arguments[3])
        _sent(modem, relay, data)
        return ["#XSEND: %d,0,%d" % (relay.number, len(data))]
    if len(arguments) < 4:
        return await _data_mode(modem, relay)
    _sent(modem, relay, await modem.prompt(int(arguments[3]), "\r\nOK\r\n"))
    return Answer(final="#XDATAMODE: 0")


async def _send_old(modem, operator, arguments):
    return await _data_mode(modem, _selected(modem))


def _take(modem, relay, head):
    """What there is, without waiting for more; what is left is told again."""
    data = modem.sockets.take(relay.number, MAX_SEND)
    if not data:
        raise Refused()
    after = (lambda: arrived(modem, relay)) if relay.waiting else None
    return Answer(["#XRECV: %s%d" % (head, len(data)), data], after=after)


def _receive_new(modem, operator, arguments):
    pick(arguments[1], 0)
    pick(arguments[2], 64)
    return _take(modem, _known(modem, arguments[0]), "%s,0," % arguments[0])


def _receive_old(modem, operator, arguments):
    pick(arguments[1], 64)
    return _take(modem, _selected(modem), "")


def _close(modem, operator, arguments):
    if operator == "=":
        wanted = [_known(modem, arguments[0])]
    else:
        wanted = list(modem.sockets)
    for relay in wanted:
        modem.sockets.close(relay.number)
    return ["#XCLOSE: %d,0" % relay.number for relay in wanted]


def _poll_new(modem, operator, arguments):
    relay = _known(modem, arguments[0])
    relay.polled = pick(arguments[1], 0, 1) and pick(arguments[2], 0, 1, 4, 5) & 1


def _poll_old(modem, operator, arguments):
    wanted = pick(arguments[0], 0, 1) and pick(arguments[1], 0, 1, 4, 5) & 1
    for relay in modem.sockets:
        relay.polled = wanted


def arrived(modem, relay):
    """A datagram waits: told once, and again after the next read."""
    if getattr(relay, "polled", 0):
        modem.say("#XAPOLL: %d,%d" % (relay.number, _READABLE))


SESSION = {"+CFUN": 0, "uicc": 0, "%XSIM": 0, "selected": 0}
_COMMON = {
    "+CFUN": _functionality, "+CGDCONT": _define, "+CGACT": _activate, "+CPIN": _with_sim(BASIC["+CPIN"]),
    "+CPINR": _with_sim(BASIC["+CPINR"]), "+CIMI": _with_sim(BASIC["+CIMI"]), "%XICCID": _with_sim(_iccid),
    "%XSIM": _report, "+CESQ": _strength, "#XRESET": restart, "#XSHUTDOWN": power_down, "#XSOCKET": _create,
}  # fmt: skip
COMMANDS = {**_COMMON, "#XCONNECT": _connect_new, "#XSEND": _send_new, "#XRECV": _receive_new, "#XAPOLL": _poll_new,
            "#XCLOSE": _close}  # fmt: skip
OLD = {**_COMMON, "#XSOCKETSELECT": _select, "#XCONNECT": _connect_old, "#XSEND": _send_old, "#XRECV": _receive_old,
       "#XAPOLL": _poll_old}  # fmt: skip
UNKNOWN = ("+CREG", "+CGREG", "+CSQ")  # to its modem


def known(own):
    """The commands of the modem with these."""
    return {name: function for name, function in {**BASIC, **own}.items() if name not in UNKNOWN}
