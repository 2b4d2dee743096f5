"""The private object 26242: the agent's own settings and counters (docs/decisions/0007)."""

from ..accounts import POINTSMAN
from .resources import SETTING

_POLICED = {1: 1, 2: 7}  # resource: the setting of a policy that goes before it

# id operations kind
TABLE = """
0 R int
1 RW! int
2 RW! str
3 R int
4 R int
5 R str
6 R int
7 R* int
8 R int
9 R* str
10 R* str
"""


def enter(agent, objects):
    """Put it into the tree of objects."""

    policing = agent.north.policing

    def read(_instance, rid):
        if rid in SETTING:
            own = agent.settings.get(SETTING[rid])
            return policing.forced.get(_POLICED[rid], own) if policing else own
        if rid == 5:
            return agent.links.active or ""
        if rid > 5:
            return _figure(agent.metrics, rid)
        return {0: agent.journal.next_seq, 3: agent.configuration.epoch, 4: agent.journal.dropped}.get(rid)

    def write(_instance, rid, value, really):
        if policing:
            policing.yields(_POLICED[rid])
        (agent.policies.offer if really else agent.policies.check)(SETTING[rid], value)

    objects.add(POINTSMAN, TABLE, read, write)


def _figure(metrics, rid):
    """The resources that count: 6 moves; 7 ms of the last one: detect, dial, register; 8 starts of the modem; 9 "link
    sent received", bytes of today; 10 "state s" of the registration. None while nothing is counted."""
    if not metrics:
        return None
    if rid == 9:
        return ["%s %d %d" % (link, sent, received) for link, (sent, received) in sorted(metrics.bytes.items())]
    if rid == 10:
        return ["%s %d" % (state, ms // 1000) for state, ms in sorted(metrics.seconds.items())]
    return (metrics.moves, list(metrics.last), metrics.resets)[rid - 6]
