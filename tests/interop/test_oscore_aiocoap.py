"""OSCORE against aiocoap over loopback sockets, aiocoap once as the server and once as the client.

Our side is a process of its own, under either interpreter; both sides are killed without warning.
"""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import aiocoap
import pytest
from free_ports import free_port

from pointsman.tools.firmware.launch import find_micropython

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PATIENCE_S = 120
BODY = b"0123456789" * 200

both = pytest.mark.parametrize("python", ["cpython", "micropython"])


def command(python, *words):
    """The command of our endpoint."""
    if python == "micropython":
        if not find_micropython():
            pytest.skip("no MicroPython here: set MICROPYTHON to a build")
        return [find_micropython(), "-X", "heapsize=512K", str(HERE / "oscore_endpoint.py"), *map(str, words)]
    return [sys.executable, "-u", str(HERE / "oscore_endpoint.py"), *map(str, words)]


def environment():
    return {**os.environ, "PYTHONPATH": str(ROOT), "MICROPYPATH": str(ROOT)}


@contextlib.contextmanager
def running(words):
    """A server process that has said that it serves; killed in the end, as by a power cut."""
    process = subprocess.Popen(words, env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "serving\n"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def context(place, own, others):
    """A directory with a security context as aiocoap has them."""
    place.mkdir()
    settings = {"sender-id_" + own[0]: own[1], "recipient-id_" + others[0]: others[1], "salt_ascii": "salt",
                "secret_ascii": "Correct Horse Battery Staple"}
    (place / "settings.json").write_text(json.dumps(settings))
    return str(place) + "/"


def asked(python, port, state, *steps):
    """The lines of a client of ours."""
    done = subprocess.run(command(python, "client", port, state, *steps), env=environment(), timeout=PATIENCE_S,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout
    return done.stdout.splitlines()


@both
def test_client(python, tmp_path):
    """GET, PUT, blocks, a replay; Echo after the server was killed; a second life of the client (RFC 8613 B.1)."""
    place, port = context(tmp_path / "server", ("ascii", "file"), ("hex", "01")), free_port()
    server = [sys.executable, str(HERE / "oscore_server.py"), str(port), place]
    state = tmp_path / "state"
    nothing = "counters [('dropped', 0), ('refused', 0), ('replayed', 0), ('unprotected', 0)]"
    with running(server) as process:
        lines = asked(python, port, state, "get:p", "put:p:period=60", "get:p", "big:p", "get:p")
        assert lines[:5] == ["2.05 none", "2.04 ", "2.05 period=60", "2.04 ", "2.05 2000 characters"]
        assert lines[5].startswith(nothing)
        assert [process.stdout.readline() for _ in range(2)] == ["put 9 bytes\n", "put 2000 bytes\n"]
    with running(server):  # its replay window was lost: it demands an Echo
        lines = asked(python, port, state, "put:p:x", "get:p", "replay", "get:p")
        assert lines[:4] == ["2.04 ", "2.05 x", "4.01 Replay detected", "2.05 x"]
        state.unlink()  # our keys used anew, against the rule: refused, and not by a bootstrap
        lines = asked(python, port, state, "get:p")
        assert lines[0].startswith("refused oscore: unprotected answer 4.01 Replay") and lines[1] == "5.02 "


@both
def test_client_moves(python, tmp_path):
    """W3: another address costs nothing beyond the request itself, and no new Echo."""
    place, port = context(tmp_path / "server", ("ascii", "file"), ("hex", "01")), free_port()
    with running([sys.executable, str(HERE / "oscore_server.py"), str(port), place]):
        lines = asked(python, port, tmp_path / "state", "put:p:here", "move", "get:p", "move", "get:p")
        assert lines[:3] == ["2.04 ", "2.05 here", "2.05 here"] and lines[3].endswith("sent 3")


@both
def test_client_observes(python, tmp_path):
    place, port = context(tmp_path / "server", ("ascii", "file"), ("hex", "01")), free_port()
    with running([sys.executable, str(HERE / "oscore_server.py"), str(port), place]):
        lines = asked(python, port, tmp_path / "state", "put:p:count", "observe:p:4")
        assert lines[:5] == ["2.04 ", "2.05 count", "2.05 1", "2.05 2", "2.05 3"]


class Tap(asyncio.DatagramProtocol):
    """Stands between aiocoap and us, and remembers what came from there."""

    def __init__(self, port):
        self.server, self.client, self.requests, self.answers = ("127.0.0.1", port), None, [], asyncio.Queue()

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, address):
        if address != self.server:
            self.client = address
            self.requests.append(data)
            self.transport.sendto(data, self.server)
        elif self.client:
            self.transport.sendto(data, self.client)
        else:
            self.answers.put_nowait(data)

    def posts(self):
        """What was asked, each once: a busy machine repeats; and without observations."""
        return {data for data in self.requests if data[1] == 2}

    async def replay(self, number):
        """(code, payload) of what we answer to a request that came before, under another message id."""
        client, self.client = self.client, None
        data = self.requests[number]
        self.transport.sendto(data[:2] + bytes([data[2] ^ 0x55]) + data[3:], self.server)
        answer = aiocoap.Message.decode(await asyncio.wait_for(self.answers.get(), PATIENCE_S))
        self.client = client
        return answer.code, answer.payload


@both
def test_server(python, tmp_path):
    """GET, PUT, Observe, blocks both ways, a replay; killed, we demand an Echo, and the old is not obeyed."""
    place, port = context(tmp_path / "client", ("ascii", "file"), ("hex", "01")), free_port()
    words = command(python, "server", port, tmp_path / "state")

    async def scenario():
        loop = asyncio.get_running_loop()
        transport, tap = await loop.create_datagram_endpoint(lambda: Tap(port), local_addr=("127.0.0.1", 0))
        uri = "coap://127.0.0.1:%d/" % transport.get_extra_info("sockname")[1]
        client = await aiocoap.Context.create_client_context()
        client.client_credentials.load_from_dict({uri + "*": {"oscore": {"basedir": place}}})

        async def ask(code, path, payload=b""):
            message = aiocoap.Message(code=code, uri=uri + path, payload=payload)
            response = await asyncio.wait_for(client.request(message).response, PATIENCE_S)
            return response.code, response.payload

        try:
            with running(words) as process:
                await first_life(client, ask, uri, tap)
                assert process.stdout.readline() == "put 3 bytes\n"
            with running(words) as process:
                before = tap.posts()
                code, _ = await tap.replay(1)  # answered in our first life: not obeyed, an Echo inside
                assert code == aiocoap.CHANGED
                assert await ask(aiocoap.GET, "p") == (aiocoap.CONTENT, b"none")
                assert len(tap.posts() - before) == 2
                assert await ask(aiocoap.PUT, "p", b"new") == (aiocoap.CHANGED, b"")
                assert process.stdout.readline() == "put 3 bytes\n"
                assert await tap.replay(1) == (aiocoap.UNAUTHORIZED, b"Replay detected")
        finally:
            await client.shutdown()
            transport.close()

    asyncio.run(scenario())


async def first_life(client, ask, uri, tap):
    assert await ask(aiocoap.GET, "p") == (aiocoap.CONTENT, b"none")
    assert await ask(aiocoap.PUT, "p", b"one") == (aiocoap.CHANGED, b"")
    assert await tap.replay(1) == (aiocoap.UNAUTHORIZED, b"Replay detected")
    assert await ask(aiocoap.GET, "large") == (aiocoap.CONTENT, BODY)
    observation = client.request(aiocoap.Message(code=aiocoap.GET, uri=uri + "p", observe=0))
    assert (await asyncio.wait_for(observation.response, PATIENCE_S)).payload == b"one"
    news = aiter(observation.observation)
    for value in (b"2", b"3" * 2000, b"4"):
        assert await ask(aiocoap.PUT, "p", value) == (aiocoap.CHANGED, b"")
        assert (await asyncio.wait_for(anext(news), PATIENCE_S)).payload == value
    observation.observation.cancel()
