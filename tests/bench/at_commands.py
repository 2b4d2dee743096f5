"""at.commands_per_s: AT commands and their answers over a pseudo-terminal, one after the other.

Our channel under CPython and under MicroPython asks a responder in a process of its own, which is no emulator but
answers at once: so what is measured is ours and the system's. A modem of metal answers in 10 to 100 ms.
"""

import os
import statistics
import subprocess
import sys
import tty
from pathlib import Path

from pointsman.tools.firmware.launch import find_micropython

ROOT = Path(__file__).resolve().parents[2]
RUNS = 3


def measure(quick=False):
    """One row an interpreter: the median of RUNS runs of `n` commands."""
    count = 1000 if quick else 5000
    interpreters = [("cpython", sys.executable)]
    if find_micropython():
        interpreters.append(("micropython", find_micropython()))
    with Responder() as port:
        runs = [[_ours(command, port, count) for _, command in interpreters] for _ in range(RUNS)]
    values = [statistics.median(column) for column in zip(*runs, strict=True)]
    return [{"value": round(value), "interpreter": name, "n": count}
            for (name, _), value in zip(interpreters, values, strict=True)]


class Responder:
    """A process that answers every line as a modem of good reception does. As a context it gives its port."""

    def __enter__(self):
        self._process = subprocess.Popen([sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         text=True)
        return self._process.stdout.readline().strip()

    def __exit__(self, *_):
        self._process.kill()
        self._process.communicate()


def _ours(interpreter, port, count):
    asking = Path(__file__).with_name("at_asking.py")
    done = subprocess.run([interpreter, str(asking), port, str(count)], cwd=ROOT, check=True, capture_output=True,
                          text=True, env={**os.environ, "PYTHONPATH": str(ROOT), "MICROPYPATH": str(ROOT)})
    return float(done.stdout)


def _respond():
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    print(os.ttyname(theirs), flush=True)
    while True:
        for _ in range(os.read(ours, 512).count(b"\r")):
            os.write(ours, b"\r\n+CSQ: 18,99\r\n\r\nOK\r\n")


if __name__ == "__main__":
    _respond()
