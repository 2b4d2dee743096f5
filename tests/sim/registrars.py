"""The model gateway and the model platform: epoch arbitration, relaying, and the books of readings.

What survives a restart ("books"): the highest epoch of each endpoint, which gateway had it, the gateway's
queue of readings that it has acknowledged, and the platform's readings. Registrations do not survive.
"""

from servers import SENML_CBOR, Server, parameters

from agent.codec import coap, senml

_RETRY_MS = 2000


def decimal(text):
    return int(text) if text and text.isdigit() else None


def readings(payload):
    """-> [(sequence, value)] of a Send."""
    records = senml.unpack(payload)
    name, first, _ = records[0]
    assert name == "/26242/0/0", name
    found = []
    for n, record in enumerate(records[1:]):
        assert record[0] == "/3331/0/5700", record
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
