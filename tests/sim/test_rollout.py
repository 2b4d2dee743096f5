"""A document on its way to a group, in virtual time: members that lose, refuse, vanish, come late and join late, and an
operator who interferes. G1, G2."""

import heapq
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from agent.errors import LocalError
from pointsman.tools.groups import planning, rollout, states, wire
from pointsman.tools.groups.members import Group, Member
from pointsman.tools.groups.planning import MULTICAST, TOPIC, UNICAST, WAITING, Reach, Terms
from pointsman.tools.groups.rollout import Rollout

DOCUMENT = b"\xd2" + bytes(146)
VERSION = 7
DAY = 86_400_000
LAN = Reach(True, "gw-1", (MULTICAST,))
LTE = Reach(True)
BROKER = Reach(True, None, ("mqtt",))
AWAY = Reach()


class Town:
    """A group of members and the network between. `status(index)`: what a member says to the document; `deaf`: those
    who hear no multicast, whatever was believed of them."""

    def __init__(self, reaches, loss=0.0, seed=1, terms=None, status=lambda index: 0, deaf=(), **known):
        self.chance, self.loss, self.status, self.deaf = random.Random(seed), loss, status, deaf
        self.group = Group("north", multicast=("239.77.0.1", 5685), topic="policies/north")
        self.reaches = {}
        for index, reach in enumerate(reaches):
            self.reaches["m%d" % index] = reach
            self.group.rows["m%d" % index] = [index, True, True]
        self.lasts = dict.fromkeys(self.reaches, 0)  # its version
        self.applied = dict.fromkeys(self.reaches, 0)
        self.now, self.events, self.told = 0, [], []
        self.retained = b""
        self._known = {"expires": DAY, **known}
        self._terms, self.bytes = terms or Terms(), 0
        self.rollout = self.make()

    def make(self):
        ways = planning.ways(self.group, self.reaches.get)
        return Rollout(self.group, DOCUMENT, VERSION, ways, self._terms, self.chance, **self._known)

    def restart(self):
        """The platform, not the members."""
        was, self.rollout = self.rollout, self.make()
        outcomes = {each.endpoint: (each.stage, each.state, each.reason, each.status, each.detail)
                    for each in was.records}
        self.rollout.revive(was.state, was.stage, outcomes, self.now)

    def index(self, endpoint):
        return self.group.rows[endpoint][0]

    def later(self, delay, action, *args):
        heapq.heappush(self.events, (self.now + delay, self.chance.random(), action, args))

    def run(self, until=DAY):
        """Let things happen until then, or until nothing more will."""
        while True:
            self._act()
            times = [self.events[0][0]] if self.events else []
            times += [self.rollout.deadline()] if self.rollout.deadline() is not None else []
            if not times or min(times) > until:
                self.now = max(self.now, until) if times else self.now
                return self
            self.now = max(self.now, min(times))
            while self.events and self.events[0][0] <= self.now:
                _, _, action, args = heapq.heappop(self.events)
                action(*args)
            self.rollout.poll(self.now)

    def _act(self):
        check(self)
        for kind, *what in self.rollout.take():
            getattr(self, "_" + kind)(*what)

    def _multicast(self, gateway, payload):
        self.bytes += len(wire.push(payload, 1, b"12"))
        told = wire.read_announcement(payload)
        for endpoint, reach in self.reaches.items():
            if reach.live and reach.gateway == gateway and endpoint not in self.deaf and not self._lost():
                answers = wire.speaks_to(told, self.index(endpoint)) and MULTICAST in reach.capabilities
                self._take(endpoint, self.chance.randrange(told.window) if answers else None)

    def _unicast(self, endpoint, document):
        self.bytes += len(wire.push(document, 1, b"12", True))
        assert document == DOCUMENT
        if self.reaches[endpoint].live and not self._lost():
            self._take(endpoint, 1)

    def _publish(self, topic, document, before=False):
        self.retained = document
        for endpoint, reach in self.reaches.items():
            if document and not before and reach.live and "mqtt" in reach.capabilities:
                self._take(endpoint, self.chance.randrange(500))

    def _tell(self, event, fields):
        self.told.append(event)

    def _lost(self):
        return self.chance.random() < self.loss

    def _take(self, endpoint, leisure):
        duplicate = self.lasts[endpoint] == VERSION
        if not duplicate:
            self.lasts[endpoint] = VERSION
            self.applied[endpoint] += 1
        if leisure is not None and not self._lost():
            status = self.status(self.index(endpoint))
            self.later(leisure, self.acknowledge, endpoint, 3 if duplicate and status == 0 else status)

    def acknowledge(self, endpoint, status):
        payload = wire.acknowledgement(endpoint.encode(), b"north", VERSION, status)
        self.rollout.acknowledged(endpoint, wire.read_acknowledgement(payload), self.now)


