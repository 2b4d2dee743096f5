"""The platform's policies: its groups, the rollouts that are under way, and what they need of the platform - who is
registered where, a message to one device, the acknowledgements of all.

One rollout a group at a time: the next document waits until the last one is complete, expired or aborted. What it has
learnt is kept every second, so a restart goes on with it.
"""

import asyncio
import contextlib
import random
import re
import time
from collections import Counter
from dataclasses import replace

from ...agent.codec import cose
from ...agent.engine import policy_rules as rules
from ...agent.errors import LocalError, RemoteError
from ..groups import planning, rollout, states
from ..groups.members import Groups
from ..groups.planning import MULTICAST, Reach
from ..groups.rollouts import UNFINISHED, Rollouts
from ..policies import signing
from .belonging import Belonging
from .bringing import Bringing
from .vouching import Vouching

_KEEP_MS, _IDLE_MS = 1000, 60_000
_GATHERED_MS = 1500  # a gateway gathers acknowledgements for a second
_TRIAL_S = 300  # of a document that changes the way out and does not say how long it is to be tried
_TRIED = (5, 6, 7, 10)  # the settings that do
_POL = re.compile("((?:[0-9a-f]{2}){1,32})[.]([0-9]{1,10})[.]([a-z]{1,16})")


def report(told):
    """The queries that reported() takes apart."""
    return ["pol=%s.%d.%s" % (group.hex(), *told[group]) for group in sorted(told)]


def reported(queries):
    """{group id: (version, state)} of the queries `pol=HEXGROUP.VERSION.STATE` of a Register or Update; what is none of
    these is passed over."""
    found = [_POL.fullmatch(item[4:]) for item in queries if item.startswith("pol=")]
    return {bytes.fromhex(one[1]): (int(one[2]), one[3]) for one in found[:16] if one}


