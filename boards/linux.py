"""A Linux machine: network interfaces by name, a serial port for the modem, a folder for what must survive.

Runs under CPython and under MicroPython's unix port.
"""

import os
import socket
import time

from .files import Files, reason
from .tty import Tty

_SYS = "/sys/class/net/%s/%s"
_SO_BINDTODEVICE = 25
_IP_MULTICAST_IF = 32
_NO_DEVICE = 19
_ALONE_MS = 50  # between looks at the links where the kernel tells nothing


class Interface:
    """One WAN over a network interface. `note` says how its sockets are bound when that is not to the interface."""

    changes = True

    def __init__(self, name, device, address=None):
        self.name, self.device = name, device
        self.note = ""
        self._given = self.address = address
        self.stale = False  # the address may be another one by now

    def poll(self):
        """Up: it has carrier and an IPv4 address."""
        try:
            with open(_SYS % (self.device, "carrier")) as file:
                carrier = file.read(1) == "1"
        except OSError:  # not there, or administratively down
            carrier = False
        if not carrier:
            self.address = self._given
        elif not self.address or (self.stale and not self._given):
            self.address = self._find()
        self.stale = False
        return bool(carrier and self.address)

    def open(self):
        """A UDP socket whose traffic leaves by this interface, multicast too, whatever the routes say."""
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._bind_device(sock)
            bind(sock, self.address)
        except OSError:
            sock.close()
            raise
        return sock

    def _bind_device(self, sock):
        self.note = ""
        try:
            sock.setsockopt(socket.SOL_SOCKET, _SO_BINDTODEVICE, self.device.encode() + b"\0")
        except OSError as e:
            if e.errno == _NO_DEVICE:
                raise
            self.note = "bound to %s only (%s): with two WANs the default route decides" % (self.address, reason(e))

    def _find(self):
        from .netlink import address_of  # only now: the other links have no use for it

        try:
            with open(_SYS % (self.device, "ifindex")) as file:
                return address_of(int(file.read()))
        except (OSError, ValueError):
            return None


class Plain:
    """A link that is always up: bound to an address, or to none (`any`: the routes decide)."""

    changes, note = False, ""

    def __init__(self, name, address="0.0.0.0"):
        self.name, self.address = name, address

    def poll(self):
        return True

    def open(self):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        bind(sock, self.address)
        return sock


def bind(sock, address):
    """Non-blocking, bound to an address and a free port; multicast leaves by the same link."""
    sock.setblocking(False)
    sock.bind(socket.getaddrinfo(address, 0)[0][-1])
    if address != "0.0.0.0":
        sock.setsockopt(0, _IP_MULTICAST_IF, bytes([int(part) for part in address.split(".")]))


def link_of(spec):
    """"eth=eth0", "eth=eth0@192.0.2.7", "eth=any", "lo" or "any" -> a link. Raises ValueError, or OSError: no such
    interface."""
    name, _, where = spec.partition("=")
    if not where and name in ("lo", "any"):
        return Plain("lo", "127.0.0.1") if name == "lo" else Plain("any")
    if where == "any" and name:
        return Plain(name)
    device, _, address = where.partition("@")
    if not name or not device or "/" in device or (address and not is_address(address)):
        raise ValueError("link: %r is not possible; NAME=INTERFACE[@ADDRESS], lo or any" % spec)
    try:
        os.stat(_SYS % (device, "ifindex"))
    except OSError:
        found = ", ".join(sorted(os.listdir("/sys/class/net")))
        raise OSError(_NO_DEVICE, "link: no interface %s; there are %s" % (device, found))
    return Interface(name, device, address)


def is_address(text):
    """Is it an IPv4 address?"""
    parts = text.split(".")
    return len(parts) == 4 and all(part.isdigit() and int(part) < 256 for part in parts)


class Board:
    """options: dir (folder of the state), links (list of specs), modem (path of its port, or None), baud, meter (a
    file that holds the reading), period (ms between looks at the links; the kernel's events come in between)."""

    name, log = "linux", "text"
    _DEFAULTS = {"dir": "", "links": ["any"], "modem": "", "baud": 115200, "meter": "", "period": 250}

    def __init__(self, options):
        """Raises ValueError for impossible options and OSError for what is not there, with a remedy in the text."""
        for name in options:
            if name not in self._DEFAULTS:
                raise ValueError("option %s: there is none; %s" % (name, ", ".join(sorted(self._DEFAULTS))))
        self.options = {name: self._option(options, name) for name in self._DEFAULTS}
        if not self.options["dir"]:
            raise ValueError("option dir: it is needed, a folder for the agent's state")
        self._links = self._make_links()
        self._events = None
        changing = any([link.changes for link in self._links])
        self.poll_ms = max(1, self.options["period"]) if changing else 1000

    def _option(self, options, name):
        default, value = self._DEFAULTS[name], options.get(name)
        if value is None:
            return default
        if type(value) is not type(default):
            raise ValueError("option %s: %r is not possible; for example %r" % (name, value, default))
        return value

    def links(self):
        """The links that datagrams can be sent over (the modem's own is not among them)."""
        return self._links

    def listen(self):
        """-> a stream that is readable when something about the links has changed, or None: they are only looked
        at."""
        if any([isinstance(link, Interface) for link in self._links]):
            from .netlink import Events

            try:
                self._events = Events()
                return self._events.stream
            except OSError:
                self.poll_ms = min(self.poll_ms, _ALONE_MS)
        return None

    def heard(self):
        """Take in what listen()'s stream has; the links are to be looked at then."""
        if self._events.read():
            for link in self._links:
                link.stale = True

    def serial(self):
        """The modem's port, opened, or None when there is no modem. Raises OSError while it is not there."""
        return Tty(self.options["modem"], self.options["baud"]) if self.options["modem"] else None

    def medium(self):
        return Files(self.options["dir"])

    def below(self, n):
        """A random int in [0, n)."""
        return int.from_bytes(os.urandom(7), "big") % n

    def wall(self):
        """Unix time in s, or 0 while the clock was never set."""
        now = int(time.time())
        return now if now > 1600000000 else 0

    def measure(self):
        """The cumulative reading; OSError or ValueError when the meter gives none. Without a meter: the seconds since
        boot, which also only rise."""
        if not self.options["meter"]:
            return int(_first_word("/proc/uptime").split(".")[0])
        text = _first_word(self.options["meter"])
        try:
            return float(text) if "." in text else int(text)
        except ValueError:
            raise ValueError("meter: %s holds %r, which is no number" % (self.options["meter"], text))

    def reset(self):
        """Start over. Here that is left to the caller: it returns."""

    def _make_links(self):
        return [link_of(spec) for spec in self.options["links"]]


def _first_word(path):
    try:
        with open(path) as file:
            return (file.read(64).split() or [""])[0]
    except OSError as e:
        raise OSError(e.errno, "meter: %s cannot be read (%s)" % (path, reason(e)))
