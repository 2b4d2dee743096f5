"""`pointsman modem` as a process: its port, its control socket, its exit codes, its one-line complaints."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
START = """
import sys
sys.path.insert(0, %r)
import conftest
from pointsman.tools import cli
sys.exit(cli.main(["modem"] + sys.argv[1:]))
""" % str(ROOT / "tests")


class Process:
    """A running `pointsman modem`; use it in a `with`."""

    def __init__(self, *options):
        self.process = subprocess.Popen([sys.executable, "-c", START, *options], stdin=subprocess.DEVNULL, text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT)  # fmt: skip

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def line(self):
        return self.process.stdout.readline().strip()

    def end(self, number):
        """Send a signal; the exit code."""
        self.process.send_signal(number)
        return self.process.wait(60)


def ask(path, command, wanted, seconds=60):
    """Write a command to the port until what comes back holds `wanted`."""
    port = os.open(path, os.O_RDWR | os.O_NOCTTY)
    heard, end = b"", time.monotonic() + seconds
    try:
        while wanted not in heard:
            assert time.monotonic() < end, heard
            os.write(port, command + b"\r")
            if select.select([port], [], [], 0.3)[0]:
                heard += os.read(port, 4096)
    finally:
        os.close(port)


def control(path, *requests):
    """Send control commands on one connection; the answers."""
    with socket.socket(socket.AF_UNIX) as end, end.makefile("rwb") as lines:
        end.connect(str(path))
        answers = []
        for request in requests:
            lines.write(request if isinstance(request, bytes) else json.dumps(request).encode() + b"\n")
            lines.flush()
            answers.append(json.loads(lines.readline()))
        return answers


def test_the_port_survives_being_opened_and_closed():
    with Process() as modem:
        path = modem.line()
        for _ in range(3):
            ask(path, b"ATI", b"EC25")
        assert modem.end(signal.SIGINT) == 130
        assert "Traceback" not in modem.process.stderr.read()


def test_link_and_control(tmp_path):
    link, pipe = tmp_path / "modem", tmp_path / "modem.ctl"
    with Process("--link", str(link), "--control", str(pipe)) as modem:
        assert modem.line() == str(link)
        assert pipe.stat().st_mode & 0o777 == 0o600
        ask(link, b"AT+CSQ", b"+CSQ: 22")
        answers = control(pipe, {"do": "coverage", "on": False}, {"do": "status"}, {"do": "help"})
        assert answers[0] == {"ok": True} and answers[1]["coverage"] is False and "sim" in answers[2]["commands"]
        control(pipe, {"do": "port", "on": False})
        assert not link.is_symlink()
        control(pipe, {"do": "port", "on": True})
        ask(link, b"AT+CSQ", b"+CSQ: 99")
        assert modem.end(signal.SIGTERM) == 0
    assert not link.is_symlink() and not pipe.exists()


def test_a_script_is_played(tmp_path):
    script = tmp_path / "script"
    script.write_text('# loses the network\n0.3 {"do": "covrage"}\n\n0 {"do": "signal", "level": 7}\n')
    with Process("--json", "--script", str(script), "--tcp", "127.0.0.1:0") as modem:
        events = [json.loads(modem.line())]
        while events[-1]["event"] != "script":
            events.append(json.loads(modem.line()))
        assert "did you mean coverage?" in events[-1]["error"]
        assert {"do": "signal", "level": 7}.items() <= [e for e in events if e["event"] == "control"][0].items()
        host, _, port = events[0]["path"].partition(":")
        with socket.create_connection((host, int(port))) as line, line.makefile("rwb", buffering=0) as stream:
            stream.write(b"AT+CSQ\r")
            heard = b""
            while b"+CSQ: 7" not in heard:
                heard += stream.read(100)


def test_what_was_recorded_is_answered_again(tmp_path):
    kept = tmp_path / "field.jsonl"
    with Process("--record", str(kept), "--boot-ms", "0") as modem:
        ask(modem.line(), b"AT+QGMR?;+CSQ", b"ERROR")
        assert modem.end(signal.SIGTERM) == 0
    assert kept.stat().st_mode & 0o777 == 0o600
    with Process("--replay", str(kept)) as modem:
        path = modem.line()
        ask(path, b"AT+QGMR?;+CSQ", b"ERROR")
        ask(path, b"ATI", b"ERROR")  # nobody asked that
        assert modem.end(signal.SIGINT) == 130


def test_a_seed_repeats_the_trouble():
    def trouble():
        with Process("--json", "--seed", "3", "--every", "1") as modem:
            events = []
            while len(events) < 3:
                event = json.loads(modem.line())
                if event["event"] == "control":
                    events.append({key: event[key] for key in event if key != "t"})
            return events

    assert trouble() == trouble()


def test_bad_control_commands_get_their_cause(tmp_path):
    pipe = tmp_path / "ctl"
    with Process("--control", str(pipe)) as modem:
        modem.line()
        for request, cause in (
            (b"nonsense\n", "an object"), (b"[" * 3000 + b"\n", "an object"), ([], "an object"), ({}, "an object"),
            ({"do": "covrage"}, "did you mean coverage?"), ({"do": "coverage"}, "on is missing"),
            ({"do": "coverage", "on": 1}, "on does not fit"), ({"do": "delay", "ms": -1}, "ms does not fit"),
            ({"do": "delay", "ms": 1.5}, "ms does not fit"), ({"do": "split", "bytes": True}, "bytes does not fit"),
            ({"do": "sim", "present": True, "lock": "x"}, "lock does not fit"),
            ({"do": "urc", "line": "a\r\nOK"}, "line does not fit"), ({"do": "mute", "on": True, "x": 1}, "x does not"),
        ):  # fmt: skip
            assert cause in control(pipe, request)[0]["error"], request
        assert control(pipe, {"do": "status"})[0]["faults"] == {}


def test_json_tells_what_happens():
    with Process("--json", "--trace") as modem:
        first = json.loads(modem.line())
        assert first["actor"] == "modem" and first["event"] == "port"
        ask(first["path"], b"AT+CPIN?", b"READY")
        events = [first]
        while events[-1]["event"] != "command":
            events.append(json.loads(modem.line()))
        assert "registration" in [event["event"] for event in events] or events[-1]["command"] == "AT+CPIN?"


@pytest.mark.parametrize("options, code, words", [
    (["--profile", "quectel-ec52"], 2, "no modem profile is called quectel-ec52; did you mean quectel-ec25?"),
    (["--profile", "x"], 2, "choose one of: "),
    (["--dial-ms", "soon"], 2, "soon is no time"),
    (["--address", "203.0.113.9"], 6, "203.0.113.9 is no address of this machine"),
    (["--control", "/no/such/folder/ctl"], 4, "no control socket at /no/such/folder/ctl"),
    (["--link", __file__], 4, "exists and is no link"),
    (["--tcp", "here"], 2, "here is no place; for example 127.0.0.1:7000"),
    (["--tcp", "203.0.113.9:7000"], 4, "no port at 203.0.113.9:7000"),
    (["--tcp", "127.0.0.1:0", "--unix", "x"], 2, "exclude each other"),
    (["--auth", "eap:a:b"], 2, "eap:a:b is no authentication"),
    (["--record", "/no/such/folder/x"], 4, "no record at /no/such/folder/x"),
    (["--replay", "/no/such/record"], 2, "the record /no/such/record cannot be read"),
    (["--replay", __file__], 2, "line 1: "),
    (["--replay", "x", "--seed", "1"], 2, "--seed does not go with --replay"),
    (["--seed", "x"], 2, "x is no seed"),
    (["--seed", "1", "--every", "0"], 2, "0 is no time; 1 to 86400 s"),
    (["--script", "/no/such/script"], 2, "the script /no/such/script cannot be read"),
    (["--script", __file__], 2, "line 1: "),
    (["--link", "/no/such/folder/modem"], 4, "no link at /no/such/folder/modem"),
    (["--control", __file__], 4, "exists and is no socket"),
])
def test_one_line_says_what_is_wrong(options, code, words):
    with Process(*options) as modem:
        assert modem.process.wait(180) == code
        lines = modem.process.stderr.read().splitlines()
        assert len(lines) == 1 and words in lines[0], lines
        assert modem.process.stdout.read() == ""


def test_a_second_modem_on_the_same_control_socket_is_told(tmp_path):
    pipe = tmp_path / "ctl"
    with Process("--control", str(pipe)) as first:
        first.line()
        with Process("--control", str(pipe)) as second:
            assert second.process.wait(180) == 4
            assert "another modem is controlled" in second.process.stderr.read()
        first.process.kill()
        first.process.wait()
    with Process("--control", str(pipe)) as third:  # what a killed one left behind is no obstacle
        third.line()
        assert control(pipe, {"do": "status"})[0]["profile"] == "quectel-ec25"
