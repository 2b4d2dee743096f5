"""The commands about a SIM: PIN and PUK with their tries (TS 27.007 8.3, 7.4, 7.5; TS 31.101), IMSI."""

from .dialogue import Answer, Refused
from .state import PIN_TRIES, PUK_TRIES

NOT_ALLOWED, NO_SIM, PIN, PUK, FAILURE, BUSY, WRONG_PIN = 3, 10, 11, 12, 13, 14, 16
BLOCKED = "BLOCKED"


def _reached(modem):
    """The SIM, when it is there and can be asked."""
    sim = modem.state.sim
    if not sim.present:
        raise Refused(NO_SIM)
    if not sim.ready or modem.time() < sim.busy_until:
        raise Refused(BUSY)
    if sim.lock == BLOCKED:
        raise Refused(FAILURE)
    return sim


def need_sim(modem):
    """Raise what a modem answers while its SIM cannot be used."""
    sim = _reached(modem)
    if sim.lock:
        raise Refused(PUK if sim.lock == "SIM PUK" else PIN)


def imsi(modem, operator, arguments):
    """+CIMI"""
    need_sim(modem)
    return [modem.state.sim.imsi]


def pin(modem, operator, arguments):
    """+CPIN: what is asked for, or the PIN; with two parameters the PUK and a new PIN."""
    sim = _reached(modem)
    if operator == "?":
        return ["+CPIN: " + (sim.lock or "READY")]
    if sim.lock == "SIM PUK" and len(arguments) == 2:
        _unblock(modem, sim, *arguments)
    elif sim.lock != "SIM PIN":
        raise Refused(PUK if sim.lock else NOT_ALLOWED)
    else:
        _try(modem, sim, arguments[0])
    sim.lock = ""
    return Answer(after=lambda: (modem.say("+CPIN: READY"), modem.network.refresh()))


def _try(modem, sim, given):
    """Raise when this is not the PIN; the last try costs it."""
    if given == sim.pin:
        sim.tries = PIN_TRIES
        return
    sim.tries -= 1
    if sim.tries <= 0:
        sim.lock = "SIM PUK"
    modem.note("pin", right=False, tries=sim.tries)
    raise Refused(WRONG_PIN)


def _unblock(modem, sim, puk, new):
    if not (4 <= len(new) <= 8 and new.isdecimal()):
        raise Refused(WRONG_PIN)
    if puk != sim.puk:
        sim.puk_tries -= 1
        if sim.puk_tries <= 0:
            sim.lock = BLOCKED
        modem.note("puk", right=False, tries=sim.puk_tries)
        raise Refused(WRONG_PIN)
    sim.pin, sim.tries, sim.puk_tries = new, PIN_TRIES, PUK_TRIES


def tries(modem, operator, arguments):
    """+CPINR: how many tries are left."""
    sim = _reached(modem)
    return ["+CPINR: SIM PIN,%d,%d" % (sim.tries, PIN_TRIES), "+CPINR: SIM PUK,%d,%d" % (sim.puk_tries, PUK_TRIES)]


def counter(form):
    """The maker's own way to say the same: a form with %(pin)d and %(puk)d. Of PIN2 and PUK2 nothing was ever tried."""

    def answer(modem, operator, arguments):
        sim = _reached(modem)
        return [form % {"pin": sim.tries, "puk": sim.puk_tries}]

    return answer


QPINC = counter('+QPINC: "SC",%(pin)d,%(puk)d')  # Quectel
SPIC = counter("+SPIC: %(pin)d,%(puk)d,3,10")  # SIMCom
UPINCNT = counter("+UPINCNT: %(pin)d,3,%(puk)d,10")  # u-blox
CINTERION_SPIC = counter("^SPIC: %(pin)d")


def facility(modem, operator, arguments):
    """+CLCK="SC": whether the PIN is asked for at every start."""
    need_sim(modem)
    sim = modem.state.sim
    if arguments[0] != "SC" or arguments[1] not in ("0", "1", "2"):
        raise Refused(NOT_ALLOWED)
    if arguments[1] == "2":
        return ["+CLCK: %d" % sim.asks]
    _try(modem, sim, arguments[2])
    sim.asks = arguments[1] == "1"
    return None


def password(modem, operator, arguments):
    """+CPWD="SC": another PIN."""
    need_sim(modem)
    sim = modem.state.sim
    if arguments[0] != "SC" or not sim.asks or not (4 <= len(arguments[2]) <= 8 and arguments[2].isdecimal()):
        raise Refused(NOT_ALLOWED)
    _try(modem, sim, arguments[1])
    sim.pin = arguments[2]


COMMANDS = {"+CIMI": imsi, "+CPIN": pin, "+CPINR": tries, "+CLCK": facility, "+CPWD": password}
