"""A document on its way to a group: stages, rounds and tries until every member has answered or the document expires.

Sans I/O: it is told what happens and the time (ms, any clock that does not jump), and gives out what to do:
    ("multicast", gateway, payload)   to the group's address on that gateway's LAN, as wire.push() packs it
    ("unicast", endpoint, payload)    the same to one member, confirmable, by the way it is registered
    ("publish", topic, document)      retained, QoS 1; an empty document takes back what is retained
    ("tell", event, fields)           for a log or a progress bar
Each stage goes out by multicast where members hear it; answers come spread over a window, and after it those who are
still missing are spoken to by bitmap, until unicast is better. Who is not registered waits until it is.

    planned -> running <-> paused; running, paused -> aborted | complete | expired; complete -> running: a later joiner
"""

from ...agent.errors import LocalError
from . import planning, states, wire
from .planning import MULTICAST, TOPIC, UNICAST, WAITING
from .rounds import ONLINE_TRIES, Lane, Tries

PLANNED, RUNNING, PAUSED, ABORTED, COMPLETE, EXPIRED = (
    "planned", "running", "paused", "aborted", "complete", "expired")
_OPEN = (states.PLANNED, states.SENT)
_TOPIC_MS = 5000  # a broker's share of the way, before a silent member is asked by unicast


