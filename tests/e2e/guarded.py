"""A device's guard as a datagram relay of its own: behind it a FakeDevice that speaks plain CoAP, before it a secured
server. The guard is the agent's own, OSCORE or DTLS; what passed is there to be replayed, cut or sent from elsewhere.
"""

import asyncio
import contextlib
import random
import time

from pointsman.agent.engine.dtls import Dtls
from pointsman.agent.engine.oscore import Context, Oscore
from pointsman.tools.servers.credentials import kid

KINDS = ("oscore", "dtls")


def make(security, endpoint, key, state=None):
    """The guard of a device with this key."""
    below = random.Random(endpoint).randrange if security == "oscore" else random.randrange
    if security == "oscore":
        return Oscore(Context(key, b"", kid(endpoint), b""), below, state)
    return Dtls(endpoint.encode(), key, below, state or b"")


class Guarded:
    """`guard` between a device and a server at `uri`; `uri` afterwards is what the device takes for the server."""

    def __init__(self, guard, uri, host="127.0.0.1"):
        self.guard, self.host = guard, host
        self.server = (uri.split("//")[1].rsplit(":", 1)[0], int(uri.rsplit(":", 1)[1]))
        self.sent, self.got, self.said, self.kept = [], [], [], None
        self.device = None  # where the device sends from
        self._inside = self._outside = self._timer = None

    async def __aenter__(self):
        self._inside = await _bound(self.host, self._from_device)
        self._outside = await _bound(self.host, self._from_server)
        self._timer = asyncio.create_task(self._poll())
        return self

    async def __aexit__(self, *_):
        self._timer.cancel()
        self._inside.close()
        self._outside.close()

    @property
    def uri(self):
        return "coap://%s:%d" % self._inside.get_extra_info("sockname")[:2]

    @property
    def port(self):
        return self._outside.get_extra_info("sockname")[1]

    def requests(self):
        """The CoAP requests that the device has sent under OSCORE, each once; acknowledgements are none."""
        return list({data[2:4]: data for data in self.sent if data[0] >> 4 == 4}.values())

    async def move(self):
        """From now on from another port, as behind a NAT or on another link."""
        self._outside.close()
        self._outside = await _bound(self.host, self._from_server)

    def inject(self, data):
        """What an attacker sends from the device's own address."""
        self._outside.sendto(data, self.server)

    def _from_device(self, data, where):
        self.device = where
        self.guard.send(data, _now())
        self._do()

    def _from_server(self, data, _):
        self.got.append(data)
        self.guard.receive(data, _now())
        self._do()

    def _do(self):
        for kind, *what in self.guard.take():
            if kind == "udp":
                self.sent.append(what[0])
                self._outside.sendto(what[0], self.server)
            elif kind == "plain" and self.device:
                self._inside.sendto(what[0], self.device)
            elif kind == "keep":
                self.kept = what[0]
            else:
                self.said.append((kind, *what))

    async def _poll(self):
        while True:
            await asyncio.sleep(0.02)
            if hasattr(self.guard, "poll"):
                self.guard.poll(_now())
                self._do()


class _Socket(asyncio.DatagramProtocol):
    def __init__(self, received):
        self._received = received

    def datagram_received(self, data, addr):
        with contextlib.suppress(OSError):
            self._received(data, addr)


async def _bound(host, received):
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Socket(received), local_addr=(host, 0))
    return transport


async def send(data, server):
    """The answer to one datagram from an address that nobody knows."""
    answers = asyncio.Queue()
    transport = await _bound("127.0.0.1", lambda got, _: answers.put_nowait(got))
    try:
        transport.sendto(data, server)
        return await asyncio.wait_for(answers.get(), 60)
    finally:
        transport.close()


def _now():
    return int(time.monotonic() * 1000)
