"""`pointsman serve` as a process: it serves, it ends, and it says in one line why it cannot."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys

import pytest
from aiocoap.numbers.codes import Code
from fake_device import FakeDevice
from guarded import Guarded, make

from pointsman.tools.servers.credentials import Secret, load_key

COMMAND = [sys.executable, "-m", "pointsman.tools", "serve"]


def serve(*arguments):
    """Run to the end: (exit code, standard error)."""
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=180)
    return done.returncode, done.stderr.strip()


@pytest.fixture
def started():
    """Starts a server and gives its address and the process."""
    processes = []

    def start(*arguments, secured=False):
        more = ["--json"] if secured else ["--insecure", "--json"]
        process = subprocess.Popen([*COMMAND, *arguments, *more], stdout=subprocess.PIPE, text=True)
        processes.append(process)
        line = json.loads(process.stdout.readline())
        assert line["event"] == "started"
        return line["uri"], process
    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_platform_serves_until_it_is_interrupted(started, tmp_path, number):
    uri, process = started("platform", "--bind", "127.0.0.1:0", "--db", str(tmp_path / "books.sqlite"))

    async def story():
        async with FakeDevice("dev1") as device:
            assert (await device.register(uri, epoch=1)).code == Code.CREATED
            assert (await device.send(uri, 0, [1])).code == Code.CHANGED
    asyncio.run(story())
    process.send_signal(number)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    events = [json.loads(line) for line in output.splitlines()]
    assert [line["event"] for line in events] == ["registered", "readings", "stopped"]
    assert all(line["actor"] == "platform" and line["t"] >= 0 for line in events)


def test_gateway_and_configuration_serve(started, tmp_path):
    accounts = tmp_path / "devices.json"
    accounts.write_text('{"dev1": {"accounts": [{"uri": "coap://127.0.0.1:9", "ssid": 1}]}}')
    lan, _ = started("gateway", "--bind", "127.0.0.1:0", "--platform", "coap://127.0.0.1:9")
    uri, _ = started("configuration", "--bind", "127.0.0.1:0", "--accounts", str(accounts))

    async def story():
        async with FakeDevice("dev1") as device:
            assert (await device.register(lan)).code == Code.CREATED
            assert (await device.ask(uri + "/bs?ep=dev1&pct=112")).code == Code.CHANGED
    asyncio.run(story())


def test_security_must_be_given_up_in_so_many_words():
    code, text = serve("platform")
    assert code == 2 and "--insecure" in text and "--security" in text and len(text.splitlines()) == 1


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Secrets, good and bad, in the folder that commands are started in."""
    monkeypatch.chdir(tmp_path)
    for name in ("good", "open"):
        (tmp_path / name).write_text("5e" * 32)
        (tmp_path / name).chmod(0o600 if name == "good" else 0o644)
    return tmp_path


@pytest.mark.parametrize("words, said", [
    ("platform --security oscore", "--secret"),
    ("platform --security none", "--insecure"),
    ("platform --security none --insecure --secret good", "--secret"),
    ("platform --insecure --secret good", "--insecure"),
    ("platform --security dtls --secret good --insecure", "--insecure"),
    ("platform --security oscore --secret good", "--db FILE"),
    ("platform --security dtls --secret open", "chmod 600 open"),
    ("platform --security dtls --secret nowhere", "openssl rand"),
    ("platform --security tls --secret good", "oscore"),
    ("gateway --gateway gw-1 --platform coap://127.0.0.1:9", "--gateway"),
    ("gateway --security dtls --secret good --platform coap://127.0.0.1:9", "the way to the platform"),
    ("gateway --security dtls --secret good --platform coaps://127.0.0.1:9 --insecure", "--platform-key"),
    ("gateway --security dtls --secret good --platform coaps://127.0.0.1:9 --platform-key good", "32 hexadecimal"),
])
def test_security_that_is_none(files, words, said):
    """Refused in one line with the remedy, and without a byte of a secret."""
    code, text = serve(*words.split())
    assert code == 2 and said in text and len(text.splitlines()) == 1 and "5e5e" not in text, text


def key(*words):
    done = subprocess.run([*COMMAND[:-1], "key", *words], capture_output=True, text=True, timeout=180)
    return done.returncode, done.stdout + done.stderr.strip()


def test_key(files):
    """It is written for its owner alone, shown to nobody, and never over another."""
    words = ("gw-1", "--security", "dtls", "--secret", "good", "--out", "gw-1.key")
    assert key(*words) == (0, "")
    assert load_key(files / "gw-1.key") == Secret(b"\x5e" * 32).device_key("dtls", "gw-1")
    assert (files / "gw-1.key").stat().st_mode & 0o777 == 0o600
    assert key("m", *words[1:5], "--out", "m.json", "--json") == (0, "")
    assert json.loads((files / "m.json").read_text()) == {"device_key": Secret(b"\x5e" * 32).dtls_key(b"m").hex()}
    code, text = key(*words)
    assert code == 2 and "gw-1.key" in text and len(text.splitlines()) == 1
    assert key("gw-1", "--security", "dtls", "--secret", "open", "--out", "x")[0] == 2 and not (files / "x").exists()


