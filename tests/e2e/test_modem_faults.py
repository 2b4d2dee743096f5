"""Everything that can go wrong with a modem, its SIM and its network, against the agent's modem engine: at the end data
flows again, or the state has a name. Hours of back-off pass in milliseconds (hasty_device.py).
"""


import asyncio

import pytest
from hasty_device import AT_ONCE, HastyDevice, PppDevice
from modem_device import scenario, until

HOUR_MS = 3600000


def run(steps, device=HastyDevice, **known):
    scenario(steps, device=device, **{"ms": AT_ONCE, **known})


async def up(device, echo):
    device.do("target", "connected")
    await device.flows(echo)


async def order(emulator, *commands):
    for command in commands:
        assert await emulator.control(command) == {"ok": True}, command


def seen(device, since, state, reason):
    """Whether it has been in this state for this reason (None: any) since."""
    return any(row[0] == state and (reason is None or row[1].startswith(reason)) for row in device.seen[since:])


# What is wrong all the time; the modem restarts in it once.
LASTING = {
    "split": [{"do": "split", "bytes": 1}],
    "split in the middle": [{"do": "split", "bytes": 7}],
    "merged": [{"do": "merge", "ms": 4}],
    "delayed": [{"do": "delay", "ms": 4}],
    "echo": [{"do": "echo", "on": True}],
    "echo in pieces": [{"do": "echo", "on": True}, {"do": "split", "bytes": 3}],
    "garbage at boot": [{"do": "garbage", "bytes": 200}],
    "latency": [{"do": "air", "ms": 10, "jitter": 10}],
    "loss": [{"do": "air", "loss": 30}],
}


@pytest.mark.parametrize("fault", LASTING)
def test_data_flows_in_spite_of(fault):
    async def steps(emulator, device, echo):
        await order(emulator, *LASTING[fault])
        await up(device, echo)
        since = len(device.states)
        await order(emulator, {"do": "restart"})
        await until(lambda: "unknown" in device.states[since:], device.states)
        await device.flows(echo)

    run(steps)


LINES = ("+CREG: 1", "+CEREG: 1", '+QIND: "csq",20,99', "RING", "+CMTI: \"ME\",3", "OKAY", "+CPIN: READY", "+CSQ: 1,1")


@pytest.mark.parametrize("line", LINES)
def test_a_line_inside_every_answer(line):
    async def steps(emulator, device, echo):
        await order(emulator, *[{"do": "urc", "line": line, "inside": True}] * 16)
        await up(device, echo)
        await order(emulator, *[{"do": "urc", "line": line, "inside": True}] * 16, {"do": "restart"})
        await device.flows(echo)

    run(steps)


# What goes wrong once, or for a while: what it is, what the device makes of it meanwhile, what ends it.
LOCKED = {"do": "sim", "present": True, "lock": "SIM PIN", "pin": "4711"}
OUT, IN = {"do": "sim", "present": False}, {"do": "sim", "present": True, "lock": ""}
PASSING = {
    "coverage lost": ([{"do": "coverage", "on": False}], ("searching", ""), [{"do": "coverage", "on": True}]),
    "suspended": ([{"do": "subscription", "active": False}], ("searching", "denied: cause 8,"),
                  [{"do": "subscription", "active": True}]),
    "denied": ([{"do": "registration", "verdict": "denied", "cause": 15}], ("searching", "denied: cause 15,"),
               [{"do": "registration", "verdict": "home"}]),
    "denied for good": ([{"do": "registration", "verdict": "denied", "cause": 7}], ("searching", "denied: cause 7,"),
                        [{"do": "registration", "verdict": "roaming"}]),
    "no context": ([{"do": "refuse", "cause": 27}, {"do": "detach"}], ("registered", "ERROR"),
                   [{"do": "refuse", "cause": 0}]),
    "power lost": ([{"do": "power", "on": False}], ("failed", "no answer to AT"), [{"do": "power", "on": True}]),
    "mute": ([{"do": "mute", "on": True}], ("unknown", None), [{"do": "mute", "on": False}]),
    "stuck": ([{"do": "stuck"}], ("failed", "no answer to AT"), [{"do": "restart"}]),
    "all bytes lost": ([{"do": "lose", "permille": 1000}], ("unknown", None), [{"do": "lose", "permille": 0}]),
    "SIM gone": ([OUT], ("failed", "no SIM"), [IN]),
    "SIM locked": ([OUT, LOCKED], ("locked", "SIM PIN: none is set"), [IN]),
    "SIM locked without a word": ([LOCKED], ("locked", "SIM PIN: none is set"), [IN]),
    "SIM wants its PUK": ([OUT, dict(LOCKED, lock="SIM PUK")], ("locked", "SIM: SIM PUK"), [IN]),
    "another SIM": ([OUT, dict(IN, iccid="8988211000000000024", imsi="001010123456702")], ("failed", "no SIM"), []),
    "detached": ([{"do": "detach"}], ("registered", None), []),
    "context ended": ([{"do": "deactivate"}], ("registered", "context lost"), []),
    "context ended in silence": ([{"do": "deactivate", "silent": True}], ("registered", None), []),
    "a dead context": ([{"do": "zombie"}], None, []),
    "restarted": ([{"do": "restart"}], ("unknown", None), []),
    "socket closed": ([{"do": "close", "number": 0}], None, []),
    "writes dropped": ([{"do": "drop", "writes": 5}], None, []),
    "refusals": ([{"do": "errors", "times": 40}], None, []),
    "refusals with a number": ([{"do": "errors", "times": 40, "code": 100}], None, []),
    "NAT": ([{"do": "rebind", "address": "127.0.0.5"}], None, []),
}  # fmt: skip


