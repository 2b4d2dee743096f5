"""A Linux machine: network interfaces by name, a serial port for the modem, a folder for what must survive.

Runs under CPython and under MicroPython's unix port.
"""

import os
import socket

from . import posix
from .files import reason
from .posix import Plain, bind

_SYS = "/sys/class/net/%s/%s"
_SO_BINDTODEVICE = 25
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


def link_of(spec):
    """"eth=eth0", "eth=eth0@192.0.2.7", "eth=any", "lo" or "any" -> a link. Raises ValueError, or OSError: no such
    interface."""
    from .options import is_address

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


class Board(posix.Board):
    """options: dir (folder of the state), links (list of specs), modem (path of its port, or None), baud, meter (a
    file that holds the reading), period (ms between looks at the links; the kernel's events come in between), ppp (the
    interface of data sessions, such as ppp0), ppp_by (who makes it: pppd, tun, or auto: what there is),
    routes (whether the machine's default routes are to follow the agent's choice of link),
    key (a file with the machine's own secret, that somebody else takes care of; default: DIR.key, made when needed),
    installer (a program that checks and installs firmware, see installer.py; none: there is no update from afar),
    package_max (bytes of a package),
    stop (descriptor of a pipe's end that never waits; end of file there asks for the end; -1: none)."""

    name, log = "linux", "text"
    DEFAULTS = {"dir": "", "links": ["any"], "modem": "", "baud": 115200, "meter": "", "period": 250, "ppp": "",
                "ppp_by": "auto", "routes": False, "stop": -1, "key": "", "installer": "",
                "package_max": 33554432}  # fmt: skip
    _events = _stop = None

    def make_links(self, options):
        links = [link_of(spec) for spec in options["links"]]
        if options["modem"] and options["ppp"]:  # it is there while a data session is up
            links.append(Interface("lte", options["ppp"]))
        if options["installer"]:
            from .installer import Installer

            self.installer = Installer(options["installer"], options["dir"], options["package_max"])
        if options["routes"]:
            from .routes import Routes

            self.follow = Routes({link.name: link.device for link in links if link.device}).follow
        return links

    def medium(self):
        medium = posix.Board.medium(self)
        medium.key = self.options["key"]
        return medium

    def session(self, user="", secret=""):
        """-> a port for a data session over the modem. OSError, with a remedy, when none is possible."""
        if not self.options["ppp"]:
            raise OSError(_NO_DEVICE, "option ppp: it is needed for data sessions, for example ppp0")
        from .ppp import open_session

        return open_session(self.options["ppp_by"], self.options["ppp"], self.options["dir"], user, secret)

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

    def inquired(self):
        """Whether somebody wants to know how the agent is: the file diag.ask was there."""
        try:
            os.remove(self.options["dir"] + "/diag.ask")
            return True
        except OSError:
            return False

    def reply(self, text):
        """What the agent says to that, into the file diag.json."""
        self.medium().write("diag.json", text.encode())

    def stopping(self):
        """Whether who started this wants it to end, or is gone: nobody holds the other end of the pipe any more."""
        if self.options["stop"] < 0:
            return False
        self._stop = self._stop or open(self.options["stop"], "rb", 0)
        return self._stop.read(1) == b""

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


def _first_word(path):
    try:
        with open(path) as file:
            return (file.read(64).split() or [""])[0]
    except OSError as e:
        raise OSError(e.errno, "meter: %s cannot be read (%s)" % (path, reason(e)))
