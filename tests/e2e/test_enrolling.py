"""G1: a device learns its groups, and whom to believe, from its bootstrap; no secret of that is in our books."""

import asyncio
import os

import pytest
import sqlalchemy as sa
from fake_device import FakeDevice, becomes

from pointsman.tools.servers import enrolling, storage
from pointsman.tools.servers.configuration import Configuration
from pointsman.tools.servers.storage import Storage

ACCOUNTS = [{"uri": "coap://10.0.0.1:5683", "ssid": 1}]
ROOT = "5a" * 64
GUARD = "0123456789abcdef" * 2


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in (("guard", GUARD), ("password", "geheim"), ("open", GUARD), ("short", "abcd")):
        (tmp_path / name).write_text(text + "\n")
        os.chmod(name, 0o644 if name == "open" else 0o600)


def test_groups_come_with_the_bootstrap(files):
    async def story():
        books = Storage()
        server = Configuration(books, "127.0.0.1", 0)
        await server.start()
        groups = [{"id": "meters", "rank": 3, "index": 17, "multicast": "239.77.0.1:5685", "topic": "p/meters",
                   "guard": "guard"}, {"id": "hex:ff00"}]
        broker = {"uri": "mqtt://broker.example:1883", "user": "dev1", "password": "password"}
        await server.prepare("dev1", ACCOUNTS, {"apn": "internet"}, groups=groups, policy_root=ROOT, broker=broker)
        async with FakeDevice("dev1") as device:
            await device.ask(server.uri + "/bs?ep=dev1")
            await becomes(lambda: "/bs" in [path for _, path in device.requests])
        kept = str(books.read(sa.select(storage.accounts)))
        await server.stop()
        books.close()
        got = {path: value for path, value in device.values.items() if path.startswith(("/26243", "/26244"))}
        assert got == {"/26243/1/0": b"meters", "/26243/1/1": 3, "/26243/1/2": 17,
                       "/26243/1/3": "239.77.0.1:5685", "/26243/1/4": "p/meters", "/26243/1/5": bytes.fromhex(GUARD),
                       "/26243/2/0": b"\xff\x00", "/26244/0/0": bytes.fromhex(ROOT),
                       "/26244/0/1": "mqtt://broker.example:1883", "/26244/0/2": "dev1", "/26244/0/3": b"geheim"}
        assert device.values["/26242/0/2"] == "internet"
        assert "meters" in kept and GUARD not in kept and "geheim" not in kept
    asyncio.run(asyncio.wait_for(story(), 180))


@pytest.mark.parametrize("groups, more, said", [
    ("meters", {}, "a list of objects"),
    ([{"rank": 1}], {}, "a list of objects"),
    ([{"id": "a", "colour": 1}], {}, "colour is unknown; known are id, rank"),
    ([{"id": "a", "rank": "1"}], {}, "rank '1' is not of type int"),
    ([{"id": "a", "rank": 256}], {}, "/26243/1/1 is 256; 0 to 255"),
    ([{"id": ""}], {}, "group '' has 0 bytes"),
    ([{"id": "a"}, {"id": "a"}], {}, "needs an id that no other one has"),
    ([{"id": "a", "multicast": "10.0.0.1:1"}], {}, "give 239.0.0.1:5683"),
    ([{"id": "a", "guard": "none"}], {}, "there is no none"),
    ([{"id": "a", "guard": "open"}], {}, "others may read open"),
    ([{"id": "a", "guard": "short"}], {}, "short does not hold 32 to 128 hexadecimal digits"),
    ([{"id": "a"}], {"policy_root": None}, "without policy_root the device believes no policy"),
    ([{"id": "a"}], {"policy_root": "5a"}, "'5a' is no public key"),
    ([], {"broker": {"uri": "http://x"}}, "give mqtt://host:port"),
    ([], {"broker": {"uri": "mqtts://x"}}, "the agent has no TLS; give a listener without, mqtt://host:port"),
    ([], {"broker": {"uri": "mqtt://x:0"}}, "give mqtt://host:port"),
    ([], {"broker": {"host": "x"}}, "host is unknown; known are uri"),
    ([], {"broker": []}, "an object is expected"),
    (0, {}, "a list of objects"),
    ([], {"policy_root": 7}, "the root's public key in hex"),
])
def test_groups_that_no_device_would_take(files, groups, more, said):
    with pytest.raises(ValueError) as raised:
        enrolling.checked(groups, **{"policy_root": ROOT, **more})
    assert said in str(raised.value) and str(raised.value).startswith(("groups: ", "broker: ", "policy_root: "))
