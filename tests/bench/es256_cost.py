"""es256.verify_ms, es256.heap_kib: what it costs a device to believe a signed policy. The peer is `cryptography`, which
is OpenSSL, doing the same: envelope by cbor2, signature.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from pointsman.tools.faults import Fault
from pointsman.tools.firmware.build import compile_file
from pointsman.tools.firmware.launch import ROOT, find_micropython, need_micropython

HERE = Path(__file__).parent
UNIT = HERE.parent / "unit"
LOW, HIGH, STEP = 12, 128, 4  # KiB; MicroPython does not start in the lower one
# Of agent/, each file as it is: the build would join some with all that is always loaded.
NEEDED = ("__init__", "errors", "codec/__init__", "codec/cbor", "codec/cose", "codec/strict", "codec/utf8",
          "crypto/__init__", "crypto/es256")
OPENING = """
import hashlib
from agent.codec import cose, strict
from agent.crypto import es256
_, _, _, proven, body, proof = cose.split(%r)
good = es256.verify(%r, proof, hashlib.sha256(proven).digest()) and strict.load_all(body)[2] == 7
print("believed" if good else "refused")
"""
# The root is mounted as a device has it (tools/firmware/launch.py).
STARTING = "import sys, vfs; vfs.mount(vfs.VfsPosix(%r), '/flash'); sys.path[:] = ['/flash', '.frozen']; import opening"


def measure(quick=False, figure="verify"):
    """verify: one row an interpreter, the shortest of some runs. heap: the smallest multiple of STEP that passed three
    times, for MicroPython (64-bit) with .mpy files, one document opened in a process of its own."""
    return _times(10 if quick else 50) if figure == "verify" else [_heap()]


def _times(count):
    found = [("cpython", sys.executable)] + ([("micropython", find_micropython())] if find_micropython() else [])
    peer = round(_peer(count), 2)
    rows = []
    for interpreter, command in found:
        words = [command, str(HERE / "es256_timing.py"), str(count)]
        done = subprocess.run(words, check=True, capture_output=True, text=True)
        rows.append({"value": round(float(done.stdout), 2), "interpreter": interpreter, "n": count,
                     "peer": "cryptography", "peer_value": peer})
    return rows


def _peer(count):
    envelope, key = _document()
    times = []
    for _ in range(count):
        began = time.perf_counter()
        protected, _, body, proof = cbor2.loads(envelope).value
        signature = encode_dss_signature(int.from_bytes(proof[:32], "big"), int.from_bytes(proof[32:], "big"))
        public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + key)
        proven = cbor2.dumps(["Signature1", protected, b"pointsman-policy-v1", body])
        public.verify(signature, proven, ec.ECDSA(hashes.SHA256()))
        times.append(time.perf_counter() - began)
    return min(times) * 1000


def _document():
    """A signed policy, and the key it is signed with."""
    if str(UNIT) not in sys.path:
        sys.path.insert(0, str(UNIT))
    from signed import SIGNED, SIGNER

    return SIGNED, SIGNER


def _heap():
    runs = 0
    with tempfile.TemporaryDirectory() as folder:
        tree = build(Path(folder), *_document())
        for kib in range(LOW, HIGH + STEP, STEP):
            passed = 0
            while passed < 3 and verdict(tree, kib) == "believed":
                passed += 1
            runs += min(passed + 1, 3)
            if passed == 3:
                return {"value": kib, "interpreter": "micropython", "n": runs}
    raise Fault("no policy is believed even with a heap of %d KiB" % HIGH, "run tests/unit/test_cose.py")


def verdict(tree, kib):
    """What MicroPython with a heap of so many KiB says to what build() made: "believed", "refused", or nothing."""
    words = [need_micropython(), "-X", "heapsize=%dK" % kib, "-c", STARTING % str(tree)]
    return subprocess.run(words, capture_output=True, text=True).stdout.strip()


def build(folder, envelope, key):
    """A folder with a program in .mpy files: whether this is an envelope of version 7, signed with this key."""
    for name in NEEDED:
        target = folder / "agent" / (name + ".mpy")
        target.parent.mkdir(parents=True, exist_ok=True)
        compile_file(ROOT / "agent" / (name + ".py"), target, name)
    source = folder / "source.py"
    source.write_text(OPENING % (envelope, key), "utf-8")
    compile_file(source, folder / "opening.mpy", "opening")
    return folder
