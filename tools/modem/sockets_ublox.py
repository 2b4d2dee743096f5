"""u-blox's sockets: +USOCR, +USOCO, +USOST, +USOWR, +USORD, +USORF, +USOCL; PROFILES has +UPSD, +UPSDA, +UPSND of
SARA-R5 and LARA-R6 (SARA-R4 AT commands manual UBX-17003787, SARA-R5's UBX-19047455). Only UDP, binary syntax.
"""

from . import sockets
from .basic_commands import NOT_ALLOWED, accept, need_sim, pick
from .dialogue import Answer, Refused
from .sim_commands import UPINCNT
from .sockets_simcom import power_down

NUMBERS = range(7)
MAX_SEND = 1024
CONTEXT = 1
NOT_FOUND = 22


def _iccid(modem, operator, arguments):
    need_sim(modem)
    return ["+CCID: " + modem.state.sim.iccid]


def _define(modem, operator, arguments):
    """+CGDCONT: what it is registered with cannot be changed."""
    if operator == "=" and modem.state.registered:
        raise Refused(NOT_ALLOWED)
    return modem.profile["define"](modem, operator, arguments)


def _greeting(modem, operator, arguments):
    """+CSGT: what it says when it has booted; kept."""
    if operator == "?":
        return ['+CSGT: "%s",%d' % (modem.profile.get("greeting", ""), "greeting" in modem.profile)]
    if pick(arguments[0], 0, 1):
        modem.profile["greeting"] = arguments[1]
        modem.profile["booted"] = [arguments[1]]
    return None


def _hexadecimal(modem, operator, arguments):
    pick(arguments[0], 1)
    pick(arguments[1], 0)


def _switch(name, *values):
    def answer(modem, operator, arguments):
        if operator == "?":
            return ["%s: %d" % (name, modem.state.session[name])]
        modem.state.session[name] = pick(arguments[0], *values)
        return None

    return answer


async def _create(modem, operator, arguments):
    pick(arguments[0], 17)
    free = [number for number in NUMBERS if modem.sockets.get(number) is None]
    if not free or not modem.state.context(CONTEXT).active:
        raise Refused(NOT_ALLOWED)
    # Not the lowest one: nobody should count on that.
    number = free[-1]
    if await modem.sockets.open(number, None, 0, CONTEXT) != sockets.OK:
        raise Refused(NOT_ALLOWED)
    return ["+USOCR: %d" % number]


def _known(modem, number):
    relay = modem.sockets.get(pick(number, *NUMBERS))
    if relay is None:
        raise Refused(NOT_ALLOWED)
    return relay


async def _connect(modem, operator, arguments):
    number, host, port = _known(modem, arguments[0]).number, arguments[1], int(arguments[2])
    if not host or not 0 < port < 65536:
        raise Refused()
    await modem.pause("open")
    modem.sockets.close(number)
    code = await modem.sockets.open(number, host, port, CONTEXT)
    modem.note("socket", number=number, peer="%s:%d" % (host, port), result=code)
    if code != sockets.OK:
        await modem.sockets.open(number, None, 0, CONTEXT)  # it stays, unconnected
        raise Refused(NOT_FOUND)


def _close(modem, operator, arguments):
    modem.sockets.close(_known(modem, arguments[0]).number)


async def _write(modem, operator, arguments):
    relay, length = _known(modem, arguments[0]), int(arguments[1])
    if relay.peer[0] is None:
        raise Refused(NOT_ALLOWED)
    await _sent(modem, relay, length, None)
    return ["+USOWR: %d,%d" % (relay.number, length)]


async def _send_to(modem, operator, arguments):
    relay, length = _known(modem, arguments[0]), int(arguments[3])
    try:
        to = await modem.sockets.find(arguments[1], int(arguments[2]))
    except (OSError, UnicodeError):
        raise Refused(NOT_FOUND) from None
    await _sent(modem, relay, length, to)
    return ["+USOST: %d,%d" % (relay.number, length)]


async def _sent(modem, relay, length, to):
    if not 0 < length <= MAX_SEND:
        raise Refused()
    data = await modem.prompt(length)
    if data is None or not modem.sockets.send(relay.number, data, to):
        raise Refused(NOT_ALLOWED)


def _read(name):
    def answer(modem, operator, arguments):
        relay, length = _known(modem, arguments[0]), int(arguments[1])
        if not 0 <= length <= MAX_SEND:
            raise Refused()
        if length == 0:
            return ["%s: %d,%d" % (name, relay.number, sum(map(len, relay.waiting)))]
        data = modem.sockets.take(relay.number, length)
        if not data:
            return ['%s: %d,""' % (name, relay.number)]
        if relay.waiting:
            modem.later(_again(modem, relay))
        source = b'"%s",%d,' % (relay.source[0].encode(), relay.source[1]) if name == "+USORF" else b""
        return [b'%s: %d,%s%d,"%s"' % (name.encode(), relay.number, source, len(data), data)]

    return answer


async def _again(modem, relay):
    """There is more: it is told again, also after a part was read."""
    modem.tell("datagram_waiting", number=relay.number, length=len(relay.waiting[0]) if relay.waiting else 0)


def _profile(modem, operator, arguments):
    """+UPSD: 0 protocol, 1 APN, 100 the context it is tied to."""
    pick(arguments[0], 0)
    modem.state.session["+UPSD"] = 1 if pick(arguments[1], 0, 1, 100) == 100 else modem.state.session["+UPSD"]


def _profile_act(modem, operator, arguments):
    pick(arguments[0], 0)
    if pick(arguments[1], 3, 4) == 4:
        if not modem.deactivate(CONTEXT):
            raise Refused(NOT_ALLOWED)
        return None
    need_sim(modem)
    if not modem.state.session["+UPSD"]:
        raise Refused(NOT_ALLOWED)
    return Answer(after=lambda: modem.later(_profile_up(modem)))


async def _profile_up(modem):
    if await modem.activate(CONTEXT):
        modem.say('+UUPSDA: 0,"%s"' % modem.state.context(CONTEXT).address)
    else:
        modem.say("+UUPSDA: 34")


def _profile_state(modem, operator, arguments):
    context = modem.state.context(CONTEXT)
    pick(arguments[0], 0)
    if pick(arguments[1], 0, 8) == 8:
        return ["+UPSND: 0,8,%d" % context.active]
    return ['+UPSND: 0,0,"%s"' % (context.address or "0.0.0.0")]


SESSION = {"+USIMSTAT": 0, "+UPSD": 0, "+ULWM2M": 0}
COMMANDS = {
    "+CCID": _iccid, "+CGDCONT": _define, "+CSGT": _greeting, "+UDCONF": _hexadecimal, "+USOCR": _create,
    "+USOCO": _connect, "+USOCL": _close, "+USOWR": _write, "+USOST": _send_to, "+USORD": _read("+USORD"),
    "+USORF": _read("+USORF"), "+USIMSTAT": _switch("+USIMSTAT", 0, 1, 2, 3), "+CPWROFF": power_down,
    "+UMNOPROF": accept, "+UPINCNT": UPINCNT,
}  # fmt: skip
PROFILES = {"+UPSD": _profile, "+UPSDA": _profile_act, "+UPSND": _profile_state,
            "+ULWM2M": _switch("+ULWM2M", 0, 1)}  # fmt: skip
