"""A Raspberry Pi that is not there, its cable and its modem: the agent in a QEMU guest, all else on this machine.

    guest  eth0 ---- QEMU's own network (10.0.2.2 is this machine) ---------------- gateway, configuration server
           ttyUSB0 - usb-serial - Unix socket - `pointsman modem` - data call ----- platform (10.64.0.1 is this machine)

No root: neither side needs an interface of this machine. What counts is what is in the servers' books.
"""

import contextlib
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from archive import Archive
from free_ports import free_port
from guest import LIMIT_S, Guest
from image import HERE, Image, installed

from pointsman.tools.lab.books import Books
from pointsman.tools.lab.summary import overlap_s

BY_CABLE, BY_MODEM = "10.0.2.2", "10.64.0.1"  # what the guest calls this machine
DIAL_MS = 300
EXCHANGE_S = 5.0  # more than the longest exchange of gateway and platform: here nothing is lost between them
_OPTIONS = {"dir": "/var/lib/pointsman", "links": ["eth=eth0"], "modem": "/dev/ttyUSB0", "ppp": "ppp0"}
_SETTINGS = {"fail_back_hold_ms": 1000, "flap_max_ms": 0, "session": "ppp", "links": "eth,lte", "insecure": True,
             "hot_after_loss_s": 0, "linger_ms": 0}  # the next fail-over dials again


