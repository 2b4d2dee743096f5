"""kill -9 of the agent at random moments of the story: it always comes back as itself and has lost nothing.

Real processes of both interpreters, real servers, a real pseudo-terminal to the modem. The seed decides the moments;
SEED=n replays others.
"""

import asyncio
import os
import random
import sqlite3
import time

from pointsman.tools.lab import summary
from pointsman.tools.lab.options import Options
from pointsman.tools.lab.yard import Yard
from pointsman.tools.servers.lwm2m import readings

SEED = int(os.environ.get("SEED", "1"))
DEVICES = 2  # of each interpreter
KILLS = 13  # of each device: 52 in all
LIMIT_S = 120  # for a device to be back; it needs about one


def test_kill_at_any_moment():
    """W1, DESIGN 3.7: identity and readings survive a kill between, and in the middle of, any two writes."""
    asyncio.run(_both())


async def _both():
    await asyncio.gather(_torment("cpython"), _torment("micropython"))


async def _torment(interpreter):
    # Two labs on one machine hear the same mDNS, and this is not the place to sort them out: by CoAP multicast alone.
    options = Options(interpreter, agents=DEVICES, seed=SEED, discovery="core")
    yard = Yard(options, lambda actor, event, **fields: None)
    try:
        await yard.start()
        await asyncio.gather(*(Victim(yard, device, interpreter).suffer() for device in yard.devices))
    finally:
        await yard.stop()


class Victim:
    """One device, and what is done to it."""

    def __init__(self, yard, device, interpreter):
        self.yard, self.device = yard, device
        self.random = random.Random("%s %s %d" % (SEED, interpreter, yard.devices.index(device)))

    async def suffer(self):
        await self.yard.prepare(self.device)
        await self.device.agent.start()
        for number in range(KILLS):
            self._do_something(number)
            await asyncio.sleep(self.random.random() * 1.5)
            if self.random.random() < 0.3:
                await self._tear_a_write()
            await self._kill_and_restart()
        self.device.cable.plug()
        await self._until(self._is_home, "record at the gateway, and through it at the platform")
        self._is_still_itself()
        await self._has_lost_nothing()

    def _do_something(self, number):
        """The first kills meet the bootstrap, the others a device on its way between its tracks."""
        if number > 1:
            self.random.choice((self.device.cable.pull, self.device.cable.plug, lambda: None))()

    async def _tear_a_write(self):
        """A kill alone never leaves half a record; the fuse does, where there is a write within a second."""
        self.device.fuse.set()
        deadline = time.monotonic() + 1
        while not self.device.fuse.blown and time.monotonic() < deadline:
            await asyncio.sleep(0.01)

    async def _kill_and_restart(self):
        count = self.yard.books.count(self.device.endpoint)
        await self.device.agent.kill()
        self.device.fuse.replace()
        self.device.moments.cuts += 1
        since = time.time()
        await self.device.agent.start()
        if self.device.moments.cuts > 1:  # so that the second kill may meet the bootstrap as well
            await self._until(lambda: self._back_since(since), "a registration after the kill")
            await self._until(lambda: self.yard.books.count(self.device.endpoint) > count, "a new reading")

    def _back_since(self, since):
        records = self.yard.books.registrations(self.device.endpoint)
        return any(r.opened_at > since and r.closed_at is None for r in records)

    def _is_home(self):
        home = self.yard.at_gateway(self.device)
        known = self.yard.books.live(self.yard.platform_name, self.device.endpoint, via=True)
        return home and known and home.epoch == known.epoch

    def _is_still_itself(self):
        """Once it has registered it never asked for a bootstrap again, and its epochs only rose."""
        name, books = self.device.endpoint, self.yard.books
        own = [r for r in books.registrations(name) if r.via is None]
        asked = [t for t, _ in books.events("configuration", "bootstrap_requested", endpoint=name)]
        assert max(asked) < own[0].opened_at
        epochs = [r.epoch for r in own]
        assert epochs == sorted(epochs), epochs

    async def _has_lost_nothing(self):
        name, books = self.device.endpoint, self.yard.books
        sequence = int(await asyncio.wait_for(self.yard.platform.read(name, "/26242/0/0"), LIMIT_S))
        await self._until(lambda: books.last(name) >= sequence, "the last readings")
        rows = books.readings(name)
        assert summary.lost(rows, self.device.moments.cuts) == 0
        assert summary.duplicated(rows) == 0
        kept = {r.sequence: r.value for r in rows}
        for number, value in self._acknowledged_by_gateway():
            assert kept.get(number) == value, (number, value)

    def _acknowledged_by_gateway(self):
        file = sqlite3.connect(self.yard.directory / "gateway.sqlite")
        try:
            query = "SELECT payload, format FROM relay WHERE endpoint = ?"
            for payload, format in file.execute(query, (self.device.endpoint,)).fetchall():
                first, values = readings(payload, format)
                for index, (_, _, value) in enumerate(values):
                    yield first + index, value
        finally:
            file.close()

    async def _until(self, check, what):
        deadline = time.monotonic() + LIMIT_S
        while not check():
            agent = self.device.agent
            if not agent.alive or time.monotonic() > deadline:
                state = "no %s within %d s" % (what, LIMIT_S) if agent.alive else "it ended (%s)" % agent.exit_code
                raise AssertionError("%s, SEED=%d: %s\n%s" % (agent.name, SEED, state, "\n".join(agent.tail)))
            await asyncio.sleep(0.02)
