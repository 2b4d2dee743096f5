"""Trouble upon trouble, as `pointsman modem --seed N` makes it, under the agent's modem engine; a seed that once failed
stays. One modem here, every profile in the long tests.
"""

import asyncio
import itertools

import pytest
from hasty_device import AT_ONCE, HastyDevice
from modem_device import scenario, until

from pointsman.tools.modem import random_faults
from pointsman.tools.modem.emulator import names

TROUBLES = 50


async def plugged(emulator, device):
    """The port may have vanished; the driver opens what there is."""
    if device.fd is None and emulator.port.is_open:
        device.open(emulator.path)
        device.do("lost")


async def calm(emulator):
    """Everything that is on ends."""
    for _, begin, end in random_faults.TROUBLE:
        if end and begin["do"] != "stuck":
            await emulator.control(end)
    for command in ({"do": "busy", "ms": 0}, {"do": "errors", "times": 0}, {"do": "restart"}):
        assert await emulator.control(command) == {"ok": True}


def bad_day(profile, seed):
    async def steps(emulator, device, echo):
        emulator.profile["prompt_ms"] = min(1, emulator.profile["prompt_ms"])  # the device's clock leaps over it
        device.do("target", "connected")
        for _, command in itertools.islice(random_faults.timeline(seed, 60), TROUBLES):
            await emulator.control(command)
            await asyncio.sleep(0.01)
            await plugged(emulator, device)
        await calm(emulator)
        await plugged(emulator, device)
        await until(lambda: device.modem.state in ("registered", "connected"), device.seen)
        if device.modem.reason == "no sockets":  # as far as this family goes by itself
            assert device.modem._channel.family.__name__.rpartition(".")[2] != "generic"
        else:
            await device.flows(echo)
        assert emulator.state.sim.tries == 3

    scenario(steps, device=HastyDevice, profile=profile, seed=seed, ms=AT_ONCE)


@pytest.mark.parametrize("seed", range(6))
def test_a_bad_day(seed):
    """Data flows at the end of it, and no PIN was tried."""
    bad_day("quectel-ec25", seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("profile", names())
def test_a_bad_day_of_every_modem(profile, seed):
    """The same of every family, as far as it goes by itself."""
    bad_day(profile, seed)
