"""A real agent whose only way out is a data call: dial, PPP, register over the interface; and every way to lose it."""

import asyncio
import json
import os
import shutil
import sys
from pathlib import Path

import pytest
from modem_device import until
from registrar import Registrar

from pointsman.tools.modem.dialogue import Answer
from pointsman.tools.modem.emulator import Emulator

HERE = Path(__file__).parent
QUICK = {"boot": 50, "sim": 5, "attach": 20, "dial": 20, "guard": 200}

pytestmark = pytest.mark.skipif(os.geteuid() != 0 or not os.path.exists("/dev/net/tun"),
                                reason="needs root and /dev/net/tun: run as root")


class Agent:
    """`pointsman agent --ppp` in a network namespace of its own; `log` holds its entries."""

    def __init__(self, emulator, registrar, folder, *words):
        self.emulator, self.registrar, self.folder, self.words = emulator, registrar, folder, words
        self.log = []

    async def __aenter__(self):
        command = [sys.executable, str(HERE / "netns_agent.py"), "--endpoint", "meter-7", "--insecure", "--json",
                   "--server", "coap://10.64.0.1:%d" % self.registrar.port, "--lifetime", "20", "--store",
                   str(self.folder), "--link", "eth=lo", "--modem", self.emulator.path, "--ppp", "ppp0",
                   *self.words]  # fmt: skip
        if not any("report_period_s" in word for word in self.words):
            command += ["--set", "report_period_s=1"]
        self.process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
        self.reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_):
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()
        await self.reading

    async def _read(self):
        async for line in self.process.stdout:
            try:
                self.log.append(json.loads(line))
            except ValueError:
                self.log.append({"actor": "output", "event": line.decode().rstrip()})

    async def until(self, condition, what):
        end = asyncio.get_running_loop().time() + 120
        while not condition():
            assert asyncio.get_running_loop().time() < end and self.process.returncode is None, "%s; log:\n%s" % (
                what, "\n".join(json.dumps(entry) for entry in self.log[-40:]))
            await asyncio.sleep(0.02)

    def count(self, actor, event):
        return len([entry for entry in self.log if (entry["actor"], entry["event"]) == (actor, event)])

    async def registered(self, number):
        """It has registered so many times with the server."""
        rows = lambda: [row for row in self.registrar.seen if row[1:3] == ("0.02", ("rd",))]  # noqa: E731
        await self.until(lambda: len(rows()) >= number, "registration %d" % number)
        assert {row[0][0] for row in rows()} == {"127.0.0.3"}  # from the modem's address, by way of the relay


def scenario(steps, folder, *words, **known):
    async def main():
        emulator = Emulator(ms=QUICK, **known)
        await emulator.start()
        try:
            with Registrar() as registrar:
                async with Agent(emulator, registrar, folder, *words) as agent:
                    await agent.registered(1)
                    await steps(emulator, agent)
        finally:
            await emulator.stop()

    asyncio.run(main())


@pytest.mark.parametrize("cmux", ["auto", "off"])
def test_registers_over_a_data_call_and_says_good_bye(cmux, tmp_path):
    """W1, W3: dial, PPP, register; on SIGTERM de-register over the same way, and leave the modem in command mode."""

    async def steps(emulator, agent):
        await agent.until(lambda: [row for row in agent.registrar.seen if row[2] == ("dp",)], "a reading")
        assert (emulator.lines.mux is not None) == (cmux == "auto")
        agent.process.terminate()
        assert await asyncio.wait_for(agent.process.wait(), 60) == 0
        assert agent.registrar.seen[-1][1] == "0.04"
        await agent_gone(emulator)

    scenario(steps, tmp_path, "--set", "cmux=" + cmux)


async def agent_gone(emulator):
    """Its last bytes have arrived: no multiplexer, no call."""
    await until(lambda: not emulator.lines.mux and not emulator.lines.calls(), "the end of the call")


def test_an_operator_that_wants_a_secret(tmp_path):
    async def steps(emulator, agent):
        assert not [entry for entry in agent.log if "s3cret" in json.dumps(entry)]

    ppp = {"auth": "chap", "user": "me", "secret": "s3cret"}
    secrets = tmp_path / "secrets.json"
    secrets.touch(0o600)
    secrets.write_text(json.dumps({"ppp_secret": "s3cret"}))
    scenario(steps, tmp_path, "--set", "ppp_user=me", "--secrets", str(secrets), ppp=ppp)


