"""What goes wrong in a day: each trouble strikes at random moments of its own and heals after a while."""

from chance import Chance
from world import HOUR, MINUTE, SECOND


class Troubles:
    """Plagues a stage until `until` (ms). Each device has its own; servers and the line between them have
    theirs."""

    def __init__(self, stage, until):
        self.stage, self.world, self.until = stage, stage.world, until
        self.chance = Chance(stage.world.seed, 6)
        for device in stage.devices:
            self._often(2 * HOUR, self._cable_pulled, device)
            self._often(8 * HOUR, self._cable_flaps, device)
            self._often(4 * HOUR, self._coverage_lost, device)
            self._often(4 * HOUR, self._modem_fault, device)
            self._often(4 * HOUR, self._power_cut, device)
            self._often(6 * HOUR, self._managed, device)
            self._often(16 * HOUR, self._medium_full, device)
        self._often(5 * HOUR, self._restart, stage.gateway)
        self._often(6 * HOUR, self._restart, stage.platform)
        self._often(4 * HOUR, self._line_cut)

    def _often(self, mean, strike, *args):
        """strike(*args) again and again, about every `mean` ms, until the troubles are over."""
        when = self.world.now + self.chance.between(mean // 10, mean * 19 // 10)
        if when < self.until:
            self.world.at(when, self._strike, mean, strike, args)

    def _strike(self, mean, strike, args):
        strike(*args)
        self._often(mean, strike, *args)

    def _heals(self, low, high, what, *args):
        """what(*args) after low..high ms, at the latest when the troubles are over."""
        self.world.at(min(self.world.now + self.chance.between(low, high), self.until), what, *args)

    # one device

    def _cable_pulled(self, device):
        device.set_cable(False)
        self._heals(5 * SECOND, 40 * MINUTE, device.set_cable, True)

    def _cable_flaps(self, device):
        """A bad plug: many short breaks in a row."""
        when = self.world.now
        for _ in range(self.chance.between(3, 12)):
            for up in (False, True):
                when += self.chance.between(50, 4000)
                self.world.at(min(when, self.until), device.set_cable, up)

    def _coverage_lost(self, device):
        device.modem.set_coverage(False)
        self._heals(3 * SECOND, 30 * MINUTE, device.modem.set_coverage, True)

    def _modem_fault(self, device):
        modem, kind = device.modem, self.chance.below(9)
        self.world.trace("%s modem fault %d" % (device.name, kind))
        if kind == 0:
            modem.mute_until = min(self.world.now + self.chance.between(2 * SECOND, 3 * MINUTE), self.until)
        elif kind == 1:
            modem.errors = self.chance.between(200, 1000)
        elif kind == 2:
            modem.slow = self.chance.between(5, 20)
        elif kind == 3:
            modem.drop_context(self.chance.below(2) == 0)
        elif kind == 4:
            device.unplug_modem()
        elif kind == 5:
            modem.lose_bearer()
        elif kind == 6:
            modem.overrun = self.chance.between(20, 400)
        elif kind == 7:
            modem.set_sim(False)
            self._heals(5 * SECOND, 10 * MINUTE, modem.set_sim, True)
        else:
            modem.power_on()  # it resets by itself and nobody is told
        if kind in (1, 2, 6):
            self._heals(5 * SECOND, 3 * MINUTE, self._modem_heals, modem)

    def _modem_heals(self, modem):
        modem.errors, modem.slow, modem.overrun = 0, 1, 0

    def _power_cut(self, device):
        """In the middle of one of the next writes, or between two."""
        kind = self.chance.below(4)
        if kind < 2:
            device.flash.cut_in(self.chance.between(1, 6), self.chance.below(4))
        elif kind == 2:  # the state is written much less often than the readings
            device.flash.cut_in(1, self.chance.below(4), "store")
        else:
            device.power_cut(self.chance.below(2) == 0)

    def _medium_full(self, device):
        """Nothing can be written for a while; what was written stays."""
        device.flash.full = True
        self._heals(MINUTE, 20 * MINUTE, self._medium_free, device)

    def _medium_free(self, device):
        device.flash.full = False

    def _managed(self, device):
        """The platform reads and writes, directly or through the gateway."""
        kind = self.chance.below(3)
        self.stage.manage(device, kind, self.chance.between(20, 30) * 10)

    # servers

    def _restart(self, server):
        server.crash(self.chance.between(1 * SECOND, self.chance.between(2, 600) * SECOND))

    def _line_cut(self):
        self.stage.wan.set(False)
        self._heals(5 * SECOND, 30 * MINUTE, self.stage.wan.set, True)
