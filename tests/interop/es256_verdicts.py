"""Runs under CPython and MicroPython: says for each line `key signature digest` of a file whether it fits together.

usage: python|micropython es256_verdicts.py FILE
"""

import sys

sys.path.insert(0, __file__.rpartition("/")[0] + "/../..")

from agent.crypto import es256  # noqa: E402

with open(sys.argv[1]) as file:
    print("".join([str(int(es256.verify(*[bytes.fromhex(word) for word in line.split()]))) for line in file]))
