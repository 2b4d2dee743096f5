"""TCP over one link, whatever the routes say; nothing waits for it. Loaded where a device listens to a broker."""

import socket

_SO_BINDTODEVICE = getattr(socket, "SO_BINDTODEVICE", 25)
_NO_DEVICE = 19
_ON_THE_WAY = (36, 115, 119)  # EINPROGRESS of the systems that there are


def open_stream(link, address):
    """-> a non-blocking socket on its way to (ip, port) by this link of the board. OSError: there is no way."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        _bind(sock, link)
        sock.connect(socket.getaddrinfo(address[0], address[1])[0][-1])
    except OSError as e:
        if e.errno not in _ON_THE_WAY:
            sock.close()
            raise
    return sock


def _bind(sock, link):
    """To the link's interface, and to its address where it has one."""
    if link.device:
        try:
            sock.setsockopt(socket.SOL_SOCKET, _SO_BINDTODEVICE, link.device.encode() + b"\0")
        except OSError as e:
            if e.errno == _NO_DEVICE:
                raise  # else it is not allowed: the address says by which link, and link.note says so
    if link.address and link.address != "0.0.0.0":
        sock.bind(socket.getaddrinfo(link.address, 0)[0][-1])
