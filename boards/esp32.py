"""An ESP32 under MicroPython (1.29 or later): Ethernet, Wi-Fi and a modem on a UART, each where the options name pins.

    {"board": "esp32", "options": {
        "lan": {"phy": "LAN8720", "addr": 1, "mdc": 23, "mdio": 18, "power": 16},
        "modem": {"uart": 1, "tx": 27, "rx": 26, "power_key": 4, "reset": 5}},
     "settings": {"session": "ppp", "cmux": "off"}}

Written from MicroPython's documentation and source, and tested against doubles of its modules: nothing of it has been
on a chip yet. A product's own board can start from this file and say what its meter is.
"""

import os
import time

from . import posix
from .esp32_links import ticks_diff, ticks_ms

_ENOENT, _NO_DEVICE = 2, 19
_EPOCH_2000 = 946684800  # Unix time when an ESP32's time() is 0
_LAN = "phy addr mdc mdio power reset ref_clk ref_clk_out spi sck mosi miso cs int"
_WLAN = "ssid password"
_MODEM = "uart tx rx rts cts baud power_key reset supply active auth"
_TEXTS = ("phy", "ssid", "password", "auth")  # the others are numbers: pins, or what the module calls so


class Board(posix.Board):
    """options: dir (folder of the state), period (ms between looks at the links), and, {}: not there,
    lan: phy (network.PHY_...), addr; mdc, mdio, power, reset, ref_clk, ref_clk_out (1: the chip gives the clock), or
    for a chip on SPI spi, sck, mosi, miso, cs, int; wlan: ssid, password; modem: uart, tx, rx, rts, cts, baud,
    power_key, reset, supply (pins), active (the level that pulls key and reset; 1), auth (pap or chap)."""

    name, log = "esp32", "text"
    DEFAULTS = {"dir": "/pointsman", "period": 100, "lan": {}, "wlan": {}, "modem": {}}
    _uart = _power = _cell = None

    def __init__(self, options):
        posix.Board.__init__(self, options)
        self._seen, self._up_ms = ticks_ms(), 0
        modem = self.options["modem"]
        pins = {part: modem[name] for part, name in (("key", "power_key"), ("reset", "reset"), ("supply", "supply"))
                if name in modem}  # fmt: skip
        if pins:
            from .esp32_modem import Power

            self._power = Power(pins, modem.get("active", 1))

    def make_links(self, options):
        from . import esp32_links

        lan, wlan, modem = options["lan"], options["wlan"], options["modem"]
        _check("lan", lan, _LAN, "phy")
        _check("wlan", wlan, _WLAN, "ssid")
        _check("modem", modem, _MODEM, "uart tx rx")
        links = [esp32_links.Lan(lambda: _lan(lan))] if lan else []
        if wlan:
            links.append(esp32_links.Wlan(wlan["ssid"], wlan.get("password", "")))
        if modem:
            self._cell = esp32_links.Cell()
            links.append(self._cell)
        return links

    def serial(self):
        """The modem's port, opened, or None when there is no modem."""
        modem = self.options["modem"]
        if not modem:
            return None
        from .esp32_modem import Uart

        pins = {name: modem[name] for name in ("tx", "rx", "rts", "cts") if name in modem}
        self._uart = Uart(modem["uart"], modem.get("baud", 115200), pins)
        return self._uart

    def session(self, user="", secret=""):
        """-> a port for a data session over the modem. OSError, with a remedy, when none is possible."""
        if not self._uart:
            raise OSError(_NO_DEVICE, "session: there is no modem; see option modem")
        from .esp32_modem import Ppp

        auth = self.options["modem"].get("auth", "pap")
        port = Ppp(self._uart, user, secret, auth, self._over)
        self._cell.nic = port.nic
        return port

    def choose(self, settings):
        """No multiplexer. Raises ValueError where the settings insist on it."""
        if settings.get("session") == "ppp" and settings.get("cmux") == "on":
            raise ValueError("cmux: on is not possible on an ESP32: PPP runs in the IP stack's thread, which must not"
                             " run Python, so it cannot use a channel that is written in it; set it to off: the modem"
                             " is looked at every ppp_look_s instead")  # fmt: skip
        settings.set("cmux", "off")

    def power(self, what, ms):
        """Press the modem's power key, pull its reset line, or switch its supply."""
        if self._power:
            self._power.pulse(what, ms)

    def names(self, host, link):
        """-> (the address of a host that needs no asking, or None; the DNS servers that came with this link)."""
        own = "127.0.0.1" if host.rstrip(".").lower() == "localhost" else None
        return own, [server for item in self._links if item.name == link for server in item.servers]

    def wall(self):
        """Unix time in s, or 0 while the clock was never set."""
        now = int(time.time()) + (_EPOCH_2000 if time.gmtime(0)[0] == 2000 else 0)
        return now if now > 1600000000 else 0

    def measure(self):
        """Seconds since the start: a stand-in for a meter, which only a product's board can know."""
        now = ticks_ms()
        self._up_ms += ticks_diff(now, self._seen)
        self._seen = now
        return self._up_ms // 1000

    def medium(self):
        medium = posix.Board.medium(self)
        medium.secret = self.secret
        return medium

    def secret(self, what):
        """32 bytes in the chip's NVS, which the state is not in: "read", "make" or "forget". Flash encryption, where it
        is burnt, keeps NVS from whoever takes the chip off; nothing else does. OSError: there are none."""
        from esp32 import NVS

        nvs, key = NVS("pointsman"), bytearray(32)
        if what == "forget":
            nvs.set_blob("machine_key", key)  # what is erased only may stay in the flash for long
            nvs.commit()
            nvs.erase_key("machine_key")
            return nvs.commit()
        try:
            nvs.get_blob("machine_key", key)
        except OSError:
            if what != "make":
                raise OSError(_ENOENT, "machine key: there is none in NVS")
            key = os.urandom(32)
            nvs.set_blob("machine_key", key)
            nvs.commit()
        return bytes(key)

    def reset(self):
        """Start over."""
        import machine

        machine.reset()

    def _over(self):
        """A data call has ended. PPP has put the operator's DNS servers into the one list of the IP stack: whoever
        else asks there gets those of a link that is up."""
        import network

        self._cell.nic = None
        for link in self._links:
            if link.address and link.servers and link is not self._cell:
                network.ipconfig(dns=link.servers[0])
                break


