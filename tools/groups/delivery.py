"""Carries out what a Rollout says, over one UDP socket: announcements to the group, unicast copies, acknowledgements.

For members without security of their own: who an acknowledgement is from, it says itself. Where members are protected,
their sessions bring it to Rollout.acknowledged() under the name that they have proven.
"""

import asyncio
import ipaddress
import socket

from ...agent.codec import coap
from ...agent.errors import RemoteError
from . import wire
from .rollout import ABORTED, COMPLETE, EXPIRED

_RECEIVE_BUFFER = 4 << 20  # bytes; acknowledgements come in heaps where a window is short


def open_socket(address, port=0):
    """A UDP socket that sends to groups by the interface with this address (IPv6: with its zone, fe80::1%eth0)."""
    host = ipaddress.ip_address(address)
    family = socket.AF_INET if host.version == 4 else socket.AF_INET6
    place = socket.getaddrinfo(address, port, family, socket.SOCK_DGRAM)[0][4]
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
    if host.version == 4:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, host.packed)
    else:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, place[3])
    sock.bind(place)
    sock.setblocking(False)
    return sock


class Delivery(asyncio.DatagramProtocol):
    """One Rollout on the LAN of a socket. `place(endpoint)`: a member's (host, port); `publish(topic, document)`: to
    the broker; `tell(event, fields)`: for a log. `done` is set once the rollout has ended."""

    def __init__(self, rollout, place, chance, publish=None, tell=None):
        self.rollout, self._place = rollout, place
        self._publish, self._tell = publish or (lambda topic, document: None), tell or (lambda event, fields: None)
        self._mid, self._token = chance.randrange(0x10000), chance.randbytes(2)
        self._transport = self._timer = self._deadline = self._loop = None
        self.done = asyncio.Event()
        self.datagrams = self.bytes = self.refused = 0

    async def start(self, sock):
        """Begin; the socket is the delivery's from now on."""
        self._loop = asyncio.get_running_loop()
        await self._loop.create_datagram_endpoint(lambda: self, sock=sock)
        self.rollout.start(self._now())
        self.turn()

    def close(self):
        """Leave it: the rollout stays as it is."""
        if self._timer:
            self._timer.cancel()
        self._transport.close()

    def turn(self):
        """Do what the rollout wants; call it after each call of the rollout's own."""
        for kind, *what in self.rollout.take():
            getattr(self, "_do_" + kind)(*what)
        self._arm(self.rollout.deadline())
        if self.rollout.state in (ABORTED, COMPLETE, EXPIRED):
            self.done.set()

    def connection_made(self, transport):
        self._transport = transport

    def datagram_received(self, data, addr):
        try:
            message = coap.decode(data)
            answers = message.code == coap.CHANGED and message.token == self._token
            if not answers and not wire.is_push(message):
                return
            told = wire.read_acknowledgement(message.payload)
            if message.type == coap.CON:  # a separate response, or a request (RFC 7252 5.2.2, 5.2.1)
                code, token = (0, b"") if answers else (coap.CHANGED, message.token)
                self._transport.sendto(coap.encode(coap.Message(coap.ACK, code, message.mid, token)), addr)
            if self.rollout.acknowledged(told.device.decode(), told, self._now()):
                self.turn()
        except (RemoteError, UnicodeDecodeError):
            self.refused += 1

    def error_received(self, exc):
        """A port nobody listens at; the member is tried again."""

    def _arm(self, deadline):
        if deadline == self._deadline:
            return
        if self._timer:
            self._timer.cancel()
        self._deadline = deadline
        self._timer = None if deadline is None else self._loop.call_at(deadline / 1000, self._due)

    def _due(self):
        self._deadline = None
        self.rollout.poll(self._now())
        self.turn()

    def _now(self):
        return int(self._loop.time() * 1000)

    def _do_multicast(self, gateway, payload):
        self._send(payload, self.rollout.group.multicast, False)

    def _do_unicast(self, endpoint, document):
        self._send(document, self._place(endpoint), True)

    def _do_publish(self, *what):
        self._publish(*what)

    def _do_tell(self, event, fields):
        self._tell(event, fields)

    def _send(self, payload, place, confirmable):
        self._mid = (self._mid + 1) & 0xFFFF
        datagram = wire.push(payload, self._mid, self._token, confirmable)
        self._transport.sendto(datagram, place)
        self.datagrams += 1
        self.bytes += len(datagram)
