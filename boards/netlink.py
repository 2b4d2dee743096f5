"""What the Linux kernel says about network interfaces, over netlink: their IPv4 addresses, and that something about
them has changed. CPython and MicroPython alike.
"""

import socket
import struct

_AF_NETLINK, _SOCK_RAW, _ROUTE = 16, 3, 0
_NEWADDR, _DELADDR, _GETADDR, _DONE = 20, 21, 22, 3
_LINKS_AND_ADDRESSES = 0x11  # RTMGRP_LINK | RTMGRP_IPV4_IFADDR
_EAGAIN = 11
_AT_ONCE = 256  # events taken in before the links are looked at
_REQUEST_DUMP = 0x301
_AF_INET = 2
_IFA_ADDRESS, _IFA_LOCAL = 1, 2


class Events:
    """Tells at once when any interface or address changes; `stream` is readable then. Raises OSError.

    When carrier comes and goes faster than once a second the kernel tells only once a second. Reading an interface's
    carrier makes it tell what it holds back: so look at the interfaces now and then, too.
    """

    def __init__(self):
        self.stream = socket.socket(_AF_NETLINK, _SOCK_RAW, _ROUTE)
        try:
            try:
                self.stream.bind((0, _LINKS_AND_ADDRESSES))
            except TypeError:  # MicroPython wants the raw sockaddr_nl
                self.stream.bind(struct.pack("HHII", _AF_NETLINK, 0, 0, _LINKS_AND_ADDRESSES))
            self.stream.setblocking(False)
        except OSError:
            self.stream.close()
            raise

    def read(self):
        """Take in what was told. -> whether addresses may have changed."""
        addresses = False
        for _ in range(_AT_ONCE):
            try:
                data = self.stream.recv(16)  # one event; its head says enough
            except OSError as e:
                if e.errno == _EAGAIN:
                    break
                addresses = True  # it told more than there was room for
                continue
            addresses = addresses or len(data) < 16 or struct.unpack_from("H", data, 4)[0] in (_NEWADDR, _DELADDR)
        return addresses


def address_of(index):
    """The first address (text) of the interface with this index, or None. Raises OSError."""
    sock = socket.socket(_AF_NETLINK, _SOCK_RAW, _ROUTE)
    try:
        sock.settimeout(1)
        sock.send(struct.pack("IHHIIBBBBI", 24, _GETADDR, _REQUEST_DUMP, 1, 0, _AF_INET, 0, 0, 0, 0))
        for _ in range(64):
            found, more = _first(sock.recv(32768), index)
            if found or not more:
                return found
    finally:
        sock.close()
    return None


def _first(data, index):
    """(address or None, is there more to read) from one datagram of the dump."""
    at = 0
    while at + 16 <= len(data):
        size, kind = struct.unpack_from("IH", data, at)
        if kind == _DONE or size < 16:
            return None, False
        if kind == _NEWADDR and struct.unpack_from("I", data, at + 20)[0] == index:
            address = _attribute(data, at + 24, min(at + size, len(data)))
            if address:
                return "%d.%d.%d.%d" % tuple(address), True
        at += (size + 3) & ~3
    return None, True


def _attribute(data, at, end):
    """IFA_LOCAL, or else IFA_ADDRESS (they differ on point-to-point links)."""
    found = None
    while at + 8 <= end:
        size, kind = struct.unpack_from("HH", data, at)
        if size < 4:
            break
        if size == 8 and (kind == _IFA_LOCAL or kind == _IFA_ADDRESS and not found):
            found = data[at + 4 : at + 8]
        at += (size + 3) & ~3
    return found
