"""Everything a lab run needs on this machine, without root: the servers, a modem emulator and an agent for each device.

Real sockets on the loopback interface, real pseudo-terminals, real processes; SQLite files in the lab's directory.
"""

import asyncio
import contextlib
import json
import os
import secrets
import shutil
import socket
import sys
import tempfile
import time
from pathlib import Path

from ..faults import BUSY, USAGE, Fault
from ..firmware import launch
from ..servers.configuration import Configuration
from ..servers.credentials import NONE, ready
from ..servers.gateway import Gateway
from ..servers.platform import Platform
from ..servers.protection import asking, serving
from ..servers.storage import Storage
from .actors import ROOT, Agent
from .books import Books
from .cable import Cable, Fuse
from .modem import Modem
from .options import FAST, FIRST_PERIOD_S, LIFETIME_S, MICROPYTHON
from .summary import PLATFORM, Moments
from .tracks import Place

HOST = "127.0.0.1"
_METHODS = {"core": "by CoAP multicast", "dns-sd": "by DNS-SD"}
_MDNS_S = 5  # the servers' mDNS is given so long to be announced
_LOOK_S = 0.05
MOST_AGENTS = 200  # two addresses of 127.0.1.x and 127.0.2.x each


def free_port():
    """A UDP port of HOST that nobody has, of those that no system gives to whoever asks for any: nobody is likely to
    take it before it is used."""
    while True:
        port = 10240 + secrets.randbelow(22000)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
            probe.bind((HOST, port))
            return port


class Device:
    """One device of the lab: its endpoint name, addresses, board, modem, process, and what was done to it."""

    def __init__(self, endpoint, number, directory):
        self.endpoint = endpoint
        self.number = number
        self.found_by = ""  # how it says it found the configuration server: shown, not judged
        self.address = "127.0.1.%d" % number
        self.bearer_address = "127.0.2.%d" % number
        self.directory = directory / endpoint
        self.directory.mkdir(exist_ok=True)
        self.cable = Cable(self.directory)
        self.fuse = Fuse(self.directory)
        self.modem = None
        self.agent = None
        self.moments = Moments()

    async def lose_power(self):
        """The process ends where it stands, and the modem forgets."""
        await asyncio.gather(self.agent.kill(), self.modem.power(False))
        self.fuse.replace()

    def end(self):
        """Asks the agent to de-register and end."""
        (self.directory / "stop").touch()

    async def begin(self):
        """Starts the agent, also one that has been asked to end."""
        (self.directory / "stop").unlink(missing_ok=True)
        await self.agent.start()

    async def power_up(self):
        await asyncio.gather(self.agent.start(), self.modem.power(True))

    def configure(self, settings, board):
        """Writes what firmware/main.py is started with and returns the file."""
        file = self.directory / "config.json"
        options = {"dir": str(self.directory), "eth": {"address": self.address}, "modem": self.modem.path}
        options.update(board)
        named = dict(settings, endpoint=self.endpoint, model="meter", serial=self.endpoint)
        text = json.dumps({"board": "sim", "options": options, "settings": named}, indent=1)
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as target:  # it holds a key
            target.write(text)
        return file