def check(town):
    """What holds whenever anybody looks."""
    made = town.rollout
    if len(town.reaches) > 60 and town.now % 1000:
        return  # it takes long to look at them all
    assert sum(made.counts.values()) == len(town.group.members) == len(made.records)
    assert made.counts == {state: sum(each.state == state for each in made.records) for state in states.STATES}
    assert (made.deadline() is None) == (made.state in ("planned", "aborted", "expired"))


def started(reaches, *args, **known):
    town = Town(reaches, *args, **known)
    town.rollout.start(0)
    return town


def acked(town):
    return town.rollout.counts[states.ACKNOWLEDGED]


def test_no_loss_is_one_datagram():
    town = started([LAN] * 2000)
    town.run(until=60_000)
    assert town.rollout.state == rollout.COMPLETE and acked(town) == 2000
    assert town.rollout.sent == {MULTICAST: 1, UNICAST: 0, TOPIC: 0}
    assert max(record.at for record in town.rollout.records) <= 1000  # 2,000 at 2,000 a second
    assert town.rollout.deadline() == DAY


def test_loss_is_made_up_for_by_multicast_then_unicast():
    town = started([LAN] * 10_000, loss=0.2)
    town.run(until=120_000)
    assert acked(town) == 10_000 and set(town.applied.values()) == {1}
    assert max(record.at for record in town.rollout.records) <= 35_000
    assert town.rollout.sent[MULTICAST] <= 75 and town.rollout.sent[UNICAST] <= 100 and town.bytes <= 40_000


def test_who_hears_no_multicast_is_found_out_and_asked_alone():
    deaf = {"m%d" % index for index in range(100)}
    town = started([LAN] * 300, deaf=deaf)
    town.run(until=30_000)
    assert acked(town) == 300 and town.rollout.sent[MULTICAST] == 2 and town.rollout.sent[UNICAST] == 100


def test_each_by_its_way():
    town = started([LAN] * 50 + [Reach(True, "gw-2", (MULTICAST,))] * 50 + [BROKER] * 50 + [LTE] * 50 + [AWAY] * 50)
    town.run(until=60_000)
    assert acked(town) == 200 and town.rollout.counts[states.WAITING] == 50
    assert town.rollout.sent == {MULTICAST: 2, UNICAST: 50, TOPIC: 1} and town.retained == DOCUMENT


def test_a_broker_that_loses_is_made_up_for():
    town = started([BROKER] * 5)
    town._publish = lambda *what: None
    town.run(until=60_000)
    assert acked(town) == 5 and town.rollout.sent[UNICAST] == 5


@pytest.mark.parametrize("online, state", [(5, "complete"), (4, "running")])
def test_a_restart_sees_to_what_is_retained(online, state):
    """A broker that has lost it has it again; who aborts the rollout takes it back."""
    town = started([BROKER] * online + [AWAY] * (5 - online))
    town.run(until=60_000)
    assert town.rollout.state == state and town.retained == DOCUMENT
    town.retained = b""
    town.restart()
    town.run(until=120_000)
    assert acked(town) == online and town.retained == DOCUMENT
    if state == "running":
        town.rollout.abort(town.now)
        town.run(until=130_000)
        assert town.retained == b""


