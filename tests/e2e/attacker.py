"""Somebody on the way between devices and a server: passes everything on, and does what he can with what he has seen.

Each datagram of either side may come again, cut short or bent, from where it came and from elsewhere, and some overtake
others. What is bent comes a little after the genuine one: who is on the way can always answer in a server's name before
the server does, and no protection of ours keeps a datagram from getting lost.
"""

import asyncio
import contextlib
import random

LATER_S = 0.3
OVERTAKEN_S = 0.03


class Attacker:
    """`uri` is where devices take the server for; `done` counts what was done by its kind."""

    def __init__(self, uri, seed=1):
        scheme, _, place = uri.partition("://")
        self.server = (place.rpartition(":")[0], int(place.rpartition(":")[2]))
        self.scheme, self.done = scheme, {"replayed": 0, "cut": 0, "bent": 0, "overtaken": 0}
        self._random = random.Random(seed)
        self._front = self._elsewhere = None
        self._behind, self._seen, self._tasks = {}, [], set()

    async def start(self):
        self._front = await _bound(self._from_device)
        self._elsewhere = await _bound(lambda data, where: None)

    async def stop(self):
        for task in self._tasks:
            task.cancel()
        for transport in (self._front, self._elsewhere, *self._behind.values()):
            transport.close()

    @property
    def uri(self):
        return "%s://127.0.0.1:%d" % (self.scheme, self._front.get_extra_info("sockname")[1])

    def _from_device(self, data, where):
        self._do(self._device(data, where))

    async def _device(self, data, where):
        if where not in self._behind:
            self._behind[where] = await _bound(lambda back, _: self._do(self._pass(back, self._front, where)))
        await self._pass(data, self._behind[where], self.server)

    async def _pass(self, data, way, where):
        """The datagram itself, now or after the next one; then what an attacker makes of it."""
        if self._random.random() < 0.1:
            self.done["overtaken"] += 1
            await asyncio.sleep(OVERTAKEN_S)
        way.sendto(data, where)
        self._seen = self._seen[-200:] + [(data, way, where)]
        await asyncio.sleep(LATER_S)
        for kind, bad in self._variants(data):
            self.done[kind] += 1
            if where == self.server:
                self._elsewhere.sendto(bad, where)
            way.sendto(bad, where)
        old = self._random.choice(self._seen)
        self.done["replayed"] += 1
        old[1].sendto(_renumbered(old[0]), old[2])
        if old[2] == self.server:
            self._elsewhere.sendto(_renumbered(old[0]), self.server)

    def _variants(self, data):
        """Of what is sealed; a CoAP message gets another message id, or it would be taken for a repetition."""
        other = _renumbered(data)
        if len(data) > 24:
            yield "cut", other[: -self._random.randint(1, 8)]
            yield "bent", other[:-1] + bytes([other[-1] ^ 1 << self._random.randrange(8)])

    def _do(self, coroutine):
        task = asyncio.ensure_future(_quietly(coroutine))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _renumbered(data):
    """A CoAP message under another id; a DTLS record as it is."""
    return data[:2] + bytes([data[2] ^ 0x55]) + data[3:] if 0x40 <= data[0] < 0x80 else data


async def _quietly(coroutine):
    with contextlib.suppress(OSError, AttributeError):  # its transport is closed: the story is over
        await coroutine


class _Socket(asyncio.DatagramProtocol):
    def __init__(self, received):
        self._received = received

    def datagram_received(self, data, addr):
        self._received(data, addr)


async def _bound(received):
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Socket(received), local_addr=("127.0.0.1", 0))
    return transport
