"""Object 3, the device itself (OMA LwM2M 1.1 Core E.4; registry, version 1.1)."""

from ..errors import RemoteError

_DEVICE = 3
_WEAK_DBM = -105
_NO_BATTERY = 5  # /3/0/20
_NOT_ALLOWED = 133

# id operations kind
TABLE = """
0 R str
1 R str
2 R str
3 R str
4 E -
6 R* int
7 R* int
8 R* int
9 R int
10 R int
11 R* int
13 RW time
16 R str
17 R str
18 R str
19 R str
20 R int
21 R int
"""
_SETTINGS = {0: "manufacturer", 1: "model", 2: "serial", 3: "firmware"}
# what the board's about() calls them: DC, battery .. as /3/0/6; mV, mA, %, kB, words, /3/0/20
_ABOUT = {6: "supplies", 7: "millivolts", 8: "milliamps", 9: "battery", 10: "free", 17: "device", 18: "hardware",
          19: "software", 20: "charge", 21: "memory"}  # fmt: skip


def enter(agent, objects):
    """Put it into the tree of objects."""

    def read(_instance, rid):
        if rid in _SETTINGS:
            return agent.settings.get(_SETTINGS[rid]) or None
        if rid in _ABOUT:
            return _about(agent.board).get(_ABOUT[rid])
        if rid == 11:
            return _errors(agent)
        return (agent.wall() or None) if rid == 13 else _binding(agent)

    def write(_instance, _rid, value, really):
        if not hasattr(agent.board, "set_wall"):
            raise RemoteError("the clock of this board cannot be set", _NOT_ALLOWED)
        if not 1600000000 < value < 1 << 32:
            raise RemoteError("a time of %d is not possible: give the seconds since 1970" % value)
        if really:
            agent.board.set_wall(value)

    objects.add(_DEVICE, TABLE, read, write, lambda *_: agent.reset_wanted())


def _about(board):
    found = board.about() if hasattr(board, "about") else {}
    if "charge" not in found and "battery" not in found:
        found["charge"] = _NO_BATTERY
    return found


def _errors(agent):
    """/3/0/11: what is wrong at present: 4 weak signal, 7 no IP, 8 the meter gives none, 16 (our own) the state
    cannot be written. 0: nothing."""
    modem = agent.modem
    wrong = ((4, modem and modem.signal and modem.signal < _WEAK_DBM), (7, modem and modem.state == "failed"),
             (8, agent.resources.faulty), (16, agent.store.behind))  # fmt: skip
    return [code for code, here in wrong if here] or [0]


def _binding(agent):
    return "US" if "sms" in agent.settings.get("links").split(",") else "U"