def test_unicast_is_spread_as_the_answers_shall_be():
    town = started([LTE] * 1000, terms=Terms(rate=100))
    town.run(until=5000)
    assert 490 <= acked(town) <= 510
    town.run(until=11_000)
    assert acked(town) == 1000


def test_who_was_offline_gets_it_at_its_next_contact():
    town = started([LAN] * 10 + [AWAY])
    town.run(until=20_000)
    assert town.rollout.counts[states.WAITING] == 1
    town.reaches["m10"] = LTE
    town.rollout.online("m10", (UNICAST, None), town.now, version=3)
    town.run(until=20_100)
    assert acked(town) == 11 and town.rollout.state == rollout.COMPLETE


def test_a_version_told_with_a_registration_is_an_acknowledgement():
    town = started([LAN] * 3, loss=1.0)
    town.run(until=200)
    town.rollout.online("m1", (MULTICAST, "gw-1"), town.now, version=VERSION)
    check(town)
    assert acked(town) == 1


@pytest.mark.parametrize("status, asked", [(0, 1), (5, 0), (7, 0)])
def test_who_has_lost_it_gets_it_again(status, asked):
    """Not one that would not have it, nor one that has gone back."""
    town = started([LTE] * 3, status=lambda index: status, terms=Terms(bad_after=10))
    town.run(until=10_000)
    assert town.rollout.state == rollout.COMPLETE
    town.rollout.online("m1", (UNICAST, None), town.now, version=0, lost=True)
    assert town.rollout.state == (rollout.RUNNING if asked else rollout.COMPLETE)
    town.run(until=20_000)
    check(town)
    assert town.rollout.state == rollout.COMPLETE and town.rollout.sent[UNICAST] == 3 + asked


def test_what_is_reported_with_a_registration_ends_a_trial():
    town = started([LTE] * 2, status=lambda index: 2)
    town.run(until=10_000)
    for endpoint, reported in (("m0", "trial"), ("m0", "applied"), ("m1", "rolled")):
        assert town.rollout.state == rollout.RUNNING
        town.rollout.online(endpoint, (UNICAST, None), town.now, VERSION, reported)
    assert town.rollout.state == rollout.COMPLETE
    assert (acked(town), town.rollout.counts[states.ROLLED_BACK]) == (1, 1)


def test_one_that_is_registered_and_silent_becomes_unreachable_and_is_asked_ever_more_rarely():
    town = started([LTE], loss=1.0)
    town.run(until=60_000)
    assert town.rollout.counts[states.UNREACHABLE] == 1 and 16 <= town.rollout.sent[UNICAST] <= 20
    town.run(until=3_600_000)
    assert town.rollout.sent[UNICAST] < 40
    town.rollout.offline("m0", town.now)
    assert town.rollout.counts[states.WAITING] == 1
    town.run(until=DAY)
    assert town.rollout.counts[states.EXPIRED] == 1 and town.rollout.state == rollout.EXPIRED
    town.acknowledge("m0", 0)  # it had it all the time
    assert acked(town) == 1


def test_a_canary_that_refuses_stops_it_before_the_second_stage():
    """A hundredth of ten thousand refuse."""
    terms = Terms(stages=(10, 100), bad_percent=0.5, bad_after=50)
    town = started([LAN] * 10_000, terms=terms, status=lambda index: 5 if index % 100 == 0 else 0)
    town.run()
    assert town.rollout.state == rollout.ABORTED and town.rollout.stage == 0
    assert town.rollout.counts[states.PLANNED] == 9000 and town.rollout.counts[states.REJECTED] >= 1
    assert "refusals" in town.rollout.why


def test_stages_come_one_after_the_other_and_canaries_are_reachable():
    town = started([AWAY] * 50 + [LAN] * 50, terms=Terms(stages=(10, 50, 100), soak_ms=5000))
    town.run(until=3000)
    assert (town.rollout.stage, acked(town)) == (0, 5)
    town.run(until=8000)
    assert (town.rollout.stage, acked(town)) == (1, 25)
    town.run(until=20_000)
    assert (town.rollout.stage, acked(town)) == (2, 50)


