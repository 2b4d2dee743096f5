"""What the boards under an operating system share: options, a link by address, the files, the clock, chance.

Runs under CPython and under MicroPython's unix port.
"""

import os
import socket
import sys
import time

from .files import Files

_IP_MULTICAST_IF = 32


class Plain:
    """A link that is always up: bound to an address, or to none (`any`: the routes decide)."""

    changes, note, device = False, "", ""

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


class Board:
    """Of the options every board has dir (folder of the state), modem (path of its port, or None), baud and period (ms
    between looks at the links). A board gives DEFAULTS and measure(), and make_links(options)."""

    def __init__(self, options):
        """Raises ValueError for impossible options and OSError for what is not there, with a remedy in the text."""
        from .options import checked

        self.options = checked(options, self.DEFAULTS)
        self._links = self.make_links(self.options)
        drop("options")
        changing = "stop" in options or any([link.changes for link in self._links])
        self.poll_ms = max(1, self.options["period"]) if changing else 1000

    def links(self):
        """The links that datagrams can be sent over (the modem's own is not among them)."""
        return self._links

    def serial(self):
        """The modem's port, opened, or None when there is no modem. Raises OSError while it is not there."""
        if not self.options["modem"]:
            return None
        from .tty import Tty

        port = Tty(self.options["modem"], self.options["baud"])
        drop("opening")
        return port

    def medium(self):
        return Files(self.options["dir"])

    def below(self, n):
        """A random int in [0, n)."""
        return int.from_bytes(os.urandom(7), "big") % n

    def streams(self):
        """What opens streams and groups."""
        from . import streams

        return streams

    def names(self, host, link):
        """-> (the address of a host that needs no asking, or None; the DNS servers to ask over this link)."""
        from .nameservers import address, servers

        found = address(host), servers("".join([item.device for item in self._links if item.name == link]))
        drop("nameservers")
        return found

    def wall(self):
        """Unix time in s, or 0 while the clock was never set."""
        now = int(time.time())
        return now if now > 1600000000 else 0

    def reset(self):
        """Start over. Here that is left to the caller: it returns."""


def drop(name):
    """Let a module of this package go that is not needed for now. Only MicroPython's own table of modules holds it
    then; elsewhere nothing happens."""
    package = __name__.rpartition(".")[0]
    if sys.implementation.name == "micropython" and sys.modules.pop(package + "." + name, None):
        delattr(sys.modules[package], name)
