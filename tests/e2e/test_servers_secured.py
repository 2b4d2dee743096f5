"""The servers with OSCORE and with DTLS: whom they hear, what they refuse, and what outlives a restart of them or of a
device."""

import asyncio

import pytest
from aiocoap import Message
from aiocoap.numbers.codes import Code
from aiocoap.numbers.types import Type
from fake_device import FakeDevice
from guarded import send
from secured_world import LAN, World, eventually, scenario

from pointsman.tools.servers import wire
from pointsman.tools.servers.credentials import DTLS, OSCORE

HANDSHAKE = 22  # content type of DTLS records
both = pytest.mark.parametrize("world", [OSCORE, DTLS], indirect=True)
oscore_only = pytest.mark.parametrize("world", [OSCORE], indirect=True)


@pytest.fixture
def world(request, tmp_path, monkeypatch):
    monkeypatch.setattr(wire, "_TELL_S", 3600)  # what is turned away is told once, however long it takes here
    return World(request.param, tmp_path)


@both
def test_both_ways(world):
    """Register, Send, Read, Write, Observe, Update, De-register on one context; a body of many blocks both ways."""

    async def steps():
        async with FakeDevice("meter-7") as device, world.guard("meter-7") as guard:
            assert (await device.register(guard.uri, epoch=1)).code == Code.CREATED
            assert (await device.send(guard.uri, 1, [1, 2])).code == Code.CHANGED
            assert await world.platform.read("meter-7", "/3/0/0") == "maker"
            await world.platform.write("meter-7", "/3/0/1", "m" * 3000)
            assert device.values["/3/0/1"] == "m" * 3000
            assert await world.platform.read("meter-7", "/3/0/1") == "m" * 3000
            seen = []
            await world.platform.observe("meter-7", "/3331/0/5805", seen.append)
            await eventually(lambda: seen == [1.5])
            device.change("/3331/0/5805", 2.5)
            await eventually(lambda: seen == [1.5, 2.5])
            assert (await device.update()).code == Code.CHANGED
            assert (await device.deregister()).code == Code.DELETED
            assert [row["sequence"] for row in world.platform.readings("meter-7")] == [1, 2]
            assert world.rejected() == {} and guard.said in ([], [("up",)])
            assert all(b"maker" not in data and b"mmm" not in data for data in guard.sent + guard.got)

    scenario(world, steps)


@oscore_only
def test_plain_is_refused_without_state(world):
    """4.01, and nothing of it is remembered: not even its message id."""

    async def steps():
        request = Message(code=Code.POST, _mtype=Type.CON, _mid=7, _token=b"a", payload=b"")
        request.opt.uri_path, request.opt.uri_query = ("rd",), ("ep=meter-7", "lwm2m=1.1")
        found = Message.decode(await send(request.encode(), ("127.0.0.1", world.port)))
        assert (found.code, found.mtype, found.mid, found.token) == (Code.UNAUTHORIZED, Type.ACK, 7, b"a")
        assert world.platform._coap._messages._recent_messages == {} and world.platform.registrations() == []
        assert world.rejected() == {"unprotected": 1} and len(world.log.of("rejected")) == 1

    scenario(world, steps)


@oscore_only
def test_another_key(world):
    """A wrong key and a name that nobody has: refused, and no context is made of it."""

    async def steps():
        async with FakeDevice("meter-7") as device, world.guard("meter-7", secret=LAN) as guard:
            assert (await device.register(guard.uri)).code == Code.BAD_GATEWAY  # the guard's word for a plain refusal
            assert [said[0] for said in guard.said] == ["refused"]
            assert world.rejected() == {"forged": 1} and world.platform._keys._contexts == {}
            assert world.platform.registrations() == []

    scenario(world, steps)


@both
def test_another_name(world):
    """Who has a key speaks for its own name only, and is no gateway by saying so."""

    async def steps():
        async with FakeDevice("meter-8") as device, world.guard("meter-7") as guard:
            assert (await device.register(guard.uri)).code == Code.FORBIDDEN
            device.name = "meter-7"
            assert (await device.register(guard.uri, more="&via=gw-1")).code == Code.FORBIDDEN
            assert (await device.register(guard.uri)).code == Code.CREATED
            assert (await device.ask(f"{guard.uri}/dp?ep=meter-8", payload=b"", format=112)).code == Code.NOT_FOUND

    scenario(world, steps)


