"""A platform, a relay that counts and a device, which the figures of lwm2m_wire.py and of its peers are taken from."""

import json
import socket
import subprocess
import sys
import time
from pathlib import Path

from relay import IN, Relay

from pointsman.tools.faults import DEVICE, Fault
from pointsman.tools.firmware import launch
from pointsman.tools.servers import credentials

ROOT = Path(__file__).resolve().parents[2]
ENDPOINT, SHORT = "meter-0001", "m1"
PATIENCE_S = 20
_HANDSHAKE = (20, 22)  # first byte of a datagram of a handshake: ChangeCipherSpec, Handshake (RFC 5246 6.2.1)


class Scene:
    """A platform, a relay and a device that is started and stopped."""

    def __init__(self, folder, interpreter, security):
        self.folder, self.interpreter, self.security = folder, interpreter, security
        self.endpoint = SHORT if security == "oscore" else ENDPOINT
        self.processes, self.requests = [], []  # the latter: what a peer shall say as well, as datagrams

    def __enter__(self):
        self.port = port = free_port()
        serve = ["serve", "platform", "--bind", "127.0.0.1:%d" % port, "--json"]
        if self.security == "none":
            serve.append("--insecure")
        else:
            self.secret = credentials.create(self.folder / "secret")
            serve += ["--security", self.security, "--secret", str(self.folder / "secret"),
                      "--db", str(self.folder / "platform.sqlite")]  # fmt: skip
        self.start([sys.executable, "-m", "pointsman.tools", *serve], None)
        self.relay = Relay(port).__enter__()
        time.sleep(0.1)
        self.wait_for_server(port)
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.kill()
            process.communicate()
        self.relay.__exit__()

    def start(self, command, log):
        with open(log or "/dev/null", "ab") as out:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, cwd=ROOT
            )
        self.processes.append(process)
        return process

    def wait_for_server(self, port):
        """Until it has its port: before that the kernel refuses."""

        def bound():
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                probe.connect(("127.0.0.1", port))
                probe.send(b"")
                time.sleep(0.05)
                try:
                    probe.send(b"")
                    return True
                except ConnectionRefusedError:
                    return False

        until(bound, "the platform does not start")

    def boot(self, **settings):
        """Starts the device; returns when it is registered."""
        scheme = "coaps" if self.security == "dtls" else "coap"
        named = {"endpoint": self.endpoint, "server_uri": "%s://127.0.0.1:%d" % (scheme, self.relay.port),
                 "links": "eth", "insecure": self.security == "none", "security": self.security, "probe_ms": 0,
                 "report_period_s": 3600}  # fmt: skip
        if self.security != "none":
            named["device_key"] = self.secret.device_key(self.security, self.endpoint).hex()
        options = {"dir": str(self.folder), "eth": {"address": "127.0.0.1"}}
        (self.folder / "eth.carrier").write_text("1")
        config = self.folder / "config.json"
        config.touch(0o600)
        config.write_text(json.dumps({"board": "sim", "options": options, "settings": dict(named, **settings)}))
        if self.interpreter == "micropython":
            command = launch.command(launch.need_micropython(), config)
        else:
            command = [sys.executable, str(ROOT / "firmware" / "main.py"), str(config)]
        log = self.folder / "log"
        log.write_bytes(b"")
        self.device = self.start(command, log)
        until(lambda: b'"event": "registered"' in log.read_bytes() or b'"event":"registered"' in log.read_bytes(),
              "the device does not register: %s" % log)

    def cut(self):
        """The device's power fails."""
        self.device.kill()
        self.device.wait()


def until(true, why):
    end = time.monotonic() + PATIENCE_S
    while not true():
        if time.monotonic() > end:
            raise Fault(why, "run `pointsman serve platform` and an agent by hand", DEVICE)
        time.sleep(0.01)


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_handshake(data):
    return data[0] in _HANDSHAKE


def said(seen, direction):
    """The datagrams of one direction that are no handshake."""
    return [data for way, data in seen if way == direction and not is_handshake(data)]


def asked(seen):
    """How often somebody waits for an answer until the first that is no handshake comes."""
    return sum(way == IN for way, data in until_answered(seen))


def until_answered(seen):
    """What crosses the wire up to the first answer that is no handshake."""
    return seen[: seen.index((IN, said(seen, IN)[0])) + 1]