@pytest.mark.parametrize("fault", PASSING)
def test_comes_back_from(fault):
    begin, meanwhile, end = PASSING[fault]

    async def steps(emulator, device, echo):
        await up(device, echo)
        since = len(device.seen)
        await order(emulator, *begin)
        if meanwhile:
            await until(lambda: seen(device, since, *meanwhile), (fault, device.seen))
        await order(emulator, *end)
        await device.flows(echo)
        assert emulator.state.sim.tries == 3  # whatever happened

    run(steps)


@pytest.mark.parametrize("fault", ["coverage lost", "suspended", "denied", "SIM gone", "SIM locked",
                                   "SIM wants its PUK"])
def test_starts_in(fault):
    begin, meanwhile, end = PASSING[fault]

    async def steps(emulator, device, echo):
        await until(lambda: emulator.state.running, "boot")
        await order(emulator, *begin)
        device.do("target", "connected")
        await until(lambda: seen(device, 0, *meanwhile), (fault, device.seen))
        await order(emulator, *end)
        await device.flows(echo)
        assert emulator.state.sim.tries == 3

    run(steps)


# Every command of a bring-up, and of a datagram's way.
COMMANDS = ("ATE0", "AT+CGMI", "AT+CGMM", "AT+QSIMSTAT", "AT+CFUN?", "AT+CGSN", "AT+CPIN", "AT+QCCID", "AT+CIMI",
            "AT+CEREG=", "AT+CEREG?", "AT+CSQ", "AT+QICSGP", "AT+QIACT", "AT+QIOPEN", "AT+QISEND",
            "AT+QIRD")  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_crashes_at(command):
    async def steps(emulator, device, echo):
        await order(emulator, {"do": "crash", "at": command})
        await up(device, echo)
        await until(lambda: not emulator.state.faults.crash, command)
        await device.flows(echo)

    run(steps)


@pytest.mark.parametrize("command", COMMANDS)
def test_is_refused_a_few_times(command):
    async def steps(emulator, device, echo):
        await order(emulator, {"do": "errors", "times": 3, "at": command})
        await up(device, echo)

    run(steps)


def test_bytes_are_lost_all_the_way_up():
    async def steps(emulator, device, echo):
        for permille in (5, 20, 60):
            since = len(device.states)
            await order(emulator, {"do": "lose", "permille": permille}, {"do": "restart"})
            device.do("target", "connected")
            await until(lambda since=since: len(device.states) - since > 3, "life")
            await order(emulator, {"do": "lose", "permille": 0})
            await device.flows(echo)

    run(steps)


def test_a_busy_sim():
    async def steps(emulator, device, echo):
        await until(lambda: emulator.state.sim.ready, "the SIM")
        await order(emulator, {"do": "busy", "ms": 60})
        await up(device, echo)
        assert "iccid" in device.modem.identity and "imsi" in device.modem.identity

    run(steps)


