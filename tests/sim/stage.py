"""The stage: a world with a configuration server, a gateway, a platform, the line between them, and
devices."""

from chance import Chance
from device import Device
from gateway import Gateway
from invariants import Book, Watch
from network import Hosts, Path
from registrars import Platform
from servers import DISCOVERY_GROUP, MDNS_GROUP, Configuration
from world import World

from agent.codec import coap, senml

LIFETIME_S = 600
PERIOD_S = 300
ACCOUNTS = (
    {"uri": "coap://10.0.0.1", "ssid": 1, "links": "eth", "lifetime": LIFETIME_S, "priority": 1},
    {"uri": "coap://platform.example", "ssid": 2, "links": "lte", "lifetime": LIFETIME_S, "priority": 2},
)
SETTINGS = {
    "insecure": True,
    "report_period_s": PERIOD_S,
    "apn": "m2m",
    "log_level": "info",
    "outbox_max": 500,
    "probe_ms": 60000,  # a day of pings every two seconds would be a simulation of pings
}


class Stage:
    """`count` devices named meter-1.. with these settings changed; tell(text) gets the trace."""

    def __init__(self, seed, count=1, tell=None, **changed):
        self.world = world = World(seed, tell=tell)
        world.acknowledged = self._acknowledged
        world.registered = self._registered
        self.hosts = hosts = Hosts()
        self.managed = 0  # management requests answered well
        self.lan = Path(world, Chance(seed, 1), "lan", loss=0, duplicate=0, late=0)  # the cables are the devices'
        self.wan = Path(world, Chance(seed, 2), "wan", delay=15, jitter=20, loss=10)
        given = ((1, PERIOD_S), (2, "m2m"))
        self.configuration = Configuration(world, hosts, "configuration", "10.0.0.2", 3, ACCOUNTS, given)
        self.gateway = Gateway(world, hosts, "gw-1", "10.0.0.1", 4, self.wan, "platform.example", "198.51.100.1")
        self.platform = Platform(world, hosts, "platform", "platform.example", 5)
        for server in (self.configuration, self.gateway):
            hosts.own(server.host, self.lan, server.receive)
        hosts.own(DISCOVERY_GROUP, self.lan, self.configuration.receive)
        hosts.own(MDNS_GROUP, self.lan, self.configuration.find)
        hosts.own(self.platform.host, self.wan, self.platform.receive)
        hosts.own("configuration.example", self.wan, self.configuration.receive)
        self.devices = [self._device(number + 1, changed) for number in range(count)]
        self.watch = world.check = Watch(self)

    def _device(self, number, changed):
        values = dict(SETTINGS)
        values["endpoint"] = name = "meter-%d" % number
        values.update(changed)
        return Device(self.world, self.hosts, name, number, values, Book(name))

    def _acknowledged(self, server, endpoint, found):
        for device in self.devices:
            if device.name == endpoint:
                device.book.take_over(found)

    def _registered(self, endpoint, epoch, registrar):
        for device in self.devices:
            if device.name == endpoint and not device.flash.was_full:
                device.book.use_epoch(epoch, registrar)

    @property
    def device(self):
        return self.devices[0]

    def power_on(self):
        for device in self.devices:
            device.power_on()

    def run(self, duration):
        """Play the next `duration` ms."""
        self.world.run(self.world.now + duration)

    def until(self, true, limit):
        """Play second by second until true(); -> how long it took (ms). AssertionError after `limit` ms."""
        start = self.world.now
        while not true():
            assert self.world.now - start < limit, "did not happen within %d s" % (limit // 1000)
            self.run(100)
        return self.world.now - start

    def registrar(self, device=None):
        """Whom the device believes to be registered with: "gateway", "platform" or None."""
        agent = (device or self.device).agent
        registrar = agent.registration.registrar if agent else None
        if registrar is None or agent.registration.state == "leaving":
            return None
        return "gateway" if registrar[0].ssid == 1 else "platform"

    def manage(self, device, kind, value):
        """The platform reads the device object, reads or writes the report period; counts the good
        answers."""
        if kind == 0:
            self.platform.demand(device.name, coap.GET, ("3", "0"), b"", self._managed)
        elif kind == 1:
            self.platform.demand(device.name, coap.GET, ("26242", "0", "1"), b"", self._managed)
        else:
            payload = senml.pack([("/26242/0/1", value, None)])
            self.platform.demand(device.name, coap.PUT, ("26242", "0", "1"), payload, self._managed)

    def _managed(self, response):
        if response is not None:
            self.world.trace("managed %d" % response.code, response.payload)
            self.managed += response.code >> 5 == 2

    def calm(self):
        """No faults from here on: every path, server and modem works."""
        self.wan.calm()
        self.wan.set(True)
        for device in self.devices:
            device.eth.calm()
            device.lte.calm()
            device.set_cable(True)
            device.modem.coverage or device.modem.set_coverage(True)
            device.modem.sim or device.modem.set_sim(True)
            modem = device.modem
            modem.errors, modem.slow, modem.overrun, modem.mute_until = 0, 1, 0, 0
            modem.refuses_until = modem.denies_until = 0
            modem.barred and modem.power_on()
            device.flash.cut_in(0, 0)
            device.flash.full = False

    def worst(self):
        """-> {what: the worst of this run}."""
        away, twice = self.watch.worst()
        modems = [device.modem for device in self.devices]
        return {"away, with a working path (ms)": away, "two live records (ms)": twice,
                "dials in an hour": max([modem.dials.busiest for modem in modems]),
                "modem resets in an hour": max([modem.resets.busiest for modem in modems])}

    def settled(self):
        """The end of a run: nothing lost, nothing twice (call after a calm while)."""
        self.until(lambda: not any([upstream.queue for upstream in self.gateway.upstreams]), 60000)  # what just came
        for device in self.devices:
            queue = self.gateway.upstream(device.name).queue
            device.book.settle(self.platform.books.get(device.name, {}), queue, device.agent.journal)
