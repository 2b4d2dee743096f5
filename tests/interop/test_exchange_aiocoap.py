"""The exchange against aiocoap over loopback sockets, aiocoap once as the server and once as the client."""

import asyncio
import contextlib
import random
import time

import aiocoap
import aiocoap.resource
from free_ports import free_port

from agent.codec import coap
from agent.engine.exchange import Exchange

BODY = bytes(n * 7 & 0xFF for n in range(3000))
PATIENCE_S = 60


class Driver(asyncio.DatagramProtocol):
    """Gives an exchange a socket, a clock and one timer."""

    def __init__(self, serve=None, **options):
        self.exchange = Exchange(random.randrange, **options)
        self.serve = serve
        self.events = []
        self.news = asyncio.Event()
        self.timer = None

    def now(self):
        return int(time.monotonic() * 1000)

    def connection_made(self, transport):
        self.transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data, address):
        self.exchange.receive(("lo",) + address, data, self.now())
        self.flush()

    def tick(self):
        self.exchange.poll(self.now())
        self.flush()

    def flush(self):
        for event in self.exchange.events():
            if event[0] == "request" and self.serve:
                self.serve(self, event[1])
            else:
                self.events.append(event)
        self.news.set()
        for peer, data in self.exchange.take():
            self.transport.sendto(data, peer[1:])
        if self.timer:
            self.timer.cancel()
        due = self.exchange.deadline()
        delay = None if due is None else max(0, due - self.now()) / 1000
        self.timer = None if delay is None else asyncio.get_running_loop().call_later(delay, self.tick)

    async def event(self):
        """The next event, within PATIENCE_S."""
        end = time.monotonic() + PATIENCE_S
        while not self.events:
            self.news.clear()
            await asyncio.wait_for(self.news.wait(), end - time.monotonic())
        return self.events.pop(0)

    async def ask(self, peer, code, path, **more):
        """The Response to a request."""
        handle = self.exchange.request(peer, code, path, self.now(), **more)
        self.flush()
        kind, who, response = await self.event()
        assert (kind, who) == ("response", handle), (kind, response)
        return response


@contextlib.asynccontextmanager
async def driver(serve=None, **options):
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(
        lambda: Driver(serve, **options), local_addr=("127.0.0.1", 0))
    try:
        yield protocol
    finally:
        if protocol.timer:
            protocol.timer.cancel()
        transport.close()


# aiocoap as the server


class Echo(aiocoap.resource.Resource):
    async def render_get(self, request):
        return aiocoap.Message(payload=b"hello", content_format=0)

    async def render_post(self, request):
        return aiocoap.Message(code=aiocoap.CHANGED, payload=request.payload)


class Slow(aiocoap.resource.Resource):
    async def render_get(self, request):
        await asyncio.sleep(0.5)  # beyond aiocoap's own delay of 0.1 s
        return aiocoap.Message(payload=b"slow")


class Counter(aiocoap.resource.ObservableResource):
    """Counts up with every `tick`; grows to several blocks when `large`."""

    count = 0
    observers = 0
    large = False

    def update_observation_count(self, count):
        self.observers = count

    async def render_get(self, request):
        text = b"%d" % self.count
        return aiocoap.Message(payload=text.rjust(2000) if self.large else text)

    def tick(self):
        self.count += 1
        self.updated_state()


@contextlib.asynccontextmanager
async def aiocoap_server():
    site = aiocoap.resource.Site()
    site.add_resource(["echo"], Echo())
    site.add_resource(["slow"], Slow())
    counter = Counter()
    site.add_resource(["counter"], counter)
    port = free_port()
    context = await aiocoap.Context.create_server_context(site, bind=("127.0.0.1", port))
    try:
        yield ("lo", "127.0.0.1", port), counter
    finally:
        await context.shutdown()


async def until(condition):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        await asyncio.sleep(0.01)


def with_server(scenario, **options):
    async def run():
        async with aiocoap_server() as (peer, counter), driver(**options) as ours:
            await scenario(ours, peer, counter)

    asyncio.run(run())