class Rollout:
    """One document for one Group. `ways`: {index: way} of planning.py; `chance`: a random.Random; `expires`: when the
    document does, on the clock of `now`; `activates`: when all are to obey it at once; `trial_ms`: how long members may
    try it before they say how it went."""

    def __init__(self, group, document, version, ways, terms, chance, expires, activates=None, trial_ms=0):
        if len(document) > wire.MAX_DOCUMENT:
            raise LocalError("the document has %d bytes; %d go into one datagram" % (len(document), wire.MAX_DOCUMENT))
        self.group, self.document, self.version, self.terms = group, document, version, terms
        self.expires, self._activates, self._trial_ms = expires, activates, trial_ms
        self.state, self.why, self.stage = PLANNED, "", -1
        self.sent = {MULTICAST: 0, UNICAST: 0, TOPIC: 0}
        self.strays = self.repeated = 0  # acknowledgements: of something else, or again
        self._chance, self._stage_of = chance, planning.stages(ways, terms, chance)
        self._book = states.Book()
        self._lanes, self._tries = {}, Tries(chance)
        self._trials = set()  # indexes
        self._open, self._members, self._ends, self._soaks = set(), (), None, None  # of the stage
        self._paused_at, self._out = None, []
        for index, endpoint in group.members:
            self._enter(index, endpoint, ways[index], 0)

    @property
    def counts(self):
        """Members by state; they sum to the size of the group."""
        return dict(self._book.counts)

    @property
    def records(self):
        """The states.Record of each member."""
        return list(self._book)

    def start(self, now):
        """Send it to the first stage. Raises LocalError: it has been started before, or the document has expired."""
        if self.state != PLANNED or now >= self.expires:
            raise LocalError("this rollout is %s, or its document has expired; make a new one" % self.state)
        last = now + self.terms.shortest(len(self._book))
        if self._activates is not None and last > self._activates:
            raise LocalError("the document is obeyed %d ms before the last member can have it; fewer stages, shorter "
                             "soaks or a later time" % (last - self._activates))
        self._become(RUNNING)
        self._next_stage(now)

    def pause(self, now):
        """Send nothing until resume(); answers count. Raises LocalError."""
        self._must(RUNNING)
        self._paused_at = now
        self._become(PAUSED)

    def resume(self, now):
        """Go on where it was paused. Raises LocalError."""
        self._must(PAUSED)
        by, self._paused_at = now - self._paused_at, None
        for paused in (self._tries, *self._lanes.values()):
            paused.shift(by)
        self._ends = self._ends and self._ends + by
        self._soaks = self._soaks and self._soaks + by
        self._become(RUNNING)
        self._progress(now)

    def abort(self, now, why="by the operator"):
        """Send nothing more; answers to what was sent still count. Raises LocalError."""
        self._must(RUNNING, PAUSED)
        self._abort(why)

    def acknowledged(self, endpoint, told, now):
        """An Acknowledgement by this endpoint (as its session says; without security, as it says). Whether it was
        news."""
        record = self._book.of(endpoint)
        ours = told.device == endpoint.encode() and told.group == self.group.id and told.version == self.version
        if record is None or not ours:
            self.strays += 1
            return False
        self._drop(record.index)
        if not self._book.answer(record, told.status, told.detail, now):
            self.repeated += 1
            return False
        self._trials.discard(record.index)
        if record.settled:
            self._open.discard(record.index)
        else:
            self._trials.add(record.index)
        self._watch()
        self._progress(now)
        return True

    def online(self, endpoint, way, now, version=None, reported=None):
        """It has registered or updated, is reached by this way now, and has this version of the group's document, in
        this state: that makes up for acknowledgements that were lost. It gets ours at once if it lacks it and its stage
        has come."""
        record = self._book.of(endpoint)
        if record is None:
            return
        moved, record.way = record.way != way, way
        if version == self.version:
            status = states.REPORTED.get(reported, states.DUPLICATE)
            told = wire.Acknowledgement(endpoint.encode(), self.group.id, version, status, None)
            self.acknowledged(endpoint, told, now)
        elif record.state in states.ANSWERED:
            return
        elif self.state in (ABORTED, EXPIRED):
            return
        elif self._stage_of[record.index] > self.stage:
            self._book.move(record, states.PLANNED, now)
        elif moved or record.state in (states.WAITING, states.UNREACHABLE):
            self._book.move(record, states.PLANNED, now)
            self._drop(record.index)
            self._tries.add(record.index, now)

    def offline(self, endpoint, now):
        """Its registration has ended."""
        record = self._book.of(endpoint)
        if record is None or self.state in (ABORTED, EXPIRED):
            return
        record.way = (WAITING, None)
        self._drop(record.index)
        if record.state in (*_OPEN, states.UNREACHABLE):
            self._book.move(record, states.WAITING, now, "not registered")
            self._open.discard(record.index)
            self._progress(now)

    def join(self, member, way, now):
        """A later joiner belongs to the last stage."""
        if self.state in (ABORTED, EXPIRED) or self._book.of(member.endpoint):
            return
        self._stage_of[member.index] = len(self.terms.stages) - 1
        self._enter(member.index, member.endpoint, way, now)
        if self.state == COMPLETE:
            self._become(RUNNING)
        if way[0] != WAITING and self.state != PLANNED and self._last:
            self._tries.add(member.index, now)

    def leave(self, member, now):
        """It is no member any more: it counts nowhere."""
        record = self._book.of(member.endpoint)
        if record:
            self._drop(member.index)
            self._open.discard(member.index)
            self._trials.discard(member.index)
            self._book.drop(record)
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
            self._try(self._book[index], tried, now)
        self._progress(now)

    def deadline(self):
        """When poll() is needed next (ms), or None."""
        if self.state not in (RUNNING, PAUSED, COMPLETE):
            return None
        times = [self.expires]
        if self.state == RUNNING:
            times += [self._tries.deadline(), self._soaks, self._ends] + [lane.due for lane in self._lanes.values()]
        return min(each for each in times if each is not None)

    def take(self):
        """What to do, in order; asked once."""
        out, self._out = self._out, []
        return out

    @property
    def _last(self):
        return self.stage == len(self.terms.stages) - 1

    def _must(self, *wanted):
        if self.state not in wanted:
            raise LocalError("this rollout is %s, not %s" % (self.state, " or ".join(wanted)))

    def _become(self, state, why=""):
        self.state, self.why = state, why
        self._out.append(("tell", state, {"why": why, "stage": self.stage, **self.counts}))

    def _abort(self, why):
        self._end(ABORTED, why)
        if self.sent[TOPIC]:
            self._out.append(("publish", self.group.topic, b""))

    def _end(self, state, why):
        self._lanes, self._tries, self._open = {}, Tries(self._chance), set()
        self._become(state, why)

    def _enter(self, index, endpoint, way, now):
        waits = way[0] == WAITING
        state, reason = (states.WAITING, "not registered") if waits else (states.PLANNED, "")
        self._book.add(states.Record(index, endpoint, way, state, reason, at=now))

    def _drop(self, index):
        """Nothing more has to be sent to it."""
        self._tries.drop(index)
        for lane in self._lanes.values():
            lane.drop(index)

    def _next_stage(self, now):
        self.stage += 1
        mine = [record for record in self._book
                if self._stage_of[record.index] == self.stage and record.state == states.PLANNED]
        self._members = {record.index for record in mine}
        self._open, self._soaks = set(self._members), None
        window = self.terms.window(len(mine))
        self._ends = None if self._last else now + window + self.terms.patience_ms + self._trial_ms
        self._out.append(("tell", "stage", {"stage": self.stage, "members": len(mine), "window_ms": window}))
        self._by_multicast(mine, window, now)
        alone = [record for record in mine if record.state == states.PLANNED]
        if self._last and self.group.topic and any(record.way[0] == TOPIC for record in self._book):
            alone = self._by_topic(alone, window, now)
        self._spread([record.index for record in alone], window, now)
        self._progress(now)

    def _by_multicast(self, mine, window, now):
        targets, everybody = {}, {}
        for record in self._book:
            if record.way[0] == MULTICAST:
                everybody[record.way[1]] = everybody.get(record.way[1], 0) + 1
        for record in mine:
            if record.way[0] == MULTICAST:
                targets.setdefault(record.way[1], []).append(record)
        for gateway, there in targets.items():
            lane = self._lanes.setdefault(gateway, Lane(self.terms))
            whole = planning.whole(len(there), everybody[gateway], self._last)
            self._announce(gateway, lane.begin([each.index for each in there], whole, window, now), window)
            for record in there if lane.missing else ():
                self._book.move(record, states.SENT, now)

    def _by_topic(self, alone, window, now):
        """The retained message; those who say nothing to it are asked by unicast. -> the others."""
        self._out.append(("publish", self.group.topic, self.document))
        self.sent[TOPIC] += 1
        for record in alone:
            if record.way[0] == TOPIC:
                self._book.move(record, states.SENT, now)
                self._tries.add(record.index, now + window + _TOPIC_MS)
        return [record for record in alone if record.way[0] != TOPIC]

    def _announce(self, gateway, sent, window):
        for base, bitmap in sent:
            payload = wire.announcement(self.document, window, base, bitmap)
            self._out.append(("multicast", gateway, payload))
        self.sent[MULTICAST] += len(sent)

    def _round(self, gateway, lane, now):
        """The end of one: the next, or unicast for the rest."""
        window = self.terms.window(sum(len(each.missing) for each in self._lanes.values()))
        sent = lane.again(window, now)
        self._announce(gateway, sent, window)
        self._out.append(("tell", "round", {"gateway": gateway, "missing": len(lane.missing), "again": len(sent)}))
        if not sent:
            rest = lane.rest()
            self._spread(sorted(rest), self.terms.window(len(rest)), now)

    def _spread(self, indexes, window, now):
        """Unicast to them, as evenly over the window as the answers to a multicast come."""
        for k, index in enumerate(indexes):
            self._tries.add(index, now + window * k // len(indexes))

    def _try(self, record, tried, now):
        self._out.append(("unicast", record.endpoint, self.document))
        self.sent[UNICAST] += 1
        if tried >= ONLINE_TRIES and record.state == states.SENT:
            self._book.move(record, states.UNREACHABLE, now, "registered, and silent after %d tries" % tried)
            self._open.discard(record.index)
        elif record.state == states.PLANNED:
            self._book.move(record, states.SENT, now)

    def _watch(self):
        """The threshold of refusals."""
        bad, answered = self._book.bad, self._book.answered
        terms = self.terms
        if self.state in (RUNNING, PAUSED) and bad and answered >= terms.bad_after:
            if bad * 100 >= terms.bad_percent * answered:
                self._abort("%d of %d answers are refusals or roll-backs" % (bad, answered))

    def _progress(self, now):
        """The next stage, or the end."""
        if self.state != RUNNING:
            return
        if self._last:
            if self._book.answered == len(self._book) and not self._trials:
                self._become(COMPLETE)
            return
        if not self._open and self._soaks is None:
            self._soaks = now + self.terms.soak_ms
        if now >= self._ends or (self._soaks is not None and now >= self._soaks):
            self._judge(now)

    def _judge(self, now):
        """The end of a stage: enough of it must have answered."""
        here = [record for record in self._book if record.index in self._members]
        silent = sum(not record.settled and record.state != states.WAITING for record in here)
        if silent and silent * 100 >= self.terms.silent_percent * len(here):
            self._abort("%d of the %d of stage %d are silent" % (silent, len(here), self.stage + 1))
        else:
            self._next_stage(now)

    def _expire(self, now):
        for record in list(self._book):
            if record.state not in states.ANSWERED:
                self._book.move(record, states.EXPIRED, now, "the document's time is over")
        self._end(EXPIRED, "the document's time is over")