def _check(option, given, names, needed):
    """ValueError for a part of an option that there is not, of another kind, or missing."""
    for name in given:
        if name not in names.split() or type(given[name]) is not (str if name in _TEXTS else int):
            raise ValueError("option %s: %s is not possible so; there are %s" % (option, name, names))
    for name in needed.split() if given else ():
        if name not in given:
            raise ValueError("option %s: %s is needed" % (option, name))


def _lan(spec):
    """-> the network.LAN that these pins make. Raises ValueError, or OSError when the chip does not answer."""
    import machine
    import network

    phy = getattr(network, "PHY_" + spec["phy"], None)
    if phy is None:
        raise ValueError("option lan: this firmware has no PHY_%s" % spec["phy"])
    own = {"phy_type": phy, "phy_addr": spec.get("addr", 0)}
    for name in ("mdc", "mdio", "power", "reset", "ref_clk", "cs", "int"):
        if name in spec:
            own[name] = machine.Pin(spec[name])
    if "ref_clk_out" in spec:
        own["ref_clk_mode"] = machine.Pin.OUT if spec["ref_clk_out"] else machine.Pin.IN
    if "spi" in spec:
        wires = {name: machine.Pin(spec[name]) for name in ("sck", "mosi", "miso") if name in spec}
        own["spi"] = machine.SPI(spec["spi"], **wires)
    return network.LAN(**own)
