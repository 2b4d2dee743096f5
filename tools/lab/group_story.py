"""The story of a group (G1, G2): one policy, signed, for devices that are reached in different ways, one of them asleep
and one not yet bought - and their readings come as it says."""

import asyncio
import contextlib
import time

from ..servers.coap import Refusal, Unreachable
from .acts import NAMED, Broken
from .group_summary import at_rate
from .group_yard import DECEITS, GROUP, ROOF, TRIAL_S
from .options import FIRST_PERIOD_S, POLICY_PERIOD_S
from .story import Story, until

FEWEST = 4  # one stays where it is, one moves to 4G, one sleeps, one comes later
VERSION = 1
_SETTING = "report_period_s"
_DECEIT_S = 86400  # the period that a stranger would like
_AGAIN_S = 1


class Beside:
    """The story of one device, told without lines of its own."""

    def __init__(self, show):
        self._show = show
        self.waits, self.broken = show.waits, show.broken

    def done(self, device, name, place, detail="", **fields):
        self._show.settled(device, place)


class GroupStory:
    """Leads the members through the acts together; the last device is bought when the policy is under way."""

    name = GROUP

    def __init__(self, yard, show, seed):
        self.yard, self.show, self.books = yard, show, yard.books
        self._beside = Beside(show)
        stories = [Story(yard, device, show, seed) for device in yard.devices]
        self._late, self._asleep, self._roaming = stories[:-4:-1]
        self._present, self._all = stories[:-1], stories
        self._late.show = self._beside
        self._laggard = stories[0]  # whose log is shown if it breaks

    async def tell(self):
        """Everything up to readings at the new rate from all. Raises Broken."""
        await self._together(self._led(story, story.begin) for story in self._present)
        for story in self._present:
            story.show = self._beside
        await self._vouch()
        await self._apart()
        await self._push()
        await self._together((self._isolated(), self._deceived(), self._awake(), self._join()))
        await self._slower()

    async def end(self):
        """The last readings, then de-registration. Raises Broken."""
        await self._together(self._led(story, story.end) for story in self._all)
        self._done("gone", "all %d" % len(self._all))

    def broken(self, error):
        """An act did not happen."""
        self._laggard.broken(error)

    # The acts

    async def _vouch(self):
        self.show.waits(self.name, "vouched")
        await self._asked("vouched", self.yard.vouch())

        def missing():
            said = self.books.keys_told()
            return [story for story in self._present if said.get(story.name) != "has them"]
        await self._until("vouched", lambda: not missing(), lambda: str(self.books.keys_told()), missing)
        self._done("vouched", "all %d" % len(self._present))

    async def _apart(self):
        """One moves to 4G, one is switched off, as somebody who saves power would do it."""
        await self._led(self._roaming, self._roaming.over_4g)
        self._done("roaming", self._roaming.name)
        await self._led(self._asleep, self._asleep.end)
        self._done("asleep", self._asleep.name)

    async def _push(self):
        there = [story for story in self._present if story is not self._asleep]
        self.show.waits(self.name, "pushed")
        self.yard.there = [story.name for story in there]
        size = await self._asked("pushed", self.yard.push({_SETTING: POLICY_PERIOD_S}))
        self._done("pushed", "%d s -> %d s, %d bytes" % (FIRST_PERIOD_S, POLICY_PERIOD_S, size))
        await self._answers("answered", there)
        sent = ", ".join("%d %s" % (count, way) for way, count in self.yard.count().items() if count)
        self._done("answered", "%d of %d; messages: %s" % (len(there), len(self._present), sent))

    async def _deceived(self):
        """Again until all have heard it: datagrams get lost. One that had obeyed would not have readings at the rate
        that is waited for."""
        hearing, words = self._present[:-2], {}

        def all_have():
            return all(DECEITS <= words.get(story.name, set()) for story in hearing)
        asking = asyncio.create_task(self._deceive(hearing, words))
        try:
            await self._until("deceived", all_have, lambda: "turned away: %s" % words)
        finally:
            asking.cancel()
        self._done("deceived", "%d turned it away, and the same one repeated" % len(hearing))

    async def _deceive(self, hearing, words):
        while True:
            self.yard.deceive({_SETTING: _DECEIT_S})
            await asyncio.sleep(_AGAIN_S)
            for story in hearing:
                with contextlib.suppress(Refusal, Unreachable):
                    words[story.name] = await self.yard.turned_away(story.device)

    async def _awake(self):
        await self._asleep.device.begin()
        await self._answers("awake", [self._asleep])
        self._done("awake", self._after_contact(self._asleep))

    async def _join(self):
        await self._led(self._late, self._late.register)
        await self._answers("joined", [self._late])
        self._done("joined", self._after_contact(self._late))

    async def _isolated(self):
        """What it says before it is cut off, and what it says when it is back."""
        story = self._roaming
        since = time.time()
        await self._asked("isolated", self.yard.cut_off())

        def said(word):
            found = self.books.outcomes(ROOF, VERSION).get(story.name)
            return found if found and word in found[:2] else None

        def seen():
            return str(self.books.outcomes(ROOF, VERSION).get(story.name))
        await self._until("isolated", lambda: said("on trial") or said("rolled back"), seen, lambda: [story])
        self._done("isolated", "on trial for %d s" % TRIAL_S)
        undone = await self._until("undone", lambda: said("rolled back"), seen, lambda: [story])
        self._done("undone", "%.1f s after it was pushed" % (undone.at - since))

    async def _slower(self):
        def laggards():
            return [story for story in self._all if not at_rate(self._readings(story), self._outcome(story))]

        def seen():
            return "the old rate still from " + ", ".join(story.name for story in laggards())
        await self._until("slower", lambda: not laggards(), seen)
        self.yard.count()
        self._done("slower", "%d s -> %d s, a column a second:" % (FIRST_PERIOD_S, POLICY_PERIOD_S))
        for story in self._all:
            runtime = self.yard.options.runs_on(story.device.number)
            way = self._outcome(story).way if story.name in self.yard.there else "later"
            title = "%-14s %-12s %-10s" % (story.name, runtime, way)
            self.show.draw(title, self.yard.pushed_at, [r.received_at for r in self.books.readings(story.name)])

    # What is looked at

    def _outcome(self, story):
        return self.books.outcomes(GROUP, VERSION).get(story.name)

    def _readings(self, story):
        """When they were taken: who is cut off has them kept meanwhile."""
        return [r.time for r in self.books.readings(story.name)]

    def _answered(self, story):
        found = self._outcome(story)
        return found and found.state == "acknowledged"

    async def _answers(self, act, stories):
        """By what the platform has written down."""
        def missing():
            return [story for story in stories if not self._answered(story)]

        def seen():
            found = [(story.name, self._outcome(story)) for story in missing()]
            return ", ".join("%s: %s" % (name, one.state if one else "nothing") for name, one in found)
        await self._until(act, lambda: not missing(), seen, missing)

    def _after_contact(self, story):
        record = self.books.registrations(story.name)[-1]
        return "%.0f ms after it registered" % ((self._outcome(story).at - record.opened_at) * 1000)

    # How it is waited and told

    async def _until(self, act, check, seen, missing=list):
        def dead():
            names = [story.name for story in missing() if not story.device.agent.alive]
            return "the agent of %s has ended" % ", ".join(names) if names else ""

        self._laggard = next(iter(missing()), self._laggard)
        self.show.waits(self.name, act, seen)
        return await until(act, check, seen, dead)

    async def _asked(self, act, coroutine):
        try:
            return await asyncio.wait_for(coroutine, NAMED[act].limit_s)
        except Exception as error:  # whatever it ran into is what was seen
            raise Broken(act, NAMED[act].hope, repr(error)) from error

    async def _led(self, story, part):
        """A part of one device's own story."""
        try:
            await part()
        except Broken:
            self._laggard = story
            raise

    async def _together(self, parts):
        """All of them to their ends, whatever becomes of one."""
        for problem in await asyncio.gather(*parts, return_exceptions=True):
            if problem:
                raise problem

    def _done(self, act, detail):
        self.show.done(self.name, act, None, detail)
