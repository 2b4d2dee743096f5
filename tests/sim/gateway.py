"""The model gateway: registers the devices of the LAN, registers them upstream with what they said, relays both ways.

Its books, which survive a restart, are the readings that it has acknowledged and not yet delivered.
"""

from registrars import Registrar, decimal, readings
from servers import LINK_FORMAT, SENML_CBOR, parameters

from agent.codec import coap

QUEUE_MAX = 2000  # payloads a device that a gateway keeps for the platform
_RETRY_MS = 2000
_RETRY_MAX_MS = 10000


class Upstream:
    """A gateway's side of one device towards the platform: one request at a time, the most important
    first."""

    def __init__(self, gateway, endpoint, number):
        self.gateway, self.endpoint = gateway, endpoint
        self.peer = ("up%d" % number, gateway.platform_host, 5683)
        self.queue = []  # payloads acknowledged to the device, not yet to us
        self.forget()

    def forget(self):
        """What a restart loses. Anything asked before must not come back as an answer."""
        self.location = self.epoch = self.refresh_at = self.again_at = None
        self.tries = 0
        self.busy = False

    def step(self, now):
        if self.busy or (self.again_at is not None and now < self.again_at):
            return
        self.again_at = None
        record = self.gateway.live(self.endpoint)
        if record and record.epoch != self.epoch:
            self._register(record)
        elif record is None and self.location:
            self._ask(coap.DELETE, self.location, self._gone)
        elif record and now >= self.refresh_at:
            self._ask(coap.POST, self.location, self._updated)
        elif self.queue:
            query = ("ep=" + self.endpoint,)
            self._ask(coap.POST, ("dp",), self._delivered, query=query, payload=self.queue[0], format=SENML_CBOR)

    def due(self):
        """When step() has something to do; None while a request is out or nothing is wanted."""
        if self.busy:
            return None
        if self.again_at is not None:
            return self.again_at
        return self.refresh_at if self.gateway.live(self.endpoint) else None

    def _register(self, record):
        query = ["ep=" + self.endpoint, "lt=%d" % record.lifetime, "lwm2m=1.1", "b=U"]
        query += ["epoch=%d" % record.epoch, "via=" + self.gateway.name]
        epoch = record.epoch
        self._ask(
            coap.POST,
            ("rd",),
            lambda r: self._created(epoch, r),
            query=tuple(query),
            payload=record.links,
            format=LINK_FORMAT,
        )

    def _ask(self, code, path, done, **more):
        self.busy = True
        self.gateway.ask(self.peer, code, path, done, **more)

    def _settled(self, response):
        """-> True when there was an answer at all and not a 5.xx; else waits before the next step."""
        self.busy = False
        if response is not None and response.code >> 5 != 5:
            self.tries = 0
            return True
        wait = min(_RETRY_MS << self.tries, _RETRY_MAX_MS)
        self.tries = min(self.tries + 1, 5)
        self.again_at = self.gateway.world.now + wait
        return False

    def _created(self, epoch, response):
        if not self._settled(response):
            return
        if response.code == coap.CREATED:
            self.location, self.epoch = response.location, epoch
            self._refreshed()
        elif response.code == coap.CONFLICT:
            self.gateway.superseded(self.endpoint, decimal(str(response.payload, "utf-8")))

    def _refreshed(self):
        record = self.gateway.records.get(self.endpoint)
        self.refresh_at = self.gateway.world.now + (record.lifetime * 500 if record else 0)

    def _updated(self, response):
        if self._settled(response):
            if response.code == coap.CHANGED:
                self._refreshed()
            else:
                self.location = self.epoch = None

    def _gone(self, response):
        if self._settled(response):
            self.location = self.epoch = None

    def _delivered(self, response):
        if self._settled(response):
            assert response.code == coap.CHANGED, "the platform refuses a reading: %d" % response.code
            self.queue.pop(0)


class Gateway(Registrar):
    """Registers devices of the LAN, registers them upstream with what they said, relays both ways."""

    def __init__(self, world, hosts, name, host, stream, wan, platform_host, wan_host):
        self.wan, self.platform_host, self.wan_host = wan, platform_host, wan_host
        self.upstreams = []  # in the order of arrival; their queues are books
        self.relays = 0
        Registrar.__init__(self, world, hosts, name, host, stream)
        hosts.own(wan_host, wan, self.receive)

    def boot(self):
        Registrar.boot(self)
        for upstream in self.upstreams:
            upstream.forget()

    def side(self, link, local_port):
        return "up%d" % (local_port - 40000) if link == "wan" else link

    def transmit(self, peer, data):
        if peer[0].startswith("up"):
            source = ("wan", self.wan_host, 40000 + int(peer[0][2:]))
            self.hosts.send(source, peer, data, self.wan)
        else:
            Registrar.transmit(self, peer, data)

    def upstream(self, endpoint):
        for upstream in self.upstreams:
            if upstream.endpoint == endpoint:
                return upstream
        self.upstreams.append(Upstream(self, endpoint, len(self.upstreams)))
        return self.upstreams[-1]

    def work(self, now):
        for upstream in self.upstreams:
            upstream.step(now)

    def due(self):
        due = [t for t in [upstream.due() for upstream in self.upstreams] if t is not None]
        return min(due) if due else None

    def changed(self, endpoint, before, record):
        upstream = self.upstream(endpoint)
        upstream.again_at, upstream.tries = None, 0

    def superseded(self, endpoint, epoch):
        """The device is registered elsewhere with a higher epoch: drop it. What it sent us stays queued."""
        self.epochs[endpoint] = max(epoch, self.epochs.get(endpoint, 0))
        record = self.records.get(endpoint)
        if record and record.epoch < epoch:
            self.records.pop(endpoint)
            self.world.trace("%s drops %s" % (self.name, endpoint))
            upstream = self.upstream(endpoint)
            upstream.location = upstream.epoch = None

    def sent(self, request, _, now):
        endpoint = self.by_peer(request.peer)
        if endpoint is None or not self.live(endpoint):
            return self.exchange.respond(request, coap.NOT_FOUND, now)
        queue = self.upstream(endpoint).queue
        if len(queue) >= QUEUE_MAX:
            return self.exchange.respond(request, coap.UNAVAILABLE, now)
        queue.append(request.payload)
        self.world.acknowledged(self, endpoint, readings(request.payload))
        self.exchange.respond(request, coap.CHANGED, now)

    def other(self, request, now):
        if not request.peer[0].startswith("up"):
            return Registrar.other(self, request, now)
        endpoint = self.upstreams[int(request.peer[0][2:])].endpoint
        if request.path == ("superseded",):
            self.superseded(endpoint, decimal(parameters(request).get("epoch")))
            return self.exchange.respond(request, coap.CHANGED, now)
        record = self.live(endpoint)
        if record is None:
            return self.exchange.respond(request, coap.NOT_FOUND, now)
        self.relays += 1
        more = {"payload": request.payload, "format": request.format, "accept": request.accept}
        self.ask(record.peer, request.code, request.path, lambda r: self._relayed(request, r), **more)

    def _relayed(self, request, response):
        now = self.world.now
        if response is None:
            return self.exchange.respond(request, coap.UNAVAILABLE, now)
        self.exchange.respond(request, response.code, now, payload=response.payload, format=response.format)
