"""What a device in groups listens to beside its registrar, over one link whatever the routes say: TCP to a broker, and
multicast. Nothing waits for it. Loaded for such a device.
"""

import socket
import sys

_ON_THE_WAY = (36, 115, 119)  # EINPROGRESS of the systems that there are
_JOIN, _REUSE = getattr(socket, "IP_ADD_MEMBERSHIP", 35), getattr(socket, "SO_REUSEADDR", 2)
_ALL = 49  # IP_MULTICAST_ALL of Linux: also what others have joined, over other links


def open_stream(link, address):
    """-> a non-blocking socket on its way to (ip, port) by this link of the board. OSError: there is no way."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        _bind_device(link, sock)
        if link.address and link.address != "0.0.0.0":
            sock.bind(socket.getaddrinfo(link.address, 0)[0][-1])
        sock.connect(socket.getaddrinfo(address[0], address[1])[0][-1])
    except OSError as e:
        if e.errno not in _ON_THE_WAY:
            sock.close()
            raise
    return sock


def _bind_device(link, sock):
    try:
        link._bind_device(sock)
    except AttributeError:
        pass  # it is no interface: the address says by which way


def open_group(address, place):
    """-> a non-blocking socket for what is sent to this place, "239.0.0.1:5683", by the link with this address.
    OSError: there is no way. On an ESP32 the group is left when the link goes, not with the socket."""
    host, _, port = place.partition(":")
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, _REUSE, 1)
        sock.bind(socket.getaddrinfo(host, int(port))[0][-1])  # to the group: nothing that is sent to us alone
        if sys.platform == "linux":
            sock.setsockopt(0, _ALL, b"\0\0\0\0")
        sock.setsockopt(0, _JOIN, _four(host) + _four(address))  # 0.0.0.0: the routes decide
    except OSError:
        sock.close()
        raise
    return sock


def _four(address):
    return bytes([int(part) for part in address.split(".")])
