"""What crosses the wire, in bytes of UDP payload and in round trips, with each kind of security: real agents, our
platform, a relay between them that counts. The peers are measured in the same run: OpenSSL's client and libcoap's.
"""

import json
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from relay import IN, OUT, Relay

from agent.codec import coap
from agent.credentials import name_of
from agent.engine.oscore import Context, Oscore
from agent.north.resources import METER
from pointsman.tools.faults import DEVICE, Fault
from pointsman.tools.firmware import launch
from pointsman.tools.servers import credentials

ROOT = Path(__file__).resolve().parents[2]
ENDPOINT, SHORT = "meter-0001", "m1"
_PATIENCE_S = 20
_HANDSHAKE = (20, 22)  # first byte of a datagram of a handshake: ChangeCipherSpec, Handshake (RFC 5246 6.2.1)
_PEER_KEY = "secretPSK16bytes"


def measure(quick=False, figure="register", security="none"):
    """One row an interpreter. `quick` changes nothing: each figure is exact after one run."""
    peer, peer_value = PEERS[figure]() if figure in PEERS else (None, None)
    rows = []
    for interpreter in ("cpython", "micropython"):
        if interpreter == "micropython" and (figure == "least" or not launch.find_micropython()):
            continue
        with tempfile.TemporaryDirectory() as folder:
            value = FIGURES[figure](Scene(Path(folder), interpreter, security))
        rows.append({"value": value, "interpreter": interpreter, "n": 1, "peer": peer, "peer_value": peer_value})
    return rows


class Scene:
    """A platform, a relay and a device that is started and stopped."""

    def __init__(self, folder, interpreter, security):
        self.folder, self.interpreter, self.security = folder, interpreter, security
        self.endpoint = SHORT if security == "oscore" else ENDPOINT
        self.processes = []

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
    end = time.monotonic() + _PATIENCE_S
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


def register(scene):
    """Bytes of the request."""
    with scene:
        scene.boot(links="eth,lte" if scene.endpoint == ENDPOINT else "eth")  # with the objects of a modem, or without
        return len(said(scene.relay.seen, OUT)[0])


def least(scene):
    """Bytes of a Register with two objects, sealed by the device's engine here and now: no device announces so few."""
    guard = Oscore(Context(bytes(16), b"", name_of(scene.endpoint), b""), lambda most: 0)
    words = ["ep=" + scene.endpoint, "lt=300", "lwm2m=1.1"]
    options = [(coap.URI_PATH, b"rd"), (coap.CONTENT_FORMAT, coap.uint(40))]
    options += [(coap.URI_QUERY, word.encode()) for word in words]
    message = coap.Message(coap.CON, coap.POST, 1, b"t", options, b"</1/0>,</3/0>")
    guard.send(coap.encode(message), 0)
    return [len(what) for kind, what in guard.take() if kind == "udp"][0]


def _next_update(scene):
    """What crosses the wire for the next Update. (With the shortest lifetime it comes after 5 s.)"""
    mark = scene.relay.mark()
    until(lambda: said(scene.relay.since(mark), IN), "no update")
    return scene.relay.since(mark)


def update(scene):
    with scene:
        scene.boot(lifetime_s=10)
        return len(said(_next_update(scene), OUT)[0])


def send(scene):
    """Bytes of a report with one reading."""
    with scene:
        scene.boot(report_period_s=1)
        until(lambda: len(said(scene.relay.seen, OUT)) > 1, "no report")
        return len(said(scene.relay.seen, OUT)[1])


def notify(scene):
    """Bytes of a notification of the meter's reading, to whom observes it with a token of one byte."""
    with scene, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(_PATIENCE_S)
        with Relay(server.getsockname()[1]) as scene.relay:
            _register_by_hand(scene, server)
            data = server.recv(2048)
            while coap.decode(data).token != b"o" or not coap.decode(data).uint(coap.OBSERVE):
                data = server.recv(2048)
            return len(data)


def _register_by_hand(scene, server):
    """As a registrar: take the registration, then observe."""
    booting = threading.Thread(target=scene.boot, kwargs={"report_period_s": 1})
    booting.start()
    data, device = server.recvfrom(2048)
    asked = coap.decode(data)
    where = [(coap.LOCATION_PATH, b"rd"), (coap.LOCATION_PATH, b"1")]
    server.sendto(coap.encode(coap.Message(coap.ACK, coap.CREATED, asked.mid, asked.token, where)), device)
    booting.join()
    report = coap.decode(server.recv(2048))  # there is a reading now
    server.sendto(coap.encode(coap.Message(coap.ACK, coap.CHANGED, report.mid, report.token)), device)
    path = [(coap.OBSERVE, b"")] + [(coap.URI_PATH, str(part).encode()) for part in METER]
    server.sendto(coap.encode(coap.Message(coap.CON, coap.GET, 1, b"o", path + [(coap.ACCEPT, b"<")])), device)


