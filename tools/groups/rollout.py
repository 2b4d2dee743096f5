"""A document on its way to a group: stages, rounds and tries until every member has answered or the document expires.

Sans I/O: it is told what happens and the time (ms, any clock that does not jump), and gives out what to do (outbox.py).
Each stage goes out by multicast where members hear it; answers come spread over a window, and who is missing then is
spoken to by bitmap, until unicast is better. Who is not registered waits until it is.

    planned -> running <-> paused; running, paused -> aborted | complete | expired
    complete -> running (a later joiner) | aborted | expired
"""

from collections import Counter

from ...agent.errors import LocalError
from . import planning, states, wire
from .outbox import Outbox
from .planning import MULTICAST, TOPIC, WAITING
from .rounds import ONLINE_TRIES, Lane, Tries
from .stages import Stage

PLANNED, RUNNING, PAUSED, ABORTED, COMPLETE, EXPIRED = (
    "planned", "running", "paused", "aborted", "complete", "expired")
_OPEN = (states.PLANNED, states.SENT)
_TOPIC_MS = 5000  # a broker's share of the way, before a silent member is asked by unicast


class Rollout:
    """One document for one Group. `ways`: {index: way} of planning.py; `chance`: a random.Random; `expires`: when the
    document does, on the clock of `now`; `activates`: when all are to obey it at once; `trial_ms`: how long members may
    try it before they say how it went. `book`: a states.Book of its members."""

    def __init__(self, group, document, version, ways, terms, chance, expires, activates=None, trial_ms=0):
        wire.announcement(document, 0)  # or it fits no datagram
        self.group, self.version, self.terms = group, version, terms
        self.expires, self._activates, self._trial_ms = expires, activates, trial_ms
        self.state, self.why = PLANNED, ""
        self._outbox = Outbox(group, document)
        self.strays = self.repeated = 0  # acknowledgements: of something else, or again
        self._chance, stages = chance, planning.stages(ways, terms, chance)
        self.book = states.Book()
        self._lanes, self._tries = {}, Tries(chance)
        self._stage, self._trials = Stage(), set()  # indexes of those on trial
        self._paused_at, self._revived = None, False
        for index, endpoint in group.members:
            self._enter(index, endpoint, ways[index], stages[index], 0)

    @property
    def counts(self):
        """Members by state; they sum to the size of the group."""
        return dict(self.book.counts)

    @property
    def sent(self):
        """Messages by way."""
        return self._outbox.sent

    @property
    def stage(self):
        """The number of the stage it is in, from 0; -1 before."""
        return self._stage.number

    @property
    def records(self):
        """The states.Record of each member."""
        return list(self.book)

    def start(self, now):
        """Send it to the first stage. Raises LocalError: it has been started before, or the document has expired."""
        if self.state != PLANNED or now >= self.expires:
            raise LocalError("this rollout is %s, or its document has expired; make a new one" % self.state)
        last = now + self.terms.shortest(len(self.book))
        if self._activates is not None and last > self._activates:
            raise LocalError("the document is obeyed %d ms before the last member can have it; fewer stages, shorter "
                             "soaks or a later time" % (last - self._activates))
        self._become(RUNNING)
        self._begin(0, now)

    def revive(self, state, stage, outcomes, now):
        """Instead of start(), after a restart: it was in this state and stage, and members were as `outcomes` say
        ({endpoint: (stage, state, reason, status, detail)}). Who has not answered is sent it once more."""
        for record in self.book:
            was = outcomes.get(record.endpoint, (len(self.terms.stages) - 1, record.state, "", None, None))
            record.stage = was[0]
            if was[1] in states.ANSWERED or state in (ABORTED, EXPIRED):
                self.book.move(record, was[1], now, was[2])
                record.status, record.detail = was[3:]
        self._trials = {record.index for record in self.book if record.status == states.TRIAL}
        self._stage, self._paused_at, self._revived = Stage(stage), now, state == PAUSED
        self._become(state)
        if self._last and state in (RUNNING, PAUSED, COMPLETE):
            self._outbox.published()
        if state == RUNNING:
            self._begin(stage, now)

    def pause(self, now):
        """Send nothing until resume(); answers count. Raises LocalError."""
        self._must(RUNNING)
        self._paused_at = now
        self._become(PAUSED)

    def resume(self, now):
        """Go on where it was paused. Raises LocalError."""
        self._must(PAUSED)
        by, self._paused_at = now - self._paused_at, None
        for paused in (self._tries, self._stage, *self._lanes.values()):
            paused.shift(by)
        self._become(RUNNING)
        if self._revived:
            self._begin(self.stage, now)
        self._progress(now)

    def abort(self, now, why="by the operator"):
        """Send nothing more, nor to later joiners; answers to what was sent still count. Raises LocalError."""
        self._must(RUNNING, PAUSED, COMPLETE)
        self._end(ABORTED, why)
        self._outbox.retract()

    def acknowledged(self, endpoint, told, now):
        """An Acknowledgement by this endpoint (as its session says; without security, as it says). Whether it was
        news."""
        record = self.book.of(endpoint)
        ours = told.device == endpoint.encode() and told.group == self.group.id and told.version == self.version
        if record is None or not ours:
            self.strays += 1
            return False
        self._drop(record.index)
        if not self.book.answer(record, told.status, told.detail, now):
            self.repeated += 1
            return False
        self._trials.add(record.index)
        if record.settled:
            self._settle(record.index)
        self._watch(now)
        self._progress(now)
        return True

    def refused(self, endpoint, why, now):
        """It has been asked, and gives no acknowledgement. It is asked again, as it may be busy."""
        record = self.book.of(endpoint)
        if record and record.state == states.SENT:
            self.book.move(record, states.SENT, now, "its answer: " + why)

    def online(self, endpoint, way, now, version=None, reported=None, lost=False):
        """It has registered or updated, is reached by this way now, and has this version of the group's document, in
        this state: that makes up for acknowledgements that were lost. It gets ours at once if it lacks it and its stage
        has come; once more, if it has lost it."""
        record = self.book.of(endpoint)
        if record is None:
            return
        moved, record.way = record.way != way, way
        lost = lost and record.state == states.ACKNOWLEDGED
        if version == self.version:
            status = states.REPORTED.get(reported, states.DUPLICATE)
            told = wire.Acknowledgement(endpoint.encode(), self.group.id, version, status, None)
            self.acknowledged(endpoint, told, now)
        elif record.state in states.ANSWERED and not lost or self.state in (ABORTED, EXPIRED):
            return
        elif record.stage > self.stage:
            self.book.move(record, states.PLANNED, now)
        elif moved or lost or record.state in (states.WAITING, states.UNREACHABLE):
            if self.state == COMPLETE:
                self._become(RUNNING)
            self.book.move(record, states.PLANNED, now)
            self._drop(record.index)
            self._tries.add(record.index, now)

    def offline(self, endpoint, now):
        """Its registration has ended."""
        record = self.book.of(endpoint)
        if record is None or self.state in (ABORTED, EXPIRED):
            return
        record.way = (WAITING, None)
        self._drop(record.index)
        if record.state in (*_OPEN, states.UNREACHABLE):
            self.book.move(record, states.WAITING, now, "not registered")
            self._stage.settle(record.index)
            self._progress(now)

    def join(self, member, way, now):
        """A later joiner belongs to the last stage."""
        if self.state in (ABORTED, EXPIRED) or self.book.of(member.endpoint):
            return
        self._enter(member.index, member.endpoint, way, len(self.terms.stages) - 1, now)
        if self.state == COMPLETE:
            self._become(RUNNING)
        if way[0] != WAITING and self.state != PLANNED and self._last:
            self._tries.add(member.index, now)

    def leave(self, member, now):
        """It is no member any more: it counts nowhere."""
        record = self.book.of(member.endpoint)
        if record:
            self._drop(member.index)
            self._settle(member.index)
            self.book.drop(record)
            self._progress(now)

    def poll(self, now):
        """Do what is due."""
        if self.state in (RUNNING, PAUSED, COMPLETE) and now >= self.expires:
            self._expire(now)
        if self.state != RUNNING:
            return
        for gateway, lane in self._lanes.items():
            if lane.due is not None and now >= lane.due:
                self._round(gateway, lane, now)
        for index, tried in self._tries.due(now):
            self._try(self.book[index], tried, now)
        self._progress(now)

    def deadline(self):
        """When poll() is needed next (ms), or None."""
        if self.state not in (RUNNING, PAUSED, COMPLETE):
            return None
        times = [self.expires]
        if self.state == RUNNING:
            times += [self._tries.deadline(), self._stage.deadline()] + [lane.due for lane in self._lanes.values()]
        return min(each for each in times if each is not None)

    def take(self):
        """What to do, as outbox.py says it; asked once."""
        return self._outbox.take()

    @property
    def _last(self):
        return self.stage == len(self.terms.stages) - 1

    def _must(self, *wanted):
        if self.state not in wanted:
            raise LocalError("this rollout is %s, not %s" % (self.state, " or ".join(wanted)))

    def _become(self, state, why=""):
        self.state, self.why = state, why
        self._outbox.tell(state, why=why, stage=self.stage, **self.counts)

    def _end(self, state, why):
        self._lanes, self._tries = {}, Tries(self._chance)
        self._become(state, why)

    def _enter(self, index, endpoint, way, stage, now):
        state, reason = (states.WAITING, "not registered") if way[0] == WAITING else (states.PLANNED, "")
        self.book.add(states.Record(index, endpoint, way, stage, state, reason, at=now))

    def _settle(self, index):
        """Nothing is expected of it any more."""
        self._trials.discard(index)
        self._stage.settle(index)

    def _drop(self, index):
        """Nothing more has to be sent to it."""
        self._tries.drop(index)
        for lane in self._lanes.values():
            lane.drop(index)

    def _begin(self, number, now):
        """Send it to those of a stage, and of the stages before, that it has not been sent to."""
        mine = [record for record in self.book if record.stage <= number and record.state == states.PLANNED]
        window = self.terms.window(len(mine))
        last = number == len(self.terms.stages) - 1
        ends = None if last else now + window + self.terms.patience_ms + self._trial_ms
        waited_for = mine + [record for record in self.book if record.stage == number and record.index in self._trials]
        self._stage, self._revived = Stage(number, [record.index for record in waited_for], ends), False
        self._outbox.tell("stage", stage=number, members=len(mine), window_ms=window)
        self._by_multicast(mine, window, now)
        alone = [record for record in mine if record.state == states.PLANNED]
        if self._last and self.group.topic and any(record.way[0] == TOPIC for record in self.book):
            alone = self._by_topic(alone, window, now)
        self._spread([record.index for record in alone], window, now)
        self._progress(now)

    def _by_multicast(self, mine, window, now):
        everybody = Counter(record.way for record in self.book)
        for way in sorted({record.way for record in mine if record.way[0] == MULTICAST}):
            there = [record for record in mine if record.way == way]
            lane = self._lanes.setdefault(way[1], Lane(self.terms))
            whole = planning.whole(len(there), everybody[way], self._last)
            sent = lane.begin([record.index for record in there], whole, window, now)
            self._outbox.announce(way[1], sent, window)
            for record in there if sent else ():
                self.book.move(record, states.SENT, now)

    def _by_topic(self, alone, window, now):
        """The retained message; those who say nothing to it are asked by unicast. -> the others."""
        self._outbox.publish()
        for record in alone:
            if record.way[0] == TOPIC:
                self.book.move(record, states.SENT, now)
                self._tries.add(record.index, now + window + _TOPIC_MS)
        return [record for record in alone if record.state == states.PLANNED]

    def _round(self, gateway, lane, now):
        """The end of one: the next, or unicast for the rest."""
        window = self.terms.window(sum(len(each.missing) for each in self._lanes.values()))
        sent = lane.again(window, now)
        self._outbox.announce(gateway, sent, window)
        self._outbox.tell("round", gateway=gateway, missing=len(lane.missing), datagrams=len(sent))
        if not sent:
            rest = lane.rest()
            self._spread(sorted(rest), self.terms.window(len(rest)), now)

    def _spread(self, indexes, window, now):
        """Unicast to them, as evenly over the window as the answers to a multicast come."""
        for k, index in enumerate(indexes):
            self._tries.add(index, now + window * k // len(indexes))

    def _try(self, record, tried, now):
        self._outbox.ask(record.endpoint)
        if tried >= ONLINE_TRIES and record.state == states.SENT:
            why = record.reason or "registered, and silent"
            self.book.move(record, states.UNREACHABLE, now, "%s after %d tries" % (why, tried))
            self._stage.settle(record.index)
        elif record.state == states.PLANNED:
            self.book.move(record, states.SENT, now)

    def _watch(self, now):
        """The threshold of refusals."""
        bad, answered = self.book.bad, self.book.answered
        enough = bad and answered >= self.terms.bad_after and bad * 100 >= self.terms.bad_percent * answered
        if enough and self.state in (RUNNING, PAUSED):
            self.abort(now, "%d of %d answers are refusals or roll-backs" % (bad, answered))

    def _progress(self, now):
        """The next stage, or the end."""
        if self.state != RUNNING:
            return
        if self._last:
            if self.book.answered == len(self.book) and not self._trials:
                self._become(COMPLETE)
        elif self._stage.over(now, self.terms.soak_ms):
            self._judge(now)

    def _judge(self, now):
        """The end of a stage: enough of it must have answered."""
        silent, members = self._stage.silent(self.book)
        if silent and silent * 100 >= self.terms.silent_percent * members:
            self.abort(now, "%d of the %d of stage %d are silent" % (silent, members, self.stage + 1))
        else:
            self._begin(self.stage + 1, now)

    def _expire(self, now):
        for record in list(self.book):
            if record.state not in states.ANSWERED:
                self.book.move(record, states.EXPIRED, now, "the document's time is over")
        self._end(EXPIRED, "the document's time is over")
