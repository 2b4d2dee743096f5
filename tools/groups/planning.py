"""By which way each member gets a document, from what it can and where it is registered now - and what that will cost.

A way is ("multicast", gateway): one datagram on that gateway's LAN for all of them; ("topic", name): the broker's, kept
for who connects later; ("unicast", None): CoAP to each; ("waiting", None): not registered, it gets the document when it
is. Stages come first to some that are reachable: a canary that is offline says nothing.
"""

from collections import Counter, namedtuple
from dataclasses import dataclass

from ...agent.errors import LocalError
from . import wire

MULTICAST, TOPIC, UNICAST, WAITING = "multicast", "topic", "unicast", "waiting"
MAX_STAGES = 16
# Below so many members in a datagram of repair, each had better be asked by itself: then a loss is noticed sooner.
SPARSE = 2

Reach = namedtuple("Reach", "live gateway capabilities", defaults=(False, None, ()))
Part = namedtuple("Part", "stage way where members datagrams bytes")


@dataclass(frozen=True)
class Terms:
    """How careful a rollout is. `rate`: acknowledgements a second that we can take; `stages`: percent of those
    reachable, rising to 100; `soak_ms`: how long a stage is watched after its last answer; `patience_ms`: how long it
    is waited for. It ends itself when `bad_percent` of at least `bad_after` answers are refusals or roll-backs, or when
    a stage (but the last) ends with `silent_percent` or more of its members silent. `grace_ms`: what an answer may be
    late."""

    rate: int = 2000
    stages: tuple = (100,)
    soak_ms: int = 0
    patience_ms: int = 60_000
    bad_percent: float = 5
    bad_after: int = 20
    silent_percent: float = 50
    grace_ms: int = 300

    def __post_init__(self):
        stages = self.stages
        rising = all(a < b for a, b in zip((0, *stages), stages, strict=False))
        if not 1 <= len(stages) <= MAX_STAGES or not rising or stages[-1] != 100:
            raise LocalError("stages %s: up to %d rising percentages that end with 100" % (stages, MAX_STAGES))
        if not 1 <= self.rate <= 100_000:
            raise LocalError("rate %s: 1 to 100000 acknowledgements a second" % self.rate)
        if min(self.bad_percent, self.silent_percent) <= 0 or self.bad_after < 1:
            raise LocalError("thresholds are more than 0 %, after 1 answer or more")
        if min(self.soak_ms, self.patience_ms, self.grace_ms) < 0:
            raise LocalError("soak, patience and grace are 0 ms or more")

    def window(self, members):
        """How long (ms) so many acknowledgements are spread over."""
        return min(max(200, members * 1000 // self.rate), wire.MAX_WINDOW)

    def shortest(self, members):
        """How long (ms) it takes to reach so many members at best, to the last answer."""
        soaks = (self.soak_ms + self.grace_ms) * (len(self.stages) - 1)
        return self.window(members) + self.grace_ms + soaks


def way(group, reach):
    """The way to a member of a Group with this Reach."""
    if not reach.live:
        return WAITING, None
    if group.multicast and reach.gateway and MULTICAST in reach.capabilities:
        return MULTICAST, reach.gateway
    if group.topic and "mqtt" in reach.capabilities:
        return TOPIC, group.topic
    return UNICAST, None


def ways(group, reach_of):
    """{index: way} of all members; `reach_of(endpoint)` gives a Reach."""
    return {index: way(group, reach_of(endpoint)) for index, endpoint in group.members}


def stages(ways, terms, chance):
    """{index: number of the stage it belongs to}. Who waits belongs to the last, whenever it comes."""
    reachable = [index for index, (kind, _) in ways.items() if kind != WAITING]
    chance.shuffle(reachable)
    found, last = dict.fromkeys(ways, len(terms.stages) - 1), 0
    for number, percent in enumerate(terms.stages):
        end = max(last + 1, round(len(reachable) * percent / 100))
        found.update(dict.fromkeys(reachable[last:end], number))
        last = end
    return found


def whole(targets, lane, last):
    """Whether one announcement to everybody on a LAN does for so many of its members: nobody's turn comes later, and
    few answer once more."""
    return last and targets * 10 >= lane * 9


def announcements(indexes, whole):
    """[(base, bitmap)] of the datagrams that speak to these members of one LAN; [] where unicast is better. `whole`:
    all who hear it may answer."""
    if whole:
        return [(0, None)]
    blocks = wire.blocks(indexes)
    return [] if len(indexes) < SPARSE * len(blocks) else blocks


def dry_run(ways, terms, chance, document):
    """[Part] of what a rollout would send if nothing got lost: by stage and way how many members, datagrams and bytes
    (of UDP payload). What waits costs its datagrams when it comes."""
    stage_of = stages(ways, terms, chance)
    last = len(terms.stages) - 1
    parts = []
    for number in range(last + 1):
        mine = [index for index in ways if stage_of[index] == number]
        for kind, where in sorted({ways[index] for index in mine}, key=str):
            there = [index for index in mine if ways[index] == (kind, where)]
            everybody = sum(each == (kind, where) for each in ways.values())
            parts.append(_part(number, kind, where, there, everybody, number == last, document))
    return parts


def _part(number, kind, where, there, everybody, last, document):
    sent = announcements(there, whole(len(there), everybody, last)) if kind == MULTICAST else []
    if sent:
        size = sum(len(wire.push(wire.announcement(document, 5000, *each), 0, b"12")) for each in sent)
        return Part(number, kind, where, len(there), len(sent), size)
    if kind == TOPIC and last:
        return Part(number, kind, where, len(there), 1, len(document))
    # A topic speaks to everybody, so the early stages are unicast.
    kind = WAITING if kind == WAITING else UNICAST
    size = len(wire.push(document, 0, b"12", True))
    return Part(number, kind, None, len(there), len(there), size * len(there))


def totals(parts):
    """{way: (members, datagrams, bytes)} over all stages."""
    sums = {}
    for part in parts:
        sums.setdefault(part.way, Counter()).update(members=part.members, datagrams=part.datagrams, bytes=part.bytes)
    return {kind: (found["members"], found["datagrams"], found["bytes"]) for kind, found in sums.items()}
