"""Bad input to the servers: refused with a cause, bounded, and afterwards everybody else is served as before."""

import asyncio
import random
import socket

import aiocoap
import cbor2
import pytest
from aiocoap.numbers.codes import Code
from aiocoap.numbers.types import Type
from fake_device import FakeDevice, senml

from pointsman.tools.servers import lwm2m, storage
from pointsman.tools.servers.coap import MAX_PAYLOAD
from pointsman.tools.servers.gateway import Gateway
from pointsman.tools.servers.platform import Platform
from pointsman.tools.servers.storage import Storage

READING = ("/3331/0/5805", 1, None)
REGISTERS = [  # query, payload, format, answer
    ("lt=60&lwm2m=1.1", b"", None, Code.BAD_REQUEST),
    ("ep=&lt=60&lwm2m=1.1", b"", None, Code.BAD_REQUEST),
    ("ep=a&ep=b&lwm2m=1.1", b"", None, Code.BAD_REQUEST),
    ("ep=" + "x" * 129 + "&lwm2m=1.1", b"", None, Code.BAD_REQUEST),
    ("ep=a%2Fb&lwm2m=1.1", b"", None, Code.BAD_REQUEST),
    ("ep=a%00b&lwm2m=1.1", b"", None, Code.BAD_REQUEST),
    ("ep=a&lt=0&lwm2m=1.1", b"", None, Code.BAD_REQUEST),
    ("ep=a&lt=-1&lwm2m=1.1", b"", None, Code.BAD_REQUEST),
    ("ep=a&lt=99999999999&lwm2m=1.1", b"", None, Code.BAD_REQUEST),
    ("ep=a&lt=%D9%A3&lwm2m=1.1", b"", None, Code.BAD_REQUEST),  # a digit, but not an ASCII one
    ("ep=a&lwm2m=1.2", b"", None, Code.PRECONDITION_FAILED),
    ("ep=a&lwm2m=1.1&epoch=x", b"", None, Code.BAD_REQUEST),
    ("ep=a&lwm2m=1.1&epoch=99999999999999999999", b"", None, Code.BAD_REQUEST),
    ("ep=a&lwm2m=1.1", b"no links", 40, Code.BAD_REQUEST),
    ("ep=a&lwm2m=1.1", b"</1>,\xff", 40, Code.BAD_REQUEST),
    ("ep=a&lwm2m=1.1", b"{}", 50, Code.UNSUPPORTED_CONTENT_FORMAT),
    ("ep=a&lwm2m=1.1", b"</1>;x=" + b"y" * MAX_PAYLOAD, 40, Code.REQUEST_ENTITY_TOO_LARGE),
]
SENDS = [
    (b"", 112, Code.BAD_REQUEST),
    (b"\x9f", 112, Code.BAD_REQUEST),
    (b"\xff\xff\xff", 112, Code.BAD_REQUEST),
    (b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff", 112, Code.BAD_REQUEST),
    (b"\x81" * 3000, 112, Code.BAD_REQUEST),
    (cbor2.dumps({"a": 1}), 112, Code.BAD_REQUEST),
    (cbor2.dumps([]), 112, Code.BAD_REQUEST),
    (cbor2.dumps([{0: "/26242/0/0", 2: 3}]), 112, Code.BAD_REQUEST),  # a sequence and no reading
    (cbor2.dumps([{0: "/26242/0/0", 2: -1}, {0: "/3331/0/5805", 2: 1}]), 112, Code.BAD_REQUEST),
    (cbor2.dumps([{0: "/26242/0/0", 2: 2**63 - 1}, {0: "/3331/0/5805", 2: 1}]), 112, Code.BAD_REQUEST),
    (cbor2.dumps([{0: "/26242/0/0", 3: "x"}, {0: "/3331/0/5805", 2: 1}]), 112, Code.BAD_REQUEST),
    (cbor2.dumps([{0: "/3331/0/5805", 2: float("nan")}]), 112, Code.BAD_REQUEST),
    (cbor2.dumps([{0: "/3331/0/5805"}]), 112, Code.BAD_REQUEST),
    (b"[{", 110, Code.BAD_REQUEST),
    (b"1", 0, Code.UNSUPPORTED_CONTENT_FORMAT),
    (senml([READING] * 1100), 112, Code.BAD_REQUEST),
]


def run(story):
    asyncio.run(asyncio.wait_for(story(), 180))


async def _started(server):
    await server.start()
    return server


def _servers(books, log, limit=10):
    return [Platform(books, "127.0.0.1", 0, log, limit), Gateway(books, "127.0.0.1", 0, "coap://127.0.0.1:9", log)]


def _bugs(events):
    return [fields for event, fields in events if event == "bug"]


@pytest.mark.parametrize("which", [0, 1], ids=["platform", "gateway"])
def test_bad_requests_are_refused_with_their_cause(which):
    async def story():
        books, events = Storage(), []
        server = await _started(_servers(books, lambda actor, event, **fields: events.append((event, fields)))[which])
        async with FakeDevice("dev1") as device:
            for query, payload, format, code in REGISTERS:
                answer = await device.ask(f"{server.uri}/rd?{query}", payload=payload, format=format)
                assert answer.code == code, (query[:60], answer)
                assert answer.payload or code == Code.REQUEST_ENTITY_TOO_LARGE, query
            assert (await device.send(server.uri, 0, [1])).code == Code.NOT_FOUND  # not registered
            assert (await device.register(server.uri, epoch=1)).code == Code.CREATED
            for payload, format, code in SENDS:
                answer = await device.ask(server.uri + "/dp", payload=payload, format=format)
                assert answer.code == code, (payload[:40], answer)
            for code, path, expected in [
                (Code.POST, "/rd/none", Code.NOT_FOUND), (Code.DELETE, "/rd/none", Code.NOT_FOUND),
                (Code.GET, "/rd", Code.NOT_FOUND), (Code.POST, "/dp?ep=dev1", None), (Code.PUT, "/x", Code.NOT_FOUND),
            ]:
                answer = await device.ask(server.uri + path, code, senml([READING]) if "dp" in path else b"", 112)
                assert expected is None or answer.code == expected, path
            assert (await device.update("?lt=x")).code == Code.BAD_REQUEST
            assert (await device.update()).code == Code.CHANGED
        assert not _bugs(events)
        await server.stop()
        books.close()
    run(story)


def test_someone_elses_registration_cannot_be_used():
    """Without security the address is all there is: an Update or De-register from another one is 4.04, and readings
    of others are taken from gateways only."""
    async def story():
        books = Storage()
        server = await _started(_servers(books, None)[0])
        async with FakeDevice("dev1") as device, FakeDevice("mallory") as other:
            await device.register(server.uri, epoch=1)
            other.location = device.location
            assert (await other.update()).code == Code.NOT_FOUND
            assert (await other.deregister()).code == Code.NOT_FOUND
            payload = senml([("/26242/0/0", 0, None), READING])
            assert (await other.ask(server.uri + "/dp?ep=dev1", payload=payload, format=112)).code == Code.NOT_FOUND
            assert (await device.update()).code == Code.CHANGED
        await server.stop()
        books.close()
    run(story)


def test_a_full_server_says_so_and_a_freed_place_is_given_away():
    async def story():
        books = Storage()
        server = await _started(_servers(books, None, limit=1)[0])
        async with FakeDevice("dev1") as one, FakeDevice("dev2") as two:
            assert (await one.register(server.uri)).code == Code.CREATED
            assert (await two.register(server.uri)).code == Code.SERVICE_UNAVAILABLE
            assert (await one.register(server.uri)).code == Code.CREATED
            await one.deregister()
            assert (await two.register(server.uri)).code == Code.CREATED
        await server.stop()
        books.close()
    run(story)


def test_garbage_on_the_socket_harms_nobody():
    """RFC 7252 3 and 4.2: malformed messages are dropped; 3,000 of them, most nearly right."""
    async def story():
        books, events, chance = Storage(), [], random.Random(7)
        server = await _started(_servers(books, lambda actor, event, **fields: events.append((event, fields)))[0])
        good = aiocoap.Message(code=Code.POST, payload=senml([READING]))
        good.mtype, good.mid, good.token = Type.CON, 1, b"t"
        good.opt.uri_path, good.opt.uri_query, good.opt.content_format = ("dp",), ("ep=dev1", "b=U"), 112
        good = good.encode()
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for number in range(3000):
            data = bytearray(good[:chance.randrange(1, len(good) + 1)])
            for _ in range(chance.randrange(4)):
                data[chance.randrange(len(data))] = chance.randrange(256)
            data[2:4] = number.to_bytes(2, "big")  # else it is a duplicate
            sock.sendto(data, ("127.0.0.1", server._coap.port))
            if number % 50 == 0:
                await asyncio.sleep(0.01)
        sock.close()
        async with FakeDevice("dev1") as device:
            assert (await device.register(server.uri, epoch=1)).code == Code.CREATED
            assert (await device.send(server.uri, 0, [1])).code == Code.CHANGED
        assert not _bugs(events)
        await server.stop()
        books.close()
    run(story)


def test_a_failing_job_takes_no_other_with_it():
    """Storage: jobs share a transaction; when one fails, each gets one of its own."""
    async def story():
        books = Storage()

        def broken(connection):
            connection.execute(storage.epochs.insert().values(server="s", endpoint="lost", epoch=1))
            raise KeyError("broken")
        good = storage.epochs.insert().values(server="s", endpoint="kept", epoch=1)
        results = await asyncio.gather(books.execute(good), books.write(broken), books.execute(good),
                                       return_exceptions=True)
        assert results[0] == 1 and isinstance(results[1], KeyError) and isinstance(results[2], Exception)
        assert [row["endpoint"] for row in books.read(storage.sa.select(storage.epochs))] == ["kept"]
        books.close()
    run(story)


def test_the_log_keeps_its_newest_only(monkeypatch):
    monkeypatch.setattr(storage, "MAX_EVENTS", 100)
    books = Storage()
    for number in range(storage.PRUNE_EVERY * 2):
        last = books.event(float(number), "test", "event", {})
    last.result()
    kept = books.read(storage.sa.select(storage.events.c.t))
    assert len(kept) < 100 + storage.PRUNE_EVERY and kept[-1]["t"] == storage.PRUNE_EVERY * 2 - 1
    books.close()


def test_paths():
    assert lwm2m.segments("/3/0/11/2") == ("3", "0", "11", "2") and lwm2m.segments("/") == ()
    for bad in ("/x", "/3/0/1/2/3", "/-1", "/65536", "/٣"):
        with pytest.raises(ValueError):
            lwm2m.segments(bad)
