"""The configuration server with a fake device: bootstrap, its failures, and how it is found."""

import asyncio
import socket

import aiocoap
import pytest
import sqlalchemy as sa
from aiocoap.numbers.codes import Code
from aiocoap.numbers.types import Type
from fake_device import FakeDevice, becomes, entries
from free_ports import free_port

from pointsman.tools.servers import storage
from pointsman.tools.servers.advertising import GROUP, answer_to
from pointsman.tools.servers.configuration import Configuration
from pointsman.tools.servers.credentials import KINDS, Secret, create, kid
from pointsman.tools.servers.dtls import Sessions
from pointsman.tools.servers.storage import Storage

ACCOUNTS = [{"uri": "coap://10.0.0.1:5683", "ssid": 1, "links": "eth", "lifetime": 60},
            {"uri": "coap://10.0.0.2:5683", "ssid": 2, "links": "lte", "priority": 1, "epoch": False}]
SETTINGS = {"report_period_s": 30, "apn": "internet"}


def run(story, **options):
    async def whole():
        events, books = [], Storage()

        def log(actor, event, **told):
            events.append((event, told))
        server = Configuration(books, "127.0.0.1", 0, log, **options)
        await server.start()
        try:
            await story(server, events)
        finally:
            await server.stop()
            books.close()
        assert "bug" not in [event for event, _ in events]
    asyncio.run(asyncio.wait_for(whole(), 180))


def names(events):
    return [event for event, _ in events]


def test_a_prepared_device_gets_its_accounts():
    """LightweightM2M-1.1-int-0 Client Initiated Bootstrap; C3."""
    async def story(server, events):
        await server.prepare("dev1", ACCOUNTS, SETTINGS)
        async with FakeDevice("dev1") as device:
            assert (await device.ask(server.uri + "/bs?ep=dev1&pct=112")).code == Code.CHANGED
            await becomes(lambda: "bootstrapped" in names(events))
            assert device.requests == [
                (Code.DELETE, "/"), (Code.PUT, "/0/1"), (Code.PUT, "/1/1"), (Code.PUT, "/26241/1"), (Code.PUT, "/0/2"),
                (Code.PUT, "/1/2"), (Code.PUT, "/26241/2"), (Code.PUT, "/26242/0"), (Code.POST, "/bs")]
            assert device.values == {
                "/0/1/0": "coap://10.0.0.1:5683", "/0/1/1": False, "/0/1/2": 3, "/0/1/10": 1,
                "/1/1/0": 1, "/1/1/1": 60, "/1/1/6": True, "/1/1/7": "U", "/1/1/13": 0,
                "/26241/1/0": 1, "/26241/1/1": "eth", "/26241/1/2": True,
                "/0/2/0": "coap://10.0.0.2:5683", "/0/2/1": False, "/0/2/2": 3, "/0/2/10": 2,
                "/1/2/0": 2, "/1/2/1": 300, "/1/2/6": True, "/1/2/7": "U", "/1/2/13": 1,
                "/26241/2/0": 2, "/26241/2/1": "lte", "/26241/2/2": False,
                "/26242/0/1": 30, "/26242/0/2": "internet"}
            # Again, as often as the device wants.
            assert (await device.ask(server.uri + "/bs?ep=dev1&pct=112")).code == Code.CHANGED
            await becomes(lambda: names(events).count("bootstrapped") == 2)
    run(story)


def test_all_at_once():
    """Bootstrap-Pack (LwM2M 1.2 Core 6.1.7.8): what the requests of a bootstrap write, in one answer."""
    async def story(server, events):
        await server.prepare("dev1", ACCOUNTS, SETTINGS)
        async with FakeDevice("dev1") as device:
            assert (await device.ask(server.uri + "/bs?ep=dev1&pct=112")).code == Code.CHANGED
            await becomes(lambda: "bootstrapped" in names(events))
            answer = await device.ask(server.uri + "/bspack?ep=dev1", Code.GET)
            assert (answer.code, answer.opt.content_format) == (Code.CONTENT, 112)
            assert entries(answer.payload) == device.values and "pack_given" in names(events)
            assert (await device.ask(server.uri + "/bspack?ep=dev2", Code.GET)).code == Code.FORBIDDEN
    run(story)


