"""The command line as a person meets it: help that teaches, one line for every failure, an exit code of its own."""

import os
import subprocess
import sys

import pytest

from pointsman.tools import cli, faults
from pointsman.tools.commands import bench

ENVIRONMENT = dict(os.environ, NO_COLOR="1")


def pointsman(*words, **more):
    """The command in a process of its own."""
    return subprocess.run([sys.executable, "-m", "pointsman.tools", *words], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=300, env=dict(ENVIRONMENT, **more))


def test_help_shows_every_command_and_an_example():
    done = pointsman("--help")
    assert done.returncode == 0
    assert all("\n  %s " % name in done.stdout for name in cli.COMMANDS)
    assert "pointsman lab --once" in done.stdout


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_teaches_by_example(name):
    done = pointsman(name, "--help")
    assert done.returncode == 0, done.stderr
    assert "pointsman " + name in done.stdout.partition("options:")[2]
    assert pointsman("help", name).stdout == done.stdout


def test_version():
    assert pointsman("--version").stdout.startswith("pointsman ")


@pytest.mark.parametrize("words, said", [
    (["lap"], "no command is called lap; did you mean lab?"),
    (["--vrsion"], "unknown argument --vrsion; did you mean --version?"),
    (["bench", "--jsn"], "bench: unknown argument --jsn; did you mean --json?"),
    (["bench", "heap.story_min"], "no figure is called heap.story_min; did you mean heap.story_min_kib?"),
])
def test_wrong_usage_is_one_line_with_the_nearest_word(words, said):
    done = pointsman(*words)
    assert (done.returncode, done.stdout, done.stderr) == (faults.USAGE, "", "pointsman: %s\n" % said)


def test_no_command_is_wrong_usage_and_shows_the_help():
    done = pointsman()
    assert done.returncode == faults.USAGE and "commands:" in done.stdout


def _failing(monkeypatch, error):
    def run(args):
        raise error

    monkeypatch.setattr(bench, "run", run)
    return cli.main(["bench"])


@pytest.mark.parametrize("code", [faults.DEVICE, faults.BUSY, faults.STORE, faults.HOST, faults.PROGRAM])
def test_a_fault_is_one_line_and_its_code(monkeypatch, capsys, code):
    assert _failing(monkeypatch, faults.Fault("it is so", "do this", code)) == code
    assert capsys.readouterr().err == "pointsman: it is so; do this\n"


def test_a_refused_setting_is_wrong_usage(monkeypatch, capsys):
    from agent.errors import LocalError

    assert _failing(monkeypatch, LocalError("lifetime_s: 0 is too low")) == faults.USAGE
    assert capsys.readouterr().err == "pointsman: lifetime_s: 0 is too low\n"


def test_a_bug_is_one_line_that_says_how_to_see_more(monkeypatch, capsys):
    monkeypatch.delenv("POINTSMAN_DEBUG", raising=False)
    assert _failing(monkeypatch, ValueError("two\nlines")) == faults.FAILED
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "ValueError: two lines" in said and "POINTSMAN_DEBUG=1" in said
    monkeypatch.setenv("POINTSMAN_DEBUG", "1")
    assert _failing(monkeypatch, ValueError("two\nlines")) == faults.FAILED
    assert "Traceback" in capsys.readouterr().err


def test_interrupted(monkeypatch, capsys):
    assert _failing(monkeypatch, KeyboardInterrupt()) == faults.INTERRUPTED


def test_a_reader_that_went_away_is_no_error():
    """`pointsman ... | head -1`: no traceback, nothing on stderr."""
    command = "import sys; from pointsman.tools import cli; input(); sys.exit(cli.main(['bench', '--list']))"
    child = subprocess.Popen([sys.executable, "-c", command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, env=ENVIRONMENT)
    child.stdout.close()
    child.stdin.write(b"\n")
    child.stdin.close()
    assert child.stderr.read() == b""
    assert child.wait(300) == faults.PIPE_CLOSED
    child.stderr.close()