def test_a_drive_through_hills():
    async def steps(emulator, device, echo):
        points = [[0, 22], [10, 5], [20, 99], [60, 3], [90, 99], [100, 12]]
        await order(emulator, {"do": "trace", "points": points, "repeat": True})
        await up(device, echo)
        await until(lambda: device.states.count("searching") > 3, device.states)
        await order(emulator, {"do": "trace", "points": [[0, 22]]})
        await device.flows(echo)

    run(steps)


def test_the_port_vanishes_and_comes_back():
    async def steps(emulator, device, echo):
        await up(device, echo)
        for ms in (0, 20):
            await order(emulator, {"do": "port", "on": False, "ms": ms})
            await until(lambda: device.fd is None, "the end of the port")
            assert (device.modem.state, device.modem.reason) == ("unknown", "port lost")
            if not ms:
                await order(emulator, {"do": "port", "on": True})
            await until(lambda: emulator.port.is_open, "the port")
            device.open(emulator.path)
            device.do("lost")
            await device.flows(echo)

    run(steps)


def test_another_address_at_every_dial():
    async def steps(emulator, device, echo):
        addresses = set()
        for _ in range(3):
            await up(device, echo)
            addresses.add(emulator.state.context(1).address)
            device.do("redial")
        assert len(addresses) == 3

    run(steps)


def test_dialling_in_vain_keeps_to_thirty_an_hour():
    async def steps(emulator, device, echo):
        await order(emulator, {"do": "refuse", "cause": 33})
        device.do("target", "connected")
        await until(lambda: device.ahead > 3 * HOUR_MS, device.seen)
        dialled = [row[2] for row in device.seen if row[0] == "connecting"]
        assert len(dialled) > 60
        assert not [at for at, later in zip(dialled, dialled[30:], strict=False) if later - at < HOUR_MS]
        await order(emulator, {"do": "refuse", "cause": 0})
        await device.flows(echo)

    run(steps)


# What goes wrong with a data call, and what ends it.
CALLS = {
    "carries nothing": ([{"do": "zombie"}], []),
    "says nothing": ([{"do": "ppp", "fault": "silent"}], [{"do": "ppp", "fault": "none"}]),
    "is hung up": ([{"do": "ppp", "fault": "terminate"}], []),
    "answers no LCP": ([{"do": "ppp", "fault": "drop-lcp"}, {"do": "deactivate"}], [{"do": "ppp", "fault": "none"}]),
    "refuses us": ([{"do": "ppp", "fault": "deny"}, {"do": "deactivate"}], [{"do": "ppp", "fault": "none"}]),
    "loses its context": ([{"do": "deactivate"}], []),
    "loses its network": ([{"do": "coverage", "on": False}], [{"do": "coverage", "on": True}]),
    "loses its modem": ([{"do": "restart"}], []),
    "loses bytes": ([{"do": "lose", "permille": 20}], [{"do": "lose", "permille": 0}]),
    "loses datagrams": ([{"do": "air", "loss": 50}], []),
}


@pytest.mark.parametrize("fault", CALLS)
def test_a_data_call_that(fault):
    begin, end = CALLS[fault]

    async def steps(emulator, device, echo):
        await up(device, echo)
        since = len(device.states)
        await order(emulator, *begin)
        if end:
            await until(lambda: len(device.states) > since or fault == "loses bytes", (fault, device.seen))
        await order(emulator, *end)
        await device.flows(echo)

    run(steps, PppDevice, ppp={"auth": "chap"} if fault == "refuses us" else None)


def test_a_stuck_modem_and_the_boards_reset_line():
    """What no command ends, the line does."""

    class Board(HastyDevice):
        def other(self, kind, *what):
            if kind == "power" and what[0] == "reset":
                self.emulator.restart()
            super().other(kind, *what)

    async def steps(emulator, device, echo):
        device.emulator = emulator
        await up(device, echo)
        await order(emulator, {"do": "stuck"})
        await device.flows(echo)
        assert not emulator.state.faults.stuck

    run(steps, Board)


async def locked(emulator, device, reason):
    device.do("target", "connected")
    await until(lambda: (device.modem.state, device.modem.reason) == ("locked", reason), device.seen)


