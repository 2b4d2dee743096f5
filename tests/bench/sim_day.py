"""sim.day_s: seconds that one simulated day with faults takes (all agents, servers and networks in one process)."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SEEDS = 20


def measure(quick=False):
    """-> [{"value", "interpreter", "n"}], one for each interpreter that is there."""
    found = []
    for name, command in (("cpython", [sys.executable]), ("micropython", _micropython())):
        if command:
            seeds = 3 if quick else SEEDS
            command = [*command, str(ROOT / "tests" / "sim" / "day.py"), str(seeds)]
            output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
            value = float(output.split(" s a day")[0].split()[-1])
            found.append({"value": value, "interpreter": name, "n": seeds})
    return found


def _micropython():
    beside = shutil.which("micropython", path=str(Path(sys.executable).parent))
    named = shutil.which(os.environ.get("MICROPYTHON", "")) or beside or shutil.which("micropython")
    return [named, "-X", "heapsize=4M"] if named else None
