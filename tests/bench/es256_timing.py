"""Runs under CPython and MicroPython: prints the ms that opening a whole signed policy takes, envelope and signature:
the shortest of TIMES.

usage: python|micropython es256_timing.py TIMES
"""

import sys
import time

sys.path[:0] = [__file__.rpartition("/")[0] + "/" + folder for folder in ("../unit", "../..")]

from signed import SIGNED, opens  # noqa: E402

ticks = getattr(time, "ticks_us", None) or (lambda: time.perf_counter_ns() // 1000)


def opening():
    began = ticks()
    assert opens(SIGNED)
    return ticks() - began


print(min([opening() for _ in range(int(sys.argv[1]))]) / 1000)
