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

COMMAND = [sys.executable, "-m", "pointsman.tools", "serve"]


def serve(*arguments):
    """Run to the end: (exit code, standard error)."""
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=30)
    return done.returncode, done.stderr.strip()


@pytest.fixture
def started():
    """Starts a server and gives its address and the process."""
    processes = []

    def start(*arguments):
        process = subprocess.Popen([*COMMAND, *arguments, "--insecure", "--json"], stdout=subprocess.PIPE, text=True)
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
    output, _ = process.communicate(timeout=20)
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
    assert code == 2 and "--insecure" in text and len(text.splitlines()) == 1


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
