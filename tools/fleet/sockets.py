"""The sockets of a fleet: one that has joined the group, and one for all the members' own addresses in 127.1.0.0/16.

Linux says with each datagram which of those it was sent to, and sends an answer from it (IP_PKTINFO, ip(7)): so ten
thousand members need no ten thousand sockets.
"""

import asyncio
import contextlib
import socket
import struct

from .members import address, index_of

_IP_PKTINFO = 8
_PKTINFO = struct.Struct("@I4s4s")  # interface, address to send from, address it was sent to
_BUFFER = 4 << 20  # bytes
_MOST = 2048
_LOOPBACK = socket.inet_aton("127.0.0.1")


class Sockets:
    """Members on (multicast host, port) and on `port` of their own addresses."""

    def __init__(self, members, multicast, port):
        self._members = members
        self._group = _open(multicast)
        self._group.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(multicast[0]) + _LOOPBACK)
        self._own = _open(("0.0.0.0", port))
        self._own.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
        self._loop = self._timer = self._deadline = None

    def start(self):
        """Listen, in the running loop."""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._group, self._read, self._heard)
        self._loop.add_reader(self._own, self._read, self._asked)

    def close(self):
        """Stop listening."""
        for sock in (self._group, self._own):
            self._loop.remove_reader(sock)
            sock.close()
        if self._timer:
            self._timer.cancel()

    def _read(self, take_one):
        try:
            while True:
                take_one()
        except BlockingIOError:
            self._answer()

    def _heard(self):
        data, source = self._group.recvfrom(_MOST)
        self._members.heard(data, source, self._now())

    def _asked(self):
        data, ancillary, _, source = self._own.recvmsg(_MOST, 64)
        for level, kind, value in ancillary:
            if (level, kind) == (socket.IPPROTO_IP, _IP_PKTINFO):
                host = socket.inet_ntoa(_PKTINFO.unpack(value[: _PKTINFO.size])[2])
                if host.startswith("127.1."):  # the socket listens at every address
                    self._members.asked(index_of(host), data, source, self._now())

    def _answer(self):
        for index, place, datagram in self._members.answers(self._now()):
            source = _PKTINFO.pack(0, socket.inet_aton(address(index)), bytes(4))
            with contextlib.suppress(OSError):  # one more that is lost
                self._own.sendmsg([datagram], [(socket.IPPROTO_IP, _IP_PKTINFO, source)], 0, place)
        deadline = self._members.deadline()
        if deadline != self._deadline:
            if self._timer:
                self._timer.cancel()
            self._deadline = deadline
            self._timer = None if deadline is None else self._loop.call_at(deadline / 1000, self._due)

    def _due(self):
        self._deadline = None
        self._answer()

    def _now(self):
        return self._loop.time() * 1000


def _open(place):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
    sock.setblocking(False)
    sock.bind(place)
    return sock
