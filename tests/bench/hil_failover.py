"""hil.failover_ms: on the virtual Raspberry Pi of tests/hil, the cable pulled to registered over PPP, by the platform's
books; the modem's own dialling is part of it.
"""

import importlib
import statistics
import sys
from pathlib import Path

from pointsman.tools.faults import DEVICE, Fault

_HIL = str(Path(__file__).resolve().parents[1] / "hil")
SETTLE = 2  # readings after each move: the kernel tells of a change at once only when a second has gone by


def measure(quick=False):
    """One row. Fault where there is no QEMU, or no Debian packages for the guest."""
    if _HIL not in sys.path:
        sys.path.insert(0, _HIL)
    missing, virtual_pi = importlib.import_module("needs").Missing, importlib.import_module("virtual_pi")
    try:
        with virtual_pi.VirtualPi() as pi:
            values = _failovers(pi, 2 if quick else 7)
    except missing as cause:
        raise Fault("this machine lacks %s" % cause, "see `make hil`", DEVICE) from cause
    return [{"value": round(statistics.median(values), 1), "interpreter": "cpython", "n": len(values)}]


def _failovers(pi, count):
    """[ms] of each."""
    found = []
    pi.started()
    for _ in range(count):
        at = pi.guest.cable(False)
        found.append((pi.registered_at("platform", at) - at) * 1000)
        pi.readings(SETTLE)
        pi.registered_at("gw-1", pi.guest.cable(True))
        pi.readings(SETTLE)
    return found