class Pushes:
    """`reach(endpoint)`: (whether it is registered, the gateway it is registered through or None);
    `request(endpoint, code, path, payload, format, accept)` is a coroutine function giving the answer, which may raise
    Refusal or Unreachable; `multicast(gateway, group, payload)` and `publish(topic,
    document)`: the other ways."""

    def __init__(self, storage, reach, request, note, multicast=None, publish=None):
        self._reach, self._note = reach, note
        self._multicast = multicast
        self._publish = publish
        self.groups = Groups(storage, self._joined, self._left)
        self.keys = Vouching(storage, self.groups)
        self._belonging = Belonging(storage, self.groups, request, note)
        self._bringing = Bringing(request, self.keys, self._belonging, note, self._answered, self._refused)
        self._rollouts = Rollouts(storage)
        self._chance = random.SystemRandom()
        self._active = {}  # group name: Rollout
        self._wake, self._one, self._worker = asyncio.Event(), asyncio.Lock(), None
        self._changed, self._kept = set(), 0  # names of groups; ms

    # -- its life

    def start(self):
        """Take up the rollouts of before: the last one of each group. The broker may not know of an end yet."""
        known = {group.name: group for group in self.groups}
        last = {row["group"]: row for row in reversed(self._rollouts.listed())}
        for row in last.values():
            group = known.get(row["group"])
            if group and row["state"] in UNFINISHED:
                ways = planning.ways(group, self._reached)
                self._active[group.name] = self._rollouts.revive(row, group, ways, self._chance, _now())
            elif group and group.topic and self._publish:
                self._publish(group.topic, b"")
        self._worker = asyncio.create_task(self._work())

    async def stop(self):
        await self._bringing.stop()
        if self._worker:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)
            await self._keep()

    # -- what operators do; all raise LocalError

    def plan(self, name, document, terms):
        """What a push would send: [Part] of a dry run."""
        group = self.groups.of(name)
        _read(document, group)
        return planning.dry_run(planning.ways(group, self._reached), terms, self._chance, document)

    async def push(self, name, document, terms):
        """Begin to push a signed document; -> its status."""
        group = self.groups.of(name)
        found = _read(document, group)
        self.keys.check(document, group)
        async with self._one:
            await self._begin(group, document, found, terms)
        return self.status(name, found[2])

    async def _begin(self, group, document, found, terms):
        name = group.name
        before = self._active.get(name)
        if before and before.state in (rollout.RUNNING, rollout.PAUSED, rollout.PLANNED):
            raise LocalError("group %s: version %d is on its way; abort it first" % (name, before.version))
        if before:
            await self._rollouts.save(before, _now())
        if group.multicast:
            terms = replace(terms, grace_ms=max(terms.grace_ms, _GATHERED_MS))
        trial = found.get(7, _TRIAL_S if set(_TRIED) & set(found[5]) else 0)
        ways = planning.ways(group, self._reached)
        made = await self._rollouts.open(group, document, found[2], ways, terms, self._chance, _now(), found[4],
                                         found.get(6), trial)
        self._active[name] = made
        try:
            made.start(_now())
        except LocalError:
            del self._active[name]
            raise
        self._turn(made)

    async def vouch(self, document):
        """Take up a signed document of keys, and tell the members who lack it; -> its status."""
        await self.keys.take(document)
        self._bringing.tell(endpoint for endpoint in self.keys.lacking() if self._reach(endpoint)[0])
        return self.vouched()

    def vouched(self):
        """Who may sign, and how many members know it. `telling`: how many are being told."""
        return {**self.keys.status(), "telling": self._bringing.telling}

    async def delete(self, name):
        """End a group. Its versions are not used again, should there be another one of this name."""
        made = self._active.get(name)
        if made and made.state in (rollout.RUNNING, rollout.PAUSED):
            raise LocalError("group %s: version %d is on its way; abort it first" % (name, made.version))
        self.groups.of(name)
        if made and made.state == rollout.COMPLETE:
            made.abort(_now(), "the group was deleted")
        if self._active.pop(name, None):
            await self._rollouts.save(made, _now())
        await self.groups.delete(name)

    def way(self, group, endpoint):
        """How a member of a Group is reached now, as planning.py has it."""
        return planning.way(group, self._reached(endpoint))

    async def change(self, name, version, verb):
        """pause, resume or abort, kept when it returns; -> its status."""
        made = self._active.get(name)
        if made is None or made.version != version:
            raise LocalError("group %s: version %d is not on its way" % (name, version))
        getattr(made, verb)(_now())
        self._turn(made)
        await self._rollouts.save(made, _now())
        return self.status(name, version)

    def status(self, name, version):
        """A rollout's state, and how many members are in which state."""
        made = self._active.get(name)
        if made and made.version == version:
            return {"group": name, "version": version, "state": made.state, "why": made.why, "stage": made.stage,
                    "members": sum(made.counts.values()), "counts": made.counts, "sent": made.sent}
        for row in self._rollouts.listed(name):
            if row["version"] == version:
                counts = Counter(each["state"] for each in self._rollouts.outcomes(name, version))
                return {"group": name, "version": version, "state": row["state"], "why": row["why"],
                        "stage": row["stage"], "members": sum(counts.values()),
                        "counts": {state: counts[state] for state in states.STATES}, "sent": None}
        raise LocalError("group %s: no version %d has been pushed" % (name, version))

    def versions(self, name):
        """The versions that have been pushed to a group, the newest first."""
        self.groups.of(name)
        return [row["version"] for row in self._rollouts.listed(name)]

    def outcomes(self, name, version):
        """What each member has said: [dict]."""
        made = self._active.get(name)
        if made and made.version == version:
            return [{"endpoint": each.endpoint, "state": each.state, "reason": each.reason, "way": each.way[0],
                     "status": each.status, "detail": each.detail} for each in made.records]
        names = ("endpoint", "state", "reason", "way", "status", "detail")
        return [{key: row[key] for key in names} for row in self._rollouts.outcomes(name, version)]

    # -- what devices do

    def online(self, endpoint, told, anew=False):
        """A device has registered (anew) or updated, and says of its policies what reported() has found."""
        self.keys.online(endpoint)
        if anew:
            self._belonging.registered(endpoint, told)
        self._tell(endpoint)
        for made in list(self._active.values()):
            version, state = told.get(made.group.id, (None, None))
            lost = version is not None and version < made.version and (anew or not version)  # an Update may be late
            made.online(endpoint, self.way(made.group, endpoint), _now(), version, state, lost)
            self._turn(made)

    def offline(self, endpoint):
        """Its registration has ended."""
        for made in list(self._active.values()):
            made.offline(endpoint, _now())
            self._turn(made)

    def acknowledged(self, endpoint, told):
        """An Acknowledgement that a device has sent over its own session, or its gateway for it."""
        for made in list(self._active.values()):
            if made.group.id == told.group and made.acknowledged(endpoint, told, _now()):
                self._turn(made)

    # -- inside

    def _tell(self, endpoint):
        if self._reach(endpoint)[0]:
            self._bringing.tell([endpoint])

    def _joined(self, group, member):
        self._regrouped(member.endpoint)
        made = self._active.get(group.name)
        if made:
            made.join(member, self.way(group, member.endpoint), _now())
            self._turn(made)

    def _regrouped(self, endpoint):
        """Its groups have changed, or change in this moment."""
        self._belonging.changed(endpoint)
        asyncio.get_running_loop().call_soon(self._tell, endpoint)

    def _left(self, group, member):
        self._regrouped(member.endpoint)
        made = self._active.get(group.name)
        if made:
            made.leave(member, _now())
            self._turn(made)

    def _reached(self, endpoint):
        live, gateway = self._reach(endpoint)
        own = [one for one in self.groups.capabilities(endpoint) if one != "mqtt" or self._publish]
        return Reach(live, gateway, (*own, MULTICAST) if gateway and self._multicast else own)

    def _turn(self, made):
        """It has been told something: do what it wants, keep it, and look at it again when it says."""
        self._changed.add(made.group.name)
        self._carry_out(made, made.take())
        self._wake.set()

    def _carry_out(self, made, wanted):
        for kind, *what in wanted:
            if kind == "unicast":
                self._bringing.ask(made, *what)
            elif kind == "multicast":
                self._multicast(what[0], made.group, what[1])
            elif kind == "publish":
                if self._publish:  # a group may have a topic where there is no broker any more
                    self._publish(*what)
            else:
                self._note("policy", group=made.group.name, version=made.version, what=what[0], **what[1])

    def _answered(self, made, endpoint, told):
        if made.acknowledged(endpoint, told, _now()):
            self._turn(made)

    def _refused(self, made, endpoint, why):
        made.refused(endpoint, why, _now())
        self._changed.add(made.group.name)

    async def _work(self):
        while True:
            self._wake.clear()
            for made in list(self._active.values()):
                made.poll(_now())
                wanted = made.take()
                if wanted:
                    self._changed.add(made.group.name)
                    self._carry_out(made, wanted)
            if _now() >= self._kept + _KEEP_MS:
                await self._keep()
            times = [_now() + (_KEEP_MS if self._changed else _IDLE_MS)]
            times += [made.deadline() for made in self._active.values()]
            due = min(time for time in times if time is not None)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.01, (due - _now()) / 1000)):
                    await self._wake.wait()

    async def _keep(self):
        self._kept = _now()
        changed, self._changed = self._changed, set()
        for name in changed & set(self._active):
            try:
                await self._rollouts.save(self._active[name], _now())
            except Exception as problem:  # disk full: again in a second
                self._changed.add(name)
                self._note("bug", what=repr(problem))


def _now():
    return int(time.monotonic() * 1000)


def _read(envelope, group):
    """The document in an envelope for this group, if devices would take it now. Raises LocalError."""
    try:
        tag, _, _, _, body, _ = cose.split(signing.bare(envelope))
        if tag != cose.SIGN1:
            raise LocalError("the document is no COSE_Sign1; take what policy sign writes")
        found = rules.read(body)
        rules.check(found)
    except RemoteError as problem:
        raise LocalError("no device takes this document: %s" % problem) from problem
    if found[1] != group.id:
        raise LocalError("the document is for another group than %s" % group.name)
    if found[4] <= time.time():
        raise LocalError("the document has expired; sign another one")
    return found
