"""Every modem family against the emulator with its profile: comes up, carries datagrams, loses what can be lost, and
comes back. A pseudo-terminal and real UDP sockets; once under real MicroPython.
"""

import asyncio
import importlib
import os
import re
import sys
import time
from pathlib import Path

import pytest
from families import FAMILIES, WITHOUT_PPP, connect, every_family, exchange, run, with_sockets, without_sockets
from modem_device import Echo, until

from agent.engine import modem_ladder
from agent.engine.modem import Modem
from agent.modems import generic
from pointsman.tools.modem import emulator as emulators

pytestmark = pytest.mark.long
HERE = Path(__file__).parent


async def quiet(device):
    """Wait for the end of reading: a SIM7000 that is asked what has come just when it loses its sockets hangs for good,
    as a real one would."""
    await until(lambda: not device.modem._sockets.busy(), "the end of reading")


def test_every_profile_is_here():
    assert sorted(FAMILIES) == emulators.names()


@with_sockets
def test_comes_up_and_carries(profile):
    """W1: found by itself; identity read; datagrams of any bytes, from and to an address and a name."""

    async def steps(emulator, device, echo):
        await connect(device)
        assert device.modem._channel.family.__name__.rpartition(".")[2] == FAMILIES[profile]
        known, own = device.modem.identity, emulator.profile["identity"]
        assert known["iccid"] == own["iccid"].rstrip("F") and known["imsi"] == own["imsi"]
        assert known["imei"] == own["imei"] and known["manufacturer"] == own["manufacturer"]
        await exchange(device, echo, b"hello\r\nOK\r\n> \"@ +CREG: 1\x00\xff")
        assert echo.seen[0][1][0] == "127.0.0.3"
        for size in (1, 100, 1024):
            await exchange(device, echo, b"x" * size)
        device.do("send", "localhost", echo.port, b"by name")
        await until(lambda: device.datagrams[-1] == ("localhost", echo.port, b"BY NAME"), "an answer by name")
        echo.transport.sendto(b"unasked", echo.seen[0][1])
        await until(lambda: device.datagrams[-1][2] == b"unasked", "what nobody asked for")
        device.do("send", "no-such-host.invalid", 5683, b"x")
        await until(lambda: device.modem._sockets.dropped, "the refusal")
        await exchange(device, echo, b"y")
        assert device.modem.state == "connected" and "failed" not in device.states
        await until(lambda: device.modem.signal in (-69, -77), "the signal")
        assert emulator.state.context(emulator.profile["context"]).apn == "iot"

    run(profile, steps, apn="of.another.network")


@with_sockets
def test_several_datagrams_at_once(profile):
    """Each is one datagram again at our end, none is lost, one byte at a time."""

    async def steps(emulator, device, echo):
        await connect(device)
        await emulator.control({"do": "split", "bytes": 16})
        await exchange(device, echo, b"a")
        for number in range(5):
            echo.transport.sendto(b"%d" % number * (number + 1), echo.seen[0][1])
        await until(lambda: len(device.datagrams) == 6, device.datagrams)
        assert [item[2] for item in device.datagrams[1:]] == [b"0", b"11", b"222", b"3333", b"44444"]

    run(profile, steps)


@with_sockets
def test_several_peers_at_once(profile, monkeypatch):
    """A notice that comes inside the answer about another socket is not missed; here nothing makes that good."""
    monkeypatch.setattr(modem_ladder, "_DOUBT_MS", 3600000)

    async def steps(emulator, device, echo):
        await connect(device)
        others = [Echo() for _ in range(2)]
        for other in others:
            await device.loop.create_datagram_endpoint(lambda other=other: other, local_addr=("127.0.0.1", 0))
            other.port = other.transport.get_extra_info("sockname")[1]
        peers = [echo] + others
        for peer in peers:
            await exchange(device, peer, b"a")
        await quiet(device)
        for line in ("+CREG: 1", "RING", "+CEREG: 1") * 3:
            await emulator.control({"do": "urc", "line": line, "inside": True})
        for number in range(3):
            for peer in peers:
                peer.transport.sendto(b"%d" % number, peer.seen[0][1])
                await asyncio.sleep(0.002)
        await until(lambda: len(device.datagrams) == 12, device.datagrams)
        expected = [("127.0.0.1", peer.port, b"%d" % number) for peer in peers for number in range(3)]
        assert sorted(device.datagrams[3:]) == sorted(expected)
        for other in others:
            other.transport.close()

    run(profile, steps)


