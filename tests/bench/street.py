"""A street of meters: MicroPython agents, each a process in a network namespace of its own, on one LAN with a gateway,
whose platform is behind it.

    meter 0  eth0 ---- d0 [br0] g0 ---- lan0 10.77.0.1  gateway, configuration server, platform (on lo)
    meter 1  eth0 ---- d1 [   ]

The servers run in the caller's process, in a thread that lives in the LAN's namespace; the devices are bootstrapped,
and run from .mpy files as on a chip. What crosses the LAN is taken from lan0, with the kernel's times. Needs
root and `ip` (iproute2).
"""

import asyncio
import contextlib
import ctypes
import itertools
import json
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from agent.codec import coap
from agent.errors import RemoteError
from pointsman.tools.firmware.build import build_mpy
from pointsman.tools.firmware.launch import command, need_micropython
from pointsman.tools.groups.members import Group
from pointsman.tools.policies import keys, signing
from pointsman.tools.servers.configuration import Configuration
from pointsman.tools.servers.gateway import Gateway
from pointsman.tools.servers.platform import Platform
from pointsman.tools.servers.storage import Storage

GATEWAY, NAME = "10.77.0.1", "meters"
PLACE = ("239.77.0.1", 5685)
HEAP = "256K"
PROBE_MS = 0  # never: so many on two processors cannot tell a gateway that is slow from one that is gone
_CLONE_NEWNET, _ALL, _TIMES = 0x40000000, 3, 35  # setns(2); ETH_P_ALL in network order; SO_TIMESTAMPNS
_numbers = itertools.count()

_LAN = """
link set lo up
link add br0 type bridge forward_delay 0 mcast_snooping 0
link add lan0 type veth peer name g0
link set br0 addrgenmode none arp off
link set g0 addrgenmode none
link set lan0 addrgenmode none
addr add 10.77.0.1/16 dev lan0
link set br0 up
link set g0 master br0 up
link set lan0 up
"""
_METER = """
link set lo up
link set eth0 addrgenmode none
addr add {address}/16 dev eth0
link set eth0 up
"""


def endpoint(number):
    return "meter-%d" % number


