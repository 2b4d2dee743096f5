"""What control commands do to an emulated modem, seen from its AT port: the network's side, the SIM, the faults."""

import asyncio
import os
import random
import termios
import time

import pytest
from modem_device import Echo, until
from modem_line import AT_ONCE, Line, scenario

from agent.codec import at_sim
from agent.modems import generic
from pointsman.tools.modem import causes, control, random_faults
from pointsman.tools.modem.emulator import Emulator, names


async def refused(emulator, line):
    return (await line.ask("AT+CEREG?"))[0], (await line.ask("AT+CEER"))[0]


def test_a_suspended_subscription_is_tried_again_after_the_radio_was_off():
    """S3; TS 24.301 5.5.1.2.5: after cause 8 a modem tries no more, even when the operator has changed its mind."""

    async def steps(emulator, line):
        assert (await line.ask("AT+CEER"))[0] == "+CEER: No cause information available"
        await line.ask("AT+CEREG=3")
        await emulator.control({"do": "subscription", "active": False})
        await until(lambda: emulator.state.registration == 3, "the refusal")
        report = "+CEER: EMM cause 8: EPS services and non-EPS services not allowed"
        await line.until("\r\n+CEREG: 3,,,,0,8\r\n")
        assert await refused(emulator, line) == ("+CEREG: 3,3,,,,0,8", report)
        assert (await emulator.control({"do": "status"}))["faults"] == {"suspended": [emulator.state.sim.imsi]}
        await emulator.control({"do": "subscription", "active": True})
        await asyncio.sleep(0.02)
        assert emulator.state.registration == 3
        await line.ask("AT+CFUN=4")
        await line.ask("AT+CFUN=1")
        await until(lambda: emulator.state.registration == 1, "the network")
        await emulator.control({"do": "subscription", "active": False, "imsi": "001010999999999"})
        assert emulator.state.registration == 1  # somebody else's

    scenario(steps)


def test_denied_with_a_cause():
    async def steps(emulator, line):
        await line.ask("AT+CREG=3")
        for cause in sorted(causes.ATTACH):
            await emulator.control({"do": "registration", "verdict": "home"})
            await line.ask("AT+CFUN=4")
            await line.ask("AT+CFUN=1")
            await until(lambda: emulator.state.registration == 1, "the network")
            await emulator.control({"do": "registration", "verdict": "denied", "cause": cause})
            await until(lambda: emulator.state.registration == 3, "the refusal")
            assert "+CREG: 3,3,,,,0,%d" % cause in await line.ask("AT+CREG?")
            assert (await line.ask("AT+CEER"))[0].startswith("+CEER: EMM cause %d: " % cause)
            await emulator.control({"do": "registration", "verdict": "home"})
            await asyncio.sleep(0.01)
            assert (emulator.state.registration == 3) == (cause in causes.PERMANENT)

    scenario(steps)


def test_detached_deactivated_refused():
    async def steps(emulator, line):
        for command in ("AT+CGEREP=2,1", "AT+CEREG=1", "AT+CGACT=1,1", "AT+CGACT=1,2"):
            assert (await line.ask(command))[-1] == "OK"
        first = (await line.ask("AT+CGPADDR=1"))[0]
        assert "not active" in (await emulator.control({"do": "deactivate", "cid": 3}))["error"]
        await emulator.control({"do": "deactivate", "cid": 2})
        await line.until("+CGEV: NW PDN DEACT 2\r\n")
        await emulator.control({"do": "deactivate", "cid": 1, "silent": True})
        assert (await line.ask("AT+CGACT?"))[:2] == ["+CGACT: 1,0", "+CGACT: 2,0"]
        await line.ask("AT+CGACT=1,1")
        assert (await line.ask("AT+CGPADDR=1"))[0] != first  # another address at every dial
        line.heard = ""
        await emulator.control({"do": "detach"})
        await line.until("\r\n+CEREG: 1\r\n")
        words = [word for word in line.heard.split("\r\n") if word]
        assert words[:3] == ["+CGEV: NW DETACH", "+CEREG: 2", "+CGEV: NW PDN DEACT 1"] and words[-1] == "+CEREG: 1"
        await emulator.control({"do": "refuse", "cause": 27})
        assert (await line.ask("AT+CGACT=1,1"))[-1] == "+CME ERROR: 30"
        assert (await line.ask("AT+CEER"))[0] == "+CEER: ESM cause 27: Missing or unknown APN"
        await emulator.control({"do": "refuse", "cause": 0})
        assert (await line.ask("AT+CGACT=1,1"))[-1] == "OK"

    scenario(steps, profile="simcom-sim7600")


