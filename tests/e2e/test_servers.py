"""Platform and gateway with devices on real sockets. The devices share no code with the agent."""

import asyncio
from contextlib import asynccontextmanager

import aiocoap
import pytest
from aiocoap.numbers.codes import Code
from fake_device import FakeDevice, becomes, senml
from free_ports import free_port

from pointsman.tools.servers import upstream
from pointsman.tools.servers.coap import Refusal, Unreachable
from pointsman.tools.servers.gateway import Gateway
from pointsman.tools.servers.platform import Platform
from pointsman.tools.servers.storage import Storage


class Site:
    """A platform and a gateway; `events` is what they logged."""

    def __init__(self, folder=None):
        self.folder, self.events = folder, []

    def storage(self, name):
        return Storage(f"sqlite:///{self.folder}/{name}.sqlite" if self.folder else "sqlite://")

    def log(self, actor, event, **fields):
        self.events.append((actor, event, fields))

    def seen(self, event, **fields):
        return [told for _, name, told in self.events
                if name == event and all(told.get(key) == value for key, value in fields.items())]

    async def platform_starts(self, port=0):
        self.platform_books = self.storage("platform")
        self.platform = Platform(self.platform_books, "127.0.0.1", port, self.log)
        await self.platform.start()

    async def gateway_starts(self, uri=None, port=0):
        self.gateway_books = self.storage("gateway")
        self.gateway = Gateway(self.gateway_books, "127.0.0.1", port, uri or self.platform.uri, self.log)
        await self.gateway.start()

    async def platform_ends(self):
        await self.platform.stop()
        self.platform_books.close()

    async def gateway_ends(self):
        await self.gateway.stop()
        self.gateway_books.close()

    def direct(self, endpoint="dev1"):
        return [row for row in self.platform.registrations() if row["endpoint"] == endpoint and not row["via"]]

    def relayed(self, endpoint="dev1"):
        return [row for row in self.platform.registrations() if row["endpoint"] == endpoint and row["via"]]

    def live(self):
        return self.platform.registrations(live=True)


@asynccontextmanager
async def site(folder=None):
    one = Site(folder)
    await one.platform_starts()
    await one.gateway_starts()
    try:
        yield one
    finally:
        await one.gateway_ends()
        await one.platform_ends()


def run(story, *arguments):
    asyncio.run(asyncio.wait_for(story(*arguments), 180))


def test_the_gateway_registers_the_device_with_its_information():
    """W4; TR-0001 seed 000 step 5: the request to the platform includes the device's information."""
    async def story():
        async with site() as s, FakeDevice("dev1") as device:
            answer = await device.register(s.gateway.uri, epoch=7, links="</1/1>,</3/0>,</3331/0>")
            assert answer.code == Code.CREATED
            await becomes(s.live)
            row, = s.live()
            assert (row["endpoint"], row["epoch"], row["via"], row["lifetime"]) == ("dev1", 7, "gw-1", 60)
            assert row["links"] == "</1/1>,</3/0>,</3331/0>"
            await device.update("?lt=90", b"</1/1>")
            await becomes(lambda: s.live()[0]["lifetime"] == 90 and s.live()[0]["links"] == "</1/1>")
    run(story)


def test_of_two_registrations_the_newer_one_holds():
    """W2: the gateway drops its record within one exchange, and the platform's records never overlap."""
    async def story():
        async with site() as s, FakeDevice("dev1") as lan, FakeDevice("dev1") as wan:
            await lan.register(s.gateway.uri, epoch=1)
            await becomes(s.live)
            await wan.register(s.platform.uri, epoch=2)
            await becomes(lambda: s.gateway.registrations()[0]["closed_at"])
            assert s.gateway.registrations()[0]["reason"] == "superseded"
            assert s.relayed()[0]["closed_at"] == s.direct()[0]["opened_at"]
            assert (await lan.update()).code == Code.NOT_FOUND
            # ... and back
            await lan.register(s.gateway.uri, epoch=3)
            await becomes(lambda: s.direct()[0]["closed_at"])
            assert s.direct()[0]["closed_at"] == s.relayed()[1]["opened_at"]
            assert (await wan.update()).code == Code.NOT_FOUND
            assert len(s.live()) == 1
            await becomes(lambda: s.seen("superseded_told", code="2.04"))
    run(story)


