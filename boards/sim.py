"""A simulated device on this machine: its cable, its power and its meter are files that a test or the lab changes.

    DIR/eth.carrier   "1" or "0", as /sys/class/net/X/carrier; without the file there is no carrier
    DIR/store/        what survives; DIR/store.key is the machine's own secret, made when it is needed
    DIR/cut           when it is there, the next write to the store stops half way: DIR/cut.done appears and the
                      process hangs until it is killed, as if the power had failed
    DIR/stop          when it is there, the device de-registers and ends. Not by a signal: MicroPython's unix port
                      raises KeyboardInterrupt out of the C handler, also in the middle of an allocation
    DIR/meter         the last reading; each is one more than the one before, over restarts too

Runs under CPython and under MicroPython's unix port.
"""

import os
import time

from . import posix
from .files import Files


class Cable(posix.Plain):
    """The simulated Ethernet: a socket on a loopback address while DIR/eth.carrier says 1."""

    changes = True

    def __init__(self, name, address, folder):
        posix.Plain.__init__(self, name, address)
        self._file = "%s/%s.carrier" % (folder, name)

    def poll(self):
        try:
            with open(self._file) as file:
                return file.read(1) == "1"
        except OSError:
            return False


class Fuse(Files):
    """The medium of a device whose power can be cut in the middle of a write. Files are written in place: what a
    rename would save must be saved by the store itself, as on flash without a filesystem."""

    def __init__(self, folder, cut):
        Files.__init__(self, folder)
        self._cut = cut

    def write(self, name, data):
        self._burn("wb", name, data)
        self._fill(self.path(name), "wb", data)

    def append(self, name, data):
        self._burn("ab", name, data)
        self._fill(self.path(name), "ab", data)

    def _burn(self, mode, name, data):
        try:
            os.stat(self._cut)
        except OSError:
            return
        self._fill(self.path(name), mode, data[: len(data) // 2])
        self._fill(self._cut + ".done", "wb", b"")
        while True:
            time.sleep(1)


class Board(posix.Board):
    """options: dir, eth ({"address": ...}; {}: no Ethernet), modem, baud, period (ms between looks at the cable)."""

    name, log = "sim", "json"
    DEFAULTS = {"dir": "", "eth": {"address": "127.0.0.2"}, "modem": "", "baud": 115200, "period": 20}

    def medium(self):
        return Fuse(self.options["dir"] + "/store", self.options["dir"] + "/cut")

    def stopping(self):
        try:
            os.stat(self.options["dir"] + "/stop")
            return True
        except OSError:
            return False

    def measure(self):
        """A rising counter: no two readings of a device are equal, so that a test can tell each from the others."""
        meter = Files(self.options["dir"])
        reading = int(meter.read("meter") or b"0") + 1
        meter.write("meter", b"%d" % reading)
        return reading

    def make_links(self, options):
        from .options import is_address

        eth = options["eth"]
        if eth and not is_address(eth.get("address", "")):
            raise ValueError("option eth: %r is not possible; for example %r" % (eth, self.DEFAULTS["eth"]))
        return [Cable("eth", eth["address"], options["dir"])] if eth else []