async def sending(line, echo):
    """A UDP socket of the modem to a peer on the internet; from where the peer hears of it."""
    await line.ask("AT+QIACT=1")
    await line.ask('AT+QIOPEN=1,0,"UDP","127.0.0.1",%d,0,1' % echo.port)
    await line.until("+QIOPEN: 0,0")


async def datagram(line, text):
    line.heard = ""
    line.write(b"AT+QISEND=0,%d\r" % len(text))
    await line.until("> ")
    line.write(text)
    await line.until("SEND OK")


def with_peer(steps, **known):
    async def both(emulator, line):
        echo = Echo()
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: echo, local_addr=("127.0.0.1", 0))
        echo.port = transport.get_extra_info("sockname")[1]
        await sending(line, echo)
        try:
            await steps(emulator, line, echo)
        finally:
            transport.close()

    scenario(both, **known)


def test_a_nat_that_forgets():
    """Datagrams go on, from another port and another address; answers to the old one are lost."""

    async def steps(emulator, line, echo):
        await datagram(line, b"a")
        await line.until('"recv",0,1\r\nA')
        for request in ({"do": "rebind"}, {"do": "rebind", "address": "127.0.0.4"}):
            assert await emulator.control(request) == {"ok": True}
            await datagram(line, b"b")
            await line.until('"recv",0,1\r\nB')
        sources = [address for _, address in echo.seen]
        assert len(set(sources)) == 3 and [address[0] for address in sources] == ["127.0.0.3"] * 2 + ["127.0.0.4"]
        assert "no address" in (await emulator.control({"do": "rebind", "address": "203.0.113.9"}))["error"]
        assert "no address" in (await emulator.control({"do": "rebind", "address": "x"}))["error"]
        echo.transport.sendto(b"old", sources[0])
        await datagram(line, b"c")
        await line.until('"recv",0,1\r\nC')
        assert "old" not in line.heard

    with_peer(steps)


def test_late_lost_and_dead_datagrams():
    async def steps(emulator, line, echo):
        await emulator.control({"do": "air", "loss": 100})
        await datagram(line, b"lost")
        await emulator.control({"do": "air", "ms": 100, "jitter": 5})
        since = time.monotonic()
        await datagram(line, b"late")
        await until(lambda: echo.seen, "what is late")
        assert time.monotonic() - since > 0.09  # one way
        await line.until('"recv",0,4\r\nLATE')
        assert time.monotonic() - since > 0.18  # and back
        await emulator.control({"do": "air"})
        await emulator.control({"do": "zombie"})
        await datagram(line, b"gone")
        assert (await line.ask("AT+QIACT?"))[0].startswith("+QIACT: 1,1,1")  # looks as if it were alive
        await line.ask("AT+QIDEACT=1")
        assert "not active" in (await emulator.control({"do": "zombie"}))["error"]
        await sending(line, echo)
        await datagram(line, b"back")
        await line.until('"recv",0,4\r\nBACK')
        assert [data for data, _ in echo.seen] == [b"late", b"back"]
        assert (await emulator.control({"do": "status"}))["datagrams_lost"] == 1

    with_peer(steps)


def test_chance_follows_from_the_seed():
    def losses(seed):
        emulator, carried = Emulator(seed=seed), []
        emulator.air.loss = 50
        for number in range(100):
            emulator.air.carry(carried.append, number)
        return carried

    assert losses(1) == losses(1) != losses(2)