@pytest.mark.parametrize("security", ["oscore", "dtls"])
def test_secured_servers_serve(started, files, security):
    """The chain as its operator sets it up: secrets, the gateway's key; a device's reading comes to the platform."""
    scheme = "coaps" if security == "dtls" else "coap"
    (files / "lan").write_text("a5" * 32)
    (files / "lan").chmod(0o600)
    assert key("gw-1", "--security", security, "--secret", "good", "--out", "gw-1.key") == (0, "")
    up, platform = started("platform", "--bind", "127.0.0.1:0", "--security", security, "--secret", "good", "--db",
                           "p.sqlite", "--gateway", "gw-1", secured=True)
    uri, _ = started("gateway", "--bind", "127.0.0.1:0", "--security", security, "--secret", "lan", "--db", "g.sqlite",
                     "--platform", up, "--platform-key", "gw-1.key", secured=True)
    assert up.startswith(scheme + "://") and uri.startswith(scheme + "://")

    async def story():
        guard = Guarded(make(security, "dev1", Secret(b"\xa5" * 32).device_key(security, "dev1")), uri)
        async with FakeDevice("dev1") as device, guard:
            assert (await device.register(guard.uri, epoch=1)).code == Code.CREATED
            assert (await device.send(guard.uri, 0, [1])).code == Code.CHANGED
            while "readings" not in (line := await asyncio.to_thread(platform.stdout.readline)):
                assert line, "the platform has ended"

    asyncio.run(asyncio.wait_for(story(), 180))


def test_a_port_in_use_is_named():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
        code, text = serve("platform", "--insecure", "--bind", f"127.0.0.1:{port}")
    assert code == 4 and str(port) in text and "--bind" in text and len(text.splitlines()) == 1


@pytest.mark.parametrize("expected, word, arguments", [
    (6, "nowhere.invalid", ["platform", "--bind", "nowhere.invalid:5683"]),
    (6, "nowhere.invalid", ["gateway", "--platform", "coap://nowhere.invalid"]),
    (6, "192.0.2.1", ["platform", "--bind", "192.0.2.1:5683"]),
    (2, "HOST:PORT", ["platform", "--bind", "5683"]),
    (2, "HOST:PORT", ["platform", "--bind", "127.0.0.1:99999"]),
    (2, "--platform", ["gateway"]),
    (2, "--platform", ["gateway", "--platform", "http://x"]),
    (2, "--advertise", ["platform", "--advertise"]),
    (2, "--multicast-port", ["configuration", "--multicast-port", "0"]),
    (2, "--limit", ["platform", "--limit", "0"]),
    (2, "nosuch", ["platform", "--db", "nosuch://x"]),
    (5, "cannot open", ["platform", "--db", "/nowhere/at/all.sqlite"]),
    (2, "nofile", ["configuration", "--accounts", "nofile.json"]),
])
def test_what_cannot_be_is_said_in_one_line(expected, word, arguments):
    code, text = serve(*arguments, "--insecure")
    assert (code, len(text.splitlines())) == (expected, 1) and word in text, text


@pytest.mark.parametrize("line, word, text", [
    (2, "Expecting", '{"dev1":\n nonsense}'),
    (1, "object", "[]"),
    (3, "ssid", '{"a": {"accounts": [{"uri": "coap://x", "ssid": 1}]},\n"b": {"accounts": [\n{"ssid": ""}]}}'),
    (1, "accounts", '{"dev1": {"settings": {}}}'),
    (2, "apn", '{"dev1": {"accounts": [{"uri": "coap://x", "ssid": 1}],\n"settings": {"apn": 1}}}'),
])
def test_a_bad_accounts_file_is_refused_at_its_line(tmp_path, line, word, text):
    file = tmp_path / "devices.json"
    file.write_text(text)
    code, said = serve("configuration", "--insecure", "--accounts", str(file))
    assert code == 2 and f"line {line}:" in said and word in said and len(said.splitlines()) == 1, said


def test_a_file_that_is_no_database_is_left_alone(tmp_path):
    file = tmp_path / "letter.txt"
    file.write_text("Dear Sir or Madam, " * 20)
    code, text = serve("platform", "--insecure", "--db", str(file))
    assert code == 5 and "letter.txt" in text
    assert file.read_text() == "Dear Sir or Madam, " * 20 and os.listdir(tmp_path) == ["letter.txt"]
