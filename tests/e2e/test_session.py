"""Data sessions of a Linux board: pppd behind a pseudo-terminal (played by a script), a TUN interface; and what is said
when neither is possible. The emulator's own TUN interface and its Unix socket."""

import asyncio
import os
import random
import socket
import sys
import time
from pathlib import Path

import pytest
from ppp_scenario import scenario

from agent.session import Session
from boards import ppp

STAND_IN = """#!%s
import os, signal, sys, tty
line = os.open(sys.argv[1], os.O_RDWR)
tty.setraw(line)
signal.signal(signal.SIGTERM, lambda *_: (os.write(line, b"~bye~"), sys.exit(5)))
told = %r
open(told + ".part", "w").write("\\n".join(sys.argv[2:]))
os.rename(told + ".part", told)
while True:
    os.write(line, os.read(line, 1000).upper())
"""


def until(found, seconds=60):
    end = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def pppd(tmp_path):
    """(path of a program that takes pppd's place, the file it writes its options to)"""
    program, options = tmp_path / "pppd", tmp_path / "options"
    program.write_text(STAND_IN % (sys.executable, str(options)))
    program.chmod(0o755)
    return str(program), options


def test_bytes_go_through_pppd_and_the_secret_is_no_argument(pppd, tmp_path):
    program, options = pppd
    port = ppp.Pppd(program, "ppp0", str(tmp_path), "me", 'a"b')
    session = Session(port, random.randrange)
    session.start(0)
    until(options.exists)
    session.receive(b"frame", 1)
    said = []

    def heard():
        session.readable(2)
        said.append(session.take())
        return b"".join(said) == b"FRAME"

    until(heard)
    words = options.read_text().split("\n")
    assert words[:2] == ["115200", "nodetach"] and words[-4:-2] == ["unit", "0"]
    secret = Path(words[-1])
    assert 'password "a\\"b"' in secret.read_text() and secret.stat().st_mode & 0o777 == 0o600
    session.stop(10)
    until(lambda: port.ended() is not None)
    session.readable(11)
    assert session.take() == b"~bye~"
    session.poll(1000)
    assert session.reason == "pppd ended, code 5: was told to" and session.deadline() is None
    session.close()


def test_no_carrier_ends_pppd(pppd, tmp_path):
    port = ppp.Pppd(pppd[0], "wwan7", str(tmp_path))
    session = Session(port, random.randrange)
    session.start(0)
    until(pppd[1].exists)
    assert pppd[1].read_text().split("\n")[-2:] == ["ifname", "wwan7"]
    session.receive(b"~x~\r\nNO CARR", 1)
    assert session.reason is None
    session.receive(b"IER\r\n", 2)
    assert session.reason == "no carrier" and port.ended() is None
    session.close()
    assert port.ended()


def test_one_that_does_not_end_is_killed(pppd, tmp_path):
    Path(pppd[0]).write_text(STAND_IN.replace("(os.write(line, b\"~bye~\"), sys.exit(5))", "None")
                             % (sys.executable, str(pppd[1])))
    port = ppp.Pppd(pppd[0], "ppp0", str(tmp_path))
    session = Session(port, random.randrange)
    session.start(0)
    until(pppd[1].exists)
    session.stop(100)
    session.poll(5099)
    assert session.reason is None and session.deadline() == 5100
    session.poll(5100)
    session.close()
    assert session.reason == "killed" and port.ended() == "pppd ended, code -9"


def test_what_is_missing_is_told(monkeypatch):
    monkeypatch.setattr(ppp, "_PROGRAMS", ())
    with pytest.raises(OSError, match="install the package ppp, or choose tun"):
        ppp.open_session("pppd", "ppp0", "/tmp")
    monkeypatch.setattr(ppp, "_PROGRAMS", (sys.executable,))
    monkeypatch.setattr(ppp, "_there", lambda path: path != "/dev/ppp")
    with pytest.raises(OSError, match="modprobe ppp_async, or choose tun"):
        ppp.open_session("pppd", "ppp0", "/tmp")
    monkeypatch.setattr(ppp, "fcntl", None)
    with pytest.raises(OSError, match="set session to sockets"):
        ppp.open_session("auto", "ppp0", "/tmp")


def test_both_ends_of_a_call_are_interfaces():
    """W1: a socket on the device's TUN interface talks to a socket on the network's, with the device's own address."""
    if os.geteuid() or not os.path.exists("/dev/net/tun"):
        pytest.skip("needs root and /dev/net/tun")

    async def steps(emulator, port, seen):
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
            server.bind(("10.64.0.1", 0))
            server.setblocking(False)
            peers = []

            def answer():
                data, peer = server.recvfrom(2048)
                peers.append(peer[0])
                server.sendto(data.upper(), peer)

            loop.add_reader(server, answer)
            process = await asyncio.create_subprocess_exec(
                sys.executable, str(Path(__file__).with_name("ppp_device.py")), str(Path(__file__).parents[2]),
                emulator.path, "", "", str(server.getsockname()[1]), "hello", "tun", stdout=asyncio.subprocess.PIPE)
            output, _ = await asyncio.wait_for(process.communicate(), 120)
            loop.remove_reader(server)
        assert output.decode().split("\n")[1:3] == ["answer HELLO", "down closed"] and peers == ["10.64.0.3"]

    scenario(steps, tun="pm-%d" % os.getpid())


def test_a_unix_socket_is_the_plug(tmp_path):
    """As QEMU's -chardev socket: a connection plugs the modem in, its end unplugs it; off: the plug is pulled."""
    path = str(tmp_path / "line")

    async def steps(emulator, port, seen):
        while (await emulator.control({"do": "status"}))["registration"] != "home":
            await asyncio.sleep(0.01)
        for _ in range(2):
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(b"AT\rATD*99#\r")
            await asyncio.wait_for(reader.readuntil(b"CONNECT"), 60)
            writer.close()
            await writer.wait_closed()
            while (await emulator.control({"do": "status"}))["calls"]:
                await asyncio.sleep(0.01)
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"AT\r")
        await asyncio.wait_for(reader.readuntil(b"OK"), 60)
        await emulator.control({"do": "port", "on": False})
        await asyncio.wait_for(reader.read(), 60)
        writer.close()
        assert not os.path.exists(path)
        await emulator.control({"do": "port", "on": True})
        reader, writer = await asyncio.open_unix_connection(path)
        writer.close()

    scenario(steps, socket=path)
