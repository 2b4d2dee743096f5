"""Huawei's own commands: the SIM's number, the USB network, restart (HUAWEI ME909s Series LTE Module AT Command
Interface Specification). It has no sockets here.
"""

import ipaddress

from .basic_commands import accept, need_sim, pick
from .dialogue import Answer, Refused
from .sim_commands import NO_SIM
from .sockets_simcom import restart

CONTEXT = 1
UP, DOWN, FAILED = '^NDISSTAT: 1,,,"IPV4"', '^NDISSTAT: 0,,,"IPV4"', '^NDISSTAT: 0,33,,"IPV4"'


def _iccid(modem, operator, arguments):
    need_sim(modem)
    return ["^ICCID: " + modem.state.sim.iccid]


def _tries(modem, operator, arguments):
    """^CPIN?: the code that is asked for and its tries, then those of PUK, PIN, PUK2 and PIN2."""
    sim = modem.state.sim
    if not sim.present:
        raise Refused(NO_SIM)
    own = {"SIM PIN": sim.tries, "SIM PUK": sim.puk_tries}.get(sim.lock, "")
    return ["^CPIN: %s,%s,%d,%d,10,3" % (sim.lock or "READY", own, sim.puk_tries, sim.tries)]


def _network(modem, operator, arguments):
    """^NDISDUP=cid,state[,apn]: OK at once, what came of it later."""
    pick(arguments[0], CONTEXT)
    if pick(arguments[1], 0, 1):
        need_sim(modem)
        if len(arguments) > 2:
            modem.state.context(CONTEXT).apn = arguments[2]
        modem.state.session["^NDISDUP"] = 1
        return Answer(after=lambda: modem.later(_started(modem)))
    modem.state.session["^NDISDUP"] = 0
    was = modem.deactivate(CONTEXT)
    return Answer(after=lambda: was and modem.say(DOWN))


async def _started(modem):
    done = await modem.activate(CONTEXT)
    modem.say(UP if done else FAILED)


def _state(modem, operator, arguments):
    return ['^NDISSTATQRY: %d,,,"IPV4"' % modem.state.context(CONTEXT).active]


def _addresses(modem, operator, arguments):
    """^DHCP?: address, mask, gateway, server, two name servers, as little-endian numbers, and speeds."""
    context = modem.state.context(CONTEXT)
    if not context.active:
        return None
    known = (context.address, "255.192.0.0", "10.64.0.1", "10.64.0.1", "10.64.0.1", "0.0.0.0")
    fields = ["%X" % int.from_bytes(ipaddress.IPv4Address(part).packed, "little") for part in known]
    return ["^DHCP: %s,150000000,150000000" % ",".join(fields)]


SESSION = {"^NDISDUP": 0}
COMMANDS = {
    "^ICCID": _iccid, "^CPIN": _tries, "^NDISDUP": _network, "^NDISSTATQRY": _state, "^DHCP": _addresses,
    "^CURC": accept, "^RESET": restart, "^SYSCFGEX": accept,
}  # fmt: skip
