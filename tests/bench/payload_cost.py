"""lwm2m.*_alloc_bytes, lwm2m.*_us: what it costs to write one payload and its datagram, from the value to the bytes
that go to the socket, with the code that is needed for it (a Read loads it, and lets it go). On a heap of a hundred KiB
what is allocated has to be collected, in a pause of some ms.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from pointsman.tools.firmware.build import compile_file
from pointsman.tools.firmware.launch import find_micropython, need_micropython

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = "payload_rendering"


def measure(quick=False, figure="alloc", what="notify"):
    """One row an interpreter; what is allocated only MicroPython says."""
    times = 50 if quick else 500
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        _compile(Path(folder))
        for interpreter, place in (("cpython", None), ("micropython", folder)):
            if (interpreter == "cpython" and figure == "us") or (place and (figure == "alloc" or find_micropython())):
                value = _run(place, times)[what][("alloc", "us").index(figure)]
                rows.append({"value": int(value), "interpreter": interpreter, "n": times})
    return rows


def _compile(folder):
    """As a device has it."""
    for path in [*(ROOT / "agent").rglob("*.py"), Path(__file__).with_name(SCRIPT + ".py")]:
        target = folder / (path.relative_to(ROOT) if path.name != SCRIPT + ".py" else path.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        compile_file(path, target.with_suffix(".mpy"))


def _run(folder, times):
    """-> {operation: (bytes, us)}."""
    if folder:
        command = [need_micropython(), "-X", "heapsize=2M", "-c", "import %s; %s.main(%d)" % (SCRIPT, SCRIPT, times)]
        names = {**os.environ, "MICROPYPATH": folder}
    else:
        command = [sys.executable, str(Path(__file__).with_name(SCRIPT + ".py")), str(times)]
        names = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=names, check=True, capture_output=True, text=True, cwd=folder or ROOT)
    return {name: tuple(rest) for name, *rest in map(str.split, done.stdout.splitlines())}