def bootstrap(scene):
    """Bytes both ways, from the request to the answer to the last write, for one account."""
    with scene:
        port, accounts = free_port(), scene.folder / "accounts.json"
        account = {"uri": "coap://127.0.0.1:%d" % scene.port, "ssid": 1, "links": "eth"}
        accounts.write_text(json.dumps({scene.endpoint: {"accounts": [account]}}))
        serve = ["serve", "configuration", "--bind", "127.0.0.1:%d" % port, "--insecure", "--accounts", str(accounts)]
        scene.start([sys.executable, "-m", "pointsman.tools", *serve], None)
        scene.wait_for_server(port)
        with Relay(port) as relay:
            scene.boot(server_uri="", bootstrap_uri="coap://127.0.0.1:%d" % relay.port)
            return sum(len(data) for _, data in relay.seen)


def handshake(scene):
    with scene:
        scene.boot()
        return sum(len(data) for _, data in scene.relay.seen if is_handshake(data))


def _moved(scene):
    with scene:
        scene.boot(lifetime_s=10)
        scene.relay.move()
        return _next_update(scene)


def rebind_bytes(scene):
    """Out, for an Update after the address has changed."""
    return sum(len(data) for way, data in _moved(scene) if way == OUT)


def rebind_rtts(scene):
    return _asked(_moved(scene))


def _asked(seen):
    """How often somebody waits for an answer until the first that is no handshake comes."""
    return sum(way == IN for way, data in seen[: seen.index((IN, said(seen, IN)[0])) + 1])


def cold_boot(scene):
    """Round trips from a power cut to the next registration."""
    with scene:
        scene.boot()
        scene.cut()
        mark = scene.relay.mark()
        scene.boot()
        return _asked(scene.relay.since(mark))


FIGURES = {"register": register, "least": least, "update": update, "send": send, "notify": notify,
           "bootstrap": bootstrap, "handshake": handshake, "rebind_bytes": rebind_bytes, "rebind_rtts": rebind_rtts,
           "cold_boot": cold_boot}


def _foreign(server, client, offset=0):
    """The datagrams of a handshake between a foreign server, started on a free port, and a foreign client."""
    port = free_port()
    with Relay(port + offset) as relay:
        serving = _started(server, port)
        time.sleep(0.5)
        asking = _started(client, relay.port)
        try:
            until(lambda: sum(is_handshake(data) for _, data in relay.seen) >= 6, "no handshake")
            time.sleep(0.2)
            return sum(len(data) for _, data in relay.seen if is_handshake(data))
        finally:
            for process in (serving, asking):
                process.kill()
                process.communicate()


def _started(command, port):
    try:
        return subprocess.Popen([word % port if "%d" in word else word for word in command], stdin=subprocess.PIPE,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except OSError as problem:
        raise Fault("no %s here" % command[0], "apt-get install openssl libcoap3-bin", DEVICE) from problem


def _openssl():
    """Forced to the cipher suite that we use."""
    words = ["-dtls1_2", "-cipher", "PSK-AES128-CCM8:@SECLEVEL=0", "-psk", _PEER_KEY.encode().hex()]
    server = ["openssl", "s_server", *words, "-nocert", "-listen", "-accept", "127.0.0.1:%d"]
    return _foreign(server, ["openssl", "s_client", *words, "-psk_identity", "dev1", "-connect", "127.0.0.1:%d"])


def _libcoap():
    server = ["coap-server-openssl", "-A", "127.0.0.1", "-p", "%d", "-k", _PEER_KEY, "-h", "hint"]
    client = ["coap-client-openssl", "-k", _PEER_KEY, "-u", "dev1", "coaps://127.0.0.1:%d/"]
    return _foreign(server, client, 1)  # it speaks DTLS one port above


def peers():
    """-> (name, bytes) of the leaner of those that are here."""
    found = []
    for name, measured in (("OpenSSL s_client", _openssl), ("libcoap, OpenSSL", _libcoap)):
        try:
            found.append((measured(), name))
        except Fault:
            continue
    value, name = min(found) if found else (None, None)
    return name, value


PEERS = {"handshake": peers}