@with_sockets
def test_context_and_socket_lost(profile):
    """W3: the modem closes a socket, the network deactivates the context; each is seen and made good."""

    async def steps(emulator, device, echo):
        await connect(device)
        await exchange(device, echo, b"a")
        await quiet(device)
        number = (await emulator.control({"do": "status"}))["sockets"][0]["number"]
        assert await emulator.control({"do": "close", "number": number}) == {"ok": True}
        await until(lambda: not any(device.modem._sockets._slots), "the closed socket")
        await exchange(device, echo, b"b")
        await quiet(device)
        since = len(device.states)
        await emulator.control({"do": "detach"})
        await until(lambda: "registered" in device.states[since:], device.states)
        await connect(device, since)
        await exchange(device, echo, b"c")

    run(profile, steps)


@with_sockets
def test_coverage_lost(profile):
    """W3: the network goes, and comes back."""

    async def steps(emulator, device, echo):
        await connect(device)
        await exchange(device, echo, b"c")
        since = len(device.states)
        await emulator.control({"do": "coverage", "on": False})
        await until(lambda: device.modem.state != "connected", device.states)
        await emulator.control({"do": "coverage", "on": True})
        await connect(device, since)
        await exchange(device, echo, b"d")

    run(profile, steps)


@with_sockets
def test_restart_and_sim_change(profile):
    """S1: another SIM is another identity; a restart by itself is noticed."""

    async def steps(emulator, device, echo):
        await connect(device)
        since = len(device.states)
        await emulator.control({"do": "restart"})
        await until(lambda: "unknown" in device.states[since:], device.states)
        await connect(device, since)
        await exchange(device, echo, b"a")
        await quiet(device)
        since = len(device.states)
        await emulator.control({"do": "sim", "present": False})
        await until(lambda: device.modem.state == "failed" and device.modem.reason == "no SIM", device.states)
        emulator.state.sim.iccid = "8988211000000000024F"
        await emulator.control({"do": "sim", "present": True})
        await connect(device, since)
        assert device.modem.identity["iccid"] == "8988211000000000024"
        await exchange(device, echo, b"b")

    run(profile, steps)


@with_sockets
def test_the_contexts_silent_end(profile):
    """The network took the context and nobody said so: the next datagram that cannot be sent tells."""

    async def steps(emulator, device, echo):
        await connect(device)
        await exchange(device, echo, b"a")
        since = len(device.states)
        await emulator.control({"do": "detach", "silent": True})
        device.do("send", "127.0.0.1", echo.port, b"lost")
        if not emulator.profile.get("on_demand"):  # else its next service brings it up again
            await until(lambda: "registered" in device.states[since:], device.states)
            await connect(device, since)
        await exchange(device, echo, b"b")

    run(profile, steps)


async def ask(device, command, wanted="OK"):
    """Send a command by hand until its answer holds `wanted`; a refusal is none."""
    heard = ""
    os.write(device.fd, command.encode() + b"\r")
    end = time.monotonic() + 60
    while not re.search(r"\r\n%s" % wanted, heard):
        assert time.monotonic() < end and ("ERROR" not in heard or wanted == "ERROR"), (command, heard)
        await asyncio.sleep(0.005)
        try:
            heard += os.read(device.fd, 4096).decode("latin-1")
        except BlockingIOError:
            pass


@every_family
def test_the_tables_fit_the_modem(profile):
    """What a family's tables have, its modem knows: settings, dialling, multiplexer, restart, power off."""
    family = importlib.import_module("agent.modems." + FAMILIES[profile])

    def row(name):
        return getattr(family, name, getattr(generic, name))

    async def steps(emulator, device, echo):
        device.loop.remove_reader(device.fd)
        for command in row("INIT").split("\n")[1:-1] + [row("ICCID")]:
            await ask(device, command)
        await ask(device, "AT+CFUN=1")
        await until(lambda: emulator.state.registration == 1, "the network")
        can = profile not in WITHOUT_PPP
        await ask(device, row("DIAL"), "CONNECT" if can else "ERROR")
        await emulator.control({"do": "restart"})
        await until(lambda: not emulator.state.running, "the restart")
        await until(lambda: emulator.state.running, "boot")
        if row("MUX") and can:
            await ask(device, row("MUX"))
            await until(lambda: emulator.lines.mux, "the multiplexer")
            assert not emulator.lines.mux._broken
            await emulator.control({"do": "restart"})
            await until(lambda: not emulator.state.running, "the restart")
            await until(lambda: emulator.state.running, "boot")
        await ask(device, row("RESET"))
        await until(lambda: not emulator.state.running, "the restart")
        await until(lambda: emulator.state.running, "boot")
        if row("OFF"):
            await ask(device, row("OFF"))
            await until(lambda: not emulator.state.power, "power off")

    run(profile, steps)


