"""dtls.seal_100_us, dtls.handshake_us: what DTLS costs in time, on either interpreter. The peer of sealing is the CCM
of the package `cryptography`, which is OpenSSL's.
"""

import statistics
import subprocess
import sys
import time
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from pointsman.tools.firmware.launch import find_micropython

RUNS = 3


def measure(quick=False, figure="seal"):
    """One row an interpreter: the median of RUNS runs."""
    count = 500 if quick else 3000
    found = [("cpython", sys.executable)] + ([("micropython", find_micropython())] if find_micropython() else [])
    at = ("seal", "handshake").index(figure)
    peer = ("cryptography", round(_peer(count), 1)) if figure == "seal" else (None, None)
    rows = []
    for interpreter, command in found:
        values = [_run(command, count)[at] for _ in range(RUNS)]
        rows.append({"value": round(statistics.median(values), 1), "interpreter": interpreter, "n": count,
                     "peer": peer[0], "peer_value": peer[1]})
    return rows


def _run(command, count):
    script = str(Path(__file__).with_name("dtls_timing.py"))
    done = subprocess.run([command, script, str(count)], check=True, capture_output=True, text=True)
    return [float(word) for word in done.stdout.split()]


def _peer(count):
    cipher = AESCCM(bytes(16), tag_length=8)
    began = time.perf_counter()
    for _ in range(count):
        cipher.encrypt(bytes(12), bytes(100), bytes(13))
    return (time.perf_counter() - began) / count * 1e6
