"""The modem's own UDP sockets, relayed to real ones that are bound to the modem's address on this machine."""

import asyncio
import collections
import socket

from ..faults import HOST, Fault

WAITING = 10  # datagrams a socket keeps until they are read
# Result codes of the vendor's TCP/IP stack
OK, PARAMETER, IN_USE, NO_NAME, NO_CONNECTION = 0, 552, 563, 565, 566


class _Relay(asyncio.DatagramProtocol):
    """One socket: a peer, and what came from it."""

    def __init__(self, number, peer, context, arrived, carry):
        self.number, self.peer, self.context = number, peer, context
        self.waiting = collections.deque()
        self.sent = self.received = self.lost = 0
        self.push = 0  # access mode: 0 = kept until read, 1 = pushed out at once
        self.source = peer  # of what came last
        self.transport = None
        self._arrived, self._carry = arrived, carry

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, address):
        self._carry(self, self._received, data, address)

    def sent_to(self, data, to):
        """A datagram leaves this machine."""
        if not self.transport.is_closing():
            self.transport.sendto(data, to)

    def _received(self, data, address):
        if self.transport.is_closing():
            return
        if len(self.waiting) >= WAITING:
            self.lost += 1
            return
        self.received += 1
        self.source = address[:2]
        self.waiting.append(data)
        if len(self.waiting) == 1:  # told once, until everything has been read
            self._arrived(self.number)

    def error_received(self, error):
        self.lost += 1  # the peer's machine refused it; a mobile network would have said nothing


class Sockets:
    """arrived(number) is called when a datagram waits in an empty socket; carry(relay, deliver, *what) delivers."""

    def __init__(self, address, arrived, carry):
        self.address, self._arrived, self._carry = address, arrived, carry
        self._open = {}

    def check(self, address=None):
        """Fault when the address is not one of this machine's."""
        address = address or self.address
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                probe.bind((address, 0))
        except OSError as error:
            raise Fault("modem: %s is no address of this machine (%s)" % (address, error.strerror or "malformed"),
                        "choose another, such as 127.0.0.1", HOST) from None

    def __iter__(self):
        return iter(sorted(self._open.values(), key=lambda relay: relay.number))

    def get(self, number):
        return self._open.get(number)

    async def open(self, number, host, port, context):
        """Open socket `number` to a peer, or to anybody when host is None; OK or the vendor's result code."""
        if number in self._open:
            return IN_USE
        relay = self._open[number] = _Relay(number, (host, port), context, self._arrived, self._carry)
        try:
            relay.peer = (host, port) if host is None else await self.find(host, port)
            await self._bind(relay)
        except (OSError, UnicodeError) as error:
            self._forget(relay)
            return NO_NAME if isinstance(error, (socket.gaierror, UnicodeError)) else NO_CONNECTION
        if self._open.get(number) is not relay:  # closed while it was being opened
            relay.transport.close()
            return NO_CONNECTION
        return OK

    async def _bind(self, relay):
        await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: relay, local_addr=(self.address, 0), remote_addr=relay.peer if relay.peer[0] else None,
            family=socket.AF_INET)

    async def rebind(self, address=None):
        """The NAT forgets: everything goes on from other ports (and another address), nothing finds the old ones."""
        if address:
            self.check(address)
            self.address = address
        for relay in list(self._open.values()):
            if relay.transport:
                relay.transport.close()
                await self._bind(relay)

    @staticmethod
    async def find(host, port):
        """The address of a host, by its name or as it is. Raises socket.gaierror."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, family=socket.AF_INET, type=socket.SOCK_DGRAM)
        return found[0][4]

    def send(self, number, data, to=None):
        """Whether the datagram was taken; `to`: for whom, when the socket is open to anybody."""
        relay = self._open.get(number)
        if relay is None or relay.transport is None:
            return False
        self._carry(relay, relay.sent_to, data, to)
        relay.sent += 1
        return True

    def take(self, number, length):
        """At most `length` bytes of the oldest datagram; what is left of it stays for the next read."""
        waiting = self._open[number].waiting
        if not waiting:
            return b""
        data = waiting.popleft()
        if data[length:]:
            waiting.appendleft(data[length:])
        return data[:length]

    def close(self, number):
        relay = self._open.get(number)
        if relay:
            self._forget(relay)

    def close_all(self):
        for relay in list(self._open.values()):
            self._forget(relay)

    def _forget(self, relay):
        if self._open.get(relay.number) is relay:
            del self._open[relay.number]
        if relay.transport:
            relay.transport.close()
