"""Runs under CPython and MicroPython: tries so many damaged and forged envelopes, and prints how many were refused for
their form and how many for their signature.

usage: python|micropython forge.py COUNT
"""

import sys

sys.path[:0] = [__file__.rpartition("/")[0] + "/" + folder for folder in ("../unit", "../..")]

from forging import hammer  # noqa: E402

print(*hammer(int(sys.argv[1]), 1))