class VirtualPi:
    """`with VirtualPi() as pi`: the servers and the modem run, the guest's disk is new; pi.power_on() starts it."""

    def __init__(self, endpoint="gateway-7", auth=None):
        self.endpoint, self._auth = endpoint, auth
        self.folder = Path(tempfile.mkdtemp(prefix="virtual-pi-"))
        self._ports = {name: free_port() for name in ("gateway", "platform", "configuration")}
        self._processes, self._logs = [], []
        self.guest = self.books = None
        self._control = self.folder / "modem.control"

    def __enter__(self):
        try:
            self._image = Image().made()
            self._pack()
            self._serve()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.guest:
            self.guest.cut()
        for process in reversed(self._processes):
            process.terminate()
        for process in self._processes:
            process.wait(60)
        if self.books:
            self.books.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    # the guest

    def power_on(self, cable=True, agent=True):
        """Boot it, from the disk as it is; returns when its shell is there."""
        self.guest = Guest(self._image.kernel, self.folder / "initrd", self.folder / "disk", self.folder,
                           self.folder / "modem", "agent" if agent else "", cable)  # fmt: skip
        self.until(lambda: [line for line in self.guest.lines if line.startswith("@ready")], "shell in the guest")

    def started(self):
        """Power it on with its cable; registered with the gateway, its modem ready, readings in the books."""
        began = time.time()
        self.power_on()
        self.registered_at("gw-1", began)
        self.until(lambda: self.entries("modem", "registered"), "modem that is ready")
        self.readings()

    def power_cut(self):
        """As it stands; the modem loses its power too."""
        self.guest.cut()
        self.modem(do="power", on=False)
        self.modem(do="power", on=True)

    def unplug(self):
        """The modem out of the USB port: it has no power then."""
        self.guest.modem(False)
        self.modem(do="power", on=False)

    def plug(self):
        self.modem(do="power", on=True)
        self.guest.modem(True)

    def modem(self, **command):
        """A control command for the modem; -> its answer."""
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(LIMIT_S)
            sock.connect(str(self._control))
            sock.sendall(json.dumps(command).encode() + b"\n")
            answer = json.loads(sock.makefile("rb").readline())
        assert "error" not in answer, answer
        return answer

    def entries(self, actor=None, event=None):
        """The agent's log since power-on, as dicts, oldest first."""
        found = []
        for line in list(self.guest.lines):
            with contextlib.suppress(ValueError, TypeError):  # the shell's lines, and what the kernel has broken into
                found.append(dict(json.loads(line)))
        return [entry for entry in found
                if actor in (None, entry.get("actor")) and event in (None, entry.get("event"))]  # fmt: skip

    # the books

    def registered_at(self, server, since):
        """Wait for a record of this server ("gw-1", "platform") that was opened after `since`; -> when (Unix s)."""

        def opened():
            return [row.opened_at for row in self.direct() if row.server == server and row.opened_at >= since]

        return self.until(opened, "record of the %s" % server)[0]

    def direct(self):
        """What the device has registered by itself, oldest first."""
        return [row for row in self.books.registrations(self.endpoint) if row.via is None]

    def bootstraps(self):
        return len(self.books.events("configuration", "bootstrapped", endpoint=self.endpoint))

    def readings(self, more=2):
        """Wait for so many more readings than there are."""
        wanted = self.books.count(self.endpoint) + more
        self.until(lambda: self.books.count(self.endpoint) >= wanted, "%d readings more" % more)

    def holds(self):
        """Assert that the device never had two registrations longer than one exchange, that no reading is missing and
        none doubled, and that the epochs only rose."""
        direct = self.direct()
        gateway = [row for row in direct if row.server == "gw-1"]
        assert overlap_s(gateway, [row for row in direct if row not in gateway], time.time()) <= EXCHANGE_S
        self.readings()
        self.until(lambda: not self.books.lost(self.endpoint), "reading that is missing")
        sequences = [reading.sequence for reading in self.books.readings(self.endpoint)]
        assert len(set(sequences)) == len(sequences)
        epochs = [row.epoch for row in direct]
        assert epochs == sorted(epochs)

    def until(self, check, what, limit=LIMIT_S):
        deadline = time.monotonic() + limit
        while not check():
            if time.monotonic() > deadline or not (self.guest is None or self.guest.running):
                raise AssertionError("no %s within %d s\n%s" % (what, limit, self._told()))
            time.sleep(0.005)
        return check()

    def _told(self):
        logs = ["%s: %s" % (path.stem, line) for path in sorted(self.folder.glob("*.log"))
                for line in path.read_text().splitlines()[-6:]]  # fmt: skip
        return "\n".join(logs + ([self.guest.tail()] if self.guest else []))

    # what is made before

    def _pack(self):
        """The initramfs: Debian's part, the installed agent, and what a user has configured."""
        settings = dict(_SETTINGS, endpoint=self.endpoint,
                        bootstrap_uri="coap://%s:%d" % (BY_CABLE, self._ports["configuration"]))  # fmt: skip
        config = {"board": "linux", "options": _OPTIONS, "settings": settings, "log": "json"}
        with (self.folder / "initrd").open("wb") as file:
            file.write(self._image.base.read_bytes())
            archive = Archive(file)
            archive.put("init", (HERE / "guest" / "init").read_bytes(), 0o755)
            archive.put("etc/pointsman.json", json.dumps(config).encode(), 0o600)
            archive.tree(*installed(self._image.python))
            archive.close()
        shutil.copy(self._image.disk, self.folder / "disk")

    def _serve(self):
        accounts = [{"uri": "coap://%s:%d" % (BY_CABLE, self._ports["gateway"]), "ssid": 1, "links": "eth",
                     "lifetime": 60, "epoch": True},
                    {"uri": "coap://%s:%d" % (BY_MODEM, self._ports["platform"]), "ssid": 2, "links": "lte",
                     "lifetime": 60, "priority": 1, "epoch": True}]  # fmt: skip
        given = {self.endpoint: {"accounts": accounts, "settings": {"report_period_s": 1}}}
        (self.folder / "devices.json").write_text(json.dumps(given))
        self._server("platform")
        self._server("gateway", "--platform", "coap://127.0.0.1:%d" % self._ports["platform"])
        self._server("configuration", "--accounts", str(self.folder / "devices.json"))
        self._start("modem", "modem", "--unix", str(self.folder / "modem"), "--control", str(self._control), "--json",
                    "--trace", "--dial-ms", str(DIAL_MS), *(("--auth", self._auth) if self._auth else ()))
        logs = [self.folder / (kind + ".log") for kind in self._ports]
        self.until(lambda: self._control.exists() and all('"started"' in log.read_text() for log in logs),
                   "servers, or no modem")
        self.books = Books(self.folder)

    def _server(self, kind, *more):
        self._start(kind, "serve", kind, "--insecure", "--json", "--bind", "127.0.0.1:%d" % self._ports[kind],
                    "--db", str(self.folder / (kind + ".sqlite")), *more)

    def _start(self, name, *words):
        with (self.folder / (name + ".log")).open("a") as log:
            self._processes.append(subprocess.Popen([sys.executable, "-m", "pointsman.tools", *words], stdout=log,
                                                    stderr=log, stdin=subprocess.DEVNULL))  # fmt: skip
