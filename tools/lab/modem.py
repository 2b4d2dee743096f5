"""A lab device's modem: the emulator on a pseudo-terminal, with an identity of its own, and what is true of it."""

import os

from ..modem.emulator import Emulator

PROFILE = "quectel-ec25"
_LONGEST = 100  # bytes of a Unix socket's path (sun_path holds 104 or 108)


class Modem:
    """`folder` gets the port's path (modem.port) and the control socket (modem.control), for those who want to play."""

    def __init__(self, number, address, folder, told):
        identity = {
            "imei": "86758403%07d" % number,
            "imsi": "00101%010d" % number,
            "iccid": "8988211%012d" % number,
        }
        self.path = str(folder / "modem.port")
        control = str(folder / "modem.control")
        if len(os.fsencode(control)) > _LONGEST:
            control = None  # the lab itself does not need it
        self._emulator = Emulator(PROFILE, address, told, link=self.path, control=control, identity=identity)

    async def start(self):
        await self._emulator.start()

    async def stop(self):
        await self._emulator.stop()

    @property
    def connected(self):
        """Whether a PDP context is active: what a device may call dialled."""
        return bool(self._active())

    def says(self):
        """What is true of it, in words."""
        state = self._emulator.state
        if not state.power or not state.running:
            return "off"
        if not state.sim.present:
            return "no SIM"
        if not state.registered:
            return "no network"
        return "connected as " + self._active()[0].address if self.connected else "registered, not connected"

    async def power(self, on):
        await self._emulator.control({"do": "power", "on": on})

    async def coverage(self, on):
        await self._emulator.control({"do": "coverage", "on": on})

    async def sim(self, present):
        await self._emulator.control({"do": "sim", "present": present})

    def _active(self):
        return [context for context in self._emulator.state.contexts.values() if context.active]
