"""M2M Service Platform: takes registrations, directly or through a gateway, and decides between two claims
(DESIGN 3.1); takes readings and counts each once; reads, writes, executes and observes what a device has.

Events: registered, updated, deregistered, expired, refused; superseded_told / superseded_untold (the gateway
that held a device before was told that it is elsewhere); readings (stored, repeated); observed, unobserved.
"""

import asyncio
import contextlib
import time

import sqlalchemy as sa
from aiocoap.numbers.codes import Code

from ...agent.errors import RemoteError
from ..groups import wire
from . import storage as books
from .coap import DEVICE, MAX_PAYLOAD, SERVER, Coap, Refusal, Unreachable, host_of, owner, pause, reply
from .credentials import NONE
from .lwm2m import LINKS, MAX_ARGUMENTS, SENML, TEXT, pack, parameters, readings, segments, text, unpack
from .pushes import Pushes, reported
from .registrations import Registrations
from .rest import Rest
from .wire import Plain

_WELL_KNOWN = b'</rd>;rt="core.rd",</dp>'
_TELL_ATTEMPTS = 6
_MAX_OBSERVED = 64  # paths of one device


class Platform:
    """`log(actor, event, **fields)` gets every event; `limit` bounds the devices registered at one time;
    `slow`, `keys`: as of Coap; `gateways`: with keys, the names of those who may register others; `publish(topic,
    document)`: to the broker, where there is one."""

    def __init__(self, storage, host="127.0.0.1", port=5683, log=None, limit=10_000, slow=None, keys=None, gateways=(),
                 publish=None):
        self._storage, self._keys = storage, keys or Plain()
        self._keep = storage.insert(books.readings).on_conflict_do_nothing()  # known already: counted once
        self._note = storage.notes("platform", log)
        self._coap = Coap(host, port, self._answer, self._note, slow=slow, keys=self._keys)
        self._table = Registrations("platform", storage, self._note, limit, self._opened, self._closed,
                                    self._observe_again, gateways)
        self._gateways = set()  # hosts, of past ones too: their queues may hold acknowledged readings
        self._wishes = {}  # endpoint -> {path: callback}: observed again after each registration
        self._watching = {}  # (endpoint, path) -> task
        self._tasks = set()
        self.pushes = Pushes(storage, self._reach, self._request, self._note, self._announce, publish)
        self._rest = None

    @property
    def uri(self):
        return self._coap.uri

    async def start(self):
        """Listen and take up the registrations of before. Raises OSError when the port is taken."""
        await self._coap.start()
        table = books.registrations
        relayed = sa.select(table.c.address).where(table.c.server == "platform", table.c.via.is_not(None))
        known = self._storage.read(relayed.distinct())
        self._gateways = {host_of(self._coap.remote(row["address"])) for row in known}
        self._table.restore(self._coap)
        self.pushes.start()
        self._note("started", uri=self.uri, registrations=len(self._table))

    async def offer_rest(self, token, host, port):
        """Take what operators want over HTTP, from who has the token (bytes). Raises OSError."""
        self._rest = Rest(self.pushes, token, self._note, host, port)
        await self._rest.start()

    async def stop(self):
        if self._rest:
            await self._rest.stop()
        self._table.stop()
        await self.pushes.stop()
        running = [*self._tasks, *self._watching.values()]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        if await self._coap.stop():
            self._keys.close()
            self._note("stopped", **self._coap.reject.counts)

    # -- what devices and gateways send

    async def _answer(self, request):
        path, code = request.opt.uri_path, request.code
        if path == ("rd",) and code == Code.POST:
            record = await self._table.register(request)
            asyncio.get_running_loop().call_soon(self._observe_again, record)  # after the answer
            self._online(record, request, anew=True)
            response = reply(Code.CREATED)
            response.opt.location_path = ("rd", record.location)
            return response
        if len(path) == 2 and path[0] == "rd" and code == Code.POST:
            record, _ = await self._table.update(path[1], request)
            self._online(record, request)
            return reply(Code.CHANGED)
        if len(path) == 2 and path[0] == "rd" and code == Code.DELETE:
            await self._table.deregister(path[1], request)
            return reply(Code.DELETED)
        if path == ("dp",) and code == Code.POST:
            return await self._take_readings(request)
        if path == ("policy",) and code == Code.POST:
            return self._acknowledged(request)
        if path == (".well-known", "core") and code == Code.GET:
            return reply(Code.CONTENT, _WELL_KNOWN, LINKS)
        raise Refusal(Code.NOT_FOUND)

    async def _take_readings(self, request):
        endpoint = self._sender(request)
        first, values = readings(request.payload, request.opt.content_format)
        now = time.time()
        rows = [{"endpoint": endpoint, "sequence": None if first is None else first + index, "time": when,
                 "path": path, "value": value, "received_at": now}
                for index, (when, path, value) in enumerate(values)]

        def job(connection):
            return sum(connection.execute(self._keep, row).rowcount for row in rows)
        stored = await self._storage.write(job)
        self._note("readings", endpoint=endpoint, first=first, stored=stored, repeated=len(rows) - stored)
        return reply(Code.CHANGED)

    def _sender(self, request):
        """Whose readings these are. `?ep=` is for gateways; what one acknowledged it may deliver for ever
        after."""
        named = parameters(request).get("ep")
        if named is None:
            record = self._table.at(request.remote)
            if record is None:
                raise Refusal(Code.NOT_FOUND, "not registered")
            return record.endpoint
        secured = owner(request.remote).security != NONE
        gateway = self._table.gateway(request.remote) if secured else host_of(request.remote) in self._gateways
        if not gateway or not self._known(named):
            raise Refusal(Code.NOT_FOUND, "no gateway of this device is known at this address")
        return named

    def _known(self, endpoint):
        table = books.registrations
        past = sa.select(table.c.key).where(
            table.c.server == "platform", table.c.endpoint == endpoint, table.c.via.is_not(None)).limit(1)
        return self._table.of(endpoint) is not None or bool(self._storage.read(past))

    def _opened(self, new, old):
        if new.via:
            self._gateways.add(host_of(new.remote))
        if old and old.via and old.via != new.via:
            self._spawn(self._tell(old, new.epoch))
        if old:
            self._closed(old, "replaced")

    def _observe_again(self, record):
        for path, callback in self._wishes.get(record.endpoint, {}).items():
            if record.live:
                self._watch(record, path, callback)

    def _closed(self, record, _reason):
        if self._table.of(record.endpoint) is None:
            self.pushes.offline(record.endpoint)
        for path in self._wishes.get(record.endpoint, {}):
            self._unwatch(record.endpoint, path)

    async def _tell(self, old, epoch):
        """The device has registered elsewhere: its former gateway is to drop it, at once. Should it never
        hear this, its next Update or Register upstream is refused."""
        query = [f"ep={old.endpoint}"] + ([f"epoch={epoch}"] if epoch is not None else [])
        for attempt in range(_TELL_ATTEMPTS):
            with contextlib.suppress(Unreachable):
                answer = await self._coap.ask(old.remote, Code.POST, ("superseded",), query, patience=SERVER)
                self._note("superseded_told", endpoint=old.endpoint, via=old.via, code=answer.code.dotted)
                return
            await asyncio.sleep(pause(attempt))
        self._note("superseded_untold", endpoint=old.endpoint, via=old.via)

    def _spawn(self, coroutine):
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- policies

    def _online(self, record, request, anew=False):
        """After the answer: a small device takes one thing at a time."""
        told = reported(request.opt.uri_query)
        asyncio.get_running_loop().call_soon(self.pushes.online, record.endpoint, told, anew)

    def _reach(self, endpoint):
        record = self._table.of(endpoint)
        return record is not None, record and record.via

    def _acknowledged(self, request):
        """From a device, or many from a gateway: only those of devices that are behind it now."""
        record = self._table.at(request.remote)
        try:
            if record:
                self.pushes.acknowledged(record.endpoint, wire.read_acknowledgement(request.payload))
                return reply(Code.CHANGED)
            behind = self._behind(request.remote)
            for told in wire.read_batch(request.payload):
                record = self._table.of(told.device.decode("utf-8", "replace"))
                if record and record.via and behind(record):
                    self.pushes.acknowledged(record.endpoint, told)
        except RemoteError as problem:
            raise Refusal(Code.BAD_REQUEST, str(problem)) from problem
        return reply(Code.CHANGED)

    def _behind(self, remote):
        """Whether a gateway speaks for a record, as a function of that: its credentials name it, else its address."""
        secured, host = owner(remote).security != NONE, host_of(remote)
        name = self._table.gateway(remote) if secured else None
        if not (name if secured else host in self._gateways):
            raise Refusal(Code.NOT_FOUND, "not registered")
        return lambda record: record.via == name if secured else host_of(record.remote) == host

    def _announce(self, gateway, group, payload):
        """By the socket of any device there, as the gateway has none of its own here."""
        record = next((one for one in self._table if one.via == gateway), None)
        if record:
            self._spawn(self._have_announced(record, group, payload))

    async def _have_announced(self, record, group, payload):
        try:
            answer = await self._coap.ask(record.remote, Code.POST, ("announce",), ["to=%s:%d" % group.multicast],
                                          payload, patience=SERVER)
            why = None if answer.code.is_successful() else answer.code.dotted
        except Unreachable as problem:
            why = str(problem)
        if why:
            self._note("policy_unannounced", group=group.name, gateway=record.via, why=why)

    # -- what the platform's users do

    def registrations(self, live=None):
        """Registration rows, as Storage.registrations."""
        return self._storage.registrations("platform", live=live)

    def readings(self, endpoint=None):
        return self._storage.readings(endpoint)

    async def read(self, endpoint, path):
        """The value of a resource, or {path: value} of an instance or object. Raises Refusal with the
        device's answer, Unreachable when it is silent or not registered."""
        answer = await self._ask(endpoint, Code.GET, path, accept=SENML)
        return unpack(answer.payload, answer.opt.content_format, path)

    async def write(self, endpoint, path, value):
        """Replace a resource's value, or with {resource id: value} update parts of an instance."""
        if isinstance(value, bool | int | float | str):  # a few bytes, and nothing that a small device has to unpack
            plain = str(int(value) if isinstance(value, bool) else value).encode()
            await self._ask(endpoint, Code.PUT, path, payload=plain, format=TEXT)
            return
        code = Code.POST if isinstance(value, dict) else Code.PUT
        await self._ask(endpoint, code, path, payload=pack(path, value), format=SENML)

    async def execute(self, endpoint, path, arguments=""):
        payload = arguments.encode()
        if len(payload) > MAX_ARGUMENTS:
            raise ValueError(f"more than {MAX_ARGUMENTS} bytes of arguments")
        await self._ask(endpoint, Code.POST, path, payload=payload, format=TEXT if payload else None)

    async def discover(self, endpoint, path):
        """The link format text of Discover (TS Core 6.3.2)."""
        return text((await self._ask(endpoint, Code.GET, path, accept=LINKS)).payload)

    async def observe(self, endpoint, path, callback):
        """Have callback(value) called with the value now and at each change, whoever the device is registered
        through, until unobserve()."""
        segments(path)
        wishes = self._wishes.setdefault(endpoint, {})
        if len(wishes) >= _MAX_OBSERVED and path not in wishes:
            raise ValueError(f"{_MAX_OBSERVED} paths of {endpoint} are observed, no more fit")
        wishes[path] = callback
        record = self._table.of(endpoint)
        if record:
            self._watch(record, path, callback)

    def unobserve(self, endpoint, path):
        self._wishes.get(endpoint, {}).pop(path, None)
        self._unwatch(endpoint, path)

    async def _ask(self, endpoint, code, path, payload=b"", format=None, accept=None):
        return await self._request(endpoint, code, segments(path), payload, format, accept)

    async def _request(self, endpoint, code, parts, payload=b"", format=None, accept=None):
        record = self._table.of(endpoint)
        if len(payload) > MAX_PAYLOAD:
            raise ValueError(f"more than {MAX_PAYLOAD} bytes")
        if record is None:
            raise Unreachable(f"{endpoint} is not registered")
        answer = await self._coap.ask(record.remote, code, parts, (), payload, format, accept, DEVICE)
        if not answer.code.is_successful():
            raise Refusal(answer.code, answer.payload[:256].decode("utf-8", "replace"))
        return answer

    def _watch(self, record, path, callback):
        self._unwatch(record.endpoint, path)
        task = asyncio.create_task(self._follow(record, path, callback))
        self._watching[record.endpoint, path] = task

    def _unwatch(self, endpoint, path):
        task = self._watching.pop((endpoint, path), None)
        if task:
            task.cancel()

    async def _follow(self, record, path, callback):
        """Observe until the device or its registration ends it; silence is tried again."""
        why, attempt = None, 0
        while record.live:
            try:
                await self._follow_once(record, path, callback)
                break
            except Unreachable as problem:
                self._note("unobserved", endpoint=record.endpoint, path=path, why=str(problem))
                await asyncio.sleep(pause(attempt, most=60.0))
                attempt += 1
            except Exception as problem:  # also what the callback raises
                why = str(problem) or type(problem).__name__
                break
        self._note("unobserved", endpoint=record.endpoint, path=path, why=why)

    async def _follow_once(self, record, path, callback):
        watching = self._coap.watch(record.remote, segments(path), accept=SENML, patience=DEVICE)
        async with watching as (first, more):
            self._tell_value(record, path, first, callback)
            if more:
                async for notification in more:
                    self._tell_value(record, path, notification, callback)

    def _tell_value(self, record, path, message, callback):
        if not message.code.is_successful():
            raise Refusal(message.code, message.payload[:256].decode("utf-8", "replace"))
        value = unpack(message.payload, message.opt.content_format, path)
        self._note("observed", endpoint=record.endpoint, path=path, value=value)
        callback(value)
