"""Every modem family dials against the emulator with its profile: PPP beside AT commands, or instead of them."""

import asyncio
import importlib
import os
import sys
from pathlib import Path

import pytest
from families import FAMILIES, WITHOUT_PPP, run, with_ppp, without_sockets
from modem_device import until

from agent.engine.modem import Modem
from agent.modems import generic

pytestmark = pytest.mark.long
HERE = Path(__file__).parent


@without_sockets
@pytest.mark.parametrize("interpreter", ["cpython", "micropython"])
def test_what_has_no_sockets_dials(profile, interpreter):
    """Datagrams by PPP, both ways; the context goes, the network hangs up, and goes itself: dialled again."""
    from pointsman.tools.firmware.launch import find_micropython

    program = find_micropython() or sys.executable if interpreter == "micropython" else sys.executable

    async def steps(emulator, device, echo):
        device.loop.remove_reader(device.fd)  # the port belongs to the process
        process = await asyncio.create_subprocess_exec(
            program, str(HERE / "modem_dial.py"), str(HERE.parents[1]), emulator.path, str(echo.port),
            "one", "two", "three", "four", stdout=asyncio.subprocess.PIPE,
            env=dict(os.environ, PYTHONUNBUFFERED="1"))  # fmt: skip
        heard = []

        async def answer(text):
            while not heard or heard[-1] != "answer " + text:
                line = await asyncio.wait_for(process.stdout.readline(), 120)
                assert line, heard  # it says in which state it was left
                heard.append(line.decode().strip())

        for text, loss in (("ONE", {"do": "detach"}), ("TWO", {"do": "ppp", "fault": "terminate"}),
                           ("THREE", {"do": "coverage", "on": False}), ("FOUR", None)):  # fmt: skip
            await answer(text)
            await emulator.control(loss or {"do": "status"})
            if text == "THREE":
                await emulator.control({"do": "coverage", "on": True})
        assert await process.wait() == 0
        addresses = [line.split()[1] for line in heard if line.startswith("up")]
        assert len(set(addresses)) == 4 and emulator.state.context(1).apn == "iot"

    run(profile, steps)


@with_ppp
def test_a_data_call_in_the_multiplexer(profile):
    """W3: PPP beside AT commands for every family that can; the others dial without."""
    family = importlib.import_module("agent.modems." + FAMILIES[profile])

    async def steps(emulator, device, echo):
        device.loop.remove_reader(device.fd)  # the port belongs to the process
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(HERE / "cmux_device.py"), str(HERE.parents[1]), emulator.path, "auto", str(echo.port),
            "", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)  # fmt: skip
        output, _ = await asyncio.wait_for(process.communicate(), 120)
        lines = output.decode().split("\n")
        beside = bool(getattr(family, "MUX", generic.MUX))
        calls = [line.split(" ", 2)[2] for line in lines if line.startswith("address")]
        assert calls == ["beside AT" if beside else "at once"] * 2 and lines[-2] == "end", lines
        assert ("signal None" in lines) != beside and (emulator.lines.mux is not None) == beside

    run(profile, steps)


@pytest.mark.parametrize("profile", WITHOUT_PPP)
def test_what_cannot_dial_says_so(profile):
    """It stays registered, and its refusal is the reason; no call, no multiplexer."""

    async def steps(emulator, device, echo):
        device.modem = Modem("auto", "iot", session="ppp", cmux="auto")
        device.do("target", "connected")
        await until(lambda: "connecting" in device.states and device.modem.state == "registered", device.states)
        assert "ERROR" in device.modem.reason and not emulator.lines.calls() and not emulator.lines.mux

    run(profile, steps)


@pytest.mark.parametrize("profile", ["nordic-sm", "quectel-ec25"])
def test_killed_in_the_middle_of_a_call(profile):
    """The next life leads the modem out of data mode: a Serial Modem by the end of its PPP, as it knows no +++; and
    dials in the right context again."""

    async def steps(emulator, device, echo):
        device.loop.remove_reader(device.fd)  # the port belongs to the processes
        for _ in range(2):
            process = await asyncio.create_subprocess_exec(
                sys.executable, str(HERE / "cmux_device.py"), str(HERE.parents[1]), emulator.path, "off",
                str(echo.port), "kill", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)  # fmt: skip
            output, _ = await asyncio.wait_for(process.communicate(), 120)
            assert output.endswith(b"end\n") and b"at once" in output, output
            assert [call.cid for call in emulator.lines.calls()] == [emulator.profile["context"]]

    run(profile, steps)
