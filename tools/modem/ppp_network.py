"""What lies behind an emulated data call: real UDP sockets (no root), or a TUN interface (root, everything IP carries).

Both take the device's packets with `packet(data)` and hand packets for it to `deliver(data)`. A packet whose source is
not the address that the network gave is dropped, as a mobile network does.
"""

import asyncio
import fcntl
import os
import socket
import struct
from pathlib import Path

from ..faults import DEVICE, Fault
from .packets import ICMP, UDP, build, build_udp, echo_reply, ends, parse, parse_udp

FLOWS = 64  # ports of the device that are relayed at one time
LARGEST = 1472  # a datagram that fits one packet
DNS = 53


class Relay:
    """UDP by sockets bound to the modem's address; ICMP echo answered here.

    The gateway's own address stands for this machine (127.0.0.1), its DNS port for this machine's name server.
    """

    def __init__(self, bound, device, gateway, deliver):
        self._bound, self._device, self._gateway, self._deliver = bound, device, gateway, deliver
        self._flows = {}  # port of the device: (socket, {where it was really sent: where the device thinks})
        self.sent = self.received = self.dropped = 0

    def packet(self, data):
        """A packet from the device."""
        found = parse(data)
        if found is None or found[0] != self._device:
            self.dropped += 1
            return
        source, target, protocol, payload = found
        if protocol == ICMP:
            answer = echo_reply(payload)
            if answer:
                self._deliver(build(target, source, ICMP, answer))
                return
        datagram = parse_udp(source, target, payload) if protocol == UDP else None
        if datagram is None or not self._relay(target, *datagram):
            self.dropped += 1

    def rebind(self):
        """Answers find no way back any more, and what follows comes from other ports: a NAT that has forgotten."""
        for port in list(self._flows):
            self._forget(port)

    close = rebind

    def _relay(self, target, sender, receiver, data):
        flow = self._flows.get(sender) or self._open(sender)
        real = (target, receiver)
        if target == self._gateway:
            real = (name_server() if receiver == DNS else "127.0.0.1", receiver)
        flow[1][real] = (target, receiver)
        try:
            flow[0].sendto(data, real)
        except OSError:
            return False
        self.sent += 1
        return True

    def _open(self, sender):
        if len(self._flows) >= FLOWS:
            self._forget(next(iter(self._flows)))
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setblocking(False)
        sock.bind((self._bound, 0))
        self._flows[sender] = (sock, {})
        asyncio.get_running_loop().add_reader(sock, self._arrived, sender)
        return self._flows[sender]

    def _arrived(self, sender):
        sock, known = self._flows[sender]
        try:
            data, real = sock.recvfrom(2048)
        except OSError:
            return  # the other machine refused; a mobile network would have said nothing
        source = known.get(real)
        if source is None or len(data) > LARGEST:
            self.dropped += 1
            return
        self.received += 1
        self._deliver(build_udp(source[0], source[1], self._device, sender, data))

    def _forget(self, sender):
        sock = self._flows.pop(sender)[0]
        asyncio.get_running_loop().remove_reader(sock)
        sock.close()


def name_server():
    """This machine's name server."""
    try:
        lines = Path("/etc/resolv.conf").read_text().splitlines()
    except OSError:
        lines = []
    found = [line.split()[1] for line in lines if line.startswith("nameserver ") and ":" not in line]
    return found[0] if found else "127.0.0.1"


class Tun:
    """A TUN interface of this machine; it stays while calls come and go. `network`: its address and prefix length."""

    def __init__(self, name, network="10.64.0.1/10"):
        self.name, self._fd, self._device, self._deliver = name, None, None, None
        self._address, _, self._prefix = network.partition("/")
        self.sent = self.received = self.dropped = 0

    def open(self):
        """Create it, or take an existing one. Fault without root, or where the kernel has no TUN."""
        try:
            self._fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            fcntl.ioctl(self._fd, 0x400454CA, struct.pack("16sH22x", self.name.encode(), 0x1001))  # TUNSETIFF
            self._set_up()
        except OSError as error:
            self.close()
            raise Fault("no TUN interface %s: %s" % (self.name, error.strerror),
                        "run it as root, or leave --tun out: UDP is then relayed by sockets", DEVICE) from None
        asyncio.get_running_loop().add_reader(self._fd, self._arrived)

    def close(self):
        if self._fd is not None:
            asyncio.get_running_loop().remove_reader(self._fd)
            os.close(self._fd)
            self._fd = None

    def use(self, device, deliver):
        """Packets for this address go to deliver(); None: nobody is there."""
        self._device, self._deliver = device, deliver

    def packet(self, data):
        """A packet from the device."""
        found = ends(data)
        if found is None or found[0] != self._device or self._fd is None:
            self.dropped += 1
            return
        try:
            os.write(self._fd, data)
            self.sent += 1
        except OSError:
            self.dropped += 1

    def rebind(self):
        """Nothing to forget: there is no NAT here."""

    def _arrived(self):
        try:
            data = os.read(self._fd, 4096)
        except OSError:
            return
        found = ends(data)
        if found is None or found[1] != self._device or self._deliver is None:
            self.dropped += 1
        else:
            self.received += 1
            self._deliver(data)

    def _set_up(self):
        mask = (0xFFFFFFFF << (32 - int(self._prefix))) & 0xFFFFFFFF
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            for number, value in ((0x8916, socket.inet_aton(self._address)), (0x891C, mask.to_bytes(4, "big"))):
                place = struct.pack("HH4s8x", socket.AF_INET, 0, value)
                fcntl.ioctl(sock, number, struct.pack("16s16s8x", self.name.encode(), place))  # SIOCSIFADDR, -NETMASK
            fcntl.ioctl(sock, 0x8914, struct.pack("16sH22x", self.name.encode(), 0x11 | 0x40))  # SIOCSIFFLAGS: up