def test_a_silent_canary_stops_it():
    town = started([LTE] * 100, loss=1.0, terms=Terms(stages=(10, 100)))
    town.run()
    assert town.rollout.state == rollout.ABORTED and "silent" in town.rollout.why
    assert town.rollout.counts[states.PLANNED] == 90


def test_one_on_trial_that_is_never_heard_of_again_is_silent():
    town = started([LTE] * 100, terms=Terms(stages=(10, 100)), status=lambda index: 2, trial_ms=300_000)
    town.run(until=300_000)
    assert town.rollout.state == rollout.RUNNING and acked(town) == 10
    town.run()
    assert town.rollout.state == rollout.ABORTED and "silent" in town.rollout.why


def test_a_trial_ends_well_or_is_taken_back():
    town = started([LTE] * 2, status=lambda index: 2)
    town.run(until=10_000)
    assert town.rollout.state == rollout.RUNNING
    town.acknowledge("m0", 0)
    town.acknowledge("m1", 7)
    assert town.rollout.state == rollout.COMPLETE
    assert (acked(town), town.rollout.counts[states.ROLLED_BACK]) == (1, 1)


@pytest.mark.parametrize("told, is_", [
    ([(0, None), (2, None)], 0), ([(2, None), (1, None)], 2), ([(7, 1), (2, None)], 7), ([(2, None), (3, 0)], 0),
    ([(3, 2)], 2), ([(2, None), (3, 7)], 7), ([(0, None), (7, 1)], 7), ([(8, 28), (0, None)], 0), ([(3, None)], 3),
    ([(0, None), (3, 2)], 0)])
def test_what_overtakes_is_sorted_out(told, is_):
    """Statuses and details as they come in, and the status that holds."""
    book = states.Book()
    book.add(states.Record(0, "m0", (UNICAST, None), 0, states.SENT))
    for status, detail in told:
        book.answer(book[0], status, detail, 1)
    assert book[0].status == is_


def test_a_pause_sends_nothing_and_hears_all():
    town = started([LTE] * 1000, terms=Terms(rate=100))
    town.run(until=5000)
    town.rollout.pause(town.now)
    sent = town.rollout.sent[UNICAST]
    town.run(until=60_000)
    assert town.rollout.sent[UNICAST] == sent and acked(town) == sent
    town.rollout.resume(town.now)
    town.run(until=62_500)
    assert acked(town) < 800  # what was put off does not come all at once
    town.run(until=66_000)
    assert acked(town) == 1000


def test_an_abort_sends_nothing_more_takes_the_retained_one_back_and_hears_all():
    town = started([BROKER, LTE, LAN], loss=1.0)
    town.run(until=300)
    town.rollout.abort(town.now, "changed my mind")
    town.run()
    sent = dict(town.rollout.sent)
    assert town.retained == b"" and town.rollout.why == "changed my mind"
    town.acknowledge("m1", 0)
    town.rollout.online("m2", (UNICAST, None), town.now)
    town.rollout.poll(town.now)
    assert acked(town) == 1 and town.rollout.sent == sent
    with pytest.raises(LocalError, match="aborted, not running"):
        town.rollout.pause(town.now)


def test_later_joiners_are_in_it():
    town = started([LAN] * 3)
    town.run(until=5000)
    assert town.rollout.state == rollout.COMPLETE
    for endpoint, reach in (("m3", LTE), ("m4", AWAY)):
        town.group.rows[endpoint] = [len(town.group.rows), False, True]
        town.reaches[endpoint], town.lasts[endpoint], town.applied[endpoint] = reach, 0, 0
        town.rollout.join(Member(town.index(endpoint), endpoint), planning.way(town.group, reach), town.now)
    town.run(until=6000)
    assert (acked(town), town.rollout.counts[states.WAITING]) == (4, 1)
    town.group.rows["m4"][2] = False
    town.rollout.leave(Member(4, "m4"), town.now)
    town.run(until=7000)
    assert town.rollout.state == rollout.COMPLETE


