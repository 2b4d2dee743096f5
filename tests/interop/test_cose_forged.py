"""Ten thousand damaged and forged envelopes: none is believed, and none ends in anything but a refusal."""

import subprocess
import sys
from pathlib import Path

import pytest

from pointsman.tools.firmware.launch import need_micropython

COUNT = 10_000


@pytest.mark.long
@pytest.mark.parametrize("interpreter", ["cpython", "micropython"])
def test_no_forgery_is_believed(interpreter):
    command = [sys.executable] if interpreter == "cpython" else [need_micropython(), "-X", "heapsize=256K"]
    script = str(Path(__file__).with_name("forge.py"))
    done = subprocess.run([*command, script, str(COUNT)], capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    malformed, unsigned = map(int, done.stdout.split())
    assert malformed + unsigned == COUNT and min(malformed, unsigned) > COUNT // 4