@with_sockets
def test_a_real_micropython_dials_twice(profile):
    """The same on the other interpreter; the second run finds the context, and perhaps sockets, of the first."""
    from pointsman.tools.firmware.launch import find_micropython

    program = find_micropython() or sys.executable

    async def steps(emulator, device, echo):
        device.loop.remove_reader(device.fd)  # the port belongs to the process
        for text in ("first", "second"):
            process = await asyncio.create_subprocess_exec(
                program, str(HERE / "modem_pty.py"), str(HERE.parents[1]), emulator.path, "127.0.0.1", str(echo.port),
                text, stdout=asyncio.subprocess.PIPE)  # fmt: skip
            output, _ = await asyncio.wait_for(process.communicate(), 120)
            assert output.decode().strip() == "answer " + text.upper()

    run(profile, steps)


@without_sockets
def test_what_has_no_sockets_waits_registered(profile):
    """S1: identity; a restart and another SIM are noticed; it does not go beyond "registered"."""

    async def steps(emulator, device, echo):
        device.do("target", "connected")
        await until(lambda: device.modem.state == "registered", device.states)
        assert device.modem.reason == "no sockets"
        known, own = device.modem.identity, emulator.profile["identity"]
        assert known["iccid"] == own["iccid"] and known["imsi"] == own["imsi"] and known["imei"] == own["imei"]
        assert device.modem._channel.family.__name__.rpartition(".")[2] == FAMILIES[profile]
        since = len(device.states)
        await emulator.control({"do": "restart"})
        await until(lambda: "unknown" in device.states[since:], device.states)
        await until(lambda: device.modem.state == "registered", device.states)
        await emulator.control({"do": "sim", "present": False})
        await until(lambda: device.modem.reason == "no SIM", device.states)
        emulator.state.sim.iccid = "8988211000000000024F"
        await emulator.control({"do": "sim", "present": True})
        await until(lambda: device.modem.state == "registered", device.states)
        assert device.modem.identity["iccid"] == "8988211000000000024"

    run(profile, steps)


TRIES = ["cinterion-ehs6", "fibocom-l610", "huawei-me909s", "nordic-sm", "sierra-hl7800", "telit-le910c1"]


@pytest.mark.parametrize("profile", TRIES)
def test_the_last_try_is_left(profile):
    """A locked SIM is opened with its PIN; one with a single try left is not touched (each maker tells it his way)."""

    async def steps(emulator, device, echo):
        device.modem = Modem("auto", "iot", pin="1234", memory={"kept": True})
        await emulator.control({"do": "sim", "present": True, "lock": "SIM PIN"})
        device.do("target", "registered")
        await until(lambda: device.modem.state == "registered", device.states)
        await emulator.control({"do": "sim", "present": False})
        await until(lambda: device.modem.state == "failed", device.states)
        await emulator.control({"do": "sim", "present": True, "lock": "SIM PIN", "tries": 1})
        await until(lambda: device.modem.state == "locked", device.states)
        assert "1 tries left" in device.modem.reason and emulator.state.sim.tries == 1

    run(profile, steps)


USB = ["cinterion-pls62", "fibocom-l610", "huawei-me909s", "quectel-ec25", "simcom-a7670", "simcom-sim7600",
       "telit-le910c1"]  # fmt: skip


@pytest.mark.parametrize("profile", USB)
def test_the_usb_network(profile):
    """A session that the modem carries over USB: started, its end noticed, started again, stopped."""

    async def steps(emulator, device, echo):
        device.modem = Modem("auto", "iot", session="usb")
        context = emulator.state.context(1)
        await connect(device)
        assert context.active
        since = len(device.states)
        await emulator.control({"do": "coverage", "on": False})
        await emulator.control({"do": "coverage", "on": True})
        device.modem._wake(True)
        device.do("poll")
        await until(lambda: "registered" in device.states[since:], device.states)
        await connect(device, since)
        assert context.active
        device.do("target", "registered")
        await until(lambda: not context.active, "the network's end")

    run(profile, steps)