class Yard:
    """Starts and stops everything; `told(actor, event, **fields)` hears all of it."""

    gateway_name = "gw-1"
    platform_name = PLATFORM

    def __init__(self, options, told):
        self.options = options
        self.devices = []
        self.directory = None
        self.books = self.configuration = self.gateway = self.platform = None
        self._told = told
        self._mark = secrets.token_hex(2)
        self._port = None  # of multicast discovery
        self._parts = []  # what was started, to be stopped in the opposite order

    async def start(self):
        """Servers first, then the modems; an agent is started by its story. Fault when something cannot be had."""
        if self.options.agents > MOST_AGENTS:
            raise Fault("%d agents are too many" % self.options.agents, "up to %d fit" % MOST_AGENTS, USAGE)
        self._make_directory()
        try:
            await self._start_servers()
            for number in range(1, self.options.agents + 1):
                self.devices.append(await self._device(number))
        except OSError as error:
            raise Fault("cannot set the lab up: %s" % error, "is something else using the address?", BUSY) from error
        self.books = Books(self.directory)

    async def stop(self):
        """Ends every process and server; nothing stays behind but a directory that was asked for."""
        await asyncio.gather(*(device.agent.kill() for device in self.devices))
        if self.books:
            self.books.close()
        for part in reversed(self._parts):
            await part.stop()
        if self.directory and not self.options.directory:
            shutil.rmtree(self.directory, ignore_errors=True)

    async def prepare(self, device):
        """What the portal does when somebody registers the device that he has bought; then the device is unpacked."""
        settings = dict(FAST, coap_port=self._port, discovery=await self._methods(device), **self._secured(device))
        settings.update(self.options.settings)
        file = device.configure(settings, {})
        device.agent.command = self._command(file, device.number)
        accounts = [
            self._account(self.gateway.uri, 1, "eth", "gateway"),
            self._account(self.platform_uri, 2, "lte", "platform"),
        ]
        settings = {"report_period_s": FIRST_PERIOD_S, "apn": "meters.example"}
        await self.configuration.prepare(device.endpoint, accounts, settings, **await self._policies(device))

    async def _policies(self, device):
        """What it gets beside: its groups, as Configuration.prepare takes them."""
        return {}

    def _account(self, uri, ssid, links, registrar):
        found = {"uri": uri, "ssid": ssid, "links": links, "lifetime": LIFETIME_S, "priority": ssid, "epoch": True}
        if self.options.security != NONE:
            found.update(security=self.options.security, secret=str(self._secret_file(registrar)))
        return found

    def _secured(self, device):
        """What its firmware brings along to be believed by the configuration server; nothing else is secret in it."""
        security = self.options.security
        if security == NONE:
            return {"insecure": True}  # everything stays on the loopback interface
        key = ready(self._secret_file("configuration")).device_key(security, device.endpoint)
        return {"security": security, "device_key": key.hex()}

    # What the books and the modem say about a device

    def at_gateway(self, device):
        """The gateway's open record, or None."""
        return self.books.live(self.gateway_name, device.endpoint)

    def direct(self, device):
        """The platform's open record of the device itself, or None."""
        return self.books.live(self.platform_name, device.endpoint, via=False)

    def place(self, device):
        """Where it is by the books; in the moment in which both registrars have a record, the newer one counts."""
        both = (self.at_gateway(device), "eth"), (self.direct(device), "lte")
        live = [(record.opened_at, link) for record, link in both if record]
        return Place(max(live)[1] if live else None, device.cable.plugged, device.modem.connected, device.agent.alive)

    def asked(self, device):
        """Whether the device has asked the configuration server for its accounts: then it has found it."""
        return bool(self.books.events("configuration", "bootstrap_requested", endpoint=device.endpoint))

    def bootstraps(self, device):
        """How many bootstraps the configuration server has finished for it."""
        return len(self.books.events("configuration", "bootstrapped", endpoint=device.endpoint))

    def heard_of(self, device):
        """What else the configuration server has noted about it."""
        failed = [d["why"] for _, d in self.books.events("configuration", "bootstrap_failed", endpoint=device.endpoint)]
        asked = self.books.events("configuration", "bootstrap_requested", endpoint=device.endpoint)
        return "%d bootstraps asked for%s" % (len(asked), "".join(", failed: " + why for why in failed))

    def _make_directory(self):
        if self.options.directory is None:
            self.directory = Path(tempfile.mkdtemp(prefix="pointsman-lab-"))
            return
        self.directory = self.options.directory.resolve()  # agents run in another folder
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Fault(
                "cannot make %s: %s" % (self.directory, error.strerror), "choose another --dir", USAGE
            ) from error
        if any(self.directory.iterdir()):
            raise Fault("%s is not empty" % self.directory, "a lab begins with an empty --dir", USAGE)

    async def _start_servers(self):
        books = self._storage("platform")
        keys = self._keys("platform", books, (self.gateway_name,))
        self.platform = Platform(books, HOST, 0, self._told, keys=keys, gateways=(self.gateway_name,))
        if self.options.fault == "no-platform":
            self.platform_uri = "%s://%s:%d" % (keys.scheme, HOST, free_port())
        else:
            await self._started(self.platform)
            self.platform_uri = self.platform.uri
        books = self._storage("gateway")
        key = ready(self._secret_file("platform")).device_key(self.options.security, self.gateway_name)
        self.gateway = Gateway(
            books, HOST, 0, self.platform_uri, self._told, self.gateway_name, upstream_host=HOST,
            keys=self._keys("gateway", books), upstream_keys=asking(self.options.security, key, books, "gw-1")
        )
        await self._started(self.gateway)
        self._port = free_port()
        books = self._storage("configuration")
        self.configuration = Configuration(
            books, HOST, 0, self._told, multicast_port=self._port, advertise=True,
            keys=self._keys("configuration", books)
        )
        await self._started(self.configuration)

    def _keys(self, server, books, gateways=()):
        return serving(self.options.security, ready(self._secret_file(server)), books, server, gateways)

    def _secret_file(self, server):
        return self.directory / (server + ".secret")

    def _storage(self, name):
        storage = Storage("sqlite:///%s" % (self.directory / (name + ".sqlite")))
        self._parts.append(_Closing(storage))
        return storage

    async def _started(self, part):
        await part.start()
        self._parts.append(part)

    async def _device(self, number):
        device = Device(self._name(number), number, self.directory)

        def told(_, event, **fields):
            self._told("modem", event, device=device.endpoint, **fields)

        device.modem = Modem(number, device.bearer_address, device.directory, told)
        await self._started(device.modem)
        device.agent = Agent(device.endpoint, lambda event, **fields: self._heard(device, event, fields))
        return device

    def _heard(self, device, event, fields):
        if event == "found":
            device.found_by = _METHODS.get(fields.get("how"), "")
        self._told(device.endpoint, event, **fields)

    async def _methods(self, device):
        """How this device is to look for the configuration server: every other one by DNS-SD alone, so that it is seen
        to work by itself - where the host's mDNS port is to be had, which shows after a second or two."""
        if self.options.discovery or device.number % 2:
            return self.options.discovery or "core,dns-sd"
        deadline = time.monotonic() + _MDNS_S
        while time.monotonic() < deadline:
            if self.books.events("configuration", "advertised"):
                return "dns-sd"
            if self.books.events("configuration", "unadvertised"):
                break
            await asyncio.sleep(_LOOK_S)
        return "core"

    def _name(self, number):
        # Another lab on this machine hears the same mDNS: its devices must not be mistaken for ours.
        return "meter-%s-%d" % (self._mark, number)

    def _command(self, file, number):
        if self.options.runs_on(number) == MICROPYTHON:
            return launch.command(launch.need_micropython(), file, self.options.heap, self.options.root)
        return [sys.executable, str(ROOT / "firmware" / "main.py"), str(file)]


class _Closing:
    """A storage as a part that can be stopped."""

    def __init__(self, storage):
        self._storage = storage

    async def stop(self):
        self._storage.close()