def test_an_older_epoch_is_refused_with_the_highest():
    """W2: 4.09 with the highest epoch known, by platform and gateway; an equal one is the same attempt repeated."""
    async def story():
        async with site() as s, FakeDevice("dev1") as lan, FakeDevice("dev1") as wan:
            await wan.register(s.platform.uri, epoch=5)
            answer = await wan.register(s.platform.uri, epoch=4)
            assert (answer.code, answer.payload) == (Code.CONFLICT, b"5")
            assert (await wan.register(s.platform.uri, epoch=5)).code == Code.CREATED
            assert len(s.live()) == 1 and s.live()[0]["location"] == wan.location.rsplit("/", 1)[1]
            # The gateway does not know better, answers at once, and hears it from the platform.
            assert (await lan.register(s.gateway.uri, epoch=4)).code == Code.CREATED
            await becomes(lambda: s.gateway.registrations()[0]["reason"] == "superseded")
            answer = await lan.register(s.gateway.uri, epoch=4)
            assert (answer.code, answer.payload) == (Code.CONFLICT, b"5")
            assert s.live()[0]["via"] is None
    run(story)


def test_a_client_without_epoch_replaces_its_record():
    """LwM2M Core 1.1 6.2.1: a second Register of an endpoint replaces the first."""
    async def story():
        async with site() as s, FakeDevice("dev1") as lan, FakeDevice("dev1") as wan:
            await lan.register(s.gateway.uri)
            await becomes(s.live)
            await wan.register(s.platform.uri)
            await becomes(lambda: s.gateway.registrations()[0]["reason"] == "superseded")
            assert [row["via"] for row in s.live()] == [None]
    run(story)


def test_readings_survive_an_unreachable_platform_and_both_restarts(tmp_path):
    """W4: what the gateway acknowledged is delivered, in order, once; the same sequence twice counts once."""
    async def story():
        s = Site(tmp_path)
        await s.platform_starts()
        await s.gateway_starts()
        port, lan_port = s.platform._coap.port, s.gateway.coap.port
        async with FakeDevice("dev1") as device, FakeDevice("dev1") as wan:
            await device.register(s.gateway.uri, epoch=1)
            await becomes(s.live)
            await s.platform_ends()
            for first in (0, 2, 4):
                assert (await device.send(s.gateway.uri, first, [first, first + 1])).code == Code.CHANGED
            await s.gateway_ends()
            await s.gateway_starts(f"coap://127.0.0.1:{port}", lan_port)
            assert (await device.update()).code == Code.CHANGED  # its registration was kept
            assert (await device.send(s.gateway.uri, 4, [4, 5, 6])).code == Code.CHANGED
            await s.platform_starts(port)
            await becomes(lambda: len(s.platform.readings("dev1")) == 7, 30)
            assert [row["sequence"] for row in s.platform.readings("dev1")] == list(range(7))
            assert [row["value"] for row in s.platform.readings("dev1")] == list(range(7))
            # A device that has moved on does not lose what the gateway still holds.
            assert (await wan.register(s.platform.uri, epoch=2)).code == Code.CREATED
            assert (await wan.send(s.platform.uri, 6, [6, 7])).code == Code.CHANGED
            assert len(s.platform.readings()) == 8
        await s.gateway_ends()
        await s.platform_ends()
    run(story)


def test_the_gateway_registers_again_when_the_platform_has_forgotten(monkeypatch):
    """LightweightM2M-1.1-int-105 of the gateway's side: 4.04 on Update, Register with the same epoch."""
    monkeypatch.setattr(upstream, "_KEEP_ALIVE", 0)  # an Update a second, whatever the lifetime

    async def story():
        s = Site()
        await s.platform_starts()
        await s.gateway_starts()
        async with FakeDevice("dev1") as device:
            await device.register(s.gateway.uri, epoch=9)
            await becomes(s.live)
            port = s.platform._coap.port
            await s.platform_ends()
            await s.platform_starts(port)  # memory: it has forgotten
            await becomes(s.live)
            assert [row["epoch"] for row in s.live()] == [9]
        await s.gateway_ends()
        await s.platform_ends()
    run(story)


def test_records_end_with_their_lifetime_everywhere():
    """A device that dies: the gateway's record expires, and is de-registered upstream."""
    async def story():
        async with site() as s, FakeDevice("dev1") as device:
            await device.register(s.gateway.uri, epoch=1, lifetime=3)
            await becomes(s.relayed)
            await becomes(lambda: not s.live() and s.gateway.registrations()[0]["reason"])  # each has books of its own
            gateway, platform = s.gateway.registrations()[0], s.relayed()[0]
            assert (gateway["reason"], platform["reason"]) == ("expired", "deregistered")
            assert gateway["closed_at"] - gateway["opened_at"] > 2.9  # no sooner than promised
    run(story)


