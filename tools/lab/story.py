"""The story of one device, act by act: each ends when the servers' books, the modem or the board say so, or breaks."""

import asyncio
import random
import time

from .acts import NAMED, Broken
from .options import FIRST_PERIOD_S, NEXT_PERIOD_S

_POLL_S = 0.01
_FEW = 2  # readings that make "readings flow"


class Story:
    """Leads one device through the acts; `yard` has the servers and their books, `show` is a timeline."""

    def __init__(self, yard, device, show, seed):
        self.yard = yard
        self.device = device
        self.name = device.endpoint
        self.books = yard.books
        self.show = show
        # Faults come at moments that the seed decides, each device has its own.
        self._random = random.Random("%s/%s" % (seed, self.name))
        self._identity = None

    async def tell(self):
        """Everything up to the device being back after its power cut. Raises Broken."""
        await self.begin()
        await self._new_period()
        await self.over_4g()
        await self._back()
        await self._power_cut()

    async def begin(self):
        """From the shop to its first readings. Raises Broken."""
        await self.register()
        await self._readings("readings")

    async def register(self):
        """From the shop to its first registration. Raises Broken."""
        await self._provision()
        await self._over_ethernet()

    async def end(self):
        """The last readings, then de-registration. Raises Broken."""
        await self._until("drained", lambda: self._via_gateway() or self._direct(), self._records_say)
        sequence = await self._sequence()
        await self._until("drained", lambda: self.books.last(self.name) >= sequence, self._books_say)
        self._done("drained", "up to number %d" % self.books.last(self.name))
        self.device.end()
        await self._until("left", self._has_left, self._records_say, alive=False)
        self._done("left")

    def broken(self, error):
        """An act of it did not happen: the others' stories go on."""
        self.device.moments.broken = str(error)
        self.show.broken(self.name, error, list(self.device.agent.tail))

    # The acts

    async def _provision(self):
        await self.yard.prepare(self.device)
        self._done("prepared", "report period %d s" % FIRST_PERIOD_S)
        await self._nap(0.3)
        await self.device.agent.start()
        await self._until("discovered", lambda: self.yard.asked(self.device), lambda: "nothing was asked")
        self._done("discovered", self.device.found_by)
        await self._until("bootstrapped", self._bootstraps, lambda: self.yard.heard_of(self.device))
        self._done("bootstrapped")

    async def _over_ethernet(self):
        record = await self._until("registered", self._at_gateway, self._records_say)
        self._done("registered", "epoch %s" % record.epoch, epoch=record.epoch)
        record = await self._until("relayed", self._via_gateway, self._records_say)
        self._done("relayed", "via %s" % record.via)

    async def _new_period(self):
        since = time.time()
        self.show.waits(self.name, "period")
        await self._asked("period", self.yard.platform.write, "/26242/0/1", NEXT_PERIOD_S)
        await self._until("period", lambda: self._at_new_rate(since), self._books_say)
        self._done("period", "%d s -> %d s" % (FIRST_PERIOD_S, NEXT_PERIOD_S))

    async def over_4g(self):
        """Its cable is pulled. Raises Broken."""
        await self._nap(1.0)
        moments = self.device.moments
        moments.pulled_at = time.time()
        self.device.cable.pull()
        self._done("pulled")
        await self._until("dialled", lambda: self.device.modem.connected, self.device.modem.says)
        self._done("dialled", self.device.modem.says())
        record = await self._until("direct", self._direct, self._records_say)
        self._done("direct", "epoch %s, %s after the cable" % (record.epoch, _taken(record, moments.pulled_at)))
        await self._until("gateway-gone", lambda: not self._at_gateway() and not self._via_gateway(), self._records_say)
        self._done("gateway-gone")
        await self._readings("readings-4g")

    async def _back(self):
        await self._nap(1.0)
        moments = self.device.moments
        moments.plugged_at = time.time()
        self.device.cable.plug()
        self._done("plugged")
        record = await self._until("returned", self._at_gateway, self._records_say)
        self._done("returned", "epoch %s, %s after the cable" % (record.epoch, _taken(record, moments.plugged_at)))
        await self._until("platform-gone", lambda: not self._direct() and self._via_gateway(), self._records_say)
        self._done("platform-gone")
        await self._readings("readings-eth")

    async def _power_cut(self):
        record = self._at_gateway()
        bootstraps = self.yard.bootstraps(self.device)
        await self._nap(1.0)
        last = self.books.last(self.name)
        self.device.fuse.set()
        await self._until("cut", lambda: self.device.fuse.blown, lambda: "no write")
        self.device.moments.cuts += 1
        await self.device.lose_power()
        self._done("cut", "half of it is in the store")
        await self.device.power_up()
        new = await self._until("restarted", lambda: self._newer(record), self._records_say)
        if self.yard.bootstraps(self.device) != bootstraps:
            raise Broken("restarted", "a registration with the accounts it had", "another bootstrap")
        self._done("restarted", "epoch %s" % new.epoch)
        await self._until("same-identity", lambda: self.books.last(self.name) >= last + _FEW, self._books_say)
        if self.books.lost(self.name):
            raise Broken("same-identity", "an unbroken sequence of readings", self._books_say())
        self._done("same-identity", "number %d" % self.books.last(self.name))

    async def _readings(self, act):
        """Readings that were taken after this moment are in the books."""
        last = self.books.last(self.name)
        await self._until(act, lambda: self.books.last(self.name) >= last + _FEW, self._books_say)
        self._done(act, "%d in the books" % self.books.count(self.name))

    # What is looked at

    def _at_gateway(self):
        return self.yard.at_gateway(self.device)

    def _via_gateway(self):
        return self.books.live(self.yard.platform_name, self.name, via=True)

    def _direct(self):
        return self.yard.direct(self.device)

    def _newer(self, record):
        now = self._at_gateway()
        return now if now and (now.epoch or 0) > (record.epoch or 0) and self._via_gateway() else None

    def _has_left(self):
        return not (self._at_gateway() or self._via_gateway() or self._direct() or self.device.agent.alive)

    def _bootstraps(self):
        return self.yard.bootstraps(self.device)

    def _at_new_rate(self, since):
        """Three readings in a row whose distance is the new period."""
        times = [r.received_at for r in self.books.readings(self.name) if r.received_at > since]
        gaps = [b - a for a, b in zip(times, times[1:], strict=False)]
        steady = [abs(gap - NEXT_PERIOD_S) < 0.4 * NEXT_PERIOD_S for gap in gaps]
        return any(a and b for a, b in zip(steady, steady[1:], strict=False))

    async def _sequence(self):
        """The number of the device's last reading, read by the platform (it has that of the next one) through whatever
        registrar there is."""
        return int(await self._asked("drained", self.yard.platform.read, "/26242/0/0")) - 1

    async def _asked(self, act, ask, path, *value):
        """What the device answers to ask(its name, path, *value), which may be repeated: it may just be moving, and who
        is on the way may have refused in its name."""
        limit_s = NAMED[act].limit_s
        deadline = time.monotonic() + limit_s
        while True:
            try:
                return await asyncio.wait_for(ask(self.name, path, *value), limit_s)
            except Exception as error:  # whatever it ran into is what was seen
                if time.monotonic() > deadline:
                    what = "an answer to the %s of %s" % (ask.__name__, path)
                    raise Broken(act, what, repr(error), limit_s) from error
            await self._nap(1)

    def _records_say(self):
        live = [
            "%s%s epoch %s" % (r.server, " via %s" % r.via if r.via else "", r.epoch)
            for r in self.books.registrations(self.name)
            if r.closed_at is None
        ]
        return "live records: %s" % (", ".join(live) or "none")

    def _books_say(self):
        return "%d readings in the books, the last number is %d, %d missing" % (
            self.books.count(self.name),
            self.books.last(self.name),
            self.books.lost(self.name),
        )

    # How it is waited and told

    async def _until(self, name, check, seen, alive=True):
        """As until(); it is Broken too when the agent dies."""
        def ended():
            dead = alive and not self.device.agent.alive
            return "the agent has ended with exit code %s" % self.device.agent.exit_code if dead else ""

        self.show.waits(self.name, name, seen)
        return await until(name, check, seen, ended)

    def _done(self, name, detail="", **fields):
        self.show.done(self.name, name, self.yard.place(self.device), detail, **fields)

    async def _nap(self, most_s):
        """A random moment: the faults should not always meet the device doing the same thing."""
        await asyncio.sleep(self._random.random() * most_s)


async def until(name, check, seen, ended=lambda: ""):
    """Waits for `check()` to be true and returns it. Raises Broken after the limit of the act `name` with what seen()
    says, or with what ended() does once it says something."""
    act = NAMED[name]
    deadline = time.monotonic() + act.limit_s
    while True:
        found = check()
        if found:
            return found
        why = ended()
        if why:
            raise Broken(name, act.hope, why)
        if time.monotonic() > deadline:
            raise Broken(name, act.hope, seen(), act.limit_s)
        await asyncio.sleep(_POLL_S)


def _taken(record, since):
    return "%.0f ms" % ((record.opened_at - since) * 1000)
