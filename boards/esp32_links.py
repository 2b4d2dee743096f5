"""The links of an ESP32: Ethernet, Wi-Fi and the modem's PPP, each an interface of `network` that is looked at.

Written from MicroPython's documentation and source (ports/esp32, 1.29); nothing of it has been on a chip yet. What it
minds there:

* The default route is nobody's: PPP takes it before it is up and leaves none behind, Wi-Fi takes it from Ethernet. So
  every socket is bound to its link's device and address, and no route is ever set.
* The DNS servers are one list for all, and whoever comes last writes it. So a link keeps those that it came with.
* status() does not tell that a lease was lost: the address is looked at too. It needs 1.29, where Wi-Fi's events no
  longer fall into LAN.status().
"""

import socket

from .files import reason

try:
    from time import ticks_add, ticks_diff, ticks_ms
except ImportError:  # CPython, for tests only
    from time import monotonic

    def ticks_ms():
        return int(monotonic() * 1000)

    def ticks_add(ticks, ms):
        return ticks + ms

    def ticks_diff(later, earlier):
        return later - earlier


_SO_BINDTODEVICE = getattr(socket, "SO_BINDTODEVICE", 25)
_NO_DEVICE = 19
_NONE = "0.0.0.0"
_EVERY = 8  # looks at the status before the address is read again: that costs heap
_RETRY_MS, _RETRY_MAX_MS = 10000, 60000  # between attempts at Wi-Fi; joining and DHCP take some seconds


class Nic:
    """One WAN over `nic`, an object of `network`, or None while there is none. `fault` is why it cannot be used."""

    changes, device, note = True, "", ""

    def __init__(self, name):
        self.name, self.nic, self.fault = name, None, None
        self.address, self.servers = "", []  # what it is bound to, and the DNS servers that came with it
        self._left = 0

    def connected(self):
        return bool(self.nic and self.nic.isconnected())

    def poll(self):
        """Up: it is connected and has an IPv4 address. A link with a fault is up once, so that open() can tell why."""
        if self.fault:
            told, self.address = self.address, self.fault
            return not told
        if not self.connected():
            self.address, self._left = "", 0
            return False
        if self._left <= 0 or not self.address:
            self._look()
        self._left -= 1
        return bool(self.address)

    def open(self):
        """A UDP socket whose traffic leaves by this link, multicast too. OSError when that cannot be had."""
        if self.fault:
            raise OSError(_NO_DEVICE, self.fault)
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            self._bind_device(sock)
            sock.bind(socket.getaddrinfo(self.address, 0)[0][-1])
        except OSError:
            sock.close()
            raise
        return sock

    def _look(self):
        """Take in the address; with another one come other DNS servers."""
        self._left = _EVERY
        try:
            address, server = self.nic.ipconfig("addr4")[0], self.nic.ifconfig()[3]
        except (OSError, ValueError):  # gone between two calls
            address = server = _NONE
        if address == _NONE:
            self.address = ""
        elif address != self.address:
            self.address = address
            self.servers = [server] if server and server != _NONE else []

    def _bind_device(self, sock):
        name, why = self.nic.config("ifname"), "it has no name"
        try:
            if name:
                sock.setsockopt(socket.SOL_SOCKET, _SO_BINDTODEVICE, name.encode())
                why = ""
        except OSError as e:
            if e.errno == _NO_DEVICE:
                raise
            why = reason(e)
        self.note = "bound to %s only (%s)" % (self.address, why) if why else ""


class Lan(Nic):
    """Ethernet. make() -> network.LAN; an OSError there (no such chip) is this link's fault, and the others live on."""

    def __init__(self, make):
        import network

        Nic.__init__(self, "eth")
        self._up = network.ETH_GOT_IP
        try:
            self.nic = make()
            self.nic.active(True)
        except OSError as e:
            self.fault = "link eth: Ethernet cannot be started (%s); compare option lan with the board" % _words(e)

    def connected(self):
        return self.nic.status() == self._up


class Wlan(Nic):
    """Wi-Fi as a station. It joins by itself, again and again with pauses that grow; nothing here waits for it."""

    def __init__(self, ssid, key):
        import network

        Nic.__init__(self, "wifi")
        self._ssid, self._key = ssid, key
        self._pause, self._due = _RETRY_MS, None
        try:
            self.nic = network.WLAN(network.STA_IF)
            self.nic.active(True)
            self.nic.config(reconnects=0)  # the driver would try again without a pause
        except (OSError, RuntimeError) as e:
            self.fault = "link wifi: Wi-Fi cannot be started (%s)" % _words(e)

    def connected(self):
        now = ticks_ms()
        if self.nic.isconnected():
            self._pause, self._due = _RETRY_MS, None
            return True
        if self._due is None:
            self._join(now)
        elif ticks_diff(now, self._due) >= 0:
            self._try(self.nic.disconnect)  # it may hang in joining
            self._pause = min(self._pause * 2, _RETRY_MAX_MS)
            self._join(now)
        return False

    def station(self):
        """-> (interface, its MAC address, SSID, channel, whether a key protects it), for those who ask from afar."""
        mac = "".join(["%02X" % byte for byte in self.nic.config("mac")])
        return "wlan0", mac, self._ssid, self.nic.config("channel"), bool(self._key)

    def _join(self, now):
        self._due = ticks_add(now, self._pause)
        self._try(self.nic.connect, self._ssid, self._key)

    def _try(self, function, *arguments):
        try:
            function(*arguments)
        except (OSError, RuntimeError):  # busy, or no such state: the next attempt comes anyway
            pass


class Cell(Nic):
    """The modem's data call: it is there while a session is (esp32_modem.py)."""

    def __init__(self):
        Nic.__init__(self, "lte")


def _words(e):
    """Errors of `network` carry a text instead of a number."""
    return reason(e) if len(e.args) > 1 else "%s" % (e.args[0] if e.args else e)
