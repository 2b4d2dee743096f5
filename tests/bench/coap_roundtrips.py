"""coap.roundtrips_per_s: confirmable requests and their piggybacked answers over loopback UDP, one after the other.

Our exchange, under CPython and under MicroPython, and aiocoap ask the same responder, which is no CoAP library but
thirty lines in a process of its own: so what differs is the asking side. Ours is driven by a plain blocking socket,
aiocoap by asyncio as always.
"""

import asyncio
import os
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

from pointsman.tools.firmware.launch import find_micropython

ROOT = Path(__file__).resolve().parents[2]
ANSWER = b"1367491215"
RUNS = 3


def measure(quick=False):
    """One row an interpreter: the median of RUNS runs of `n` round trips, and aiocoap's between the same."""
    count = 1000 if quick else 5000
    interpreters = [("cpython", sys.executable)]
    if find_micropython():
        interpreters.append(("micropython", find_micropython()))
    with Responder() as port:
        runs = [[_ours(command, port, count) for _, command in interpreters] + [_aiocoap(port, count // 5)]
                for _ in range(RUNS)]
    values = [statistics.median(column) for column in zip(*runs, strict=True)]
    return [{"name": "coap.roundtrips_per_s", "value": round(value), "unit": "1/s", "interpreter": name, "n": count,
             "peer": "aiocoap", "peer_value": round(values[-1])}
            for (name, _), value in zip(interpreters, values[:-1], strict=True)]


class Responder:
    """A process that answers every CON with 2.05 in the ACK. As a context it gives its port."""

    def __enter__(self):
        self._process = subprocess.Popen([sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return int(self._process.stdout.readline())

    def __exit__(self, *_):
        self._process.kill()
        self._process.communicate()


def respond():
    """Says its port and answers until killed."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    print(sock.getsockname()[1], flush=True)
    while True:
        data, address = sock.recvfrom(1500)
        token = data[0] & 15
        sock.sendto(bytes((0x60 | token, 0x45)) + data[2 : 4 + token] + b"\xff" + ANSWER, address)


def _ours(command, port, count):
    names = dict(os.environ, PYTHONPATH=str(ROOT), MICROPYPATH=str(ROOT))
    command = [command, str(Path(__file__).with_name("coap_asking.py")), str(port), str(count)]
    return float(subprocess.run(command, env=names, check=True, capture_output=True, text=True).stdout)


def _aiocoap(port, count):
    import aiocoap

    async def run():
        context = await aiocoap.Context.create_client_context()
        try:
            start = time.perf_counter()
            for _ in range(count):
                message = aiocoap.Message(code=aiocoap.GET, uri="coap://127.0.0.1:%d/3/0/13" % port)
                response = await context.request(message).response
                assert response.payload == ANSWER
            return count / (time.perf_counter() - start)
        finally:
            await context.shutdown()

    return asyncio.run(run())


if __name__ == "__main__":
    respond()
