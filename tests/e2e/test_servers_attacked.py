"""Secured servers together, restarted and attacked: gateway and platform, DTLS sessions that end, any bytes at all."""

import asyncio
import contextlib
import random

import pytest
from aiocoap import Message
from aiocoap.numbers.codes import Code
from aiocoap.numbers.types import Type
from fake_device import FakeDevice
from secured_world import LAN, SECRET, World, eventually, scenario

from pointsman.tools.servers import wire
from pointsman.tools.servers.coap import SERVER, Unreachable
from pointsman.tools.servers.credentials import DTLS, OSCORE
from pointsman.tools.servers.gateway import Gateway
from pointsman.tools.servers.storage import Storage

both = pytest.mark.parametrize("world", [OSCORE, DTLS], indirect=True)
dtls_only = pytest.mark.parametrize("world", [DTLS], indirect=True)


@pytest.fixture
def world(request, tmp_path, monkeypatch):
    monkeypatch.setattr(wire, "_TELL_S", 3600)  # what is turned away is told once, however long it takes here
    return World(request.param, tmp_path)


@contextlib.asynccontextmanager
async def gateway_of(world, tmp_path):
    """A gateway in front of the world's platform, with keys of its own there."""
    storage = Storage("sqlite:///%s" % (tmp_path / "gateway.sqlite"))
    gateway = Gateway(storage, "127.0.0.1", 0, world.platform.uri, world.log, upstream_host="127.0.0.1",
                      keys=world.serving(storage, "gw-1", LAN), upstream_keys=world.asking(storage, "gw-1", SECRET))
    await gateway.start()
    try:
        yield gateway
    finally:
        await gateway.stop()
        storage.close()


@both
def test_gateway(world, tmp_path):
    """The gateway has credentials of its own at the platform, its devices theirs at the gateway; both legs are sealed,
    and relay, observation and the devices' moves go through."""

    async def steps():
        async with gateway_of(world, tmp_path) as gateway:
            await through(gateway)

    async def through(gateway):
        names = ["meter-%d" % number for number in range(3)]
        for name in names:
            async with FakeDevice(name) as device, world.guard(name, secret=LAN, uri=gateway.uri) as guard:
                assert (await device.register(guard.uri, epoch=1)).code == Code.CREATED
                await eventually(lambda: world.platform._table.of(name))  # noqa: B023
                assert world.platform._table.of(name).via == "gw-1"
                assert (await device.send(guard.uri, 1, [1, 2])).code == Code.CHANGED
                assert await world.platform.read(name, "/3/0/0") == "maker"
                seen = []
                await world.platform.observe(name, "/3331/0/5805", seen.append)
                await eventually(lambda: seen == [1.5])  # noqa: B023
                await guard.move()
                assert (await device.update()).code == Code.CHANGED
                if world.security == OSCORE:
                    await eventually(lambda: len(seen) == 2)  # noqa: B023
                device.change("/3331/0/5805", 4.5)
                await eventually(lambda: 4.5 in seen)  # noqa: B023
                await eventually(lambda: len(world.platform.readings(name)) == 2)  # noqa: B023
                direct = world.guard(name)
                async with direct, FakeDevice(name) as moved:
                    assert (await moved.register(direct.uri, epoch=2)).code == Code.CREATED
                    await eventually(lambda: gateway._table.of(name) is None)  # noqa: B023
        assert world.rejected() == {} and gateway.coap.reject.counts == {}

    scenario(world, steps)


@both
@pytest.mark.parametrize("clean", [True, False])
def test_platform_restarts_behind_a_gateway(world, tmp_path, monkeypatch, clean):
    """The gateway goes on by itself: an Echo, or another session; no reading is lost."""
    monkeypatch.setattr(SERVER, "ACK_TIMEOUT", 0.1)
    monkeypatch.setattr(SERVER, "limit", 2.0)

    async def steps():
        async with gateway_of(world, tmp_path) as gateway:
            guard = world.guard("meter-7", secret=LAN, uri=gateway.uri)
            async with FakeDevice("meter-7") as device, guard:
                await device.register(guard.uri, epoch=1)
                await device.send(guard.uri, 1, [1])
                await eventually(lambda: len(world.platform.readings("meter-7")) == 1)
                await (world.stop() if clean else world.crash())
                await world.start()
                await device.send(guard.uri, 2, [2])
                await eventually(lambda: len(world.platform.readings("meter-7")) == 2)
                await device.update("?lt=61")
                await eventually(lambda: world.platform._table.of("meter-7").lifetime == 61)
                assert await world.platform.read("meter-7", "/3/0/0") == "maker"

    scenario(world, steps)