def test_the_network_hangs_up(tmp_path):
    async def steps(emulator, agent):
        for number in (2, 3):
            await agent.until(lambda: emulator.lines.calls(), "a call")
            before = agent.count("session", "up")
            await emulator.control({"do": "ppp", "fault": "terminate"} if number == 2 else {"do": "detach"})
            await agent.until(lambda before=before: agent.count("session", "up") > before, "another session")
            await agent.registered(number)

    scenario(steps, tmp_path)


def test_the_port_vanishes_and_comes_back(tmp_path):
    async def steps(emulator, agent):
        link = Path(emulator.port._link)
        await emulator.control({"do": "port", "on": False})
        await agent.until(lambda: agent.count("session", "ended"), "the end of the session")
        await emulator.control({"do": "restart"})
        await emulator.control({"do": "port", "on": True})
        assert link.is_symlink()
        await agent.registered(2)

    class Linked(Emulator):
        path = property(lambda self: str(tmp_path / "modem"))

    async def main():
        emulator = Linked(ms=QUICK, link=str(tmp_path / "modem"))
        await emulator.start()
        try:
            with Registrar() as registrar:
                async with Agent(emulator, registrar, tmp_path / "store") as agent:
                    await agent.registered(1)
                    await steps(emulator, agent)
        finally:
            await emulator.stop()

    asyncio.run(main())


@pytest.mark.long
def test_a_look_at_the_modem_in_the_midst_of_the_call(tmp_path):
    """Without the multiplexer: out by +++, signal and registration, back by ATO; nothing is lost, nobody registers
    again. Where ATO leads nowhere the call is dialled anew."""
    escapes, seen = [], []

    def log(actor, event, **fields):
        if event == "call" and fields.get("escaped"):
            escapes.append(fields)
        if event == "command":
            seen.append(fields["command"])

    async def steps(emulator, agent):
        registrations = lambda: [row for row in agent.registrar.seen if row[1:3] == ("0.02", ("rd",))]  # noqa: E731
        readings = lambda: [row for row in agent.registrar.seen if row[2] == ("dp",)]  # noqa: E731
        await agent.until(lambda: len(escapes) >= 2, "two looks")
        await agent.until(lambda: seen[-1:] == ["ATO"], "the way back")
        assert "AT+CSQ" in seen and "AT+CPIN?" in seen
        count = len(readings())
        await agent.until(lambda: len(readings()) > count, "a reading")
        assert len(registrations()) == 1 and agent.count("session", "up") == 1
        emulator.lines.main.dialogue._commands["O"] = lambda *_: Answer(final="NO CARRIER")
        await agent.until(lambda: agent.count("session", "up") == 2, "another session")
        await agent.registered(2)

    scenario(steps, tmp_path, "--set", "cmux=off", "--set", "ppp_look_s=1", "--set", "report_period_s=7",
             trace=True, log=log)


def test_an_agent_that_was_killed_finds_its_modem_in_data_mode(tmp_path):
    """Without DTR nobody told the modem: the next agent gets it back by +++."""

    async def main():
        emulator = Emulator(ms=QUICK)
        await emulator.start()
        try:
            with Registrar() as registrar:
                async with Agent(emulator, registrar, tmp_path) as agent:
                    await agent.registered(1)
                assert emulator.lines.calls()  # still
                async with Agent(emulator, registrar, tmp_path) as agent:
                    await agent.registered(2)
        finally:
            await emulator.stop()

    asyncio.run(main())


def test_a_modem_that_was_left_multiplexing(tmp_path):
    """Another program ended without closing the multiplexer down."""

    async def main():
        emulator = Emulator(ms=dict(QUICK, cmux=0))
        await emulator.start()
        try:
            await until(lambda: emulator.state.registered, "the network")
            line = os.open(emulator.path, os.O_RDWR | os.O_NOCTTY)
            os.write(line, b"AT+CMUX=0\r")
            await until(lambda: emulator.lines.mux, "the multiplexer")
            left = emulator.lines.mux
            for data, channels in ((b"\xf9\x03\x3f\x01\x1c\xf9", {0}), (b"\xf9\x07\x3f\x01\xde\xf9", {0, 1})):
                os.write(line, data)
                await until(lambda channels=channels: left.open == channels, left)
            os.close(line)
            with Registrar() as registrar:
                async with Agent(emulator, registrar, tmp_path) as agent:
                    await agent.registered(1)
            assert emulator.lines.mux not in (None, left)  # and multiplexes anew
        finally:
            await emulator.stop()

    asyncio.run(main())