def address(number):
    """Of a meter on the LAN."""
    return "10.77.%d.%d" % (1 + number // 250, 1 + number % 250)


class Street:
    """`with Street(count) as street: street.play(story)`: a coroutine function of the street, run where the servers
    are. `multicast`: whether the members are told of the group's address; `tree`: .mpy files that are there already."""

    def __init__(self, count, multicast=True, tree=None):
        self.count, self.multicast, self.tree = count, multicast, tree
        self._prefix = "ps%d-%d" % (os.getpid(), next(_numbers))
        self.folder = Path(tempfile.mkdtemp(prefix="street-"))
        self._open, self.processes, self.events = [], {}, []
        self.platform = self.gateway = self.configuration = self.wire = None

    def __enter__(self):
        try:
            self._lay()
            self.tree = self.tree or build_mpy(self.folder / "tree")
            self.root, self.operator = (keys.create(self.folder / name) for name in ("root.pem", "operator.pem"))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for number in list(self.processes):
            self.cut(number)
        names = "".join("netns del %s\n" % name for name in (self.lan, *map(self.name, range(self.count))))
        subprocess.run(["ip", "-force", "-batch", "-"], input=names, text=True, capture_output=True, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    # the LAN

    @property
    def lan(self):
        return self._prefix + "-lan"

    def name(self, number):
        """Of a meter's namespace."""
        return "%s-%d" % (self._prefix, number)

    def _lay(self):
        meters = range(self.count)
        _ip("".join("netns add %s\n" % name for name in (self.lan, *map(self.name, meters))))
        cables = "".join("link add d{0} type veth peer name eth0 netns {1}\nlink set d{0} addrgenmode none\n"
                         "link set d{0} master br0 up\n".format(number, self.name(number)) for number in meters)
        _ip(_LAN + cables, self.lan)
        for number in meters:
            _ip(_METER.format(address=address(number)), self.name(number))

    def cable(self, number, up):
        """Plug or pull a meter's."""
        _ip("link set d%d %s\n" % (number, "up" if up else "down"), self.lan)

    def deafen(self, number):
        """Multicast does not reach a meter any more."""
        _ip("link set d%d type bridge_slave mcast_flood off\n" % number, self.lan)

    # the servers

    def play(self, story):
        """-> what the story returns; what it raises is raised here."""
        found = []

        def run():
            try:
                with open("/run/netns/" + self.lan) as file:
                    if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), _CLONE_NEWNET):
                        raise OSError(ctypes.get_errno(), "setns")
                found.append((asyncio.run(self._served(story)), None))
            except BaseException as problem:
                found.append((None, problem))

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        value, problem = found[0]
        if problem:
            raise problem
        return value

    async def _served(self, story):
        log = lambda actor, event, **fields: self.events.append((time.time(), actor, event, fields))
        books = [Storage("sqlite://") for _ in range(3)]
        self.platform = Platform(books[0], "127.0.0.1", 5693, log)
        self.gateway = Gateway(books[1], GATEWAY, 5683, "coap://127.0.0.1:5693", log, upstream_host="127.0.0.1")
        self.configuration = Configuration(books[2], GATEWAY, 5783, log)
        servers = (self.platform, self.gateway, self.configuration)
        try:
            for server in servers:
                await server.start()
            with _Tap() as self.wire:
                await self._prepare()
                return await story(self)
        finally:
            for server in reversed(servers):
                await server.stop()
            for book in books:
                book.close()

    async def _prepare(self):
        """The group, with all of the street, and what each gets with its bootstrap."""
        accounts = [{"uri": "coap://%s:5683" % GATEWAY, "ssid": 1, "links": "eth", "lifetime": 86400, "epoch": True}]
        await self.platform.pushes.groups.create(Group(NAME, multicast=PLACE if self.multicast else None))
        names = [endpoint(number) for number in range(self.count)]
        await self.platform.pushes.groups.include(NAME, names)
        for number, name in enumerate(names):
            group = {"id": NAME, "rank": 1, "index": number}
            if self.multicast:
                group["multicast"] = "%s:%d" % PLACE
            await self.configuration.prepare(name, accounts, {"report_period_s": 3600}, groups=[group],
                                             policy_root=self.root.public.hex())

    def signed(self, version, settings, window=None):
        """A document for the group (bytes)."""
        now = int(time.time())
        document = {1: NAME.encode(), 2: version, 3: 0, 4: now + 86400, 5: settings}
        return signing.sign(document if window is None else document | {9: window}, self.operator)

    async def _vouch(self):
        """Whoever registers is told whose policies to believe; who was too busy to answer, again after a while."""
        signers = keys.Signers()
        signers.replace([keys.Signer(self.operator.public, [NAME.encode()])])
        document = signing.sign_signers(signers, self.root)
        while True:
            await self.platform.pushes.vouch(document)
            await asyncio.sleep(10)

    # the meters

    async def start(self, at_once=8):
        """All of them, registered with the platform through the gateway, and with the keys of those who sign."""
        vouching = asyncio.create_task(self._vouch())
        for number in range(self.count):
            await self.until(lambda: len(self.processes) < self.ready() + at_once, "registrations")
            self.boot(number)
        await self.until(lambda: self.ready() == self.count, "registrations")
        vouching.cancel()

    def ready(self):
        """How many are registered and know whose policies to believe."""
        keys = self.platform.pushes.keys
        return keys.status()["counts"].get("has them", 0) if keys.document else 0

    def boot(self, number):
        """Power on: an agent with what it has on its medium."""
        folder = self.folder / endpoint(number)
        folder.mkdir(exist_ok=True)
        file = folder / "agent.json"
        if not file.exists():
            settings = {"endpoint": endpoint(number), "bootstrap_uri": "coap://%s:5783" % GATEWAY, "insecure": True,
                        "links": "eth", "probe_ms": PROBE_MS}
            options = {"dir": str(folder / "store"), "links": ["eth=eth0"], "period": 2000}
            file.write_text(json.dumps({"board": "linux", "options": options, "settings": settings, "log": "json"}))
        words = command(need_micropython(), file, HEAP, self.tree)
        words = ["nice", "-n", "5", "ip", "netns", "exec", self.name(number), *words]  # the servers come first
        with open(folder / "log", "ab") as log:
            self.processes[number] = subprocess.Popen(words, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def cut(self, number):
        """Power off."""
        process = self.processes.pop(number)
        process.kill()
        process.wait()

    def log(self, number, event=None):
        """What a meter has logged: [dict]."""
        found = []
        for line in (self.folder / endpoint(number) / "log").read_text().splitlines():
            with contextlib.suppress(ValueError):
                found.append(json.loads(line))
        return [entry for entry in found if event in (None, entry["event"])]

    def memory(self):
        """(what all of them take together, the most that one takes by itself): KiB, shared pages in parts (PSS)."""
        found = []
        for process in self.processes.values():
            text = Path("/proc/%d/smaps_rollup" % process.pid).read_text()
            rows = dict(line.split(":") for line in text.splitlines()[1:])
            found.append([int(rows[name].split()[0]) for name in ("Pss", "Private_Dirty")])
        return sum(row[0] for row in found), max(row[1] for row in found)

    async def until(self, check, what, limit=300):
        """Wait for it; AssertionError with what a meter says where it does not come."""
        end = time.monotonic() + limit
        while not check():
            ended = [number for number, process in self.processes.items() if process.poll() is not None]
            if ended or time.monotonic() > end:
                log = (self.folder / endpoint(ended[0] if ended else 0) / "log").read_text()
                raise AssertionError("no %s; ended: %s; %s\n%s" % (what, ended, self.events[-3:], log[-2000:]))
            await asyncio.sleep(0.02)


class _Tap:
    """What crosses the LAN: `announced` and `acknowledged` are lists of (Unix s, host, payload)."""

    def __enter__(self):
        self.announced, self.acknowledged = [], []
        self._sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ALL))
        self._sock.setsockopt(socket.SOL_SOCKET, _TIMES, 1)
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self._sock.bind(("lan0", _ALL))
        self._sock.setblocking(False)
        asyncio.get_running_loop().add_reader(self._sock, self._read)
        return self

    def __exit__(self, *_):
        asyncio.get_running_loop().remove_reader(self._sock)
        self._sock.close()

    def forget(self):
        del self.announced[:], self.acknowledged[:]

    def _read(self):
        packet, told, _, _ = self._sock.recvmsg(2048, 64)
        seconds, nanoseconds = struct.unpack("qq", told[0][2])
        head = 4 * (packet[0] & 15)
        if packet[0] >> 4 != 4 or packet[9] != socket.IPPROTO_UDP:
            return
        target, (port,) = socket.inet_ntoa(packet[16:20]), struct.unpack_from("!H", packet, head + 2)
        if (target, port) not in (PLACE, (GATEWAY, 5683)):
            return
        with contextlib.suppress(RemoteError):
            message = coap.decode(packet[head + 8 :])
            if message.code == coap.POST and message.path() == ("policy",):
                row = seconds + nanoseconds / 1e9, socket.inet_ntoa(packet[12:16]), bytes(message.payload)
                (self.announced if target == PLACE[0] else self.acknowledged).append(row)


def _ip(text, where=None):
    words = ["ip", *(("-n", where) if where else ()), "-batch", "-"]
    subprocess.run(words, input=text, text=True, check=True, capture_output=True)