def test_keys_of_secured_accounts(tmp_path):
    """Derived from each registrar's own secret, as the registrar will; the books have neither key nor secret."""
    gateway, platform = create(tmp_path / "gateway"), create(tmp_path / "platform")
    accounts = [{"uri": "coap://10.0.0.1", "ssid": 1, "security": "oscore", "secret": str(tmp_path / "gateway")},
                {"uri": "coaps://10.0.0.2", "ssid": 2, "security": "dtls", "secret": str(tmp_path / "platform")}]

    async def story(server, events):
        await server.prepare("dev1", accounts)
        async with FakeDevice("dev1") as device:
            assert (await device.ask(server.uri + "/bs?ep=dev1&pct=112")).code == Code.CHANGED
            await becomes(lambda: "bootstrapped" in names(events))
            found = {path: value for path, value in device.values.items() if path.split("/")[1] in ("0", "21")}
            assert found == {
                "/21/1/0": gateway.device_key("oscore", "dev1"), "/21/1/1": kid("dev1"), "/21/1/2": b"",
                "/21/1/3": 10,
                "/0/1/0": "coap://10.0.0.1", "/0/1/1": False, "/0/1/2": 3, "/0/1/10": 1, "/0/1/17": "21:1",
                "/0/2/0": "coaps://10.0.0.2", "/0/2/1": False, "/0/2/2": 0, "/0/2/3": b"dev1",
                "/0/2/5": platform.device_key("dtls", "dev1"), "/0/2/10": 2}
            (tmp_path / "gateway").chmod(0o644)  # from now on anybody's
            await device.ask(server.uri + "/bs?ep=dev1&pct=112")
            await becomes(lambda: "bootstrap_failed" in names(events))
            told = repr(events) + repr(server._storage.read(sa.select(storage.accounts)))
            keys = [one.device_key(kind, "dev1").hex() for one in (gateway, platform) for kind in KINDS[1:]]
            assert not any(key in told for key in keys)
    run(story)


def test_who_is_not_known_gets_nothing():
    async def story(server, events):
        async with FakeDevice("dev9") as device:
            assert (await device.ask(server.uri + "/bs?ep=dev9&pct=112")).code == Code.FORBIDDEN
            assert (await device.ask(server.uri + "/bs?pct=112")).code == Code.BAD_REQUEST
            await server.prepare("dev9", ACCOUNTS)
            assert (await device.ask(server.uri + "/bs?ep=dev9&pct=11542")).code == Code.UNSUPPORTED_CONTENT_FORMAT
            assert device.requests == []
    run(story)


def test_what_the_device_refuses_is_told():
    """LightweightM2M-1.1-int-9: 4.06 to Finish is a failed bootstrap, and says at which step."""
    async def story(server, events):
        await server.prepare("dev1", ACCOUNTS)
        async with FakeDevice("dev1") as device:
            device.finish_code = Code.NOT_ACCEPTABLE
            await device.ask(server.uri + "/bs?ep=dev1&pct=112")
            await becomes(lambda: "bootstrap_failed" in names(events))
            assert "/bs" in events[-1][1]["why"] and "4.06" in events[-1][1]["why"]
            assert "bootstrapped" not in names(events)
    run(story)


def test_a_second_request_takes_the_place_of_the_first():
    """A device that restarts in the middle of its bootstrap begins anew, from the same port or another."""
    async def story(server, events):
        await server.prepare("dev1", ACCOUNTS)
        async with FakeDevice("dev1") as device, FakeDevice("dev1") as restarted:
            device.silent = True
            await device.ask(server.uri + "/bs?ep=dev1&pct=112")
            await becomes(lambda: device.requests)
            device.silent = False
            await device.ask(server.uri + "/bs?ep=dev1&pct=112")
            await becomes(lambda: "bootstrapped" in names(events))
            device.silent, before = True, len(device.requests)
            await device.ask(server.uri + "/bs?ep=dev1&pct=112")
            await restarted.ask(server.uri + "/bs?ep=dev1&pct=112")
            await becomes(lambda: names(events).count("bootstrapped") == 2)
            assert restarted.values["/1/2/0"] == 2 and len(device.requests) <= before + 1
    run(story)


