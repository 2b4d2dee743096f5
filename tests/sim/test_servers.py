"""The model servers of the simulation against a scripted client: the simulation is worth what they are
worth."""

from chance import Chance
from gateway import Gateway
from network import Hosts, Path
from registrars import Platform
from servers import Configuration, Server
from world import SECOND, World

from agent.codec import coap, senml

ACCOUNTS = ({"uri": "coap://10.0.0.1", "ssid": 1, "links": "eth", "lifetime": 60, "priority": 1},)


class Scripted(Server):
    """A device that does what the test says; answers every request with 2.04 and notes it."""

    def boot(self):
        Server.boot(self)
        self.asked = []

    def serve(self, request, now):
        self.asked.append((request.code, request.path, request.payload))
        self.exchange.respond(request, coap.CHANGED, now)

    def talk(self, peer, code, *path, payload=b"", query=()):
        """Ask and wait for the answer: -> Response or None."""
        answers = []
        form = 112 if payload else None
        self.ask(peer, code, path, answers.append, payload=payload, query=query, format=form)
        self.flush()
        while not answers:
            self.world.run(self.world.now + 100)
        return answers[0]


class Town:
    def __init__(self, loss=0):
        self.world = world = World(1)
        self.acknowledged = []
        world.acknowledged = lambda server, endpoint, found: self.acknowledged.append((server.name, found))
        world.registered = lambda endpoint, epoch, registrar: None
        self.hosts = hosts = Hosts()
        self.lan = Path(world, Chance(1, 1), "lan", loss=loss, duplicate=loss)
        self.wan = Path(world, Chance(1, 2), "wan", loss=loss, duplicate=loss)
        self.configuration = Configuration(world, hosts, "configuration", "10.0.0.2", 3, ACCOUNTS, ((1, 60),))
        self.gateway = Gateway(world, hosts, "gw-1", "10.0.0.1", 4, self.wan, "platform", "198.51.100.1")
        self.platform = Platform(world, hosts, "platform", "platform", 5)
        self.device = Scripted(world, hosts, "meter", "10.0.0.100", 6)
        for server in (self.configuration, self.gateway, self.device):
            hosts.own(server.host, self.lan, server.receive)
        hosts.own("platform", self.wan, self.platform.receive)
        self.to_gateway, self.to_platform = ("eth", "10.0.0.1", 5683), ("lte", "platform", 5683)

    def register(self, peer, epoch, lifetime=86400):
        query = ("ep=meter", "lt=%d" % lifetime, "lwm2m=1.1", "b=U", "epoch=%d" % epoch)
        return self.device.talk(peer, coap.POST, "rd", query=query)

    def send(self, peer, first, *values):
        records = [("/26242/0/0", first, None)] + [("/3331/0/5700", value, None) for value in values]
        return self.device.talk(peer, coap.POST, "dp", payload=senml.pack(records))

    def wait(self, seconds):
        self.world.run(self.world.now + seconds * SECOND)


def test_the_gateway_registers_upstream_and_relays_readings():
    """W4"""
    town = Town()
    answer = town.register(town.to_gateway, 1)
    assert answer.code == coap.CREATED and answer.location[0] == "rd"
    assert town.send(town.to_gateway, 1, 10, 11).code == coap.CHANGED
    town.wait(5)
    assert town.platform.live("meter").via == "gw-1" and not town.platform.direct("meter")
    assert town.platform.books["meter"] == {1: 10, 2: 11} and town.acknowledged == [("gw-1", [(1, 10), (2, 11)])]
    assert town.device.talk(town.to_gateway, coap.DELETE, *answer.location).code == coap.DELETED
    town.wait(5)
    assert not town.platform.live("meter")


def test_the_higher_epoch_wins_both_ways():
    """W2"""
    town = Town()
    town.register(town.to_gateway, 1)
    town.wait(2)
    town.register(town.to_platform, 2)
    town.wait(2)
    assert town.platform.direct("meter") and not town.gateway.live("meter")
    old = town.register(town.to_gateway, 1)
    assert old.code == coap.CONFLICT and old.payload == b"2"
    assert town.register(town.to_gateway, 3).code == coap.CREATED
    town.wait(2)
    assert not town.platform.direct("meter") and town.platform.live("meter").epoch == 3


def test_readings_acknowledged_by_a_gateway_survive_its_restart_and_an_outage():
    """W4"""
    town = Town()
    town.register(town.to_gateway, 1)
    town.wait(2)
    town.wan.set(False)
    town.send(town.to_gateway, 1, 10)
    town.gateway.crash(1000)
    town.wait(60)
    assert not town.gateway.live("meter") and not town.platform.books
    town.wan.set(True)
    town.wait(30)
    assert town.platform.books["meter"] == {1: 10}


def test_a_restarted_platform_gets_its_registrations_back():
    town = Town()
    town.register(town.to_gateway, 1, lifetime=60)
    town.wait(2)
    town.platform.crash(1000)
    town.wait(40)
    assert town.platform.live("meter").via == "gw-1"


def test_requests_of_the_platform_reach_the_device_through_the_gateway():
    """W4"""
    town = Town()
    town.register(town.to_gateway, 1)
    town.wait(2)
    answers = []
    assert town.platform.demand("meter", coap.PUT, ("26242", "0", "1"), b"x", answers.append)
    town.wait(2)
    assert answers[0].code == coap.CHANGED and town.device.asked == [(coap.PUT, ("26242", "0", "1"), b"x")]


def test_a_bootstrap_is_written_whole():
    """C3"""
    town = Town()
    server = ("eth", "10.0.0.2", 5683)
    found = town.device.talk(server, coap.GET, ".well-known", "core", query=("rt=oma.bs",))
    assert found.payload == b'</bs>;rt="oma.bs"'
    assert town.device.talk(server, coap.POST, "bs", query=("ep=meter", "pct=112")).code == coap.CHANGED
    town.wait(5)
    asked = [(code, "/" + "/".join(path)) for code, path, _ in town.device.asked]
    assert asked == [(4, "/"), (3, "/0/1"), (3, "/1/1"), (3, "/26241/1"), (3, "/26242/0"), (2, "/bs")]
    assert ("/0/1/0", "coap://10.0.0.1", None) in senml.unpack(town.device.asked[1][2])


def test_a_lossy_network_loses_and_doubles_nothing():
    """W4: 300 permille of datagrams lost, as many doubled."""
    town = Town(loss=300)
    while town.register(town.to_gateway, 1) is None:
        pass
    sent = {}
    for n in range(1, 50):
        answer = None
        while answer is None:
            answer = town.send(town.to_gateway, n, 100 + n)
        sent[n] = 100 + n
    town.wait(600)
    assert town.platform.books["meter"] == sent and not town.gateway.upstream("meter").queue