def test_activation_for_all_wants_time_for_all():
    with pytest.raises(LocalError, match="before the last member can have it"):
        started([LAN] * 10_000, activates=4000)
    town = started([LAN] * 100, activates=4000, status=lambda index: 1)
    town.run(until=3000)
    assert town.rollout.state == rollout.COMPLETE and {each.status for each in town.rollout.records} == {1}


def test_strays_count_nowhere():
    town = started([LAN])
    for payload in (wire.acknowledgement(b"m0", b"north", 6, 0), wire.acknowledgement(b"m0", b"south", 7, 0),
                    wire.acknowledgement(b"m9", b"north", 7, 0)):
        told = wire.read_acknowledgement(payload)
        assert not town.rollout.acknowledged("m0" if told.device == b"m0" else "m9", told, 1)
    assert not town.rollout.acknowledged("m0", wire.Acknowledgement(b"m1", b"north", 7, 0, None), 1)
    assert town.rollout.strays == 4 and acked(town) == 0


REACHES = some.sampled_from((LAN, LAN, LTE, BROKER, AWAY, Reach(True, "gw-2", (MULTICAST,))))
WHAT = ("online", "offline", "leave", "join", "pause", "resume", "abort", "status", "restart")
DEEDS = some.tuples(some.sampled_from(WHAT), some.integers(0, 40), some.integers(0, 11), some.integers(0, 20_000))


@settings(max_examples=60, deadline=None)
@given(some.lists(REACHES, min_size=1, max_size=30), some.lists(DEEDS, max_size=25), some.sampled_from((0, 0.2, 0.6)),
       some.sampled_from(((100,), (10, 100), (1, 20, 50, 100))), some.integers(0, 1000))
def test_whatever_happens_the_counts_sum_to_the_members(reaches, deeds, loss, stages, seed):
    """And nobody applies it twice, and at its end every member is in a state that says why."""
    town = started(reaches, loss, seed, Terms(stages=stages), lambda index: (0, 0, 0, 5, 2)[index % 5])
    for deed, number, status, wait in deeds:
        _do(town, deed, "m%d" % (number % len(town.reaches)), status)
        check(town)
        town.run(until=town.now + wait)
    if town.rollout.state == rollout.PAUSED:
        town.rollout.resume(town.now)
    town.run()
    assert max(town.applied.values()) <= 1
    if town.rollout.state != rollout.ABORTED:
        ends = (*states.ANSWERED, states.EXPIRED)
        assert {each.state for each in town.rollout.records} <= set(ends)
    for each in town.rollout.records:
        assert each.state != states.ACKNOWLEDGED or town.applied[each.endpoint] or each.status is not None


def _do(town, deed, endpoint, status):
    made, there = town.rollout, town.group.rows[endpoint][2]
    if deed == "online" and there:
        town.reaches[endpoint] = LTE
        made.online(endpoint, (UNICAST, None), town.now, town.lasts[endpoint])
    elif deed == "offline" and there:
        town.reaches[endpoint] = AWAY
        made.offline(endpoint, town.now)
    elif deed == "leave" and there:
        town.group.rows[endpoint][2] = False
        made.leave(Member(town.index(endpoint), endpoint), town.now)
    elif deed == "join" and made.state not in (rollout.ABORTED, rollout.EXPIRED) and not there:
        town.group.rows[endpoint][2] = True
        made.join(Member(town.index(endpoint), endpoint), planning.way(town.group, town.reaches[endpoint]), town.now)
    elif deed == "status":
        town.acknowledge(endpoint, status)
    elif deed == "restart":
        town.restart()
    elif (deed, made.state) in (("pause", rollout.RUNNING), ("resume", rollout.PAUSED), ("abort", rollout.RUNNING)):
        getattr(made, deed)(town.now)


def test_what_waits_is_what_the_plan_says():
    town = Town([LAN] * 5 + [AWAY] * 2)
    assert town.rollout.counts[states.PLANNED] == 5 and town.rollout.counts[states.WAITING] == 2
    assert {each.way for each in town.rollout.records} == {(MULTICAST, "gw-1"), (WAITING, None)}
