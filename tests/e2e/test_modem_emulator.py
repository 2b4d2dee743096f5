"""The modem emulator against the agent's modem engine: a real pseudo-terminal, real UDP sockets, both interpreters."""

import asyncio
import os
import sys
from pathlib import Path

import pytest
from modem_device import Echo, scenario, until

from agent.codec import at
from agent.modems import generic, quectel
from pointsman.tools.modem.emulator import Emulator, names

HERE = Path(__file__).parent


async def connect(device):
    device.do("target", "connected")
    await until(lambda: device.modem.state == "connected", device.states)


async def exchange(device, echo, text):
    before = len(device.datagrams)
    assert device.do("send", "127.0.0.1", echo.port, text)
    await until(lambda: len(device.datagrams) > before, "an answer to %r" % text)
    assert device.datagrams[-1] == ("127.0.0.1", echo.port, text.upper())


def test_dials_and_exchanges_datagrams_from_the_modems_address():
    """W1: the way over 4G, from the serial port to a real UDP socket and back."""

    async def steps(emulator, device, echo):
        await connect(device)
        await exchange(device, echo, b"hello\r\nOK\r\n> +QIURC: \x00\xff")
        assert echo.seen[0][1][0] == "127.0.0.3"
        for size in (1, 2, 100, 1460):
            await exchange(device, echo, b"x" * size)
        assert device.modem.identity["iccid"] == "8988211000000000016"
        assert device.modem.identity["imei"] == "867698040000017"
        status = await emulator.control({"do": "status"})
        assert [row["sent"] for row in status["sockets"]] == [5]

    scenario(steps)


def test_coverage_lost_and_found():
    async def steps(emulator, device, echo):
        await connect(device)
        await exchange(device, echo, b"a")
        await emulator.control({"do": "coverage", "on": False})
        await until(lambda: device.modem.state == "searching", device.states)
        assert (await emulator.control({"do": "status"}))["sockets"] == []
        await emulator.control({"do": "coverage", "on": True})
        await until(lambda: device.modem.state == "connected", device.states)
        await exchange(device, echo, b"b")

    scenario(steps)


def test_the_context_goes_with_and_without_a_word():
    async def steps(emulator, device, echo):
        await connect(device)
        await exchange(device, echo, b"a")
        since = len(device.states)
        await emulator.control({"do": "detach"})
        await until(lambda: "registered" in device.states[since:], device.states)
        await until(lambda: device.modem.state == "connected", device.states)
        await exchange(device, echo, b"b")
        since = len(device.states)
        await emulator.control({"do": "detach", "silent": True})
        device.do("send", "127.0.0.1", echo.port, b"lost")
        await until(lambda: "registered" in device.states[since:], device.states)
        await until(lambda: device.modem.state == "connected", device.states)
        await exchange(device, echo, b"c")

    scenario(steps)


def test_sim_removed_locked_and_back():
    """S1: another SIM is another identity."""

    async def steps(emulator, device, echo):
        await connect(device)
        await emulator.control({"do": "sim", "present": False})
        await until(lambda: device.modem.state == "failed" and device.modem.reason == "no SIM", device.states)
        await emulator.control({"do": "sim", "present": True, "lock": "SIM PIN"})
        await until(lambda: device.modem.state == "locked", device.states)
        assert emulator.state.sim.tries == 3
        emulator.state.sim.iccid = "8988211000000000024F"
        await emulator.control({"do": "sim", "present": True, "lock": ""})
        await until(lambda: device.modem.state == "connected", device.states)
        assert device.modem.identity["iccid"] == "8988211000000000024"

    scenario(steps)


def test_denied_then_let_in_abroad():
    async def steps(emulator, device, echo):
        await emulator.control({"do": "registration", "verdict": "denied"})
        device.do("target", "connected")
        await until(lambda: device.modem.reason[:6] == "denied", device.states)
        await emulator.control({"do": "registration", "verdict": "roaming"})
        await until(lambda: device.modem.state == "connected", device.states)

    scenario(steps)