def test_client_gets_and_posts():
    """RFC 7252 5.2.1."""
    async def scenario(ours, peer, counter):
        response = await ours.ask(peer, coap.GET, ("echo",))
        assert (response.code, response.payload, response.format) == (coap.CONTENT, b"hello", 0)
        response = await ours.ask(peer, coap.POST, ("echo",), payload=b"there", format=0, query=("a=b",))
        assert (response.code, response.payload) == (coap.CHANGED, b"there")
        response = await ours.ask(peer, coap.GET, ("nothing",))
        assert response.code == coap.NOT_FOUND
        response = await ours.ask(peer, coap.DELETE, ("echo",))
        assert response.code == coap.NOT_ALLOWED

    with_server(scenario)


def test_client_takes_a_separate_response():
    """RFC 7252 5.2.2."""
    async def scenario(ours, peer, counter):
        response = await ours.ask(peer, coap.GET, ("slow",))
        assert response.payload == b"slow"
        assert ours.exchange.counters["repeated"] == 0

    with_server(scenario)


def test_client_sends_and_takes_blocks():
    """RFC 7959 3.3."""
    async def scenario(ours, peer, counter):
        response = await ours.ask(peer, coap.POST, ("echo",), payload=BODY, format=42)
        assert (response.code, response.payload) == (coap.CHANGED, BODY)

    for size in (64, 512, 1024):
        with_server(scenario, block_size=size)


def test_client_observes():
    """LightweightM2M-1.1-int-301 as its server does it; RFC 7641 3.6: cancelled by a reset."""
    async def scenario(ours, peer, counter):
        handle = ours.exchange.request(peer, coap.GET, ("counter",), ours.now(), observe=0)
        ours.flush()
        numbers = []
        for count in range(4):
            kind, who, response = await ours.event()
            assert (kind, who, response.payload) == ("response", handle, b"%d" % count)
            numbers.append(response.observe)
            counter.tick()
        assert numbers == sorted(set(numbers)) and counter.observers == 1
        await ours.event()
        ours.exchange.cancel(handle)
        counter.tick()
        await until(lambda: counter.observers == 0)

    with_server(scenario)


def test_client_observes_in_blocks():
    """RFC 7959 2.6."""
    async def scenario(ours, peer, counter):
        counter.large = True
        handle = ours.exchange.request(peer, coap.GET, ("counter",), ours.now(), observe=0)
        ours.flush()
        for count in range(3):
            kind, who, response = await ours.event()
            assert (kind, who, response.payload) == ("response", handle, (b"%d" % count).rjust(2000))
            counter.tick()

    with_server(scenario)


def test_client_talks_to_two_servers_at_once():
    """As the agent with a bootstrap server and a registrar."""
    async def run():
        async with aiocoap_server() as (one, _), aiocoap_server() as (two, _), driver() as ours:
            handles = [ours.exchange.request(peer, coap.POST, ("echo",), ours.now(), payload=bytes([n]) * 1500)
                       for n, peer in enumerate((one, two))]
            ours.flush()
            events = sorted([await ours.event(), await ours.event()], key=lambda event: event[1])
            assert [(event[1], event[2].payload) for event in events] == [
                (handle, bytes([n]) * 1500) for n, handle in enumerate(handles)]

    asyncio.run(run())


def test_client_gives_up_where_nobody_listens():
    async def run():
        async with driver(ack_timeout_ms=20, max_retransmit=2) as ours:
            handle = ours.exchange.request(("lo", "127.0.0.1", free_port()), coap.GET, ("x",), ours.now())
            ours.flush()
            assert await ours.event() == ("failed", handle, "timeout")

    asyncio.run(run())


# aiocoap as the client


def serve(ours, request):
    """What our side offers to aiocoap."""
    exchange, now = ours.exchange, ours.now()
    if request.path == ("late",):
        ours.events.append(("late", request))
    elif request.path == ("body",):
        exchange.respond(request, coap.CONTENT, now, BODY, 42)
    elif request.path == ("counter",):
        exchange.respond(request, coap.CONTENT, now, b"0", 0)
    elif request.code == coap.POST:
        exchange.respond(request, coap.CHANGED, now, request.payload, request.format)
    else:
        exchange.respond(request, coap.NOT_FOUND, now, b"no " + "/".join(request.path).encode())


def with_client(scenario, **options):
    async def run():
        context = await aiocoap.Context.create_client_context()
        try:
            async with driver(serve, **options) as ours:
                await asyncio.wait_for(scenario(ours, context, "coap://127.0.0.1:%d/" % ours.port), 2 * PATIENCE_S)
        finally:
            await context.shutdown()

    asyncio.run(run())


