"""G1: `pointsman serve platform --broker` publishes what operators push to Eclipse Mosquitto, and gives it again to one
that has lost it."""

import asyncio
import base64
import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from aiocoap.numbers.codes import Code
from mosquitto import PATIENCE_S, Mosquitto
from programs import found
from pushed import Member, written

from pointsman.tools import cli, faults
from pointsman.tools.policies import keys, signing
from pointsman.tools.policies.asking import Asking

TOKEN, PASSWORD, TOPIC = "0123456789abcdef", "geheim-7", "policies/meters"


@pytest.fixture
def mosquitto(tmp_path):
    """One that lets in whom it knows; it keeps nothing when it is killed."""
    for name, text in (("token", TOKEN), ("password", PASSWORD + "\n"), ("wrong", "x\n"), ("users", "")):
        (tmp_path / name).write_text(text)
        os.chmod(tmp_path / name, 0o600)
    program = found("mosquitto_passwd", "mosquitto")
    subprocess.run([program, "-b", tmp_path / "users", "platform", PASSWORD], check=True)
    broker = Mosquitto(tmp_path, "allow_anonymous false", "password_file %s" % (tmp_path / "users"))
    yield broker.start()
    broker.end()


class Served:
    """The platform as a process; `said`: what it has printed."""

    def __init__(self, folder, broker, password="password"):
        words = ["serve", "platform", "--insecure", "--bind", "127.0.0.1:0", "--db", str(folder / "books.sqlite"),
                 "--rest", "127.0.0.1:0", "--rest-token", str(folder / "token"),
                 "--broker", "mqtt://127.0.0.1:%d" % broker.port, "--broker-user", "platform",
                 "--broker-password", str(folder / password), "--json"]  # fmt: skip
        self.said, self._read, command = [], {}, [sys.executable, "-m", "pointsman.tools", *words]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self._end = threading.Timer(6 * PATIENCE_S, self.process.kill)  # then until() ends too
        self._end.start()
        self.uri, rest = self.until("started")["uri"], self.until("rest")
        self.asking = Asking("http://127.0.0.1:%d" % rest["port"], TOKEN.encode())

    def until(self, event):
        """The next line about this, whatever else has been looked for meanwhile."""
        at = self._read.get(event, 0)
        while True:
            if at == len(self.said):
                line = self.process.stdout.readline()
                assert line, "%s was never said: %s" % (event, self.said)
                self.said.append(line)
            at += 1
            if json.loads(self.said[at - 1])["event"] == event:
                self._read[event] = at
                return json.loads(self.said[at - 1])

    def end(self, how=signal.SIGTERM):
        self._end.cancel()
        self.process.send_signal(how)
        self.said += self.process.communicate(timeout=PATIENCE_S)[0].splitlines()
        return self.process.returncode


@pytest.fixture
def serve(mosquitto, tmp_path):
    running = []

    def begin(*more):
        running.append(Served(tmp_path, mosquitto, *more))
        return running[-1]

    yield begin
    for one in running:
        if one.process.poll() is None:
            one.end(signal.SIGKILL)


def retained(broker):
    """What a new subscriber finds within a second, if anything."""
    command = [found("mosquitto_sub", "mosquitto-clients"), "-h", "127.0.0.1", "-p", str(broker.port), "-t", TOPIC,
               "-q", "1", "-C", "1", "-N", "-W", "1", "-u", "platform", "-P", PASSWORD]  # fmt: skip
    return subprocess.run(command, stdout=subprocess.PIPE, timeout=PATIENCE_S, check=False).stdout


async def becomes_retained(broker, document):
    end, last = time.monotonic() + PATIENCE_S, None
    while last != document:
        assert time.monotonic() < end, last
        last = await asyncio.to_thread(retained, broker)


