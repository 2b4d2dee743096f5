"""The model gateway and the model platform: epoch arbitration, relaying, and the books of readings.

What survives a restart ("books"): the highest epoch of each endpoint, which gateway had it, the gateway's
queue of readings that it has acknowledged, and the platform's readings. Registrations do not survive.
"""

from servers import LINK_FORMAT, SENML_CBOR, Server, parameters

from agent.codec import coap, senml

QUEUE_MAX = 2000  # payloads a device that a gateway keeps for the platform
_RETRY_MS = 2000
_RETRY_MAX_MS = 10000


def decimal(text):
    return int(text) if text and text.isdigit() else None


def readings(payload):
    """-> [(sequence, value)] of a Send."""
    records = senml.unpack(payload)
    name, first, _ = records[0]
    assert name == "/26242/0/0", name
    found = []
    for n, record in enumerate(records[1:]):
        assert record[0] == "/3331/0/5805", record
        found.append((first + n, record[1]))
    return found


class Record:
    """A registration at a server."""

    def __init__(self, ident, peer, epoch, via, lifetime, links, now):
        self.ident, self.peer, self.epoch, self.via = ident, peer, epoch, via
        self.lifetime, self.links = lifetime, links
        self.refresh(now)

    def refresh(self, now):
        self.expires = now + self.lifetime * 1000


class Registrar(Server):
    """What gateway and platform have in common: the LwM2M registration interface with epochs."""

    def __init__(self, world, hosts, name, host, stream):
        self.epochs = {}  # endpoint -> highest epoch seen
        self.refused = 0  # registrations with an old epoch
        self.banned = ()  # endpoints that are not wanted here any more
        self._ident = 0
        Server.__init__(self, world, hosts, name, host, stream)

    def boot(self):
        Server.boot(self)
        self.records = {}

    def live(self, endpoint):
        """The record of an endpoint unless its lifetime has ended."""
        record = self.records.get(endpoint)
        return record if self.up and record and record.expires > self.world.now else None

    def by_peer(self, peer):
        for endpoint in self.records:
            if self.records[endpoint].peer == peer:
                return endpoint
        return None

    def serve(self, request, now):
        root = request.path[0] if request.path else ""
        if root == "rd" and self.banned and self._unwanted(request):
            return self.exchange.respond(request, coap.FORBIDDEN, now)
        if root == "rd" and request.code == coap.POST and len(request.path) == 1:
            self.register(request, parameters(request), now)
        elif root == "rd" and len(request.path) == 2:
            self.registered(request, request.path[1], now)
        elif root == "dp" and request.code == coap.POST:
            self.sent(request, parameters(request).get("ep"), now)
        else:
            self.other(request, now)

    def _unwanted(self, request):
        return parameters(request).get("ep", self.by_peer(request.peer)) in self.banned

    def other(self, request, now):
        self.exchange.respond(request, coap.NOT_FOUND, now)

    def register(self, request, given, now):
        endpoint, epoch = given.get("ep"), decimal(given.get("epoch"))
        known = self.epochs.get(endpoint, 0)
        if not endpoint or epoch is None:
            return self.exchange.respond(request, coap.BAD_REQUEST, now)
        if epoch < known:
            self.refused += 1
            return self.exchange.respond(request, coap.CONFLICT, now, payload=str(known).encode())
        self.epochs[endpoint] = epoch
        self._ident += 1
        lifetime = decimal(given.get("lt")) or 86400
        record = Record(str(self._ident), request.peer, epoch, given.get("via"), lifetime, request.payload, now)
        before, self.records[endpoint] = self.records.get(endpoint), record
        self.world.registered(endpoint, epoch, given.get("via", self.name))
        self.world.trace("%s registers %s epoch %d" % (self.name, endpoint, epoch))
        location = [(coap.LOCATION_PATH, b"rd"), (coap.LOCATION_PATH, record.ident.encode())]
        self.exchange.respond(request, coap.CREATED, now, options=location)
        self.changed(endpoint, before, record)

    def registered(self, request, ident, now):
        """Update or De-register."""
        endpoint = self.by_peer(request.peer)
        if endpoint is None or self.records[endpoint].ident != ident or not self.live(endpoint):
            return self.exchange.respond(request, coap.NOT_FOUND, now)
        record = self.records[endpoint]
        if request.code == coap.DELETE:
            self.records.pop(endpoint)
            self.world.trace("%s forgets %s" % (self.name, endpoint))
            self.exchange.respond(request, coap.DELETED, now)
            return self.changed(endpoint, record, None)
        record.refresh(now)
        self.exchange.respond(request, coap.CHANGED, now)

    def changed(self, endpoint, before, record):
        """A record came, was replaced or went."""


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


class Platform(Registrar):
    """The arbiter: the higher epoch wins. Its books hold each reading once."""

    def __init__(self, world, hosts, name, host, stream):
        self.books = {}  # endpoint -> {sequence: value}
        self.duplicates = 0
        self.gateways = {}  # endpoint -> peer of the gateway that had it last: kept in the books
        self.notices = []  # [endpoint, peer, epoch, when to try (again)], in memory
        Registrar.__init__(self, world, hosts, name, host, stream)

    def boot(self):
        Registrar.boot(self)
        self.notices = []

    def direct(self, endpoint):
        """The live record of a device that is registered here without a gateway."""
        record = self.live(endpoint)
        return record if record and not record.via else None

    def changed(self, endpoint, before, record):
        """The record before, if any, had a lower or equal epoch; if a gateway held it, tell that gateway."""
        if record and record.via:
            self.gateways[endpoint] = record.peer
            self.notices = [notice for notice in self.notices if notice[0] != endpoint]
        elif record and endpoint in self.gateways:
            peer = self.gateways.pop(endpoint)
            self.notices.append([endpoint, peer, record.epoch, self.world.now])

    def work(self, now):
        for notice in self.notices:
            if notice[3] is not None and notice[3] <= now:
                self._notify(notice)

    def due(self):
        due = [notice[3] for notice in self.notices if notice[3] is not None]
        return min(due) if due else None

    def _notify(self, notice):
        notice[3] = None  # until the answer
        query = ("epoch=%d" % notice[2],)
        self.ask(notice[1], coap.POST, ("superseded",), lambda r: self._notified(notice, r), query=query)

    def _notified(self, notice, response):
        if response is None:
            notice[3] = self.world.now + _RETRY_MS
        elif notice in self.notices:
            self.notices.remove(notice)

    def sent(self, request, endpoint, now):
        relayed = request.peer[0] == "wan"
        endpoint = endpoint if relayed else self.by_peer(request.peer)
        if endpoint is None or not (relayed or self.live(endpoint)):
            return self.exchange.respond(request, coap.NOT_FOUND, now)
        book = self.books.setdefault(endpoint, {})
        found = readings(request.payload)
        for sequence, value in found:
            if sequence in book:
                self.duplicates += 1
                assert book[sequence] == value, "sequence %d of %s used twice" % (sequence, endpoint)
            book[sequence] = value
        if not relayed:
            self.world.acknowledged(self, endpoint, found)
        self.exchange.respond(request, coap.CHANGED, now)

    def demand(self, endpoint, code, path, payload, done):
        """A management request to a device, through whoever has it."""
        record = self.live(endpoint)
        if record:
            form = SENML_CBOR if payload else None
            self.ask(record.peer, code, path, done, payload=payload, format=form)
            self.flush()
        return record is not None
