"""Our DNS codec and discovery engine beside python-zeroconf and aiocoap, over real sockets (C2)."""

import asyncio
import random
import socket
import time

import aiocoap
import aiocoap.resource
import pytest
import zeroconf
import zeroconf.asyncio
from free_ports import free_port
from hypothesis import given, settings
from hypothesis import strategies as some

from agent.codec import dns
from agent.engine.discovery import Discovery
from agent.errors import RemoteError

settings.register_profile("codecs", deadline=None, max_examples=200)
settings.load_profile("codecs")

SERVICE = "_m2mbs._sub._coap._udp.local"


def test_dns_queries_are_read_by_zeroconf():
    theirs = zeroconf.DNSIncoming(dns.query([(SERVICE, dns.PTR), ("boot.local", dns.A)], 0x1234))
    assert theirs.valid and theirs.is_query() and theirs.id == 0x1234
    assert [(q.name, q.type, q.class_) for q in theirs.questions] == [
        (SERVICE + ".", 12, 1),
        ("boot.local.", 1, 1),
    ]


def test_dns_answers_of_zeroconf_are_read_by_us():
    out = zeroconf.DNSOutgoing(0x8400, multicast=False, id_=7)
    query = zeroconf.DNSIncoming(dns.query([(SERVICE, dns.PTR)], 7))
    out.add_question(zeroconf.DNSQuestion(SERVICE + ".", 12, 1))
    out.add_answer(query, zeroconf.DNSPointer(SERVICE + ".", 12, 1, 120, "Boot 1._coap._udp.local."))
    out.add_additional_answer(
        zeroconf.DNSService("Boot 1._coap._udp.local.", 33, 0x8001, 120, 0, 0, 5683, "host.local.")
    )
    out.add_additional_answer(
        zeroconf.DNSText("Boot 1._coap._udp.local.", 16, 0x8001, 120, b"\x08path=/bs\x03v=1")
    )
    out.add_additional_answer(zeroconf.DNSAddress("host.local.", 1, 0x8001, 120, bytes((192, 0, 2, 7))))
    [data] = out.packets()
    assert dns.parse(data) == [
        (SERVICE, dns.PTR, "Boot 1._coap._udp.local"),
        ("Boot 1._coap._udp.local", dns.SRV, (0, 0, 5683, "host.local")),
        ("Boot 1._coap._udp.local", dns.TXT, {"path": b"/bs", "v": b"1"}),
        ("host.local", dns.A, "192.0.2.7"),
    ]


@given(some.binary(max_size=120))
def test_dns_garbage(data):
    for head in (b"", b"\x00\x07\x84\x00\x00\x01\x00\x02\x00\x00\x00\x01"):
        try:
            dns.parse(head + data)
        except RemoteError:
            pass


@given(
    some.lists(
        some.text(some.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=15),
        min_size=1,
        max_size=3,
    )
)
def test_dns_names_come_back(labels):
    """A dot or backslash inside a label keeps its place."""
    name = ".".join([label.replace("\\", "\\\\").replace(".", "\\.") for label in labels])
    asked = dns.query([(name, dns.A)])
    answer = b"\0\0\x84\0\0\0\0\1\0\0\0\0" + asked[12:] + bytes(4) + b"\0\4\1\2\3\4"
    assert dns.parse(answer) == [(name, dns.A, "1.2.3.4")]


LOOPBACK = "127.0.0.1"