def test_slow_split_and_interrupted_answers():
    async def steps(emulator, device, echo):
        await emulator.control({"do": "split", "bytes": 1})
        await emulator.control({"do": "delay", "ms": 20})
        for line in ("+CEREG: 1", '+QIND: "csq",20,99', "+CREG: 1", "RING") * 4:
            await emulator.control({"do": "urc", "line": line, "inside": True})
        await connect(device)
        await exchange(device, echo, b"slow\r\n")

    scenario(steps)


def test_answers_later_than_the_first_questions_time_out():
    async def steps(emulator, device, echo):
        await until(lambda: emulator.state.running, "boot")
        await emulator.control({"do": "delay", "ms": 400})  # AT is given 300 ms
        device.do("target", "registered")
        await until(lambda: "initializing" in device.states, device.states)
        await emulator.control({"do": "delay", "ms": 0})
        await until(lambda: device.modem.state == "registered", device.states)
        assert "failed" not in device.states

    scenario(steps)


def test_restart_mute_and_a_vanished_port():
    async def steps(emulator, device, echo):
        await connect(device)
        await emulator.control({"do": "restart"})
        await until(lambda: "unknown" in device.states, device.states)
        await until(lambda: device.modem.state == "connected", device.states)
        await emulator.control({"do": "mute", "on": True})
        await emulator.control({"do": "mute", "on": False})
        await exchange(device, echo, b"a")
        await emulator.control({"do": "port", "on": False})
        await until(lambda: device.fd is None, "the end of the port")
        assert device.modem.state == "unknown"
        await emulator.control({"do": "port", "on": True})
        device.open(emulator.path)
        await until(lambda: device.modem.state == "connected", device.states)
        await exchange(device, echo, b"b")

    scenario(steps)


def test_many_peers_take_turns_on_four_sockets():
    async def steps(emulator, device, echo):
        await connect(device)
        echoes = []
        for _ in range(6):
            other = Echo()
            transport, _ = await device.loop.create_datagram_endpoint(lambda other=other: other,
                                                                      local_addr=("127.0.0.1", 0))
            other.port = transport.get_extra_info("sockname")[1]
            echoes.append(other)
        for other in echoes + echoes:
            await exchange(device, other, b"hi")
        assert len((await emulator.control({"do": "status"}))["sockets"]) == 4
        for other in echoes:
            other.transport.close()

    scenario(steps)


def test_a_name_that_does_not_resolve_is_no_harm():
    async def steps(emulator, device, echo):
        await connect(device)
        device.do("send", "no-such-host.invalid", 5683, b"x")
        await until(lambda: device.modem._sockets.dropped, "the refusal")
        await exchange(device, echo, b"y")

    scenario(steps)


@pytest.mark.parametrize("interpreter", ["cpython", "micropython"])
def test_a_real_process_dials_through_the_port(interpreter):
    """The same bytes on both interpreters, over a pseudo-terminal opened twice in a row."""
    from pointsman.tools.firmware.launch import find_micropython

    program = sys.executable if interpreter == "cpython" else find_micropython()

    async def steps(emulator, device, echo):
        for text in ("first", "second"):  # the second finds the context that the first left
            process = await asyncio.create_subprocess_exec(
                program, str(HERE / "modem_pty.py"), str(HERE.parents[1]), emulator.path, "127.0.0.1", str(echo.port),
                text, stdout=asyncio.subprocess.PIPE)  # fmt: skip
            output, _ = await asyncio.wait_for(process.communicate(), 120)
            assert output.decode().strip() == "answer " + text.upper()

    async def alone(emulator, device, echo):
        device.loop.remove_reader(device.fd)  # the port belongs to the process
        await steps(emulator, device, echo)

    scenario(alone)


