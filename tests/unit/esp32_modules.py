"""Doubles of the modules that only a chip has, for tests on both Pythons.

They follow MicroPython's documentation (docs/library/network.*.rst, machine.*.rst, docs/esp32/quickref.rst) and the
source of its ESP32 port at 1.29 (ports/esp32/network_lan.c, network_wlan.c, network_ppp.c, network_common.c,
machine_uart.c, machine_timer.c, machine_pin.c): states, errors and their texts are those. They are no proof that
a chip does so.
"""

import sys

MADE = {}  # kind -> the last object made


class Module:
    """What sys.modules holds; each test gets new ones."""


class Pin:
    """machine.Pin: a level that is remembered, with all that were set."""

    IN, OUT = 1, 3

    def __init__(self, number, mode=-1, value=None):
        self.number, self.levels = number, [] if value is None else [value]
        MADE["pin", number] = self

    def value(self, level):
        self.levels.append(level)


class Timer:
    """machine.Timer: ONE_SHOT calls back once with the timer, from the scheduler; the test says when. init() starts it
    anew. ValueError for an id that the chip has not."""

    ONE_SHOT, PERIODIC = 0, 1

    def __init__(self, number):
        if number > 3:
            raise ValueError("Timer(%d) doesn't exist, there are only 4 hardware timers" % number)
        self.period = self._then = None
        MADE["timer"] = self

    def init(self, mode=1, period=-1, callback=None):
        assert mode == self.ONE_SHOT and period > 0
        self.period, self._then = period, callback

    def fire(self):
        then, self._then = self._then, None
        then(self)


class Uart:
    """machine.UART: read() of what has arrived, None when there is nothing; write() takes what fits into `room`, None
    when nothing does; irq() keeps the handler; init() changes only what is given."""

    RTS, CTS, IRQ_RXIDLE = 1, 2, 0x1000

    def __init__(self, number, **how):
        if number > 2:
            raise ValueError("UART(%d) does not exist" % number)
        self.how, self.arrived, self.sent, self.room = how, b"", b"", 4096
        self.handler, self.gone = None, False
        MADE["uart"] = self

    def init(self, **how):
        if how.get("baudrate", 1) > 5000000:
            raise ValueError("ESP_ERR_INVALID_ARG")
        self.how.update(how)

    def any(self):
        return len(self.arrived)

    def read(self, size):
        data, self.arrived = self.arrived[:size], self.arrived[size:]
        return data or None

    def write(self, data):
        data = data[: self.room]
        self.sent += data
        return len(data) or None

    def irq(self, handler=None, trigger=0):
        assert handler is None or trigger == self.IRQ_RXIDLE
        self.handler = handler

    def deinit(self):
        self.gone = True


class Nic:
    """What LAN, WLAN and PPP share: addresses as ipconfig() and ifconfig() tell them. All of them have one DNS list."""

    def __init__(self):
        self.address, self.device, self.on = "0.0.0.0", "lo", False

    def active(self, on=None):
        self.on = self.on if on is None else on
        return self.on

    def ipconfig(self, what):
        if what != "addr4":
            raise ValueError("unexpected key")
        return self.address, "255.255.255.0"

    def ifconfig(self):
        return self.address, "255.255.255.0", "192.0.2.1", MADE["dns"]

    def config(self, what):
        if what != "ifname":
            raise ValueError("unknown config param")
        return self.device


class Lan(Nic):
    """network.LAN: status() is one byte that the driver's events set (0 initialized .. 3 connected, 4 disconnected,
    5 got IP); a lost lease sets nothing. MADE["broken"]: the chip does not answer; OSError with a text and no
    number."""

    def __init__(self, **how):
        if not 0 <= how["phy_addr"] <= 31:
            raise ValueError("invalid phy address")
        if MADE.get("broken"):
            raise OSError("esp_eth_driver_install failed")
        Nic.__init__(self)
        self.how, self.state = how, 0
        MADE["lan"] = self

    def status(self):
        return self.state

    def isconnected(self):
        return self.on and self.state == 5


class Wlan(Nic):
    """network.WLAN as a station: connect() returns at once; raises OSError while it is busy; with reconnects=0 nobody
    tries again."""

    def __init__(self, interface):
        assert interface == 0
        Nic.__init__(self)
        self.joined, self.calls, self.busy, self.reconnects = False, [], False, -1
        MADE["wlan"] = self

    def connect(self, ssid, key):
        self.calls.append(("connect", ssid, key))
        if self.busy:
            raise OSError("Wifi Internal Error")

    def disconnect(self):
        self.calls.append(("disconnect",))

    def isconnected(self):
        return self.joined

    def config(self, *what, **how):
        if how:
            self.reconnects = how["reconnects"]
            return None
        if what[0] in ("mac", "channel"):
            return b"\x00\x11\x22\xaa\xbb\xcc" if what[0] == "mac" else 6
        return Nic.config(self, *what)