@oscore_only
def test_replayed_cut_and_mixed_up(world):
    """Old, truncated, bent records, from its address and from another: refused, counted; the device does not notice."""

    async def steps():
        async with FakeDevice("meter-7") as device, world.guard("meter-7") as guard:
            await device.register(guard.uri, epoch=1)
            await device.send(guard.uri, 1, [1])
            genuine = guard.requests()
            for data in genuine:
                again = data[:2] + bytes([data[2] ^ 0x55]) + data[3:]  # under another message id
                answer = await send(again, ("127.0.0.1", world.port))
                assert Message.decode(answer).code == Code.UNAUTHORIZED
                guard.inject(again)
                for end in range(len(again)):
                    guard.inject(again[:end])
                guard.inject(again[:-1] + bytes([again[-1] ^ 1]))
            assert (await device.send(guard.uri, 2, [2])).code == Code.CHANGED
            assert await world.platform.read("meter-7", "/3/0/0") == "maker"
            await eventually(lambda: world.rejected().get("replayed", 0) >= 4)
            assert [row["sequence"] for row in world.platform.readings("meter-7")] == [1, 2]
            assert len(world.log.of("rejected")) < 20 < sum(world.rejected().values())
            live = world.platform.registrations(live=True)
            assert [row["address"] for row in live] == ["127.0.0.1:%d" % guard.port]

    scenario(world, steps)


@oscore_only
def test_forged_answers(world):
    """What is not sealed by the device does not end a request that it is about to answer."""

    async def steps():
        async with FakeDevice("meter-7") as device, world.guard("meter-7") as guard:
            await device.register(guard.uri, epoch=1)
            await world.platform.read("meter-7", "/3/0/0")
            reading = asyncio.create_task(world.platform.read("meter-7", "/3/0/0"))
            device.silent, count = True, len(guard.got)
            asking = lambda: [one for one in map(Message.decode, guard.got[count:]) if one.code.is_request()]  # noqa: E731
            await eventually(asking)  # acknowledgements may come before it
            asked = asking()[0]
            for code, option in ((Code.CHANGED, b""), (Code.CHANGED, b"\x01\x63"), (Code.UNAUTHORIZED, None)):
                forged = Message(code=code, _mtype=Type.NON, _mid=9, _token=asked.token, payload=b"forged, long enough")
                if option is not None:
                    forged.opt.oscore = option
                guard.inject(forged.encode())
            await eventually(lambda: world.rejected().get("forged") == 3)
            assert not reading.done()
            reading.cancel()

    scenario(world, steps)


@both
def test_moves(world):
    """W3: another address is another address, no other device; requests and observations follow it."""

    async def steps():
        async with FakeDevice("meter-7") as device, world.guard("meter-7") as guard:
            seen = []
            await device.register(guard.uri, epoch=1)
            await world.platform.observe("meter-7", "/3331/0/5805", seen.append)
            await eventually(lambda: seen == [1.5])
            await guard.move()
            assert (await device.update()).code == Code.CHANGED
            assert await world.platform.read("meter-7", "/3/0/0") == "maker"
            if world.security == OSCORE:  # its remote is another; a DTLS session's is not
                await eventually(lambda: seen == [1.5, 1.5])
            device.change("/3331/0/5805", 3.5)
            await eventually(lambda: 3.5 in seen)
            row = world.platform.registrations(live=True)[0]
            assert row["address"] == "127.0.0.1:%d" % guard.port and len(world.platform.registrations()) == 1

    scenario(world, steps)


async def with_echo(device, request):
    """What a device does when it is asked for an Echo."""
    answer = await request()
    if answer.code != Code.UNAUTHORIZED:
        return answer
    asked, device.ask = device.ask, None

    async def ask(uri, code=Code.POST, payload=b"", format=None):
        message = Message(code=code, uri=uri, payload=payload, echo=answer.opt.echo)
        message.opt.content_format = format
        return await asyncio.wait_for(device.context.request(message).response, 60)

    device.ask = ask
    try:
        return await request()
    finally:
        device.ask = asked


@oscore_only
@pytest.mark.parametrize("clean", [True, False])
def test_server_restarts(world, clean):
    """Its numbers go on; after a crash the first request has to show by Echo that it is new (RFC 8613 B.1.2)."""

    async def steps():
        async with FakeDevice("meter-7") as device, world.guard("meter-7") as guard:
            await device.register(guard.uri, epoch=1)
            await world.platform.read("meter-7", "/3/0/0")
            old = list(guard.sent)
            await (world.stop() if clean else world.crash())
            await world.start()
            guard.inject(old[0][:2] + b"\x99\x99" + old[0][4:])
            assert await world.platform.read("meter-7", "/3/0/0") == "maker"  # its own number is a new one
            answer = await device.update()
            assert (answer.code == Code.CHANGED) is clean
            if not clean:
                assert answer.code == Code.UNAUTHORIZED and answer.opt.echo
                assert (await with_echo(device, device.update)).code == Code.CHANGED
            assert world.rejected() == ({"replayed": 1} if clean else {"doubted": world.rejected()["doubted"]})
            assert guard.guard.counters["replayed"] == 0

    scenario(world, steps)


@both
def test_device_restarts(world):
    """With what it kept it goes on in one round trip."""

    async def steps():
        async with FakeDevice("meter-7") as device:
            async with world.guard("meter-7") as guard:
                await device.register(guard.uri, epoch=1)
            async with world.guard("meter-7", state=guard.kept) as guard:
                assert (await device.register(guard.uri, epoch=2)).code == Code.CREATED
                if world.security == OSCORE:
                    assert len(guard.requests()) == 1
                assert all(data[0] != HANDSHAKE for data in guard.sent)

    scenario(world, steps)
