"""M2M Gateway: registers the devices of its LAN, registers each with the platform as an endpoint of its own,
and relays both ways. A device is answered at once, whatever the way upstream is doing; its readings are
stored before they are acknowledged and delivered when the platform can be reached.

Events: registered, updated, deregistered, expired, superseded, refused; stored, relayed, relay_waits,
relay_parked; upstream_registered, upstream_deregistered, upstream_failed.
"""

import asyncio

from aiocoap.numbers.codes import Code

from .coap import SERVER, Coap, Refusal, Unreachable, reply
from .lwm2m import LINKS, readings
from .registrations import Registrations
from .relay import Relay
from .spreading import Spreading
from .upstream import Upstream
from .wire import Plain

_WELL_KNOWN = b'</rd>;rt="core.rd",</dp>'


class Gateway:
    """`platform_uri`: coap://host:port; `name` is what the platform knows this gateway by; `upstream_host` is
    the address that the sockets towards the platform are bound to (default: any). `keys` towards the devices and
    `upstream_keys` towards the platform: as of Coap."""

    def __init__(self, storage, host, port, platform_uri, log=None, name="gw-1", limit=10_000,
                 upstream_host="::", keys=None, upstream_keys=None):
        self.platform_uri, self.name, self.upstream_host = platform_uri, name, upstream_host
        self.note = storage.notes(name, log)
        self.keys, self.upstream_keys = keys or Plain(), upstream_keys or Plain()
        self.coap = Coap(host, port, self._answer, self.note, keys=self.keys)
        self.relay = Relay(name, storage, self.note, self._send)
        self.plain = False  # the platform refuses words that LwM2M does not have
        self._storage = storage
        self._table = Registrations(name, storage, self.note, limit, opened=self._opened, closed=self._closed)
        self.spreading = Spreading(host, self._pass_on, self.note)
        self._upstreams = {}  # endpoint -> Upstream
        # For readings of devices that have left.
        self._courier = Coap(upstream_host, 0, _nothing_here, self.note, keys=self.upstream_keys)

    @property
    def uri(self):
        return self.coap.uri

    async def start(self):
        """Listen; take up registrations and queue of before. Raises OSError when the port is taken."""
        await self.coap.start()
        await self._courier.start()
        self._table.restore(self.coap)
        for record in self._table:
            self._follow(record.endpoint)
        queued = self.relay.start()
        self.spreading.start()
        self.note("started", uri=self.uri, registrations=len(self._table), queued=queued)

    async def stop(self):
        """Stop listening. Nothing is de-registered: a gateway that comes back goes on where it was."""
        self._table.stop()
        await self.relay.stop()
        await self.spreading.stop()
        upstreams, self._upstreams = list(self._upstreams.values()), {}
        await asyncio.gather(*(upstream.stop() for upstream in upstreams))
        await self._courier.stop()
        if await self.coap.stop():
            self.keys.close()
            self.upstream_keys.close()
            self.note("stopped", **self.coap.reject.counts)

    def registrations(self, live=None):
        """Registration rows, as Storage.registrations."""
        return self._storage.registrations(self.name, live=live)

    # -- what devices send

    async def _answer(self, request):
        path, code = request.opt.uri_path, request.code
        if path == ("rd",) and code == Code.POST:
            record = await self._table.register(request)
            if record.live and self.spreading.registered(record.endpoint, request.opt.uri_query):
                self._follow(record.endpoint)
            response = reply(Code.CREATED)
            response.opt.location_path = ("rd", record.location)
            return response
        if len(path) == 2 and path[0] == "rd" and code == Code.POST:
            record, changed = await self._table.update(path[1], request)
            if self.spreading.updated(record.endpoint, request.opt.uri_query) or changed:
                self._follow(record.endpoint)
            return reply(Code.CHANGED)
        if len(path) == 2 and path[0] == "rd" and code == Code.DELETE:
            await self._table.deregister(path[1], request)
            return reply(Code.DELETED)
        if path == ("dp",) and code == Code.POST:
            return await self._store(request)
        if path == ("policy",) and code == Code.POST:
            record = self._table.at(request.remote)
            if record is None:
                raise Refusal(Code.NOT_FOUND, "not registered")
            self.spreading.acknowledged(record.endpoint, request.payload)
            return reply(Code.CHANGED)
        if path == (".well-known", "core") and code == Code.GET:
            return reply(Code.CONTENT, _WELL_KNOWN, LINKS)
        raise Refusal(Code.NOT_FOUND)

    async def _store(self, request):
        """Checked before it is acknowledged: what the platform would refuse the device should hear now."""
        record = self._table.at(request.remote)
        if record is None:
            raise Refusal(Code.NOT_FOUND, "not registered")
        first, values = readings(request.payload, request.opt.content_format)
        await self.relay.accept(record.endpoint, request.payload, request.opt.content_format)
        self.note("stored", endpoint=record.endpoint, first=first, readings=len(values))
        return reply(Code.CHANGED)

    def _opened(self, new, _old):
        self._follow(new.endpoint)

    def _closed(self, record, reason):
        self.spreading.closed(record.endpoint)
        upstream = self._upstreams.get(record.endpoint)
        if upstream and reason == "superseded":
            upstream.forget()
        if upstream:
            upstream.follow()

    async def _pass_on(self, payload):
        """Acknowledgements, to the platform: whether it has taken them. Raises Unreachable."""
        platform = await self._courier.resolve(self.platform_uri)
        answer = await self._courier.ask(platform, Code.POST, ("policy",), payload=payload, patience=SERVER)
        return answer.code.is_successful()

    # -- what the way upstream needs

    def lan(self, endpoint):
        return self._table.of(endpoint)

    async def superseded(self, endpoint, record, epoch):
        """The platform holds a newer registration of this device: ours ends. Durable when it returns."""
        if record and record.live:
            await self._table.close(record, "superseded")
        if epoch is not None:
            await self._table.learn(endpoint, epoch)

    def ended(self, upstream):
        if self._upstreams.get(upstream.endpoint) is upstream:
            del self._upstreams[upstream.endpoint]

    def _follow(self, endpoint):
        upstream = self._upstreams.get(endpoint)
        if upstream is None:
            upstream = self._upstreams[endpoint] = Upstream(self, endpoint)
        upstream.follow()

    async def _send(self, endpoint, payload, format):
        """A Send upstream: from the device's own socket while it is registered there, so that the platform
        may tell whose it is by the address; else from ours, by name."""
        query = [] if self.plain else [f"ep={endpoint}"]
        upstream = self._upstreams.get(endpoint)
        if upstream and upstream.registered:
            coap, platform = upstream.coap, upstream.platform
        elif self.plain:
            raise Unreachable("the device is not registered, and the platform knows readings only by address")
        else:
            coap, platform = self._courier, await self._courier.resolve(self.platform_uri)
        return await coap.ask(platform, Code.POST, ("dp",), query, payload, format, patience=SERVER)


async def _nothing_here(_request):
    raise Refusal(Code.NOT_FOUND)