class Line:
    """A dialogue read as the agent reads it: by its Reader, a token at a time."""

    def __init__(self, fd, family):
        self.fd, self.reader, self.tokens = fd, at.Reader(), []
        self.counted = getattr(family, "COUNTED", {})

    def _ended(self):
        try:
            self.tokens.extend(self.reader.feed(os.read(self.fd, 4096)))
        except BlockingIOError:
            pass
        return self.finals() > 0

    def finals(self):
        return len([token for token in self.tokens if isinstance(token, str) and at.final(token) is not None])

    async def ask(self, command):
        """The lines of the answer, without the echo."""
        self.tokens = []
        self.reader.counted = {} if command.endswith("?") else self.counted
        os.write(self.fd, command.encode() + b"\r")
        await until(self._ended, command)
        assert self.finals() == 1 and self.reader.dropped == 0, (command, self.tokens)
        return [token for token in self.tokens if token != command]


# What ends the dialogue, asks for data, or starts what outlasts the test.
LEFT_OUT = ("+QPOWD", "+QISEND", "+QIOPEN", "+CPOF", "+CPOWD", "+CPWROFF", "+CRESET", "+CIPSEND", "+CASEND", "+USOWR",
            "+USOST", "+CARECV", "^SMSO", "^SISW", "+MIPSEND", "#XRESET", "#XSHUTDOWN", "#XSEND", "^RESET", "#SHDN",
            "#REBOOT", "#ENHRST", "D", "O")  # fmt: skip


async def every_command(emulator, line):
    for name in emulator.profile["commands"]:
        if name not in LEFT_OUT:
            for form in ("", "?", "=?", "=", "=1", '=1,1,"x"', '="\x7f"'):
                emulator.state.session["errors"] = len(form) % 3
                await line.ask("AT" + name + form)
    emulator.state.session.update(echo=0, errors=1)


@pytest.mark.parametrize("profile", names())
def test_what_the_emulator_says_is_what_the_agent_reads(profile):
    """Every command in every form: one final result, nothing dropped; and the parsers read what was meant."""

    async def steps(emulator, device, echo):
        device.loop.remove_reader(device.fd)
        own = emulator.profile["identity"]
        line = Line(device.fd, generic.load(own["manufacturer"], own["model"]))
        await until(lambda: emulator.state.running, "boot")
        await line.ask("AT+CFUN=1")  # some begin with the radio off
        await until(lambda: emulator.state.registration == 1, "the network")
        await every_command(emulator, line)
        assert at.sim((await line.ask("AT+CPIN?"))[0]) == "READY"
        rssi = "+CSQ" in emulator.profile["commands"]  # else RSRP
        assert at.signal((await line.ask("AT+CSQ" if rssi else "AT+CESQ"))[0]) == (-69 if rssi else -77)
        technology = emulator.profile["technology"]
        known = [name for name in ("+CREG", "+CGREG", "+CEREG") if name in emulator.profile["commands"]]
        for name in known:
            for level, want in ((1, (1, None, None, None)), (2, (1, 0x1A2B, 0x1C3D4E5, technology))):
                await line.ask("AT%s=%d" % (name, level))
                answer = (await line.ask("AT%s?" % name))[0]
                assert at.answers(answer, "AT%s?" % name, name + ":", False) and at.registration(answer) == want

    scenario(steps, profile=profile)


def test_every_unsolicited_line_of_the_emulator_means_something_to_the_agent():
    heard = []
    emulator = Emulator()
    emulator.say = heard.append
    emulator.state.session["+QSIMSTAT"] = 1
    for row in ("booted", "sim_ready", "sim_gone", "sim_found"):
        emulator.tell(row)
    for line in heard:
        assert quectel.event(line) or line.startswith("+QIND:"), line
    emulator.tell("context_lost", cid=1)
    emulator.tell("socket_closed", number=3)
    assert [quectel.event(line) for line in heard[-2:]] == [("context", 1), ("closed", 3)]