def test_a_trace_of_coverage():
    async def steps(emulator, line):
        await line.ask("AT+CEREG=1")
        points = [[0, 22], [10, 3], [20, 99], [30, 17]]
        assert await emulator.control({"do": "trace", "points": points, "repeat": True}) == {"ok": True}
        await line.until("+CEREG: 2\r\n\r\n+CEREG: 1\r\n")
        await line.until("+CEREG: 1\r\n\r\n+CEREG: 2\r\n\r\n+CEREG: 1\r\n")  # over again
        await emulator.control({"do": "trace", "points": [[0, 9]]})
        await emulator.control({"do": "restart"})  # the hills stay where they are
        await until(lambda: emulator.state.signal == 9, "the end of the road")
        for wrong in ([[0]], [[1, 1], [1, 2]], [[0, 50]], [[True, 1]], "x", [[0, 1]] * 1001):
            assert "points does not fit" in (await emulator.control({"do": "trace", "points": wrong}))["error"]
        assert "10 ms or more" in (await emulator.control({"do": "trace", "points": [[0, 1]], "repeat": True}))["error"]

    scenario(steps)


def sim(emulator):
    known = emulator.state.sim
    return known.lock, known.tries, known.puk_tries


def test_a_pin_burnt_and_the_puk():
    """TS 31.101 9.5: three tries for the PIN, ten for the PUK; tries outlast a restart, a right PIN does not."""

    async def steps(emulator, line):
        await emulator.control({"do": "sim", "present": True, "lock": "SIM PIN", "pin": "4711", "tries": 2})
        assert (await line.ask("AT+CPIN?")) == ["+CPIN: SIM PIN", "OK"]
        assert (await line.ask("AT+CIMI"))[-1] == "+CME ERROR: 11"
        assert (await line.ask("AT+CPIN=4711"))[-1] == "OK" and sim(emulator) == ("", 3, 10)
        assert (await line.ask("AT+CPIN=4711"))[-1] == "+CME ERROR: 3"  # nobody asked
        await emulator.power(False)
        await emulator.power(True)
        await until(lambda: emulator.state.sim.ready, "the SIM")
        await line.ask("ATE0")
        for left in (2, 1, 0):
            assert (await line.ask('AT+CPIN="0000"'))[-1] == "+CME ERROR: 16"
            assert emulator.state.sim.tries == left
        assert (await line.ask("AT+CPIN?"))[0] == "+CPIN: SIM PUK" and sim(emulator) == ("SIM PUK", 0, 10)
        assert (await line.ask("AT+CPIN=4711"))[-1] == "+CME ERROR: 12"
        assert (await line.ask('AT+CPIN="11111111","1234"'))[-1] == "+CME ERROR: 16" and sim(emulator)[2] == 9
        assert (await line.ask("AT+CPINR"))[:2] == ["+CPINR: SIM PIN,0,3", "+CPINR: SIM PUK,9,10"]
        status = (await emulator.control({"do": "status"}))["sim"]
        assert (status["lock"], status["tries"], status["puk_tries"]) == ("SIM PUK", 0, 9) and "pin" not in status
        assert (await line.ask('AT+CPIN="12345678","1234"'))[-1] == "OK" and sim(emulator) == ("", 3, 10)
        await until(lambda: emulator.state.registered, "the network")

    scenario(steps)


@pytest.mark.parametrize("profile", names())
def test_every_maker_tells_the_tries_his_way(profile):
    """What the agent's PIN guard asks for, and reads."""

    async def steps(emulator, line):
        await until(lambda: emulator.state.sim.ready, "the SIM")
        await line.ask("ATE0")
        await emulator.control({"do": "sim", "present": True, "lock": "SIM PIN", "tries": 2})
        own = emulator.profile["identity"]
        family = generic.load(own["manufacturer"], own["model"])
        for command in getattr(family, "INIT", generic.INIT).split("\n")[1:-1]:
            await line.ask(command)  # some SIMs have no power before
        for left in (2, 1):
            answer = await line.ask(getattr(family, "TRIES", generic.TRIES))
            assert answer[-1] == "OK" and at_sim.tries(answer[:-1])["pin"] == left
            await line.ask('AT+CPIN="9999"')

    scenario(steps, profile=profile, registered=False)


