"""A device with two WANs, a gateway on its LAN and a platform behind both, each in a network namespace of its own.

    device  eth0 ---- p0 [switch] p1 ---- lan0  gateway  up0 ---- down0  platform
            wwan0 --- q0 [switch] q1 ------------------------------ ran0

The switch's ports are what a test plays with: a port that is down takes carrier from the device, one that left its
bridge swallows everything while carrier stays. The servers and the agents are the real commands; what counts is what is
in the servers' books. Needs root and `ip` (iproute2).
"""

import contextlib
import ctypes
import itertools
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from pointsman.tools.lab.books import Books

GATEWAY, PLATFORM = "192.0.2.1", "10.64.0.1"
DEVICE = {"eth": "192.0.2.2", "wwan": "10.64.0.2"}
PORT = {"eth": "p0", "wwan": "q0"}  # of the switch, towards the device
FAR_PORT = {"eth": "p1", "wwan": "q1"}
LIMIT_S = 120
_CLONE_NEWNET = 0x40000000
_NEWLINK, _REQUEST_ACK, _IFF_UP = 16, 5, 1
_numbers = itertools.count()

_SWITCH = """
link set lo up
link add br0 type bridge forward_delay 0 mcast_snooping 0
link add br1 type bridge forward_delay 0 mcast_snooping 0
link add p0 type veth peer name eth0 netns {device}
link add p1 type veth peer name lan0 netns {gateway}
link add q0 type veth peer name wwan0 netns {device}
link add q1 type veth peer name ran0 netns {platform}
link set p0 master br0
link set p1 master br0
link set q0 master br1
link set q1 master br1
link set br0 up
link set br1 up
link set p0 up
link set p1 up
link set q0 up
link set q1 up
"""
_DEVICE = """
link set lo up
addr add 192.0.2.2/24 dev eth0
addr add 10.64.0.2/24 dev wwan0
link set eth0 up
link set wwan0 up
"""
_GATEWAY = """
link set lo up
link add up0 type veth peer name down0 netns {platform}
addr add 192.0.2.1/24 dev lan0
addr add 198.51.100.2/24 dev up0
link set lan0 up
link set up0 up
"""
_PLATFORM = """
link set lo up
addr add 198.51.100.1/24 dev down0
addr add 10.64.0.1/24 dev ran0
link set down0 up
link set ran0 up
"""


def missing():
    """What keeps namespaces from being made here, or None. Installs iproute2 where it can."""
    if os.geteuid():
        return "network namespaces need root"
    if not shutil.which("ip") and shutil.which("apt-get"):
        subprocess.run(["apt-get", "install", "-y", "-q", "iproute2"], capture_output=True, timeout=300, check=False)
    if not shutil.which("ip"):
        return "no `ip`: install iproute2"
    name = "pm-try-%d" % os.getpid()
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
    return "network namespaces: " + made.stderr.strip() if made.returncode else None