async def again(emulator, agent, number):
    """Another session, another registration."""
    await agent.registered(number)
    await agent.until(lambda: agent.count("session", "up") >= number and emulator.lines.calls(), "session %d" % number)


def test_commands_go_on_beside_the_call(tmp_path):
    """W3: signal and registration are asked for, and what the modem says by itself is heard, while it carries data."""
    asked = []

    def log(actor, event, **fields):
        if event == "command":
            asked.append(fields["command"])

    async def steps(emulator, agent):
        assert emulator.lines.mux and emulator.lines.calls()
        del asked[:]
        await agent.until(lambda: "AT+CSQ" in asked and "AT+CEREG?" in asked, "the signal")
        await emulator.control({"do": "urc", "line": "+CGEV: NW PDN DEACT 1"})
        await again(emulator, agent, 2)
        assert emulator.lines.mux and not agent.count("modem", "unknown")

    scenario(steps, tmp_path, log=log, trace=True)


def test_the_modem_closes_the_channel_of_the_call(tmp_path):
    async def steps(emulator, agent):
        mux = emulator.lines.mux
        mux.disconnect(2)
        await again(emulator, agent, 2)
        assert emulator.lines.mux is mux

    scenario(steps, tmp_path)


def test_a_modem_that_refuses_to_multiplex(tmp_path):
    """Then it is dialled without."""

    async def main():
        emulator = Emulator(ms=QUICK)
        await emulator.start()
        await emulator.control({"do": "errors", "times": 1000, "at": "AT+CMUX"})
        try:
            with Registrar() as registrar:
                async with Agent(emulator, registrar, tmp_path) as agent:
                    await agent.registered(1)
                    assert emulator.lines.mux is None
                    await emulator.control({"do": "ppp", "fault": "terminate"})
                    await agent.registered(2)
                    assert emulator.state.faults.errors == 999  # asked once
        finally:
            await emulator.stop()

    asyncio.run(main())


@pytest.mark.long
def test_a_multiplexer_that_dies_is_not_used_again(tmp_path):
    async def steps(emulator, agent):
        assert emulator.lines.mux
        emulator.lines.mux.dead = True
        await again(emulator, agent, 2)
        assert emulator.lines.mux is None

    scenario(steps, tmp_path)


@pytest.mark.parametrize("banner", [True, pytest.param(False, marks=pytest.mark.long)])
def test_a_modem_that_restarts_while_it_multiplexes(tmp_path, banner):
    """It is not blamed: its multiplexer is used again."""

    async def steps(emulator, agent):
        if not banner:
            emulator.profile["booted"] = emulator.profile["sim_ready"] = ()
        before = emulator.lines.mux
        await emulator.control({"do": "restart"})
        await again(emulator, agent, 2)
        assert emulator.lines.mux not in (None, before)

    scenario(steps, tmp_path)


@pytest.mark.long
def test_a_modem_that_holds_back_data(tmp_path):
    """27.010 5.4.6.3.5, 5.4.6.3.7: what is written meanwhile waits, and nothing breaks."""

    async def steps(emulator, agent):
        mux, call = emulator.lines.mux, emulator.lines.calls()[0]
        for hold in (lambda on: mux.status(2, carrier=True, held=on), mux.hold):
            hold(True)
            before = await at_rest(call)
            hold(False)
            await agent.until(lambda before=before: call.status()["sent"] > before, "what was held back")
        assert agent.count("session", "up") == 1 and emulator.lines.mux is mux

    scenario(steps, tmp_path)


async def at_rest(call):
    """What the call has sent, once that has stayed so for longer than two readings take."""
    for _ in range(10):
        before = call.status()["sent"]
        await asyncio.sleep(2.5)
        if call.status()["sent"] == before:
            return before
    raise AssertionError("it goes on: %s" % call.status())


def test_pppd_that_cannot_is_told(tmp_path):
    """No kernel PPP, or no pppd: the log says what to do; nothing breaks."""
    if os.path.exists("/dev/ppp") and shutil.which("pppd"):
        pytest.skip("here pppd can: tests/hil dials with it")
    from boards import linux

    board = linux.Board({"dir": str(tmp_path), "modem": "/dev/null", "ppp": "ppp0", "ppp_by": "pppd"})
    with pytest.raises(OSError, match="choose tun"):
        board.session()
