"""A device in the world: the real agent, its flash, its cable, its modem and its power."""

from at_modem import AtModem
from chance import Chance
from flash import Flash, PowerCut
from network import Path
from world import Node

from agent.agent import Agent
from agent.settings import Settings

WALL = 1700000000  # Unix s at the world's time 0
CLOCK_UNKNOWN_MS = 400000  # longer than the first report period


class Device(Node):
    """values: settings of the agent. `book` is told what the outbox promises, see invariants.py."""

    def __init__(self, world, hosts, name, number, values, book):
        Node.__init__(self, world, name)
        self.hosts, self.values, self.book = hosts, values, book
        self.chance = Chance(world.seed, 100 + number)
        self.flash = Flash()
        self.meter = 1000000 * number  # a measurement is never repeated, not even by another device
        self.agent = None
        self.powered = False
        self.cuts = self.starts = 0
        self.touched = True  # since the last check of the invariants
        self.sink = None
        self._address = {"eth": "10.0.0.%d" % (100 + number), "lte": "100.64.0.%d" % number}
        weather = Chance(world.seed, 200 + number)
        self.eth = Path(world, weather, name + ".eth")
        self.lte = Path(world, weather, name + ".lte", delay=40, jitter=60, loss=20, late=10)
        self.modem = AtModem(world, Chance(world.seed, 300 + number), self._from_modem, self._radio)
        hosts.own(self._address["eth"], self.eth, self._from_cable)
        hosts.own(self._address["lte"], self.lte, self._from_radio)

    # power

    def power_on(self):
        """The program starts on what the flash holds."""
        self.powered = True
        self.starts += 1
        self._clock_set_at = self.world.now + CLOCK_UNKNOWN_MS
        self.modem.dials.restart(self.world.now)
        self.world.trace(self.name + " on")
        self._guard(self._start)

    def _start(self, now):
        agent = Agent(Settings(self.values), self.flash, self.chance.below, self._measure, self._wall, self.sink)
        self.agent = agent
        self.book.attach(self, agent)
        agent.start(now)
        if self.eth.up:
            agent.link("eth", True, now)

    def power_cut(self, modem_too=True):
        """Nothing of the program survives but the flash; it starts again some seconds later."""
        if self.powered:
            self.powered = False
            self.agent = self.armed = None
            self.cuts += 1
            self.world.trace(self.name + " off")
            self.flash.cut_in(0, 0)
            self.book.after_cut(self)
            if modem_too:
                self.modem.power_on()
            self.world.after(self.chance.between(1000, 8000), self.power_on)

    def _guard(self, what, *args):
        """Call into the agent; a cut in the middle of a write ends it there and then."""
        self.touched = True
        try:
            what(*args + (self.world.now,))
            self._carry_out()
        except PowerCut:
            self.power_cut(self.chance.below(2) == 0)

    def _measure(self):
        self.meter += 1
        return self.meter

    def _wall(self):
        """The device learns the time only a while after it started."""
        return WALL + self.world.now // 1000 if self.world.now >= self._clock_set_at else 0

    # what the agent hears

    def set_cable(self, up):
        if up != self.eth.up:
            self.eth.set(up)
            if self.powered:
                self._guard(self._cable, up)

    def _cable(self, up, now):
        self.agent.link("eth", up, now)

    def _from_cable(self, link, host, port, data, local_port):
        if self.powered:
            self._guard(self.agent.receive, "eth", host, port, data)

    def _from_radio(self, link, host, port, data, local_port):
        self.modem.datagram(host, port, data, local_port)

    def _from_modem(self, data):
        if self.powered:
            self.world.trace(self.name + " serial", data)
            self._guard(self.agent.serial, data)

    def readdress(self, address):
        """The LAN gives it another address from now on."""
        self.hosts.disown(self._address["eth"])
        self._address["eth"] = address
        self.hosts.own(address, self.eth, self._from_cable)
        if self.powered and self.eth.up:
            self._guard(self.agent.moved, "eth")

    def unplug_modem(self):
        """The modem resets: its port vanishes and it boots again."""
        self.world.trace(self.name + " modem resets")
        self.modem.power_on()
        if self.powered:
            self._guard(self.agent.serial_lost)

    def stop(self):
        """Ask the program to say goodbye."""
        if self.powered:
            self._guard(self.agent.stop)

    # what the agent does

    def deadline(self):
        return self.agent.deadline() if self.powered else None

    def poll(self, now):
        self._guard(self.agent.poll)

    def flush(self):
        """Everything was carried out when it was said."""

    def wake(self, due):
        if due == self.armed:
            self.armed = None
            real = self.deadline()
            if real is not None and real <= self.world.now:
                self.poll(self.world.now)
            else:
                self.rearm()

    def _carry_out(self):
        while True:
            wanted = self.agent.take()
            if not wanted:
                break
            assert len(wanted) <= 100, "%d things to do at once" % len(wanted)
            for what in wanted:
                if what[0] == "udp":
                    source = (what[1], self._address[what[1]], 5683)
                    self.hosts.send(source, (what[1], what[2], what[3]), what[4], self.eth)
                elif what[0] == "serial":
                    self.world.trace(self.name + " at", what[1])
                    self.modem.receive(what[1])
                elif what[0] in ("power", "baud"):
                    self.world.trace("%s %s" % (self.name, what[0]))  # a board without a say in either
                else:
                    self.world.trace("%s %s" % (self.name, what[0]))
                    self.powered = False
                    self.agent = self.armed = None
                    if what[0] == "reset":
                        self.world.after(3000, self.power_on)
                    return
        self.rearm()

    def _radio(self, local_port, host, port, data):
        source = ("lte", self._address["lte"], local_port)
        self.hosts.send(source, ("lte", host, port), data, self.lte)