def _children(pid):
    """Process ids of those that this process has started."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(path.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(path.parent.name))
    return found


class TwoWans:
    """`with TwoWans() as field`: the namespaces and the three servers are there; agents come by field.agent()."""

    def __init__(self, settings=None, endpoint="meter-1", names=False, dns=False, more=()):
        self.endpoint, self._more = endpoint, dict(more)  # more: of what the configuration server has for it
        # whether the accounts have host names, and whether to be asked for at the gateway and the platform
        self._settings, self._named, self._dns = settings or {}, names, dns
        self._prefix = "pm%d-%d" % (os.getpid(), next(_numbers))
        self.names = {name: self._prefix + "-" + name for name in ("device", "switch", "gateway", "platform")}
        self.folder = Path(tempfile.mkdtemp(prefix="two-wans-"))
        self._kernel, self._processes, self.agents = {}, {}, []
        self.books = None

    def __enter__(self):
        try:
            self._lay()
            self._serve()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for agent in self.agents:
            agent.kill()
        for kind in list(self._processes):
            self.halt(kind)
        if self.books:
            self.books.close()
        for sock in self._kernel.values():
            sock.close()
        for name in self.names.values():
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
            shutil.rmtree("/etc/netns/" + name, ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    # the cables

    def carrier(self, link, up):
        """Pull or plug the cable; -> when (Unix s)."""
        return self._set(PORT[link], up)

    def path(self, link, open_):
        """The way behind the switch, silently: carrier stays."""
        change = ["master", "br0" if link == "eth" else "br1"] if open_ else ["nomaster"]
        self.ip("switch", "link", "set", FAR_PORT[link], *change)
        return time.time()

    def resolver(self, works):
        """Whether host names can be resolved on the device: else its name server swallows every question."""
        folder = Path("/etc/netns") / self.names["device"]  # `ip netns exec` puts these over those of /etc
        folder.mkdir(parents=True, exist_ok=True)
        known = "" if self._dns else "%s gateway.test\n%s platform.test\n" % (GATEWAY, PLATFORM)
        servers = (GATEWAY, PLATFORM) if self._dns else ("10.64.0.99",)
        (folder / "hosts").write_text("127.0.0.1 localhost\n" + (known if works else ""))
        (folder / "resolv.conf").write_text("".join("nameserver %s\n" % server for server in servers))

    def ip(self, where, *words):
        subprocess.run(["ip", "-n", self.names[where], *words], check=True, capture_output=True, text=True)

    def _set(self, port, up):
        index, sock = self._ports[port], self._kernel["switch"]
        head = struct.pack("IHHII", 32, _NEWLINK, _REQUEST_ACK, 1, 0)
        at = time.time()
        sock.send(head + struct.pack("BBHiII", 0, 0, 0, index, _IFF_UP if up else 0, _IFF_UP))
        error = struct.unpack_from("i", sock.recv(4096), 16)[0]
        if error:
            raise OSError(-error, "%s cannot be set" % port)
        return at

    def socket(self, where, *kind):
        """A socket made inside one of the namespaces: it stays there."""
        found = []

        def make():
            with open("/run/netns/" + self.names[where]) as file:
                if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), _CLONE_NEWNET):
                    return found.append(OSError(ctypes.get_errno(), "setns"))
            found.append(socket.socket(*kind))
            if where == "switch":
                self._ports = {name: index for index, name in socket.if_nameindex()}

        thread = threading.Thread(target=make)
        thread.start()
        thread.join()
        if isinstance(found[0], OSError):
            raise found[0]
        return found[0]

    def _lay(self):
        for name in self.names.values():
            subprocess.run(["ip", "netns", "add", name], check=True, capture_output=True)
        for where, text in (("switch", _SWITCH), ("gateway", _GATEWAY), ("platform", _PLATFORM), ("device", _DEVICE)):
            subprocess.run(["ip", "-n", self.names[where], "-batch", "-"], input=text.format(**self.names), text=True,
                           check=True, capture_output=True)  # fmt: skip
        self._kernel["switch"] = self.socket("switch", socket.AF_NETLINK, socket.SOCK_RAW, 0)

    # the servers

    def _serve(self):
        hosts = ("gateway.test", "platform.test") if self._named else (GATEWAY, PLATFORM)
        self.resolver(self._named)
        accounts = [{"uri": "coap://%s:5683" % hosts[0], "ssid": 1, "links": "eth", "lifetime": 60, "epoch": True},
                    {"uri": "coap://%s:5693" % hosts[1], "ssid": 2, "links": "wwan,lte", "lifetime": 60, "priority": 1,
                     "epoch": True}]  # fmt: skip
        given = {self.endpoint: {"accounts": accounts, "settings": {"report_period_s": 1}, **self._more}}
        (self.folder / "devices.json").write_text(json.dumps(given))
        self.server("platform", "platform", "0.0.0.0:5693")
        self.server("gateway", "gateway", GATEWAY + ":5683", "--platform", "coap://198.51.100.1:5693")
        self.server("configuration", "gateway", GATEWAY + ":5783", "--accounts", str(self.folder / "devices.json"))
        logs = [self.folder / (name + ".log") for name in ("platform", "gateway", "configuration")]
        self.until(lambda: all('"started"' in log.read_text() for log in logs), "the servers")
        self.books = Books(self.folder)

    def server(self, kind, where, bind, *more):
        command = [sys.executable, "-m", "pointsman.tools", "serve", kind, "--insecure", "--json", "--bind", bind,
                   *(() if "--db" in more else ("--db", str(self.folder / (kind + ".sqlite")))), *more]  # fmt: skip
        log = (self.folder / (kind + ".log")).open("a")
        process = self.run(where, command, stdout=log, stderr=log)
        self._processes[(kind, bind)] = process

    def halt(self, kind):
        """End the servers of this kind."""
        for key in [key for key in self._processes if kind in (key, key[0])]:
            process = self._processes.pop(key)
            process.terminate()
            process.wait(60)

    def run(self, where, command, **how):
        return subprocess.Popen(["ip", "netns", "exec", self.names[where], *command], stdin=subprocess.DEVNULL, **how)

    # the device

    def agent(self, interpreter="cpython", store="store", more=(), wwan=True, **settings):
        values = {"fail_back_hold_ms": 1000, **self._settings, **settings}
        words = ["--endpoint", self.endpoint, "--bootstrap", "coap://%s:5783" % GATEWAY, "--insecure", "--json",
                 "--interpreter", interpreter, "--store", str(self.folder / store), "--link", "eth=eth0",
                 *(("--link", "wwan=wwan0") if wwan else ()), *more]  # fmt: skip
        words += ["--set=%s=%s" % (name, values[name]) for name in values]
        self.agents.append(Agent(self, words))
        return self.agents[-1]

    def at_gateway(self):
        return self.books.live("gw-1", self.endpoint)

    def at_platform(self):
        return self.books.live("platform", self.endpoint, via=False)

    def registered_at(self, server, since):
        """Wait for a record of this server ("gw-1", "platform") that was opened after `since`; -> when (Unix s)."""

        def opened():
            return [r.opened_at for r in self.books.registrations(self.endpoint)
                    if r.server == server and r.via is None and r.opened_at >= since]  # fmt: skip

        return self.until(opened, "a record of the %s" % server)[0]

    def until(self, check, what, limit=LIMIT_S):
        deadline = time.monotonic() + limit
        while not check():
            if time.monotonic() > deadline or any(agent.ended for agent in self.agents):
                tail = [line for agent in self.agents for line in agent.lines[-12:]]
                tail += [line for log in self.folder.glob("*.log") for line in log.read_text().splitlines()[-4:]]
                raise AssertionError("no %s within %d s\n%s" % (what, limit, "\n".join(tail)))
            time.sleep(0.005)
        return check()


class Agent:
    """An agent's process in the device's namespace, and the lines of its log."""

    def __init__(self, field, words):
        command = [sys.executable, "-m", "pointsman.tools", "agent", *words]
        self.lines, self.killed = [], False
        self.process = field.run("device", command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip())

    def entries(self, event=None):
        """The log as dicts, oldest first."""
        found = []
        for line in list(self.lines):
            with contextlib.suppress(ValueError):
                entry = json.loads(line)
                if event in (None, entry["event"]):
                    found.append(entry)
        return found

    @property
    def ended(self):
        return self.process.poll() is not None and not self.killed

    def kill(self):
        """As if the power had failed."""
        self.killed = True
        # Under MicroPython the command is the parent of what runs the device: a power cut takes both.
        children = _children(self.process.pid)
        self.process.kill()
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.killed = True
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)