def test_what_is_pushed_is_published_and_published_again(serve, mosquitto, tmp_path):
    document = signing.sign(written(7), keys.create(tmp_path / "operator.pem"))
    platform = serve()

    async def story():
        async with Member("dev0") as device:
            await device.register(platform.uri)
            await asyncio.to_thread(push, platform.asking.ask, document)
            assert (await asyncio.to_thread(platform.until, "broker_published"))["topic"] == TOPIC
            await becomes_retained(mosquitto, document)
            answer = await device.ask(platform.uri + "/policy", payload=device.says(7, 0))
            assert answer.code == Code.CHANGED
            await asyncio.to_thread(platform.until, "policy")
        told = await asyncio.to_thread(platform.asking.ask, "GET", "groups", "meters", "policies", 7)
        assert told["counts"]["acknowledged"] == 1
        assert await asyncio.to_thread(platform.end) == 0
        mosquitto.end(signal.SIGKILL)
        (tmp_path / "mosquitto.db").unlink(missing_ok=True)
        await asyncio.to_thread(mosquitto.start)
        assert await asyncio.to_thread(retained, mosquitto) == b""
        again = await asyncio.to_thread(serve)
        assert (await asyncio.to_thread(again.until, "broker_published"))["topic"] == TOPIC
        await becomes_retained(mosquitto, document)
        assert PASSWORD not in "".join(platform.said + again.said)
    asyncio.run(asyncio.wait_for(story(), 6 * PATIENCE_S))


def test_an_abort_that_the_broker_has_missed(serve, mosquitto, tmp_path):
    """It was away, and the platform restarted before it came back: nobody finds the document there any more."""
    document, platform = signing.sign(written(8), keys.create(tmp_path / "operator.pem")), serve()

    async def story():
        async with Member("dev0") as device:
            await device.register(platform.uri)
            await asyncio.to_thread(push, platform.asking.ask, document)
            await becomes_retained(mosquitto, document)
            await asyncio.to_thread(mosquitto.end)
            await asyncio.to_thread(platform.asking.ask, "POST", "groups", "meters", "policies", 8, "abort")
            assert await asyncio.to_thread(platform.end) == 0
            await asyncio.to_thread(mosquitto.start)
            await becomes_retained(mosquitto, document)
            again = await asyncio.to_thread(serve)
            await asyncio.to_thread(again.until, "broker_published")
            await becomes_retained(mosquitto, b"")
    asyncio.run(asyncio.wait_for(story(), 6 * PATIENCE_S))


def push(ask, document):
    """To a group of one device, which listens to its topic."""
    ask("POST", "groups", name="meters", topic=TOPIC)
    ask("PUT", "devices", "dev0", capabilities=["mqtt"])
    ask("POST", "groups", "meters", "members", endpoints=["dev0"])
    ask("POST", "groups", "meters", "policies", document=base64.b64encode(document).decode())


def test_a_password_that_is_wrong(serve):
    platform = serve("wrong")
    assert "authori" in platform.until("broker_refused")["why"].lower()


@pytest.mark.parametrize("words, said", [
    (["--broker", "http://x"], "mqtt://host[:port] or mqtts://host[:port]"),
    (["--broker", "mqtt://["], "mqtt://host[:port] or mqtts://host[:port]"),
    (["--broker", "mqtt://u:p@x"], "without user and password"),
    (["--broker-user", "u"], "--broker-user is for --broker"),
    (["--broker", "mqtt://x", "--broker-user", "u"], "--broker-user and --broker-password go together"),
    (["--broker", "mqtt://x", "--broker-user", "u", "--broker-password", "none"], "there is no none"),
    (["--broker", "mqtt://x", "--broker-ca", "none"], "--broker-ca is for mqtts://"),
    (["--broker", "mqtts://x", "--broker-ca", "none"], "--broker-ca none: No such file"),
])
def test_how_no_broker_is_served(words, said, capsys):
    assert cli.main(["serve", "platform", "--insecure", "--bind", "127.0.0.1:0", *words]) == faults.USAGE
    assert said in capsys.readouterr().err


def test_a_password_in_the_clear_needs_a_word(capsys, tmp_path):
    """Where all else is protected too."""
    (tmp_path / "secret").write_text("5e" * 32)
    (tmp_path / "secret").chmod(0o600)
    secured = ["serve", "platform", "--security", "dtls", "--secret", str(tmp_path / "secret"), "--broker-user", "u",
               "--broker-password", str(tmp_path / "secret"), "--broker"]
    assert cli.main([*secured, "mqtt://broker.example"]) == faults.USAGE
    assert "the password for the broker would go in the clear" in capsys.readouterr().err
