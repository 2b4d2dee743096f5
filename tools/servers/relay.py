"""The gateway's queue of readings: what a device was told is stored goes to the platform, in order, until the
platform has it.

One task an endpoint while its queue is not empty. Silence, 5.xx, 4.04 (the platform does not know us yet) and
4.29 are tried again with a growing, jittered pause; any other refusal is final: the payload is parked in the
books with the reason, because trying it for ever would keep everything behind it from being delivered.
"""

import asyncio
import time
from collections import deque

import sqlalchemy as sa
from aiocoap.numbers.codes import Code

from . import storage as books
from .coap import Refusal, Unreachable, pause

MAX_QUEUED = 2_000  # payloads of one endpoint
MAX_TOTAL = 100_000
_PRUNE_EVERY = 200  # deliveries
_QUEUE = books.relay.insert()
_SETTLE = books.relay.update().where(books.relay.c.id == sa.bindparam("number")).values(
    delivered_at=sa.bindparam("delivered"), parked=sa.bindparam("why"))


class Relay:
    """`send(endpoint, payload, format)` is a coroutine function giving the platform's answer; it may raise
    Unreachable."""

    def __init__(self, server, storage, note, send):
        self._server, self._storage, self._note, self._send = server, storage, note, send
        self._queues = {}  # endpoint -> deque of (id, payload, format)
        self._tasks = {}
        self._idle = {}  # endpoint -> Event, set while nothing waits
        self._total = self._delivered = 0
        self._retry = {}  # endpoint -> Event that ends a pause

    def start(self):
        """Take up what was not delivered when the gateway ended."""
        table = books.relay
        waiting = sa.select(table).order_by(table.c.id).where(
            table.c.server == self._server, table.c.delivered_at.is_(None), table.c.parked.is_(None))
        for row in self._storage.read(waiting):
            self._enqueue(row["endpoint"], row["id"], row["payload"], row["format"])
        return self._total

    async def stop(self):
        running = list(self._tasks.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def accept(self, endpoint, payload, format):
        """Durable when it returns. Raises Refusal(5.03) when the queue is full: the device keeps its
        readings."""
        if len(self._queues.get(endpoint, ())) >= MAX_QUEUED or self._total >= MAX_TOTAL:
            raise Refusal(Code.SERVICE_UNAVAILABLE, "the queue to the platform is full")
        row = {"server": self._server, "endpoint": endpoint, "payload": payload, "format": format,
               "received_at": time.time()}

        def job(connection):
            return connection.execute(_QUEUE, row).inserted_primary_key[0]
        self._enqueue(endpoint, await self._storage.write(job), payload, format)

    async def drained(self, endpoint, limit):
        """Wait until everything of this endpoint is delivered, or `limit` s have passed."""
        if endpoint not in self._tasks:
            return True
        try:
            async with asyncio.timeout(limit):
                await self._idle[endpoint].wait()
            return True
        except TimeoutError:
            return False

    def hurry(self, endpoint):
        """The platform has just answered: do not wait out a pause."""
        if endpoint in self._retry:
            self._retry[endpoint].set()

    def waiting(self, endpoint):
        return len(self._queues.get(endpoint, ()))

    def _enqueue(self, endpoint, number, payload, format):
        self._queues.setdefault(endpoint, deque()).append((number, payload, format))
        self._total += 1
        if endpoint not in self._tasks:
            self._idle[endpoint], self._retry[endpoint] = asyncio.Event(), asyncio.Event()
            self._tasks[endpoint] = asyncio.create_task(self._deliver(endpoint))

    async def _deliver(self, endpoint):
        waiting = self._queues[endpoint]
        attempt = 0
        while waiting:
            number, payload, format = waiting[0]
            verdict = await self._offer(endpoint, payload, format)
            if verdict is None:
                await self._pause(endpoint, attempt)
                attempt += 1
                continue
            attempt = 0
            waiting.popleft()
            self._total -= 1
            try:
                await self._storage.write(self._settling(number, verdict))
            except Exception as problem:  # it is delivered all the same; the platform will know it again
                self._note("bug", what=repr(problem))
        self._idle[endpoint].set()
        for table in (self._queues, self._tasks, self._idle, self._retry):
            del table[endpoint]

    async def _offer(self, endpoint, payload, format):
        """What to note in the books: delivered_at or parked; None: to be tried again."""
        try:
            answer = await self._send(endpoint, payload, format)
        except Unreachable as problem:
            self._note("relay_waits", endpoint=endpoint, why=str(problem), queued=self.waiting(endpoint))
            return None
        if answer.code.is_successful():
            self._note("relayed", endpoint=endpoint, bytes=len(payload))
            return {"delivered": time.time(), "why": None}
        text = f"{answer.code.dotted} {answer.payload[:200].decode('utf-8', 'replace')}".strip()
        again = answer.code in (Code.NOT_FOUND, Code.TOO_MANY_REQUESTS) or answer.code.class_ == 5
        self._note("relay_waits" if again else "relay_parked", endpoint=endpoint, why=text,
                   queued=self.waiting(endpoint))
        return None if again else {"delivered": None, "why": text}

    async def _pause(self, endpoint, attempt):
        self._retry[endpoint].clear()
        try:
            async with asyncio.timeout(pause(attempt)):
                await self._retry[endpoint].wait()
        except TimeoutError:
            pass

    def _settling(self, number, verdict):
        table = books.relay
        self._delivered += 1
        prune = self._delivered % _PRUNE_EVERY == 0

        def job(connection):
            connection.execute(_SETTLE, {"number": number, **verdict})
            if prune:
                newest = sa.select(sa.func.max(table.c.id)).scalar_subquery()
                connection.execute(table.delete().where(
                    table.c.delivered_at.is_not(None), table.c.id <= newest - books.MAX_DELIVERED))
        return job
