"""One device of a gateway as the platform sees it: an LwM2M endpoint with a socket of its own, so that any
LwM2M server can be the platform.

A task compares what the gateway holds on its LAN with what the platform holds, and makes the second follow
the first: register, update, keep alive, de-register. Requests of the platform are relayed to the device and
its answers back.
"""

import asyncio
import contextlib
import time

from aiocoap.numbers.codes import Code

from .coap import RELAY, SERVER, Coap, Refusal, Unreachable, address, pause, reply, until
from .lwm2m import LINKS, MAX_EPOCH, number, parameters

_DRAIN = 5.0  # s: a de-registration waits so long for the device's readings to be delivered
_LINGER = 3.0  # s
_KEEP_ALIVE = 0.5  # of the lifetime
_FORWARDED = ("content_format", "etag", "max_age")


class Upstream:
    """`gateway` offers platform_uri, name, coap (the LAN side), relay, note(...), lan(endpoint) ->
    Registration or None, superseded(record, epoch) and ended(upstream)."""

    def __init__(self, gateway, endpoint):
        self._gateway, self.endpoint = gateway, endpoint
        self.coap = Coap(gateway.upstream_host, 0, self._answer, gateway.note, observe=self._observe,
                         keys=gateway.upstream_keys)
        self._platform = None  # remote
        self._held = None  # what the platform holds: (record, terms, location)
        self._due = 0.0  # monotonic s of the next Update
        self._changed = asyncio.Event()
        self._task = None

    @property
    def registered(self):
        return self._held is not None

    @property
    def platform(self):
        return self._platform

    def follow(self):
        """The LAN side has changed, or this is the start."""
        self._changed.set()
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    def forget(self):
        """The platform has given this endpoint to somebody else: there is nothing left to de-register."""
        self._held = None

    async def stop(self):
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self.coap.stop()

    async def _run(self):
        attempt = 0
        while self._wanted() or self._held or await self._back_in_time():
            self._changed.clear()
            try:
                wait = await self._step()
                attempt = 0
            except (Unreachable, Refusal, OSError) as problem:
                self._gateway.note("upstream_failed", endpoint=self.endpoint, why=str(problem))
                wait = pause(attempt)
                attempt += 1
            await self._wait_for_change(wait)
        self._gateway.ended(self)
        await self.coap.stop()

    async def _back_in_time(self):
        """The socket stays a while: the answer to the last request may still be due, or due again."""
        self._changed.clear()
        await self._wait_for_change(_LINGER)
        return bool(self._wanted())  # also where the change and the end of the wait come together

    async def _wait_for_change(self, limit):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit):
                return await self._changed.wait()
        return False

    def _wanted(self):
        return self._gateway.lan(self.endpoint)

    async def _step(self):
        """One exchange at most; returns the s until the next look. Raises Unreachable or Refusal."""
        record = self._wanted()
        if record is None:
            await self._deregister()
            return 0
        terms = (record.lifetime, record.binding, record.links, self._gateway.spreading.reports(self.endpoint))
        if self._held is None or self._held[0] is not record:
            await self._register(record, terms)
        elif self._held[1] != terms or time.monotonic() >= self._due:
            await self._update(record, terms)
        return max(0.0, self._due - time.monotonic())

    async def _register(self, record, terms):
        await self.coap.start()
        self._platform = await self.coap.resolve(self._gateway.platform_uri)
        answer = await self._send_register(record)
        if answer.code == Code.CONFLICT:
            text = answer.payload[:24].decode("ascii", "replace")
            await self._gateway.superseded(self.endpoint, record, int(text) if text.isdecimal() else None)
            return
        if answer.code != Code.CREATED:
            text = answer.payload[:200].decode("utf-8", "replace")
            raise Refusal(answer.code, f"register: {answer.code} {text}")
        self._hold(record, terms, tuple(answer.opt.location_path))
        self._gateway.note("upstream_registered", endpoint=self.endpoint, epoch=record.epoch)

    async def _send_register(self, record):
        """With our words first; a server that refuses words it does not know gets the standard ones alone."""
        query = [f"ep={self.endpoint}", f"lt={record.lifetime}", f"lwm2m={record.version}",
                 f"b={record.binding}"]
        ours = [f"epoch={record.epoch}"] if record.epoch is not None else []
        ours += self._gateway.spreading.reports(self.endpoint)
        answer = None
        if not self._gateway.plain:
            answer = await self._post(("rd",), query + ours + [f"via={self._gateway.name}"], record.links)
        if answer is None or answer.code in (Code.BAD_REQUEST, Code.BAD_OPTION):
            answer = await self._post(("rd",), query, record.links)
            self._gateway.plain = answer.code == Code.CREATED
        return answer

    async def _update(self, record, terms):
        _, (lifetime, binding, links, policies), location = self._held
        query = [f"lt={terms[0]}"] if terms[0] != lifetime else []
        query += [f"b={terms[1]}"] if terms[1] != binding else []
        query += terms[3] if terms[3] != policies and not self._gateway.plain else []
        answer = await self._post(location, query, terms[2] if terms[2] != links else "")
        if answer.code == Code.NOT_FOUND:
            self._held = None
            await self._register(record, terms)
        elif answer.code != Code.CHANGED:
            raise Refusal(answer.code, f"update: {answer.code}")
        else:
            self._hold(record, terms, location)

    def _hold(self, record, terms, location):
        self._held = (record, terms, location)
        self._due = time.monotonic() + max(1.0, record.lifetime * _KEEP_ALIVE)
        self._gateway.relay.hurry(self.endpoint)

    async def _deregister(self):
        """After the device's last readings; not at all when it has come back or gone elsewhere meanwhile."""
        drained = asyncio.ensure_future(self._gateway.relay.drained(self.endpoint, _DRAIN))
        changed = asyncio.ensure_future(self._changed.wait())
        await asyncio.wait({drained, changed}, return_when=asyncio.FIRST_COMPLETED)
        drained.cancel()
        changed.cancel()
        held = self._held
        if held is None or self._wanted():
            return
        self._held = None  # whatever comes of it: the platform's own timer is the safety net
        try:
            await self.coap.ask(self._platform, Code.DELETE, held[2], patience=SERVER)
            self._gateway.note("upstream_deregistered", endpoint=self.endpoint)
        except Unreachable as problem:
            self._gateway.note("upstream_failed", endpoint=self.endpoint, why=f"deregister: {problem}")

    async def _post(self, path, query, links):
        payload = links.encode()
        format = LINKS if payload else None
        return await self.coap.ask(self._platform, Code.POST, path, query, payload, format, patience=SERVER)

    # -- what the platform asks

    async def _answer(self, request):
        self._check(request)
        if request.opt.uri_path == ("superseded",) and request.code == Code.POST:
            return await self._superseded(request)
        if request.opt.uri_path == ("announce",) and request.code == Code.POST:
            self._gateway.spreading.announce(parameters(request).get("to", ""), request.payload)
            return reply(Code.CHANGED)
        record = self._target()
        try:
            answer = await self._gateway.coap.ask(
                record.remote, request.code, request.opt.uri_path, request.opt.uri_query, request.payload,
                request.opt.content_format, request.opt.accept, RELAY)
        except Unreachable as problem:
            raise Refusal(Code.GATEWAY_TIMEOUT, f"the device is silent: {problem}") from problem
        return _copied(answer)

    async def _observe(self, request):
        self._check(request)
        count = 0
        try:
            async with contextlib.aclosing(self._observe_device(self._target(), request)) as said:
                async for message, lasting in said:
                    yield _copied(message, count if lasting else None)
                    count += 1
        except Unreachable as problem:
            raise Refusal(Code.GATEWAY_TIMEOUT, f"the device is silent: {problem}") from problem

    async def _observe_device(self, record, request):
        """(what the device says, whether more is to come), asked anew where it has moved to."""
        lasting = True
        while record.live and lasting:
            moved = record.moved
            async with self._gateway.coap.watch(record.remote, request.opt.uri_path, request.opt.uri_query,
                                                request.opt.accept, RELAY) as (first, more):
                async for message, lasting in _said(first, more, moved):
                    yield message, lasting
        if lasting:
            yield reply(Code.NOT_FOUND), False

    def _check(self, request):
        if self._platform is None or address(request.remote) != address(self._platform):
            raise Refusal(Code.FORBIDDEN, "only the platform that the device is registered with may ask")

    def _target(self):
        record = self._wanted()
        if record is None:
            raise Refusal(Code.NOT_FOUND, "the device is not registered here")
        return record

    async def _superseded(self, request):
        """The platform has a newer registration from elsewhere. Should this be late, and the device already
        back here with a newer epoch still, nothing happens."""
        words = parameters(request)
        if words.get("ep", self.endpoint) != self.endpoint:
            raise Refusal(Code.NOT_FOUND, "another device's socket")
        epoch, record = number(words, "epoch", 0, MAX_EPOCH), self._wanted()
        if record is None or epoch is None or record.epoch is None or record.epoch < epoch:
            self.forget()
            await self._gateway.superseded(self.endpoint, record, epoch)
        return reply(Code.CHANGED)


async def _said(first, more, moved):
    """What one observation brings, and whether it goes on after that."""
    yield first, more is not None
    if more is None:
        return
    async for notification in until(more, moved):
        yield notification, notification.code.is_successful()
        if not notification.code.is_successful():
            return


def _copied(answer, observe=None):
    message = reply(answer.code, answer.payload)
    for name in _FORWARDED:
        value = getattr(answer.opt, name)
        if value is not None:
            setattr(message.opt, name, value)
    if answer.opt.location_path:
        message.opt.location_path = answer.opt.location_path
    message.opt.observe = observe
    return message