def test_the_right_pin_opens_the_sim():
    async def steps(emulator, device, echo):
        await order(emulator, LOCKED)
        device.begin(pin="4711")
        await up(device, echo)
        assert emulator.state.sim.tries == 3
        await order(emulator, {"do": "restart"})
        await until(lambda: "unknown" in device.states, device.states)
        await device.flows(echo)
        assert "4711" not in repr(device.kept)

    run(steps)


def test_a_wrong_pin_is_entered_once_whatever_happens():
    """No PIN burnt: the modem restarts, the SIM is taken out and put in, the device loses its power."""

    async def steps(emulator, device, echo):
        await order(emulator, LOCKED)
        device.begin(pin="0815")
        await locked(emulator, device, "SIM PIN: wrong")
        assert emulator.state.sim.tries == 2
        for commands in ([{"do": "restart"}], [OUT, {"do": "sim", "present": True, "lock": "SIM PIN"}]):
            since = len(device.seen)
            await order(emulator, *commands)
            await until(lambda since=since: len(device.seen) > since, device.seen)
            await locked(emulator, device, "SIM PIN: this one was wrong before")
        for _ in range(3):
            device.begin(pin="0815")
            await locked(emulator, device, "SIM PIN: this one was wrong before")
        assert emulator.state.sim.tries == 2 and emulator.state.sim.lock == "SIM PIN"
        device.begin(pin="4711")
        await up(device, echo)
        assert emulator.state.sim.tries == 3

    run(steps)


@pytest.mark.parametrize("left, reason", [(1, "SIM PIN: 1 tries left, and none is risked")])
def test_the_last_try_is_left_to_people(left, reason):
    async def steps(emulator, device, echo):
        await order(emulator, dict(LOCKED, tries=left))
        device.begin(pin="4711")
        await locked(emulator, device, reason)
        assert emulator.state.sim.tries == left

    run(steps)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_power_fails_while_the_pin_is_entered(moment):
    """At the next start nobody knows whether it was wrong; the modem's own count does."""

    async def steps(emulator, device, echo):
        await order(emulator, dict(LOCKED, pin="4711"))
        if moment == "before":
            await order(emulator, {"do": "crash", "at": "AT+CPIN="})
        device.begin(pin="4711")
        device.do("target", "connected")
        await until(lambda: device.kept.get("pin"), device.seen)
        if moment == "after":
            await until(lambda: not emulator.state.sim.lock, "the PIN")
            await order(emulator, {"do": "restart"})
        device.begin(pin="4711")
        await up(device, echo)
        assert emulator.state.sim.tries == 3

    run(steps)


# What whoever had the port before has left behind.
LEFT = {
    "a data call": [b"ATD*99***1#\r"],
    "a multiplexer": [b"AT+CMUX=0,0,5,127\r"],
    "a multiplexer and a call in it": [b"AT+CMUX=0,0,5,127\r", b"\xf9\x03\x3f\x01\x1c\xf9\xf9\x07\x3f\x01\xde\xf9",
                                       b"\xf9\x07\xefATD*99#\r"],
    "half a command": [b'AT+CPIN="12'],
    "another speed": [b"AT+IPR=57600\r"],
    "another speed and no echo": [b"ATE0;+IPR=921600\r"],
}  # fmt: skip


@pytest.mark.parametrize("what", LEFT)
def test_finds_a_modem_that_was_left_in(what):
    async def steps(emulator, device, echo):
        await until(lambda: emulator.state.registered, "the network")
        for data in LEFT[what]:
            emulator.wire.heard(data)
            await asyncio.sleep(0.01)  # what a modem that multiplexes wants, too
        await up(device, echo)

    run(steps)


def test_finds_a_modem_with_an_open_prompt():
    async def steps(emulator, device, echo):
        await up(device, echo)
        emulator.wire.heard(b"AT+QISEND=0,1400\r")
        device.begin()
        await up(device, echo)

    run(steps)


def test_the_speed_is_remembered():
    async def steps(emulator, device, echo):
        await order(emulator, {"do": "baud", "rate": 9600})
        await up(device, echo)
        assert device.kept["baud"] == 9600
        await order(emulator, {"do": "restart"})
        await until(lambda: "unknown" in device.states, device.states)
        await device.flows(echo)

    run(steps)
