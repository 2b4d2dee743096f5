"""The platform's REST: the same verbs as `pointsman policy`, for whoever has the token and for nobody else."""

import asyncio
import base64
import json

import pytest
from fake_device import becomes
from pushed import Member, written

from pointsman.tools.faults import Fault
from pointsman.tools.policies import keys, signing
from pointsman.tools.policies.asking import Asking
from pointsman.tools.servers.platform import Platform
from pointsman.tools.servers.rest import MAX_BODY, Rest
from pointsman.tools.servers.storage import Storage

TOKEN = b"0123456789abcdef"


@pytest.fixture(scope="module")
def sign(tmp_path_factory):
    key = keys.create(tmp_path_factory.mktemp("keys") / "operator.pem")
    return lambda *what, **more: base64.b64encode(signing.sign(written(*what, **more), key)).decode()


def run(story):
    """story(platform, rest, ask): ask(method, *path, **body) off the event loop."""
    async def whole():
        books = Storage()
        platform = Platform(books, port=0)
        await platform.start()
        rest = Rest(platform.pushes, TOKEN, lambda event, **fields: None)
        await rest.start()
        asking = Asking(f"http://127.0.0.1:{rest.port}", TOKEN)
        try:
            await story(platform, rest, lambda *words, **body: asyncio.to_thread(asking.ask, *words, **body))
        finally:
            await rest.stop()
            await platform.stop()
            books.close()
    asyncio.run(asyncio.wait_for(whole(), 180))


def test_from_a_group_to_a_policy_that_all_obey(sign):
    async def story(platform, rest, ask):
        made = await ask("POST", "groups", name="meters", multicast="239.77.0.1:5685", rule={"tags": {"kind": "meter"}})
        assert made["multicast"] == "239.77.0.1:5685" and made["size"] == 0
        assert await ask("POST", "groups", "meters", "members", endpoints=["dev0", "a/b c"]) == {"indexes": [0, 1]}
        await ask("PUT", "devices", "dev2", tags={"kind": "meter"})
        group = await ask("GET", "groups", "meters")
        assert [member["endpoint"] for member in group["members"]] == ["dev0", "a/b c", "dev2"]
        await ask("DELETE", "groups", "meters", "members", "a/b c")
        async with Member("dev0") as device:
            await device.register(platform.uri)
            planned = await ask("POST", "groups", "meters", "policies", document=sign(7), dry_run=True)
            assert planned["unicast"]["members"] == planned["waiting"]["members"] == 1
            assert (await ask("GET", "groups", "meters", "policies")) == {"versions": []}
            told = await ask("POST", "groups", "meters", "policies", document=sign(7), terms={"stages": [50, 100]})
            assert told["state"] == "running" and told["members"] == 2
            await becomes(lambda: device.applied == [7])
            assert (await ask("POST", "groups", "meters", "policies", 7, "pause"))["state"] == "paused"
            assert (await ask("POST", "groups", "meters", "policies", 7, "resume"))["state"] == "running"
            assert (await ask("POST", "groups", "meters", "policies", 7, "abort"))["state"] == "aborted"
            told = await ask("GET", "groups", "meters", "policies", 7, query="?members=1")
            assert [(one["endpoint"], one["state"]) for one in told["outcomes"]] == [("dev0", "acknowledged"),
                                                                                  ("dev2", "waiting")]
            assert await ask("GET", "groups", "meters", "policies") == {"versions": [7]}
    run(story)


@pytest.mark.parametrize("method, path, body, said", [
    ("GET", ("groups", "valves"), {}, "no group is called valves"),
    ("GET", ("groups", "meters", "policies", 9), {}, "no version 9 has been pushed"),
    ("GET", ("nothing",), {}, "there is no such path"),
    ("PUT", ("groups", "meters"), {}, "PUT is not for this path"),
    ("POST", ("groups",), {}, "a name is 1 to 32"),
    ("POST", ("groups",), {"name": "meters"}, "there is one already"),
    ("POST", ("groups",), {"name": 7}, "name is no str"),
    ("POST", ("groups",), {"name": "a", "priority": True}, "priority is no int"),
    ("POST", ("groups",), {"name": "a", "colour": 1}, "colour is unknown here; name, priority"),
    ("POST", ("groups",), {"name": "a", "multicast": "10.0.0.1:5"}, "is no multicast address"),
    ("POST", ("groups",), {"name": "a", "multicast": "239.0.0.1"}, "multicast is HOST:PORT"),
    ("POST", ("groups", "meters", "members"), {"endpoints": [7]}, "endpoints are names"),
    ("POST", ("groups", "meters", "policies"), {"document": "?"}, "document is no base64"),
    ("POST", ("groups", "meters", "policies"), {"document": ""}, "no device takes this document"),
    ("POST", ("groups", "meters", "policies"), {"terms": {"stages": 5}}, "terms are wrong"),
    ("POST", ("groups", "meters", "policies"), {"terms": {"rate": "x"}}, "terms are wrong"),
    ("POST", ("groups", "meters", "policies"), {"terms": {"speed": 1}}, "terms are wrong"),
    ("POST", ("groups", "meters", "policies", 7, "abort"), {}, "version 7 is not on its way"),
])
def test_what_cannot_be_done_says_why(method, path, body, said):
    async def story(platform, rest, ask):
        await ask("POST", "groups", name="meters")
        with pytest.raises(Fault, match=said.replace("(", "[(]").replace("?", "[?]")):
            await ask(method, *path, **body)
    run(story)


@pytest.mark.parametrize("request_bytes, status", [
    (b"GET /groups/meters HTTP/1.1\r\n\r\n", 401),
    (b"GET /groups/meters HTTP/1.1\r\nAuthorization: Bearer 0123456789abcdeF\r\n\r\n", 401),
    (b"POST /groups HTTP/1.1\r\nContent-Length: 999\r\n\r\n", 401),
    (b"\r\n\r\n", 400),
    (b"GET http://x/ HTTP/1.1\r\n\r\n", 400),
    (b"POST /groups HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    (b"POST /groups HTTP/1.1\r\nAuthorization: Bearer %s\r\nContent-Length: -1\r\n\r\n" % TOKEN, 400),
    (b"POST /groups HTTP/1.1\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n" % (TOKEN, MAX_BODY + 1), 413),
    (b"POST /groups HTTP/1.1\r\nAuthorization: Bearer %s\r\nContent-Length: 1\r\n\r\n[" % TOKEN, 400),
    (b"POST /groups HTTP/1.1\r\nAuthorization: Bearer %s\r\nContent-Length: 2\r\n\r\n[]" % TOKEN, 400),
    (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n", 413),
])
def test_strangers_and_what_is_no_request(request_bytes, status):
    async def story(platform, rest, ask):
        reader, writer = await asyncio.open_connection("127.0.0.1", rest.port)
        writer.write(request_bytes)
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 %d " % status) and json.loads(body)["error"]
        assert TOKEN not in head + body
        writer.close()
        assert await ask("POST", "groups", name="meters")
    run(story)
