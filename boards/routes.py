"""The default routes of a Linux machine, made to follow the agent's choice of link: only when asked, and never against
NetworkManager. The agent itself needs no routes, its sockets are bound; this is for the other programs.

A default route of another link that the kernel would prefer to the active link's is demoted: its metric rises by 20000,
as NetworkManager does it. So a look at the metric tells what was demoted, after a restart too. By raw netlink
(rtnetlink(7)).
"""

import os
import socket
import struct

_AF_NETLINK, _SOCK_RAW, _ROUTE, _AF_INET = 16, 3, 0, 2
_ERROR, _DONE, _NEW, _DEL, _GET = 2, 3, 24, 25, 26
_REQUEST, _ACK, _DUMP, _CREATE_EXCLUSIVE = 1, 4, 0x300, 0x600
_OIF, _PRIORITY, _CACHE = 4, 6, 12
_MAIN_TABLE = 254
_DEMOTED = 20000
_EEXIST = 17


class Routes:
    """devices: {link name: interface}."""

    def __init__(self, devices):
        self._devices, self._followed = devices, None

    def follow(self, active):
        """The link `active` is to have the best default route ("": all as they were). -> None, or why not, once."""
        if active is None or active == self._followed or (active and active not in self._devices):
            return None
        self._followed = active
        if _network_manager():
            return "NetworkManager has the routes in hand: they are left alone"
        try:
            self._set(active)
        except OSError as e:
            return "the default routes cannot be set (%s)" % (e.args[1] if len(e.args) > 1 else e)

    def _set(self, active):
        indexes = {_index(self._devices[name]): name for name in self._devices}
        routes = [route for route in _defaults() if route.index in indexes]
        own = [route.metric % _DEMOTED for route in routes if indexes[route.index] == active]
        for route in routes:
            metric = route.metric % _DEMOTED
            if active and indexes[route.index] != active and own and metric <= min(own):
                metric += _DEMOTED
            if metric != route.metric:
                route.move(metric)


class _Default:
    """A default route of the main table: its message as the kernel told it."""

    def __init__(self, head, attributes):
        self._head = head
        self._attributes = [item for item in attributes if item[0] not in (_PRIORITY, _CACHE)]
        self.index = self.metric = 0
        for kind, value in attributes:
            if kind == _OIF:
                (self.index,) = struct.unpack("I", value)
            elif kind == _PRIORITY:
                (self.metric,) = struct.unpack("I", value)

    def move(self, metric):
        """The same with another metric, and then no longer with this one. Raises OSError."""
        try:
            _ask(_NEW, _CREATE_EXCLUSIVE, self._message(metric))
        except OSError as e:
            if e.errno != _EEXIST:
                raise
        _ask(_DEL, 0, self._message(self.metric))

    def _message(self, metric):
        out = self._head[:8] + bytes(4)  # whether the link is dead is for the kernel to say
        for kind, value in self._attributes + [(_PRIORITY, struct.pack("I", metric))]:
            out += struct.pack("HH", len(value) + 4, kind) + value + bytes(-len(value) % 4)
        return out


def _index(device):
    """Its number; -1 while it is not there."""
    try:
        with open("/sys/class/net/%s/ifindex" % device) as file:
            return int(file.read())
    except (OSError, ValueError):
        return -1


def _defaults():
    """-> the default routes of the main table. Raises OSError."""
    found = []
    for kind, body in _ask(_GET, _DUMP, struct.pack("BBBBBBBBI", _AF_INET, 0, 0, 0, 0, 0, 0, 0, 0)):
        if kind == _NEW and len(body) >= 12 and body[1] == 0 and body[4] == _MAIN_TABLE:
            found.append(_Default(body[:12], _attributes(body)))
    return found


def _attributes(body):
    found, at = [], 12
    while at + 4 <= len(body):
        size, kind = struct.unpack_from("HH", body, at)
        if size < 4:
            break
        found.append((kind, body[at + 4 : at + size]))
        at += (size + 3) & ~3
    return found


def _ask(kind, flags, body):
    """-> [(type, body)] of the answers to one request. Raises OSError with the kernel's number."""
    sock = socket.socket(_AF_NETLINK, _SOCK_RAW, _ROUTE)
    found = []
    try:
        sock.settimeout(1)
        ack = 0 if flags == _DUMP else _ACK
        sock.send(struct.pack("IHHII", 16 + len(body), kind, _REQUEST | ack | flags, 1, 0) + body)
        for _ in range(64):
            if _parted(sock.recv(32768), found):
                break
    finally:
        sock.close()
    return found


def _parted(data, found):
    """Part one datagram into messages; -> whether it was the last one. Raises OSError when it says so."""
    at = 0
    while at + 16 <= len(data):
        size, kind = struct.unpack_from("IH", data, at)
        number = struct.unpack_from("i", data, at + 16)[0] if kind == _ERROR else 0
        if number:
            raise OSError(-number, "netlink: error %d" % -number)
        if kind in (_ERROR, _DONE) or size < 16:
            return True
        found.append((kind, data[at + 16 : at + size]))
        at += (size + 3) & ~3
    return False


def _network_manager():
    """Whether it runs here."""
    return any([_program(name) == "NetworkManager" for name in os.listdir("/proc") if name.isdigit()])


def _program(number):
    try:
        with open("/proc/%s/comm" % number) as file:
            return file.read(32).strip()
    except OSError:
        return ""  # it has just ended