@dtls_only
def test_dtls_server_restarts(world):
    """After a clean end the device knows that its session is gone; after a crash it is silence. Until it is back, the
    server knows at once that it cannot reach it."""

    async def steps():
        async with FakeDevice("meter-7") as device, world.guard("meter-7") as guard:
            await device.register(guard.uri, epoch=1)
            await world.stop()
            await world.start()
            await eventually(lambda: [said[0] for said in guard.said] == ["up", "closed"])
            with pytest.raises(Unreachable, match="session"):
                await world.platform.read("meter-7", "/3/0/0")
            assert (await device.update()).code == Code.CHANGED
            assert await world.platform.read("meter-7", "/3/0/0") == "maker"
            await world.crash()
            await world.start()
            guard.guard.open(0)
            assert (await device.update()).code == Code.CHANGED
            assert await world.platform.read("meter-7", "/3/0/0") == "maker"

    scenario(world, steps)


@dtls_only
def test_dtls_attacks(world):
    """Old, truncated and bent records, plain CoAP, another key: dropped, counted; the device does not notice."""

    async def steps():
        async with FakeDevice("meter-7") as device, world.guard("meter-7") as guard:
            await device.register(guard.uri, epoch=1)
            await device.send(guard.uri, 1, [1])
            for data in list(guard.sent):
                guard.inject(data)
                for end in range(len(data)):
                    guard.inject(data[:end])
                guard.inject(data[:-1] + bytes([data[-1] ^ 1]))
            plain = Message(code=Code.POST, _mtype=Type.CON, _mid=7, _token=b"a", payload=b"")
            plain.opt.uri_path, plain.opt.uri_query = ("rd",), ("ep=meter-7", "lwm2m=1.1", "epoch=9")
            guard.inject(plain.encode())
            async with FakeDevice("meter-7") as other, world.guard("meter-7", secret=LAN) as wrong:
                trying = asyncio.create_task(other.register(wrong.uri, epoch=9))
                await eventually(lambda: [said[0] for said in wrong.said] == ["refused"])
                trying.cancel()
            assert (await device.send(guard.uri, 2, [2])).code == Code.CHANGED
            assert await world.platform.read("meter-7", "/3/0/0") == "maker"
            assert [row["sequence"] for row in world.platform.readings("meter-7")] == [1, 2]
            assert {"replayed", "forged", "malformed"} <= set(world.rejected())
            assert len(world.log.of("rejected")) < 40 < sum(world.rejected().values())
            assert [row["epoch"] for row in world.platform.registrations()] == [1]

    scenario(world, steps)


@both
def test_any_bytes(world):
    """Whatever comes, from wherever: no exception, no state, and afterwards the device is served as before."""

    async def steps():
        chance = random.Random(8)
        async with FakeDevice("meter-7") as device, world.guard("meter-7") as guard:
            await device.register(guard.uri, epoch=1)
            await device.send(guard.uri, 1, [1])
            known = list(guard.sent)
            for number in range(3000):
                data = bytearray(chance.choice(known))
                for _ in range(chance.randint(1, 6)):
                    data[chance.randrange(len(data))] = chance.randrange(256)
                guard.inject(bytes(data[: chance.randint(0, len(data))] if number % 3 else data))
                if number % 100 == 0:
                    await asyncio.sleep(0.02)
            assert await world.platform.read("meter-7", "/3/0/0") == "maker"
            assert (await device.send(guard.uri, 2, [2])).code == Code.CHANGED
            assert [row["sequence"] for row in world.platform.readings("meter-7")] == [1, 2]
            assert world.log.of("bug") == [] and len(world.log.of("rejected") + world.log.of("coap")) < 60
            assert len(world.platform._coap._messages._recent_messages) < 10

    scenario(world, steps)