def open_socket():
    """A socket like a board's: bound to its link's address, multicasts leaving over that link."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(LOOPBACK))
    sock.bind((LOOPBACK, 0))
    sock.setblocking(False)
    return sock


async def discover(discovery, where=None, patience_s=60, only=b"", enough=lambda: False):
    """Runs the engine on a socket until it has found something or nothing, or enough is done; `where` replaces
    destinations, `only` what holds these bytes is heard: others may announce theirs on this machine."""
    loop = asyncio.get_running_loop()
    sock = open_socket()
    give_up = time.monotonic() + patience_s
    try:
        discovery.start("lo", now_ms())
        while time.monotonic() < give_up and not enough():
            discovery.poll(now_ms())
            for event in discovery.take():
                if event[0] != "send":
                    return event
                sock.sendto(event[4], where or event[2:4])
            try:
                data, (host, port) = await asyncio.wait_for(loop.sock_recvfrom(sock, 1500), 0.05)
            except asyncio.TimeoutError:
                continue
            if only in data:
                discovery.receive("lo", host, port, data, now_ms())
    finally:
        sock.close()
    raise AssertionError("no answer in %d s" % patience_s)


def multicast_works():
    """Whether this machine carries multicasts over loopback."""
    with open_socket() as sender, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        try:
            membership = socket.inet_aton("224.0.0.251") + socket.inet_aton(LOOPBACK)
            receiver.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
            receiver.bind(("", 0))
            receiver.settimeout(20)
            sender.sendto(b"?", ("224.0.0.251", receiver.getsockname()[1]))
            return receiver.recv(1) == b"?"
        except OSError:
            return False


needs_multicast = pytest.mark.skipif(not multicast_works(), reason="no multicasts over loopback here")


def now_ms():
    return time.monotonic_ns() // 1000000


class Responder:
    """python-zeroconf on loopback, advertising a bootstrap server."""

    def __init__(self, kind, port):
        subtype = "_m2mbs._sub._%s._udp.local." % kind
        self.service = zeroconf.ServiceInfo(
            subtype,
            "Boot 1._%s._udp.local." % kind,
            port,
            server="boot.local.",
            properties={"path": "/bs", "v": "1"},
            addresses=[socket.inet_aton(LOOPBACK)],
        )

    async def __aenter__(self):
        self.zeroconf = zeroconf.asyncio.AsyncZeroconf(interfaces=[LOOPBACK])
        await self.zeroconf.async_register_service(self.service)

    async def __aexit__(self, *_):
        await self.zeroconf.async_close()


@needs_multicast
@pytest.mark.parametrize("kind", ["coap", "coaps"])
def test_server_advertised_by_zeroconf_is_found(kind):
    """C2: DNS-SD over multicast DNS, asked from an ordinary port (RFC 6762 6.7)."""

    async def story():
        async with Responder(kind, 5783):
            engine = Discovery(random.randrange, secure=kind == "coaps", methods=("dns-sd",))
            return await discover(engine, only=b"Boot 1")

    assert asyncio.run(story()) == ("found", "lo", kind + "://127.0.0.1:5783", "dns-sd")


@needs_multicast
def test_other_services_of_zeroconf_are_not_taken_for_ours():
    """A CoAP server that is no bootstrap server stays unfound."""

    async def story():
        engine = Discovery(random.randrange, secure=False, methods=("dns-sd",))
        async with Responder("coaps", 5783):
            try:
                return await discover(engine, patience_s=1)
            except AssertionError:
                return engine.state

    found = asyncio.run(story())
    assert found == "asking" or found[2] and ":5783" not in found[2]  # others may announce theirs on this machine


async def _serve(attributes):
    """An aiocoap server whose one resource is /bs; its context and port."""
    site = aiocoap.resource.Site()
    site.add_resource([".well-known", "core"], aiocoap.resource.WKCResource(site.get_resources_as_linkheader))
    bootstrap = aiocoap.resource.Resource()
    bootstrap.get_link_description = lambda: attributes
    site.add_resource(["bs"], bootstrap)
    port = free_port()
    return await aiocoap.Context.create_server_context(site, bind=(LOOPBACK, port), transports=["udp6"]), port


def test_server_of_aiocoap_is_found():
    """C2: GET /.well-known/core?rt=oma.bs; asked of the server itself, aiocoap does the filtering."""

    async def story():
        context, port = await _serve({"rt": "oma.bs"})
        try:
            return port, await discover(Discovery(random.randrange, methods=("core",)), (LOOPBACK, port))
        finally:
            await context.shutdown()

    port, event = asyncio.run(story())
    assert event == ("found", "lo", "coap://127.0.0.1:%d" % port, "core")


def test_server_of_aiocoap_without_a_bootstrap_is_not_found():
    async def story():
        context, port = await _serve({"rt": "something.else"})
        engine = Discovery(random.randrange, methods=("core",))
        try:
            with pytest.raises(AssertionError):
                await discover(engine, (LOOPBACK, port), enough=lambda: engine.ignored)
        finally:
            await context.shutdown()
        return engine.ignored

    assert asyncio.run(story()) >= 1
