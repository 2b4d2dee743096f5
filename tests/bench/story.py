"""The lab's story as a child process: what the benchmarks of heap and fail-over run again and again."""

import json
import subprocess
import sys

TIMEOUT_S = 400


def play(*options, seed=1):
    """Run `pointsman lab --once` with these options, and without security unless they say so.

    Returns (summary, why): its last JSON line and None where everything happened; None and the reason where not.
    """
    command = [sys.executable, "-m", "pointsman.tools", "lab", "--once", "--json", "--seed", str(seed),
               "--security", "none", *options]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return None, "no end after %d s" % TIMEOUT_S
    summary = _summary(done.stdout)
    if done.returncode == 0 and summary and summary.get("ok"):
        return summary, None
    broken = [line for line in done.stdout.splitlines() if '"event": "broken"' in line]
    told = broken or (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
    return None, "exit code %d: %s" % (done.returncode, "\n".join(told) or "it said nothing")


def _summary(output):
    lines = output.strip().splitlines()
    try:
        row = json.loads(lines[-1]) if lines else {}
    except ValueError:
        return None
    return row if row.get("event") == "summary" else None