class Ppp(Nic):
    """network.PPP: status() 0 inactive, 1 active, 3 connecting, 4 connected, below 0 lwIP's error (PPPERR_...).
    connect() puts an irq on the stream, config(stream=None) takes it off: nothing is read or written then. disconnect()
    only begins it, and does nothing in an error; active(False) frees all. Without a control block ipconfig() raises
    ValueError. refuse: connect() fails."""

    SEC_NONE, SEC_PAP, SEC_CHAP = 0, 1, 2
    refuse = False

    def __init__(self, stream):
        Nic.__init__(self)
        self.stream, self.state, self.how, self.leaving = stream, 0, None, False
        MADE["ppp"] = self

    def connect(self, security=0, user=None, key=None):
        if self.refuse:
            raise OSError("pppos_create failed")
        self.state, self.how = 3, (security, user, key)
        self.stream.irq(self.poll, self.stream.IRQ_RXIDLE)

    def poll(self, _=None):
        """All that has arrived goes into the stack."""
        while self.stream and self.stream.any():
            self.stream.read(256)

    def status(self):
        return self.state

    def isconnected(self):
        return self.state == 4

    def disconnect(self):
        self.leaving = self.state in (3, 4)

    def agree(self):
        """The other end has agreed to the end: all is freed, the irq too."""
        assert self.leaving
        self.state = 0
        self.stream.irq(None)

    def active(self, on=None):
        if on is False:
            self.state = 0
        return self.state > 0

    def config(self, *what, **how):
        if not how:
            return Nic.config(self, *what)
        if self.stream and self.state:
            self.stream.irq(None)
        self.stream = how["stream"]
        if self.stream and self.state:
            self.stream.irq(self.poll, self.stream.IRQ_RXIDLE)

    def ipconfig(self, what):
        if not self.state:
            raise ValueError("PPP not active")
        return Nic.ipconfig(self, what)


def _network_ipconfig(dns):
    """network.ipconfig(dns=...): the first of the one list."""
    MADE["dns"] = dns


class Nvs:
    """esp32.NVS: blobs by name; what is set counts once it is committed. get_blob() fills a large enough buffer,
    OSError where there is nothing (ports/esp32/esp32_nvs.c)."""

    def __init__(self, space):
        self._space, self._new = space, {}

    def get_blob(self, name, buffer):
        blob = MADE.get((self._space, name))
        if blob is None:
            raise OSError(-4354, "ESP_ERR_NVS_NOT_FOUND")
        buffer[: len(blob)] = blob
        return len(blob)

    def set_blob(self, name, blob):
        assert len(name) <= 15
        self._new[name] = bytes(blob)

    def erase_key(self, name):
        if MADE.get((self._space, name)) is None:
            raise OSError(-4354, "ESP_ERR_NVS_NOT_FOUND")
        self._new[name] = None

    def commit(self):
        for name in self._new:
            MADE[self._space, name] = self._new[name]
        MADE["commits"] = MADE.get("commits", 0) + 1


class Chip:
    """`with Chip() as network:` new modules `network`, `machine`, `esp32`, MADE empty; they are gone afterwards."""

    def __enter__(self):
        self._before = {name: sys.modules.get(name) for name in ("network", "machine", "esp32")}
        MADE.clear()
        MADE["dns"], MADE["resets"] = "0.0.0.0", []
        network, machine, esp32 = Module(), Module(), Module()
        network.LAN, network.WLAN, network.PPP, network.ipconfig = Lan, Wlan, Ppp, _network_ipconfig
        network.ETH_GOT_IP, network.PHY_LAN8720, network.PHY_W5500, network.STA_IF = 5, 1, 7, 0
        machine.Pin, machine.UART, machine.Timer = Pin, Uart, Timer
        machine.SPI = lambda number, **wires: (number, sorted(wires))
        machine.reset = lambda: MADE["resets"].append(1)
        Ppp.refuse = False
        esp32.NVS = Nvs
        sys.modules["network"], sys.modules["machine"], sys.modules["esp32"] = network, machine, esp32
        return network

    def __exit__(self, *_):
        for name in self._before:
            sys.modules.pop(name)
            if self._before[name]:
                sys.modules[name] = self._before[name]
