"""The commands of ITU-T V.250 and 3GPP TS 27.007 that an emulated modem knows: {name: function(modem, operator,
arguments)}; a function returns lines, an Answer, or raises Refused. A ValueError or IndexError means wrong parameters.
"""

from . import sim_commands
from .dialogue import Answer, Refused
from .sim_commands import NOT_ALLOWED, need_sim  # noqa: F401  for the makers' files

NO_NETWORK = 30
BAUDS = (0, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600)


def pick(value, *allowed):
    """An argument as a number, if it is one of those allowed."""
    number = int(value)
    if number not in allowed:
        raise ValueError(value)
    return number


def accept(modem, operator, arguments):
    """For what changes nothing here."""


def _echo(modem, operator, arguments):
    modem.state.session["echo"] = pick(arguments[0], 0, 1)


def _defaults(modem, operator, arguments):
    modem.state.session.update({"echo": 1, "errors": 1})


def _info(modem, operator, arguments):
    known = modem.profile["identity"]
    return [known["manufacturer"], known["model"], "Revision: " + known["revision"]]


def _fact(key):
    def answer(modem, operator, arguments):
        return [modem.profile["identity"][key]]

    return answer


def _errors(modem, operator, arguments):
    if operator == "?":
        return ["+CMEE: %d" % modem.state.session["errors"]]
    modem.state.session["errors"] = pick(arguments[0], 0, 1, 2)
    return None


def _signal(modem, operator, arguments):
    heard = modem.state.functionality == 1 and modem.network.coverage
    return ["+CSQ: %d,99" % (modem.state.signal if heard else 99)]


def _registration(name):
    def answer(modem, operator, arguments):
        session = modem.state.session
        if operator == "?":
            return ["%s: %d,%s" % (name, session[name], modem.registration_fields(name))]
        session[name] = pick(arguments[0], 0, 1, 2, 3)
        return None

    return answer


def _report(modem, operator, arguments):
    """+CEER: why the network refused last."""
    return ["+CEER: " + (modem.network.report or "No cause information available")]


def _speed(modem, operator, arguments):
    """+IPR: how fast the port is; 0: as fast as the device."""
    if operator == "?":
        return ["+IPR: %d" % modem.state.baud]
    rate = pick(arguments[0], *BAUDS)
    return Answer(after=lambda: setattr(modem.state, "baud", rate))


def _functionality(modem, operator, arguments):
    state = modem.state
    if operator == "?":
        return ["+CFUN: %d" % state.functionality]
    profile = modem.profile
    level = pick(arguments[0], *profile["functionality"], *profile["restarts"])
    if level == 1 and state.functionality != 1:
        state.radio_since = modem.time()
    state.functionality = level if level in profile["functionality"] else 1
    if arguments[1:] == ["1"] or level in profile["restarts"]:
        return Answer(after=modem.restart)
    return Answer(after=modem.network.refresh)


def _operator(modem, operator, arguments):
    if operator == "=":
        return None
    if not modem.state.registered:
        return ["+COPS: 0"]
    return ['+COPS: 0,0,"%s",%d' % (modem.profile["operator"], modem.profile["technology"])]


def _reporting(modem, operator, arguments):
    """+CGEREP: whether contexts that come and go are told."""
    if operator == "?":
        return ["+CGEREP: %d,0" % modem.state.session["+CGEREP"]]
    modem.state.session["+CGEREP"] = pick(arguments[0] or "0", 0, 1, 2)
    return None


async def usb_network(modem, on):
    """Start or stop the network over USB in context 1."""
    if not on:
        modem.deactivate(1)
    elif not await modem.activate(1):
        raise Refused(NO_NETWORK)


def _attached(modem, operator, arguments):
    if operator == "?":
        return ["+CGATT: %d" % modem.state.registered]
    return None


def _define(modem, operator, arguments):
    state = modem.state
    if operator == "?":
        known = sorted(state.contexts.items())
        return ['+CGDCONT: %d,"IP","%s","%s",0,0' % (cid, c.apn, c.address or "0.0.0.0") for cid, c in known]
    state.context(pick(arguments[0], *range(1, 17))).apn = arguments[2]
    return None


async def _activate(modem, operator, arguments):
    state = modem.state
    if operator == "?":
        return ["+CGACT: %d,%d" % (cid, context.active) for cid, context in sorted(state.contexts.items())]
    cid = pick(arguments[1], *range(1, 17))
    if not pick(arguments[0], 0, 1):
        modem.deactivate(cid)
    elif not await modem.activate(cid):
        raise Refused(NO_NETWORK)
    return None


def _address(modem, operator, arguments):
    state = modem.state
    wanted = [int(cid) for cid in arguments] or sorted(state.contexts)
    return ['+CGPADDR: %d,"%s"' % (cid, state.context(cid).address or "0.0.0.0") for cid in wanted]


COMMANDS = {
    "E": _echo, "I": _info, "Z": _defaults, "&F": _defaults, "V": accept, "Q": accept, "X": accept, "S": accept,
    "&C": accept, "&D": accept, "&W": accept, "H": accept,
    "+GMI": _fact("manufacturer"), "+CGMI": _fact("manufacturer"), "+GMM": _fact("model"), "+CGMM": _fact("model"),
    "+GMR": _fact("revision"), "+CGMR": _fact("revision"), "+GSN": _fact("imei"), "+CGSN": _fact("imei"),
    **sim_commands.COMMANDS, "+CMEE": _errors, "+CEER": _report, "+CSQ": _signal, "+CFUN": _functionality,
    "+COPS": _operator,
    "+CREG": _registration("+CREG"), "+CGREG": _registration("+CGREG"), "+CEREG": _registration("+CEREG"),
    "+CGATT": _attached, "+CGDCONT": _define, "+CGACT": _activate, "+CGPADDR": _address, "+CGEREP": _reporting,
    "+IPR": _speed, "+IFC": accept, "+CTZR": accept, "+CTZU": accept,
}  # fmt: skip
