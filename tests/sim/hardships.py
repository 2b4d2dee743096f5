"""What is harder on a modem than a day of troubles: hours in which the network refuses, a modem that hangs, a SIM
with a PIN. None of it may cost more dials, resets or tries than there are.
"""

from chance import Chance
from troubles import Troubles
from world import HOUR, MINUTE, SECOND

PIN = "2468"


class Hardships(Troubles):
    """On top of Troubles, with chances of its own."""

    def __init__(self, stage, until):
        Troubles.__init__(self, stage, until)
        self.chance = Chance(stage.world.seed, 7)
        for device in stage.devices:
            self._often(6 * HOUR, self._dials_refused, device.modem)
            self._often(8 * HOUR, self._denied, device.modem)
            self._often(6 * HOUR, self._hangs, device.modem)

    def _dials_refused(self, modem):
        modem.refuses_until = self._until(MINUTE, 90 * MINUTE)

    def _denied(self, modem):
        modem.deny(self._until(MINUTE, 3 * HOUR))

    def _hangs(self, modem):
        modem.mute_until = self._until(30 * SECOND, HOUR)

    def _until(self, low, high):
        return min(self.world.now + self.chance.between(low, high), self.until)


def lock(stage, seed):
    """Before a day begins: three days in four the SIM wants a PIN, and the device has been told the right one, a wrong
    one, or none."""
    told = (None, PIN, "0000", "")[seed // 9 % 4]
    for device in stage.devices:
        if told is not None:
            device.modem.lock(PIN)
            device.values["pin"] = told
