"""lab.failover_ms: from the pulled cable to a registration at the platform, as the servers' own records have it."""

import statistics

import story

from pointsman.tools.faults import Fault
from pointsman.tools.firmware.launch import find_micropython


def measure(quick=False):
    """One row an interpreter: the median of as many stories, each with a seed of its own."""
    interpreters = ["cpython"] + (["micropython"] if find_micropython() else [])
    return [_row(interpreter, 1 if quick else 3) for interpreter in interpreters]


def _row(interpreter, runs):
    figures = []
    for seed in range(1, runs + 1):
        summary, why = story.play("--agent", interpreter, seed=seed)
        if not summary:
            raise Fault("the story with --agent %s --seed %d failed, %s" % (interpreter, seed, why),
                        "run it by hand: pointsman lab --once --agent %s --seed %d" % (interpreter, seed))
        figures.append(summary["failover_ms"])
    return {"value": statistics.median(figures), "interpreter": interpreter, "n": runs}
