"""What can be done on the network's side of an emulated modem, and to its SIM: functions, and their table."""

from ..faults import Fault
from . import causes
from .network import VERDICTS

LOCKS = ("", "SIM PIN", "SIM PUK")
MAX_POINTS = 1000


def _coverage(modem, on):
    modem.network.coverage = on
    modem.network.refresh()


def _registration(modem, verdict, cause=15):
    modem.network.verdict, modem.network.verdict_cause = verdict, cause
    modem.network.refresh()


def _subscription(modem, active, imsi=None):
    imsi = imsi or modem.state.sim.imsi
    if active:
        modem.network.suspended.discard(imsi)
    elif len(modem.network.suspended) < MAX_POINTS:
        modem.network.suspended.add(imsi)
    modem.network.refresh()


def _detach(modem, silent=False):
    for cid in sorted(modem.state.contexts):
        if silent:
            modem.deactivate(cid, silent=True)
    if not silent:
        modem.tell("detached")
        modem.network.detach()


def _deactivate(modem, cid=1, silent=False):
    if not modem.state.context(cid).active:
        return {"error": "context %d is not active" % cid}
    if silent:
        modem.deactivate(cid, silent=True)
    else:
        modem.lose_context(cid)
    return None


def _refuse(modem, cause):
    modem.network.context_cause = cause


def _zombie(modem, cid=1):
    return None if modem.let_rot(cid) else {"error": "context %d is not active" % cid}


async def _rebind(modem, address=None):
    for call in modem.lines.calls():
        call.network.rebind()
    try:
        await modem.sockets.rebind(address)
    except Fault as fault:
        return {"error": fault.message}
    return None


def _air(modem, ms=0, jitter=0, loss=0):
    modem.air.ms, modem.air.jitter, modem.air.loss = ms, jitter, loss


def _signal(modem, level):
    modem.state.signal = level


def _points(value):
    """[[ms, level], ...], each later than the one before."""
    if not isinstance(value, list) or len(value) > MAX_POINTS:
        return False
    last = -1
    for point in value:
        if not isinstance(point, list) or len(point) != 2 or [type(item) for item in point] != [int, int]:
            return False
        if not last < point[0] <= 86400000 or point[1] not in (*range(32), 99):
            return False
        last = point[0]
    return True


def _trace(modem, points, repeat=False):
    if repeat and points and points[-1][0] < 10:
        return {"error": "a trace that is repeated lasts 10 ms or more"}
    modem.network.follow(points, repeat)
    return None


def digits(least, most):
    """What must be so many digits."""
    return lambda value: isinstance(value, str) and least <= len(value) <= most and value.strip("0123456789") == ""


def _iccid(value):
    return isinstance(value, str) and digits(18, 20)(value.rstrip("Ff"))


def _sim(modem, present, lock=None, pin=None, tries=None, iccid=None, imsi=None):
    facts = {"pin": pin, "tries": tries, "iccid": iccid, "imsi": imsi}
    modem.set_sim(present, lock, **{name: value for name, value in facts.items() if value is not None})


def _busy(modem, ms):
    modem.state.sim.busy_until = modem.time() + ms / 1000


# name: (function, {parameter: what it must be}, example and meaning); control.py says what it may be
COMMANDS = {
    "coverage": (_coverage, {"on": bool}, '{"do": "coverage", "on": false}  the network is lost; true: it is back'),
    "trace": (_trace, {"points": _points, "repeat": bool},
              ('{"do": "trace", "points": [[0, 22], [20000, 4], [25000, 99], [40000, 18]]}  signal after so many ms, '
              '99: no network; "repeat": true: over again; []: ends it')),
    "signal": (_signal, {"level": range(100)}, '{"do": "signal", "level": 5}  what +CSQ tells'),
    "registration": (_registration, {"verdict": tuple(VERDICTS), "cause": tuple(causes.ATTACH)},
                     ('{"do": "registration", "verdict": "denied", "cause": 11}  or home, roaming, searching; cause: '
                     "a number of TS 24.301, for +CEREG and +CEER")),
    "subscription": (_subscription, {"active": bool, "imsi": digits(14, 15)},
                     ('{"do": "subscription", "active": false}  suspended (cause 8; when resumed, the modem tries only '
                     'after its radio was off); "imsi": another than that of the SIM')),
    "detach": (_detach, {"silent": bool},
               '{"do": "detach"}  thrown out, and let in again; "silent": true: only the contexts, without a word'),
    "deactivate": (_deactivate, {"cid": range(1, 17), "silent": bool},
                   '{"do": "deactivate", "cid": 1}  the network ends a context; "silent": true: without saying so'),
    "refuse": (_refuse, {"cause": (0, *causes.CONTEXT)},
               '{"do": "refuse", "cause": 27}  no context is given, a cause of TS 24.301 for +CEER; 0: they are'),
    "zombie": (_zombie, {"cid": range(1, 17)},
               '{"do": "zombie"}  a context, and its call, carries nothing any more until it is dialled anew'),
    "rebind": (_rebind, {"address": str},
               '{"do": "rebind"}  the NAT forgets: datagrams come from other ports; "address": from there'),
    "air": (_air, {"ms": range(60001), "jitter": range(60001), "loss": range(101)},
            '{"do": "air", "ms": 300, "jitter": 50, "loss": 5}  datagrams are late (each way), 5 % are lost'),
    "sim": (_sim, {"present": bool, "lock": LOCKS, "pin": digits(4, 8), "tries": range(1, 4), "iccid": _iccid,
                   "imsi": digits(14, 15)},
            ('{"do": "sim", "present": false}  taken out; true: put in; "lock": "SIM PIN": locked, with "pin" and '
            '"tries" left; "iccid", "imsi": another one')),
    "busy": (_busy, {"ms": range(600001)}, '{"do": "busy", "ms": 500}  the SIM is busy for so long (+CME ERROR: 14)'),
}  # fmt: skip