@pytest.mark.parametrize("accounts, settings, word", [
    ([], {}, "accounts"), ([{"ssid": 1}], {}, "uri"), ([{"uri": "http://x", "ssid": 1}], {}, "uri"),
    ([{"uri": "coap://x", "ssid": 0}], {}, "ssid"), ([{"uri": "coap://x", "ssid": True}], {}, "ssid"),
    ([{"uri": "coap://x", "ssid": 1}, {"uri": "coap://y", "ssid": 1}], {}, "ssid"),
    ([{"uri": "coap://x", "ssid": 1, "links": "eth,LAN 1"}], {}, "links"),
    ([{"uri": "coap://x", "ssid": 1, "lifetime": 0}], {}, "lifetime"),
    ([{"uri": "coap://x", "ssid": 1, "colour": "red"}], {}, "colour"),
    ([{"uri": "coap://x", "ssid": 1, "security": "tls", "secret": "x"}], {}, "security"),
    ([{"uri": "coap://x", "ssid": 1, "security": "dtls", "secret": "x"}], {}, "uri"),
    ([{"uri": "coaps://x", "ssid": 1}], {}, "uri"), ([{"uri": "coap://x", "ssid": 1, "secret": "x"}], {}, "secret"),
    ([{"uri": "coap://x", "ssid": 1, "security": "oscore"}], {}, "secret"),
    ([{"uri": "coap://x", "ssid": 1, "security": "oscore", "secret": "/nowhere"}], {}, "secret: there is no"),
    (ACCOUNTS, {"report_period_s": 0}, "report_period_s"), (ACCOUNTS, {"apn": "x" * 101}, "apn"),
])
def test_impossible_settings_are_refused_where_they_are_given(accounts, settings, word):
    async def story(server, events):
        with pytest.raises(ValueError, match=word):
            await server.prepare("dev1", accounts, settings)
    run(story)


def question(**options):
    message = aiocoap.Message(code=Code.GET, **options)
    message.mtype, message.mid, message.token = Type.NON, 7, b"tok"
    message.opt.uri_path = message.opt.uri_path or (".well-known", "core")
    return message.encode()


@pytest.mark.parametrize("keys", [None, Sessions(Secret(bytes(32)))])
def test_a_multicast_question_is_answered_from_the_server(keys):
    """C2; RFC 7252 8: CoAP multicast for rt=oma.bs, answered by unicast from the address that serves /bs. A link to a
    server that speaks DTLS has to say so: the answer itself does not."""
    port = free_port()

    async def story(server, events):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind(("127.0.0.1", 0))
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
            sock.setblocking(False)
            sock.sendto(b"garbage", (GROUP, port))
            sock.sendto(question(uri_query=("rt=other",)), (GROUP, port))
            sock.sendto(question(uri_query=("rt=oma.bs",)), (GROUP, port))
            data, where = await asyncio.get_running_loop().sock_recvfrom(sock, 2000)
        answer = aiocoap.Message.decode(data)
        assert where == ("127.0.0.1", server._coap.port)
        assert (answer.code, answer.token, answer.mtype) == (Code.CONTENT, b"tok", 1)
        link = f"{server.uri if keys else ''}/bs"
        assert (answer.payload, answer.opt.content_format) == (b'<%s>;rt="oma.bs"' % link.encode(), 40)
        assert names(events).count("discovered") == 1
    run(story, multicast_port=port, keys=keys)


def test_what_is_no_question_for_us_is_met_with_silence():
    assert answer_to(question(uri_query=("rt=oma.bs",))) is not None
    assert answer_to(question()) is not None
    for data in (b"", b"\x51", question(uri_path=("rd",)), question(uri_query=("rt=x",)), question()[:-3],
                 b"\x41" + question()[1:], b"\x5f" + question()[1:], b"\x51\x02" + question()[2:]):
        assert answer_to(data) is None, data


def test_dns_sd_tells_where_it_is():
    """C2; RFC 6763 7.1: the subtype _m2mbs of _coap._udp, with path and version in TXT."""
    zeroconf = pytest.importorskip("zeroconf.asyncio")

    async def story(server, events):
        await becomes(lambda: {"advertised", "unadvertised"} & set(names(events)))
        if "unadvertised" in names(events):
            pytest.skip(events[-1][1]["why"])
        async with zeroconf.AsyncZeroconf(interfaces=["127.0.0.1"]) as asking:
            told = dict(events)["advertised"]["name"]
            found = await asking.async_get_service_info("_m2mbs._sub._coap._udp.local.", told, timeout=30000)
        assert found.port == server._coap.port and found.parsed_addresses() == ["127.0.0.1"]
        assert found.decoded_properties == {"path": "/bs", "v": "1"}
    run(story, advertise=True)

