"""heap.*: the smallest `-X heapsize=` of MicroPython (64-bit) in which the lab's whole story passes.

The code is loaded from .mpy files, or executed in place from a ROMFS image that is mapped outside the heap
(tools/firmware/inplace.py), so that the figure is what would be RAM on a device that has the code in flash.
"""

import tempfile
from pathlib import Path

import story

from pointsman.tools.faults import Fault
from pointsman.tools.firmware.build import build_mpy, build_romfs
from pointsman.tools.firmware.launch import need_micropython

# KiB. Nothing starts in the lower one; where even the upper one fails, the story is broken and not the heap too small.
LOW, HIGH = 32, 256


def measure(form, quick=False):
    """One row. form: "mpy" or "romfs". The result is the smallest size that passed, to 4 KiB, and passed twice."""
    need_micropython()
    with tempfile.TemporaryDirectory() as folder:
        root = _build(form, Path(folder))
        runs = [0]

        def passes(kib):
            runs[0] += 1
            return story.play("--agent", "micropython", "--heap", "%dK" % kib, "--agent-root", str(root), seed=runs[0])

        smallest = bisect(passes, 16 if quick else 4)
    return [{"value": smallest, "interpreter": "micropython", "n": runs[0]}]


def bisect(passes, step):
    """Smallest multiple of step (KiB) that passes twice; passes(kib) -> (truth, why not). Raises Fault if none does."""
    truth, why = passes(HIGH)
    if not truth:
        raise Fault("the story fails even with a heap of %d KiB, %s" % (HIGH, why),
                    "run it by hand: pointsman lab --once --agent micropython")
    bad, good = LOW // step, HIGH // step
    while good - bad > 1:
        middle = (bad + good) // 2
        if passes(middle * step)[0]:
            good = middle
        else:
            bad = middle
    # Where it is tight one run can be lucky: what counts must pass once more.
    while not passes(good * step)[0]:
        good += 1
    return good * step


def _build(form, folder):
    if form == "mpy":
        return build_mpy(folder / "tree")
    image = folder / "image.romfs"
    build_romfs(image)
    return image
