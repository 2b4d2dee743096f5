"""Runs under CPython and MicroPython: prints the us that sealing 100 bytes takes, and a handshake with both its ends.

usage: python|micropython dtls_timing.py TIMES
"""

import sys
import time

sys.path[:0] = [__file__.rpartition("/")[0] + "/" + folder for folder in ("../unit", "../..")]

from dtls_server import Line  # noqa: E402

from agent.crypto.ccm import Ccm  # noqa: E402

TIMES = int(sys.argv[1])
ticks = getattr(time, "ticks_us", None) or (lambda: time.perf_counter_ns() // 1000)


def sealing():
    seal, plain, nonce, additional = Ccm(bytes(16)).seal, bytes(100), bytes(12), bytes(13)
    began = ticks()
    for _ in range(TIMES):
        seal(nonce, plain, additional)
    return (ticks() - began) / TIMES


def shaking():
    began = ticks()
    for _ in range(TIMES // 10):
        line = Line()
        line.client.open(0)
        line.run()
        assert line.client.is_up()
    return (ticks() - began) / (TIMES // 10)


print(sealing(), shaking())
