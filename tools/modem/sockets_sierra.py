"""Sierra Wireless' own commands: connections and UDP sockets of HL78xx, +KCNXCFG, +KCNXUP, +KUDPCFG, +KUDPSND, +KUDPRCV
(AirPrime HL78xx AT Commands Interface Guide 41111821). Only UDP, read when told (data mode 0).
"""

from . import sockets
from .basic_commands import accept, need_sim, pick
from .dialogue import Answer, Refused
from .sockets_simcom import power_down

NUMBERS = range(1, 7)
MAX_SEND = 1472
CONTEXT = 1
BAD_SESSION, ALL_IN_USE, NO_CONFIGURATION = 910, 911, 915
_NETWORK, _NAME, _LENGTH = 0, 3, 8  # +KUDP_NOTIF


def _iccid(modem, operator, arguments):
    need_sim(modem)
    return ["+CCID: " + modem.state.sim.iccid]


def _kept(name, *values):
    """A setting that outlives a restart."""

    def answer(modem, operator, arguments):
        session = modem.state.session
        if operator == "?":
            return ["%s: %d" % (name, session[name])]
        modem.state.settings[name] = session[name] = pick(arguments[0], *values)
        return None

    return answer


def _pattern(modem, operator, arguments):
    if operator == "?":
        return ['+KPATTERN: "%s"' % modem.state.session["+KPATTERN"]]
    if not 0 < len(arguments[0]) <= 128:
        raise Refused(50)
    modem.state.session["+KPATTERN"] = arguments[0]
    return None


def _configure(modem, operator, arguments):
    context = modem.state.context(CONTEXT)
    if operator == "?":
        state = 2 if context.active else 0
        return ['+KCNXCFG: 1,"GPRS","%s","","","IPV4","0.0.0.0","0.0.0.0","0.0.0.0",%d' % (context.apn, state)]
    pick(arguments[0], CONTEXT)
    context.apn = arguments[2]
    modem.state.session["+KCNXCFG"] = 1
    return None


def _up(modem, operator, arguments):
    pick(arguments[0], CONTEXT)
    need_sim(modem)
    if not modem.state.session["+KCNXCFG"]:
        raise Refused(NO_CONFIGURATION)
    return Answer(after=lambda: modem.later(_brought_up(modem)))


async def _brought_up(modem):
    """Whether the connection is up; it tells each attempt."""
    if not modem.state.context(CONTEXT).active:
        modem.say("+KCNX_IND: 1,4,1")
    done = await modem.activate(CONTEXT)
    modem.say("+KCNX_IND: 1,1,0" if done else "+KCNX_IND: 1,2,1,1,30")
    return done


def _down(modem, operator, arguments):
    pick(arguments[0], CONTEXT)
    if not modem.deactivate(CONTEXT):
        return None
    return Answer(after=lambda: modem.say("+KCNX_IND: 1,3"))


async def _open(modem, operator, arguments):
    pick(arguments[0], CONTEXT)
    pick(arguments[1], 0)
    free = [number for number in NUMBERS if modem.sockets.get(number) is None]
    if not modem.state.session["+KCNXCFG"]:
        raise Refused(NO_CONFIGURATION)
    if not free or await modem.sockets.open(free[0], None, 0, CONTEXT) != sockets.OK:
        raise Refused(ALL_IN_USE)
    return Answer(["+KUDPCFG: %d" % free[0]], after=lambda: modem.later(_opened(modem, free[0])))


async def _opened(modem, number):
    """A socket brings the connection up by itself."""
    await modem.pause("open")
    done = modem.state.context(CONTEXT).active or await _brought_up(modem)
    modem.note("socket", number=number, result="open" if done else "failed")
    if not done:
        modem.sockets.close(number)
    modem.say("+KUDP_IND: %d,1" % number if done else "+KUDP_NOTIF: %d,%d" % (number, _NETWORK))


def _known(modem, number):
    relay = modem.sockets.get(int(number))
    if relay is None:
        raise Refused(BAD_SESSION)
    return relay


async def _send(modem, operator, arguments):
    relay = _known(modem, arguments[0])
    host, port, length = arguments[1], int(arguments[2]), int(arguments[3])
    pattern = modem.state.session["+KPATTERN"].encode()
    if not host or not 0 < port < 65536 or not 0 < length <= MAX_SEND:
        raise Refused(50)
    data = await modem.prompt(MAX_SEND + len(pattern), until=pattern)
    if data is None or not data.endswith(pattern):
        return Answer(final="NO CARRIER")
    try:
        to = await modem.sockets.find(host, port)
    except (OSError, UnicodeError):
        return Answer(["+KUDP_NOTIF: %d,%d" % (relay.number, _NAME)], final="NO CARRIER")
    told = ["+KUDP_NOTIF: %d,%d" % (relay.number, _LENGTH)] if len(data) != length + len(pattern) else []
    sent = modem.sockets.send(relay.number, data[:-len(pattern)], to)
    return Answer(told, final="OK" if sent else "NO CARRIER")


def _read(modem, operator, arguments):
    relay, length = _known(modem, arguments[0]), int(arguments[1])
    if not 0 < length <= 1500:
        raise Refused(50)
    data = modem.sockets.take(relay.number, length)
    return Answer(["CONNECT", data + modem.state.session["+KPATTERN"].encode()], after=lambda: _told(modem, relay))


def _told(modem, relay):
    """From whom it was, and what else waits."""
    modem.say('+KUDP_RCV: "%s",%d' % relay.source)
    if relay.waiting:
        modem.tell("datagram_waiting", number=relay.number, length=len(relay.waiting[0]))


def _close(modem, operator, arguments):
    modem.sockets.close(_known(modem, arguments[0]).number)


SESSION = {"+KSREP": 0, "+KSIMDET": 1, "+KCNXCFG": 0, "+KPATTERN": "--EOF--Pattern--"}
COMMANDS = {
    "+CCID": _iccid, "+KSREP": _kept("+KSREP", 0, 1), "+KSIMDET": _kept("+KSIMDET", 0, 1), "+KPATTERN": _pattern,
    "+KCNXCFG": _configure, "+KCNXUP": _up, "+KCNXDOWN": _down, "+KUDPCFG": _open, "+KUDPSND": _send,
    "+KUDPRCV": _read, "+KUDPCLOSE": _close, "+CPWROFF": power_down, "+KSLEEP": accept, "+CPSMS": accept,
    "+CEDRXS": accept, "+WPPP": accept,
}  # fmt: skip