def test_a_sim_that_is_waste():
    async def steps(emulator, line):
        await emulator.control({"do": "sim", "present": True, "lock": "SIM PUK"})
        for _ in range(10):
            assert (await line.ask("AT+CPIN=11111111,1234"))[-1] == "+CME ERROR: 16"
        for command in ("AT+CPIN?", "AT+CPIN=12345678,1234", "AT+CIMI"):
            assert (await line.ask(command))[-1] == "+CME ERROR: 13"
        other = {"do": "sim", "present": True, "lock": "", "iccid": "8988211000000000024F", "imsi": "001010123456702"}
        await emulator.control(other)
        assert await line.ask("AT+CIMI") == ["001010123456702", "OK"]

    scenario(steps)


def test_the_pin_switched_on_changed_and_off():
    async def steps(emulator, line):
        assert await line.ask('AT+CLCK="SC",2') == ["+CLCK: 0", "OK"]
        assert (await line.ask('AT+CLCK="SC",1,"0000"'))[-1] == "+CME ERROR: 16" and emulator.state.sim.tries == 2
        assert (await line.ask('AT+CLCK="SC",1,"1234"'))[-1] == "OK" and sim(emulator) == ("", 3, 10)
        assert (await line.ask('AT+CPWD="SC","1234","5678"'))[-1] == "OK"
        await emulator.control({"do": "restart"})
        await until(lambda: emulator.state.sim.lock and emulator.state.sim.ready, "the SIM")
        assert (await line.ask("AT+CPIN=5678"))[-1] == "OK"
        assert (await line.ask('AT+CLCK="SC",0,"5678"'))[-1] == "OK"
        assert (await line.ask('AT+CPWD="SC","5678","1234"'))[-1] == "+CME ERROR: 3"  # nobody asks for it

    scenario(steps)


def test_a_busy_sim():
    async def steps(emulator, line):
        await emulator.control({"do": "busy", "ms": 600000})
        for command in ("AT+CPIN?", "AT+CIMI", "AT+QCCID"):
            assert (await line.ask(command))[-1] == "+CME ERROR: 14"
        await emulator.control({"do": "busy", "ms": 0})
        assert (await line.ask("AT+CPIN?"))[0] == "+CPIN: READY" and emulator.state.registered

    scenario(steps)


def test_merged_dropped_and_thinned():
    async def steps(emulator, line):
        await emulator.control({"do": "merge", "ms": 20})
        line.reads.clear()
        line.write(b"AT\rAT+CSQ\rAT\r")
        await until(lambda: line.read().count("OK\r\n") == 4, line.heard)
        assert len(line.reads) == 1
        await emulator.control({"do": "merge", "ms": 0})
        await emulator.control({"do": "drop", "writes": 1})
        line.heard = ""
        line.write(b"AT+CSQ\r")
        assert await line.ask("AT") == ["OK"]
        await emulator.control({"do": "lose", "permille": 1000})
        line.write(b"AT+CFUN=0\r")
        await asyncio.sleep(0.2)  # the kernel hands it over when it comes to that
        assert line.read().count("OK") == 1 and emulator.state.functionality == 1
        await emulator.control({"do": "lose", "permille": 0})
        assert await line.ask("AT") == ["OK"]

    scenario(steps)


def test_echo_garbage_crash_and_errors():
    async def steps(emulator, line):
        await emulator.control({"do": "echo", "on": True})
        await line.ask("ATE0")
        await line.ask("AT+CSQ")
        assert line.heard.startswith("AT+CSQ\r")
        await emulator.control({"do": "echo", "on": False})
        await emulator.control({"do": "errors", "times": 2, "at": "at+c", "code": 100})
        assert await line.ask("ATI") != ["+CME ERROR: 100"]
        assert [await line.ask("AT+CSQ"), await line.ask("AT+CREG?")] == [["+CME ERROR: 100"]] * 2
        assert (await line.ask("AT+CSQ"))[-1] == "OK"
        await emulator.control({"do": "errors", "times": 1})
        assert await line.ask("AT") == ["ERROR"]
        await emulator.control({"do": "garbage", "bytes": 40})
        await emulator.control({"do": "crash", "at": "AT+CGACT"})
        line.heard = ""
        line.write(b"AT+CGACT=1,1\r")
        await line.until("RDY")
        assert "OK" not in line.heard and line.heard.startswith("\0" * 10) and len(line.heard.split("\r")[0]) == 40
        await until(lambda: emulator.state.registered, "the network")
        assert (await line.ask("AT+CGACT=1,1"))[-1] == "OK"  # crashes once

    scenario(steps)


