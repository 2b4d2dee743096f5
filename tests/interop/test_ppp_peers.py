"""PPP and dialling against programs that are not ours: Debian's `slirp` (a PPP stack) and `chat` (pppd's dialler)."""

import asyncio
import contextlib
import os
import pty
import random
import select
import signal
import socket
import time
import tty

import pytest
from modem_device import until
from programs import found

from agent.engine.ppp import Ppp
from pointsman.tools.modem.emulator import Emulator
from pointsman.tools.modem.packets import build_udp


def scenario(steps, **known):
    """steps(emulator) on a modem that is ready."""

    async def main():
        emulator = Emulator(ms={"boot": 1, "sim": 1, "attach": 1, "dial": 1}, **known)
        await emulator.start()
        await until(lambda: emulator.state.registered, "the network")
        try:
            await steps(emulator)
        finally:
            await emulator.stop()

    asyncio.run(main())


class Slirp:
    """slirp's PPP on a terminal of its own, our PPP before it."""

    def __init__(self, program):
        self.number, self.far = pty.fork()  # it needs a controlling terminal
        if not self.number:
            os.execv(program, [program, "ppp"])
        tty.setraw(self.far)
        while select.select([self.far], [], [], 0.3)[0]:
            os.read(self.far, 4096)  # its greeting
        self.ppp, self.events = Ppp(random.Random(1).randrange), []
        self.ppp.open(self.now())

    @staticmethod
    def now():
        return int(time.monotonic() * 1000)

    def until(self, kind, again=lambda: None):
        """The first event of this kind. again(): what is done every 3 s."""
        asked = time.monotonic()
        end = asked + 60
        while kind not in [event[0] for event in self.events]:
            assert time.monotonic() < end, self.events
            if time.monotonic() > asked + 3:
                asked += 3
                again()
            self.turn()
            if select.select([self.far], [], [], 0.05)[0]:
                self.ppp.receive(os.read(self.far, 4096), self.now())
            self.ppp.poll(self.now())
        return [event for event in self.events if event[0] == kind][0]

    def turn(self):
        for item in self.ppp.take():
            if item[0] == "serial":
                os.write(self.far, item[1])
            else:
                self.events.append(item)

    def close(self):
        os.kill(self.number, signal.SIGKILL)
        os.waitpid(self.number, 0)
        os.close(self.far)


def test_the_agents_ppp_against_slirp():
    """RFC 1661, 1332: a stack that has no address of its own and wants one from us; UDP through it, and its end."""
    program = found("slirp-fullbolt", "slirp")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as echo:
        echo.bind(("127.0.0.1", 0))
        echo.settimeout(5)
        slirp = Slirp(program)
        try:
            _, address, _, _ = slirp.until("up")
            assert address == "10.0.2.15"

            def ask():  # once more where the datagram, or its answer, got lost on a busy machine
                slirp.ppp.send(build_udp(address, 40000, "10.0.2.2", echo.getsockname()[1], b"hello"))
                slirp.turn()
                with contextlib.suppress(TimeoutError):
                    data, peer = echo.recvfrom(100)
                    echo.sendto(data.upper(), peer)

            ask()
            assert slirp.until("packet", ask)[1][28:] == b"HELLO"
            slirp.ppp.close(slirp.now())
            assert slirp.until("down") == ("down", "closed")
        finally:
            slirp.close()


def test_chat_dials_through_the_emulator():
    """The dialogue of a pppd installation: chat's script on the emulator's port, up to CONNECT."""
    program = found("chat", "ppp")
    script = ["ABORT", "NO CARRIER", "ABORT", "ERROR", "TIMEOUT", "30", "", "ATZ", "OK", 'AT+CGDCONT=1,"IP","internet"',
              "OK", "ATD*99#", "CONNECT", ""]  # fmt: skip

    async def steps(emulator):
        line = os.open(emulator.path, os.O_RDWR | os.O_NOCTTY)
        try:
            await asyncio.sleep(0.2)
            process = await asyncio.create_subprocess_exec(program, "-v", "-S", *script, stdin=line, stdout=line)
            assert await asyncio.wait_for(process.wait(), 60) == 0
            (call,) = (await emulator.control({"do": "status"}))["calls"]
            assert call["online"] and call["state"] == "lcp"
            await emulator.control({"do": "registration", "verdict": "denied"})
            process = await asyncio.create_subprocess_exec(program, "-S", *script, stdin=line, stdout=line)
            assert await asyncio.wait_for(process.wait(), 60) == 4  # its first ABORT string: NO CARRIER
        finally:
            os.close(line)

    scenario(steps)


def test_pyserial_over_tcp():
    """pyserial's socket:// on the emulator's TCP port; hanging up the connection ends the call, as DTR would."""
    serial = pytest.importorskip("serial", reason="pyserial comes with mpremote: pip install mpremote")

    def dialogue(path):
        with serial.serial_for_url("socket://" + path, timeout=60) as port:
            port.write(b"ATE0\r")
            assert b"OK" in port.read_until(b"OK\r\n")
            port.write(b"AT+CSQ\r")
            assert b"+CSQ: 22" in port.read_until(b"OK\r\n")
            port.write(b"ATD*99#\r")
            assert b"CONNECT" in port.read_until(b"CONNECT 150000000\r\n")
        with serial.serial_for_url("socket://" + path, timeout=60) as port:
            port.write(b"AT\r")
            assert b"OK" in port.read_until(b"OK\r\n")

    async def steps(emulator):
        await asyncio.get_running_loop().run_in_executor(None, dialogue, emulator.path)
        assert (await emulator.control({"do": "status"}))["calls"] == []

    scenario(steps, socket="127.0.0.1:0")
