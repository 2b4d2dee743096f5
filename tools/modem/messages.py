"""Short messages in an emulated modem (TS 27.005, PDU mode): where they lie, its commands, and its way to the centre.

Text mode is not there: what carries datagrams cannot use it.
"""

from . import centre
from .basic_commands import need_sim, pick
from .dialogue import Answer, Refused

STORAGES = {"SM": 20, "ME": 40}
# TS 27.005 3.2.5
NOT_ALLOWED, BAD_PDU, NO_PLACE, FULL, NO_NETWORK, NO_ACK_EXPECTED = 302, 304, 321, 322, 331, 340
MAX_TEXT = 400  # characters of a PDU
SENDS = (1, 5, 6, 7)  # registration states in which messages come and go


class CmsRefused(Refused):
    """A command about messages fails: +CMS ERROR with a number of TS 27.005 3.2.5."""

    name = "+CMS ERROR"


class Messages:
    """The messages of one modem. `number`: its own; `route`: the centre."""

    def __init__(self, modem, number, route):
        self._modem, self.number, self.route = modem, number, route
        self._stored = {name: {} for name in STORAGES}  # storage: {index: [status, PDU]}
        self.restart()
        if route:
            route.attach(number, self.take)

    def restart(self):
        """What a power cycle does to the settings; messages stay on the card."""
        self.reading = self.receiving = "SM"
        self.indications = (0, 0)  # +CNMI: mode, where deliveries go
        self.owed = False  # an acknowledgement (+CNMA), where the profile wants one

    def registered(self):
        """The network is there again: what waited at the centre comes."""
        if self.route and self.can_take():
            self.route.wake(self.number)

    def can_take(self):
        state = self._modem.state
        return state.running and state.sim.ready and not state.sim.lock and state.registration in SENDS

    def take(self, tpdu):
        """A message from the network; whether it could be taken."""
        if not self.can_take():
            return False
        pdu = centre.address(centre.NUMBER)
        pdu = bytes([len(pdu) - 1]) + pdu[1:] + tpdu
        mode, where = self.indications
        if self._modem.profile["acknowledges"]:
            if self.owed or not mode:
                return False
            self.owed = True
        if where == 2 and mode:
            self._modem.say("+CMT: ,%d\r\n%s" % (len(tpdu), pdu.hex().upper()))
            return True
        index = self.store(pdu.hex().upper(), 0)
        if index is None:
            return False
        if where == 1 and mode:
            self._modem.say('+CMTI: "%s",%d' % (self.receiving, index))
        return True

    def store(self, pdu, status):
        """-> the index at which it lies now, or None: no room."""
        stored = self._stored[self.receiving]
        free = [index for index in range(1, STORAGES[self.receiving] + 1) if index not in stored]
        if not free:
            return None
        stored[free[0]] = [status, pdu]
        return free[0]

    def box(self):
        return self._stored[self.reading]

    def counts(self, name):
        return '"%s",%d,%d' % (name, len(self._stored[name]), STORAGES[name])


def _format(modem, operator, arguments):
    if operator == "?":
        return ["+CMGF: 0"]
    if pick(arguments[0], 0, 1):
        raise CmsRefused(NOT_ALLOWED)
    return None


def _storages(modem, operator, arguments):
    need_sim(modem)
    own = modem.messages
    if operator == "?":
        return ["+CPMS: " + ",".join([own.counts(own.reading)] * 2 + [own.counts(own.receiving)])]
    if not set(arguments) <= set(STORAGES):
        raise CmsRefused(NOT_ALLOWED)
    own.reading = arguments[0]
    own.receiving = (arguments + [own.receiving] * 2)[2]
    tail = [own.counts(name).partition(",")[2] for name in (own.reading, own.reading, own.receiving)]
    return ["+CPMS: " + ",".join(tail)]


def _indications(modem, operator, arguments):
    own = modem.messages
    if operator == "?":
        return ["+CNMI: %d,%d,0,0,0" % own.indications]
    wanted = [pick(argument or "0", 0, 1, 2, 3) for argument in arguments] + [0, 0]
    if wanted[1] == 3 or modem.profile["acknowledges"] and wanted[:4] not in ([3, 2, 0, 1], [0, 0, 0, 0]):
        raise CmsRefused(NOT_ALLOWED)
    own.indications = (wanted[0], wanted[1])
    return Answer(after=own.registered)  # what waited for that


def _centre(modem, operator, arguments):
    return ['+CSCA: "%s",145' % centre.NUMBER] if operator == "?" else None


async def _send(modem, operator, arguments):
    """+CMGS=<octets of the TPDU>, then at the prompt the centre's address and the TPDU in hexadecimal, then Ctrl-Z."""
    need_sim(modem)
    length = pick(arguments[0], *range(8, 165))
    text = await modem.prompt(MAX_TEXT, "\r\n> ", b"\x1a")
    if text is None:
        return Answer()
    try:
        pdu = bytes.fromhex(text[:-1].decode())
        if len(pdu) != length + 1 + pdu[0]:
            raise ValueError(length)
    except (ValueError, IndexError):
        raise CmsRefused(BAD_PDU) from None
    own = modem.messages
    if not own.can_take() or own.route is None:
        raise CmsRefused(NO_NETWORK)
    await modem.pause("message")
    try:
        return ["+CMGS: %d" % own.route.submit(own.number, pdu[1 + pdu[0]:])]
    except ValueError:
        raise CmsRefused(BAD_PDU) from None


def _read(modem, operator, arguments):
    need_sim(modem)
    found = modem.messages.box().get(int(arguments[0]))
    if found is None:
        raise CmsRefused(NO_PLACE)
    status, found[0] = found[0], 1
    return ["+CMGR: %d,,%d" % (status, _octets(found[1])), found[1]]


def _list(modem, operator, arguments):
    need_sim(modem)
    wanted = pick(arguments[0], 0, 1, 2, 3, 4)
    lines = []
    for index, found in sorted(modem.messages.box().items()):
        if wanted in (4, found[0]):
            lines += ["+CMGL: %d,%d,,%d" % (index, found[0], _octets(found[1])), found[1]]
            found[0] = 1
    return lines


def _delete(modem, operator, arguments):
    need_sim(modem)
    box = modem.messages.box()
    if pick((arguments + ["0"])[1], 0, 1, 2, 3, 4):
        box.clear()
    elif int(arguments[0]) not in range(1, STORAGES[modem.messages.reading] + 1):
        raise CmsRefused(NO_PLACE)
    box.pop(int(arguments[0]), None)


def _octets(pdu):
    """The length that is told: without the centre's address. A hostile PDU may have none."""
    return max(0, len(pdu) // 2 - 1 - int(pdu[:2] or "0", 16)) if pdu[:2].isalnum() else 0


def _service(modem, operator, arguments):
    return ["+CSMS: 0,1,1,1"] if operator == "?" else ["+CSMS: 1,1,1"]


def _acknowledge(modem, operator, arguments):
    """+CNMA: the message that was handed over has been taken; the next one may come."""
    own = modem.messages
    if not own.owed:
        raise CmsRefused(NO_ACK_EXPECTED)
    own.owed = False
    return Answer(after=own.registered)


COMMANDS = {
    "+CMGF": _format, "+CPMS": _storages, "+CNMI": _indications, "+CSCA": _centre, "+CMGS": _send, "+CMGR": _read,
    "+CMGL": _list, "+CMGD": _delete, "+CSMS": _service, "+CNMA": _acknowledge,
}  # fmt: skip