async def ask(context, code, uri, **more):
    return await context.request(aiocoap.Message(code=code, uri=uri, **more)).response


def test_server_answers():
    async def scenario(ours, context, uri):
        response = await ask(context, aiocoap.POST, uri + "x", payload=b"hello", content_format=0)
        assert (response.code, response.payload) == (aiocoap.CHANGED, b"hello")
        response = await ask(context, aiocoap.GET, uri + "a/b")
        assert (response.code, response.payload) == (aiocoap.NOT_FOUND, b"no a/b")

    with_client(scenario)


def test_server_answers_non():
    """RFC 7252 5.2.3."""
    async def scenario(ours, context, uri):
        response = await ask(context, aiocoap.POST, uri + "x", payload=b"hello", transport_tuning=aiocoap.Unreliable)
        assert (response.mtype, response.payload) == (aiocoap.NON, b"hello")

    with_client(scenario)


def test_server_answers_later():
    """RFC 7252 5.2.2: after the empty ACK the response comes as a CON."""
    async def scenario(ours, context, uri):
        waiting = asyncio.ensure_future(ask(context, aiocoap.GET, uri + "late"))
        _, request = await ours.event()
        await until(lambda: request.state == "acknowledged")
        ours.exchange.respond(request, coap.CONTENT, ours.now(), b"better late")
        ours.flush()
        response = await waiting
        assert (response.mtype, response.payload) == (aiocoap.CON, b"better late")
        await until(lambda: ours.exchange.deadline() is None)

    with_client(scenario)


def test_server_sends_and_takes_blocks():
    """RFC 7959 3.3; aiocoap starts with blocks of 1024, we ask for ours."""
    async def scenario(ours, context, uri):
        response = await ask(context, aiocoap.GET, uri + "body")
        assert (response.payload, response.opt.content_format) == (BODY, 42)
        response = await ask(context, aiocoap.POST, uri + "x", payload=BODY, content_format=42)
        assert (response.code, response.payload) == (aiocoap.CHANGED, BODY)
        assert ours.exchange.deadline() is None

    for size in (64, 512, 1024):
        with_client(scenario, block_size=size)


def test_server_refuses_what_is_too_large():
    """RFC 7959 2.9.3."""
    async def scenario(ours, context, uri):
        response = await ask(context, aiocoap.POST, uri + "x", payload=bytes(9000))
        assert (response.code, response.opt.size1) == (aiocoap.REQUEST_ENTITY_TOO_LARGE, 8192)

    with_client(scenario)


def test_server_refuses_an_unknown_critical_option():
    """RFC 7252 5.4.1."""
    async def scenario(ours, context, uri):
        message = aiocoap.Message(code=aiocoap.GET, uri=uri + "x")
        message.opt.add_option(aiocoap.optiontypes.OpaqueOption(2049, b"x"))
        response = await context.request(message).response
        assert (response.code, response.payload) == (aiocoap.BAD_OPTION, b"option 2049")

    with_client(scenario)


def test_server_is_observed():
    """LightweightM2M-1.1-int-301, and 302: cancelled."""
    async def scenario(ours, context, uri):
        request = context.request(aiocoap.Message(code=aiocoap.GET, uri=uri + "counter", observe=0))
        response = await request.response
        assert (response.payload, response.opt.observe) == (b"0", 0)
        ((ident, _, path),) = ours.exchange.observed()
        assert path == ("counter",)
        notifications = request.observation.__aiter__()
        for n in range(1, 6):
            payload = b"%d" % n if n < 4 else BODY[n:]
            assert ours.exchange.notify(ident, coap.CONTENT, payload, 0, ours.now(), confirmable=n % 2)
            ours.flush()
            assert (await notifications.__anext__()).payload == payload
            if n % 2:
                assert await ours.event() == ("notified", ident)
        request.observation.cancel()
        while ours.exchange.observed():  # aiocoap resets the next confirmable one, or the one after that
            ours.exchange.notify(ident, coap.CONTENT, b"more", 0, ours.now(), confirmable=True)
            ours.flush()
            event = await ours.event()
        assert event == ("unobserved", ident)

    with_client(scenario)