def test_deregistration_waits_for_the_readings():
    """W4: the last readings are in the platform's books before the de-registration."""
    async def story():
        async with site() as s, FakeDevice("dev1") as device:
            await device.register(s.gateway.uri, epoch=1)
            await becomes(s.live)
            await device.send(s.gateway.uri, 0, [1, 2])
            assert (await device.deregister()).code == Code.DELETED
            await becomes(lambda: s.relayed()[0]["reason"] == "deregistered")
            assert s.platform.readings()[-1]["received_at"] < s.relayed()[0]["closed_at"]
    run(story)


def test_the_platform_manages_a_device_directly_and_through_the_gateway():
    """W4: read, write, execute, discover and observe are relayed; observation goes on after a change of registrar."""
    async def story():
        async with site() as s, FakeDevice("dev1") as lan, FakeDevice("dev1") as wan:
            values = []
            await s.platform.observe("dev1", "/3331/0/5805", values.append)
            for epoch, device, server in ((1, lan, s.gateway), (2, wan, s.platform)):
                await device.register(server.uri, epoch=epoch)
                await becomes(lambda epoch=epoch: [row["epoch"] for row in s.live()] == [epoch])
                assert await s.platform.read("dev1", "/3/0/0") == "maker"
                assert await s.platform.read("dev1", "/3/0") == {"/3/0/0": "maker", "/3/0/1": "model"}
                await s.platform.write("dev1", "/26242/0/1", 5)
                await s.platform.write("dev1", "/1/1", {1: 120})
                assert device.values["/26242/0/1"] == 5 and device.values["/1/1/1"] == 120
                await s.platform.execute("dev1", "/1/1/8")
                assert device.executed == [("/1/1/8", b"")]
                assert await s.platform.discover("dev1", "/3") == "</3>"
                with pytest.raises(Refusal) as refused:
                    await s.platform.read("dev1", "/9/0/0")
                assert refused.value.code == Code.NOT_FOUND
                device.change("/3331/0/5805", epoch * 10)
                await becomes(lambda epoch=epoch: values[-1:] == [epoch * 10])
            s.platform.unobserve("dev1", "/3331/0/5805")
    run(story)


def test_a_silent_device_costs_the_platform_five_seconds():
    """RFC 7252 5.9.3.5: the gateway answers 5.04 in the place of a device that does not; the platform waits longer."""
    async def story():
        async with site() as s, FakeDevice("dev1") as device:
            await device.register(s.gateway.uri, epoch=1)
            await becomes(s.live)
            device.silent = True
            with pytest.raises(Refusal) as refused:
                await s.platform.read("dev1", "/3/0/0")
            assert refused.value.code == Code.GATEWAY_TIMEOUT
            with pytest.raises(Unreachable):
                await s.platform.read("dev2", "/3/0/0")
    run(story)


class StrictServer(aiocoap.resource.Resource):
    """An LwM2M server that refuses every word it does not know, and one payload."""

    def __init__(self):
        super().__init__()
        self.asked, self.refuse = [], b""

    async def render(self, request):
        self.asked.append((request.opt.uri_path, request.opt.uri_query, request.payload))
        strange = [word for word in request.opt.uri_query if word.split("=")[0] not in ("ep", "lt", "lwm2m", "b")]
        if strange or (request.opt.uri_path == ("dp",) and request.opt.uri_query) or request.payload == self.refuse:
            return aiocoap.Message(code=Code.BAD_REQUEST)
        if request.opt.uri_path == ("rd",):
            return aiocoap.Message(code=Code.CREATED, location_path=("rd", "x"))
        return aiocoap.Message(code=Code.CHANGED)


def test_any_lwm2m_server_can_be_the_platform():
    """DESIGN 3.8: what we add is optional. A refused payload is parked, and does not stop those behind it."""
    async def story():
        s, strict = Site(), StrictServer()
        port = free_port()
        context = await aiocoap.Context.create_server_context(strict, bind=("127.0.0.1", port), transports=["udp6"])
        await s.gateway_starts(f"coap://127.0.0.1:{port}")
        async with FakeDevice("dev1") as device:
            await device.register(s.gateway.uri, epoch=3)
            await becomes(lambda: s.seen("upstream_registered"))
            assert strict.asked[-1][1] == ("ep=dev1", "lt=60", "lwm2m=1.1", "b=U")
            strict.refuse = senml([("/26242/0/0", 1, None), ("/3331/0/5805", 11, 1000)])
            for sequence in range(3):
                packed = senml([("/26242/0/0", sequence, None), ("/3331/0/5805", sequence + 10, 1000)])
                assert (await device.ask(s.gateway.uri + "/dp", payload=packed, format=112)).code == Code.CHANGED
            await becomes(lambda: len(s.seen("relayed")) == 2)
            assert s.seen("relay_parked")[0]["why"].startswith("4.00")
        await s.gateway_ends()
        await context.shutdown()
    run(story)