def test_two_speeds():
    """What crosses is rubbish until both ends have the same; it outlasts a restart."""

    def set_speed(line, rate):
        settings = termios.tcgetattr(line.fd)
        settings[4] = settings[5] = rate
        termios.tcsetattr(line.fd, termios.TCSANOW, settings)

    async def steps(emulator, line):
        set_speed(line, termios.B115200)
        assert await line.ask("AT+IPR=57600") == ["OK"]
        await until(lambda: emulator.state.baud, "the new speed")
        await emulator.power(False)
        await emulator.power(True)
        await until(lambda: emulator.state.running, "boot")
        line.heard = ""
        line.write(b"AT\r")
        await asyncio.sleep(0.2)  # the kernel hands it over when it comes to that
        assert "OK" not in line.read() and "RDY" not in line.heard
        set_speed(line, termios.B57600)
        line.write(b"\r")  # ends what the rubbish was
        assert (await line.ask("AT+IPR?"))[-2:] == ["+IPR: 57600", "OK"]
        await line.ask("AT+IPR=0")
        set_speed(line, termios.B9600)
        assert (await line.ask("AT"))[-1] == "OK"

    scenario(steps)


def test_stuck_until_it_is_reset():
    async def steps(emulator, line):
        await emulator.control({"do": "stuck"})
        line.write(b"AT+CFUN=1,1\r" * 3)
        await asyncio.sleep(0.02)
        assert line.read() == line.heard and "RDY" not in line.heard
        assert (await emulator.control({"do": "status"}))["faults"] == {"stuck": True}
        await emulator.control({"do": "restart"})
        await line.until("RDY")
        assert (await line.ask("AT"))[-1] == "OK"

    scenario(steps)


def test_the_port_comes_back_by_itself():
    async def steps(emulator, line):
        await emulator.control({"do": "port", "on": False, "ms": 10})
        assert not emulator.port.is_open
        with pytest.raises(OSError):
            os.write(line.fd, b"AT\r")
        await until(lambda: emulator.port.is_open, "the port")
        again = Line(emulator.path)
        assert (await again.ask("AT"))[-1] == "OK"
        again.close()

    scenario(steps)


def test_every_random_fault_is_a_command_that_ends():
    """A seed repeats the times, and within a day everything that can go wrong does, and is over."""

    def day(seed):
        steps = []
        for second, command in random_faults.timeline(seed, 60):
            if second > 86400:
                return steps
            steps.append((second, command))

    assert day(7) == day(7) != day(8)
    begun = [command for _, command in day(7)]
    assert all(control._check(command) is None for command in begun)
    assert {row[1]["do"] for row in random_faults.TROUBLE} <= {command["do"] for command in begun}

    async def steps(emulator, line):
        chance = random.Random(1)
        order = list(random_faults.TROUBLE) * 2
        chance.shuffle(order)
        for _, begin, end in order:
            for command in (begin, end):
                if command:
                    await emulator.control(command)
                    await asyncio.sleep(0.002)
        for command in ({"do": "busy", "ms": 0}, {"do": "errors", "times": 0}, {"do": "drop", "writes": 0}):
            await emulator.control(command)
        await until(lambda: emulator.state.registered, "the network")
        again = Line(emulator.path)
        await again.ask("AT")
        assert set((await emulator.control({"do": "status"}))["faults"]) <= {"inside"}
        again.close()

    scenario(steps, ms=AT_ONCE)
