"""How a device that knows nothing finds the configuration server: CoAP multicast (RFC 7252 8) for resources
of type `oma.bs`, and DNS-SD (RFC 6763) over mDNS. Both only tell where it is; what a device may have is
decided at /bs.
"""

import asyncio
import contextlib
import random
import socket
import struct

import ifaddr
from aiocoap import Message, error
from aiocoap.numbers.codes import Code
from aiocoap.numbers.types import Type
from zeroconf import Error, IPVersion
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from .lwm2m import LINKS

LINK = b'</bs>;rt="oma.bs"'
GROUP = "224.0.1.187"  # All CoAP Nodes
ANY = ("0.0.0.0", "::")
LEISURE = 0.05  # s: servers of one LAN are few, so their answers need little spreading
SERVICE = "_%s._udp.local."  # of the scheme
SUBTYPE = "_m2mbs._sub." + SERVICE


class Advertiser:
    """Answers come from the socket of `coap`, so the link in them may be relative - unless it is of a scheme that they
    do not come by themselves."""

    def __init__(self, coap, note, multicast_port=None, dns_sd=False):
        self._coap, self._note = coap, note
        self._multicast_port, self._dns_sd = multicast_port, dns_sd
        self._transport = self._zeroconf = self._task = None

    async def start(self):
        """Raises OSError when the multicast port is taken by somebody who does not share it."""
        if self._multicast_port is not None:
            sock = _group_socket(self._coap.host, self._multicast_port)
            loop = asyncio.get_running_loop()
            self._transport, _ = await loop.create_datagram_endpoint(lambda: _Group(self._answer), sock=sock)
        if self._dns_sd:  # mDNS first asks around for 1.5 s whether the name is taken
            self._task = asyncio.create_task(self._advertise())

    async def stop(self):
        if self._transport:
            self._transport.close()
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._zeroconf:
            await self._zeroconf.async_close()
        self._transport = self._zeroconf = self._task = None

    async def _advertise(self):
        hosts = _addresses(self._coap.host)
        name, scheme = f"pointsman-{self._coap.port}", self._coap.scheme
        info = AsyncServiceInfo(SUBTYPE % scheme, f"{name}.{SERVICE % scheme}", port=self._coap.port,
                                server=f"{name}.local.", addresses=[socket.inet_aton(host) for host in hosts],
                                properties={"path": "/bs", "v": "1"})
        try:
            self._zeroconf = AsyncZeroconf(interfaces=hosts, ip_version=IPVersion.V4Only)
            await (await self._zeroconf.async_register_service(info, allow_name_change=True))
            self._note("advertised", name=info.name)
        except (OSError, Error, AssertionError, TimeoutError) as problem:
            self._note("unadvertised", why=f"mDNS is not to be had here: {problem}")

    def _answer(self, data, where):
        answer = answer_to(data, self._link(where[0]))
        if answer:
            asyncio.get_running_loop().call_later(random.uniform(0, LEISURE), self._send, answer, where)

    def _link(self, asker):
        if self._coap.scheme == "coap":
            return LINK
        host = self._coap.host
        if host in ANY:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                probe.connect((asker, 9))  # nothing is sent: it only says which address of ours looks that way
                host = probe.getsockname()[0]
        return b'<%s://%s:%d/bs>;rt="oma.bs"' % (self._coap.scheme.encode(), host.encode(), self._coap.port)

    def _send(self, answer, where):
        if self._transport:
            with contextlib.suppress(OSError):
                self._coap.send(answer, self._coap.remote(f"{where[0]}:{where[1]}"))
                self._note("discovered", address=f"{where[0]}:{where[1]}")


def answer_to(data, link=LINK):
    """The answer to a multicast datagram, or None: whatever is not a question for us is met with silence
    (RFC 7252 8.2)."""
    try:
        request = Message.decode(data)
    except (error.Error, ValueError, IndexError, struct.error):
        return None
    asked = request.opt.uri_query
    if (request.mtype != Type.NON or request.code != Code.GET or len(request.token) > 8
            or request.opt.uri_path != (".well-known", "core") or asked not in ((), ("rt=oma.bs",))):
        return None
    answer = Message(code=Code.CONTENT, payload=link)
    answer.mtype, answer.mid, answer.token = Type.NON, random.randrange(65536), request.token
    answer.opt.content_format = LINKS
    return answer


class _Group(asyncio.DatagramProtocol):
    def __init__(self, received):
        self._received = received

    def datagram_received(self, data, addr):
        self._received(data, addr)


def _group_socket(host, port):
    """A socket of the group alone: bound to the group's address, it takes nothing away from a unicast
    port."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((GROUP, port))
        for one in _addresses(host):
            with contextlib.suppress(OSError):  # an interface without multicast
                join = socket.inet_aton(GROUP) + socket.inet_aton(one)
                sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, join)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock


def _addresses(host):
    """The IPv4 addresses that a server bound to `host` is reached at."""
    if host in ANY:
        return [ip.ip for adapter in ifaddr.get_adapters() for ip in adapter.ips if isinstance(ip.ip, str)]
    return [] if ":" in host else [socket.gethostbyname(host)]
