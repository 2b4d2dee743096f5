"""Between aiocoap and a socket: addresses, whose they are, and what is refused before aiocoap hears of it.

How an endpoint is protected is an object with `scheme`, `site(site)`, `attach(context, sock, reject)`,
`remote(udp, name)`, `server(udp)`, `reachable(remote)`, `silent(remote)` and `close()`: Plain here, Contexts of
oscore.py, Sessions and Client of dtls.py.
"""

import asyncio
import time

from aiocoap.transports.udp6 import MessageInterfaceUDP6

from .credentials import Owner

_TELL_S = 1.0


def udp(remote):
    """The UDP address below a protected one."""
    return getattr(remote, "underlying_address", remote)


def address(remote):
    """`host:port` of a remote; IPv4 stays readable, IPv6 gets brackets."""
    host, port = host_of(remote), udp(remote).sockaddr[1]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def host_of(remote):
    host = udp(remote).sockaddr[0]
    return host[7:] if host.startswith("::ffff:") else host


def owner(remote):
    """The Owner that the credentials of a remote belong to."""
    return getattr(getattr(remote, "security_context", remote), "owner", None) or Owner()


class Seldom:
    """How often something of a kind has happened, or 0 where that was told within the last second: whoever causes it
    decides how much comes."""

    def __init__(self):
        self.counts, self._told = {}, {}

    def __call__(self, kind):
        count = self.counts[kind] = self.counts.get(kind, 0) + 1
        now = time.monotonic()
        if now - self._told.get(kind, -_TELL_S) < _TELL_S:
            return 0
        self._told[kind] = now
        return count


class Reject:
    """Counts what is turned away, by reason, and tells of it."""

    def __init__(self, note):
        self._note, self._seldom = note, Seldom()

    @property
    def counts(self):
        return self._seldom.counts

    def __call__(self, why, where):
        count = self._seldom(why)
        if count:
            self._note("rejected", why=why, address=where, count=count)


class Interface(MessageInterfaceUDP6):
    """aiocoap lets exceptions of its option decoders (a path that is not UTF-8) out into the event loop."""

    def datagram_msg_received(self, data, ancdata, flags, address):
        try:
            super().datagram_msg_received(data, ancdata, flags, address)
        except Exception as problem:
            self.log.warning("datagram from %s dropped: %r", address[:2], problem)

    def datagram_errqueue_received(self, data, ancdata, flags, address):
        try:
            super().datagram_errqueue_received(data, ancdata, flags, address)
        except Exception as problem:
            self.log.warning("socket error of %s dropped: %r", address[:2], problem)


class Plain:
    """No protection: everybody is heard, and believed to be who he says."""

    scheme = "coap"

    def site(self, site):
        return site

    async def attach(self, context, sock, reject):
        await listen(context, sock)

    def remote(self, udp, name):
        return udp

    def server(self, udp):
        return udp

    def reachable(self, remote):
        """Whether there is a way to say something to it at all."""
        return True

    def silent(self, remote):
        """It has not answered."""

    def close(self):
        """A clean end."""


async def listen(context, sock, interface=Interface, door=lambda messages: messages):
    """Give an aiocoap context this socket; `door(messages)` is what the socket's messages go through."""
    loop = asyncio.get_running_loop()
    await context._append_tokenmanaged_messagemanaged_transport(
        lambda messages: interface._create_transport_endpoint(sock, door(messages), context.log, loop))
