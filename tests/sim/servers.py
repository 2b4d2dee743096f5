"""Small model servers: what they share, and the configuration server.

They use the project's own CoAP endpoint (agent/engine/exchange.py), so both roles of it run in every
simulated day; aiocoap is the independent peer in tests/interop. A server that is down answers nothing; a
restart forgets what was in memory only.
"""

import responder
from chance import Chance
from world import Node

from agent.codec import coap, senml
from agent.engine.exchange import Exchange

SENML_CBOR = 112
LINK_FORMAT = 40
DISCOVERY_GROUP = "224.0.1.187"
MDNS_GROUP = "224.0.0.251"
_SERVICE = "_m2mbs._sub._coap._udp.local"
_RETRANSMIT = 2  # gives up after 14 to 21 s; what matters is asked again by whoever wanted it


def parameters(request):
    """The Uri-Query as a dict of str."""
    found = {}
    for part in request.query:
        name, _, value = part.partition("=")
        found[name] = value
    return found


class Server(Node):
    """One process on one host. `link` is how its own side is called in the addresses of its peers."""

    def __init__(self, world, hosts, name, host, stream):
        Node.__init__(self, world, name)
        self.hosts, self.host, self.port = hosts, host, 5683
        self.chance = Chance(world.seed, stream)
        self.up = True
        self.boot()

    def boot(self):
        """Start with an empty memory."""
        self.exchange = Exchange(self.chance.below)
        self.waiting = []  # (handle, what to call with the Response or None)

    def crash(self, downtime):
        """Die now; come back after `downtime` ms."""
        if self.up:
            self.up = False
            self.world.trace(self.name + " dies")
            self.world.after(downtime, self.restart)

    def restart(self):
        self.up = True
        self.world.trace(self.name + " starts")
        self.boot()
        self.flush()

    def receive(self, link, host, port, data, local_port):
        if self.up:
            self.exchange.receive((self.side(link, local_port), host, port), data, self.world.now)
            self.flush()

    def side(self, link, local_port):
        """The link part of a peer's address, as this server knows it."""
        return link

    def ask(self, peer, code, path, done, **more):
        """A request; done(response) later, response None when there was none."""
        handle = self.exchange.request(peer, code, path, self.world.now, retransmit=_RETRANSMIT, **more)
        self.waiting.append((handle, done))

    def answered(self, handle, response):
        for n, (waiting, done) in enumerate(self.waiting):
            if waiting == handle:
                self.waiting.pop(n)
                return done(response)

    def work(self, now):
        """What is due by itself."""

    def due(self):
        return None

    def serve(self, request, now):
        self.exchange.respond(request, coap.NOT_FOUND, now)

    def poll(self, now):
        if self.up:
            self.exchange.poll(now)

    def deadline(self):
        if not self.up:
            return None
        first, second = self.exchange.deadline(), self.due()
        if first is None or second is None:
            return second if first is None else first
        return min(first, second)

    def flush(self):
        now = self.world.now
        while self.up:
            events = self.exchange.events()
            for event in events:
                if event[0] == "request":
                    self.serve(event[1], now)
                elif event[0] == "response":
                    self.answered(event[1], event[2])
                elif event[0] == "failed":
                    self.answered(event[1], None)
            self.work(now)
            if not events:
                break
        if self.up:
            for peer, data in self.exchange.take():
                self.transmit(peer, data)
        self.rearm()

    def transmit(self, peer, data):
        self.hosts.send((peer[0], self.host, self.port), peer, data)


class Configuration(Server):
    """The LwM2M bootstrap server: answers discovery, writes the prepared accounts, finishes."""

    def __init__(self, world, hosts, name, host, stream, accounts, settings):
        self.accounts, self.settings = accounts, settings
        Server.__init__(self, world, hosts, name, host, stream)

    def boot(self):
        Server.boot(self)
        self.done = []  # peers bootstrapped since the start
        self._running = []  # (peer, generator)

    def find(self, link, host, port, data, local_port):
        """A multicast DNS query: answered by unicast to who asks from a port of his own."""
        data = responder.answer(data, _SERVICE, self.host, self.port) if self.up else None
        if data:
            self.hosts.send((link, self.host, local_port), (link, host, port), data)

    def serve(self, request, now):
        if request.path == (".well-known", "core"):
            link = b'</bs>;rt="oma.bs"'
            self.exchange.respond(request, coap.CONTENT, now, payload=link, format=LINK_FORMAT)
        elif request.path == ("bs",) and request.code == coap.POST and parameters(request).get("ep"):
            self.exchange.respond(request, coap.CHANGED, now)
            self._run(request.peer)
        else:
            self.exchange.respond(request, coap.NOT_FOUND, now)

    def _run(self, peer):
        """One bootstrap a device at a time; a device that asks again starts over."""
        self._running = [running for running in self._running if running[0] != peer]
        writes = self._writes()
        self._running.append((peer, writes))
        self._next(peer, writes)

    def _next(self, peer, writes):
        if (peer, writes) in self._running:
            step = next(writes, None)
            if step is None:
                self._running.remove((peer, writes))
                return self.done.append(peer)
            code, path, payload = step
            form = SENML_CBOR if payload else None
            self.ask(peer, code, path, lambda r: self._stepped(peer, writes, r), payload=payload, format=form)

    def _stepped(self, peer, writes, response):
        if response is None or response.code >> 5 != 2:
            self._running = [running for running in self._running if running[1] is not writes]
        else:
            self._next(peer, writes)

    def _writes(self):
        """The whole configuration as one generator of (code, path, payload)."""
        yield coap.DELETE, (), b""
        for account in self.accounts:
            ssid = account["ssid"]
            yield self._instance(0, ssid, ((0, account["uri"]), (1, False), (2, 3), (10, ssid)))
            server = ((0, ssid), (1, account["lifetime"]), (6, True), (7, "U"), (13, account["priority"]))
            yield self._instance(1, ssid, server)
            yield self._instance(26241, ssid, ((0, ssid), (1, account["links"]), (2, True)))
        yield self._instance(26242, 0, self.settings)
        yield coap.POST, ("bs",), b""

    def _instance(self, oid, instance, resources):
        base = "/%d/%d/" % (oid, instance)
        payload = senml.pack([(str(n), value, None) for n, value in resources], base)
        return coap.PUT, (str(oid), str(instance)), payload
