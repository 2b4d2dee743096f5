"""What goes to devices one by one: documents, and before them what a device lacks to take them, that it is in the group
and the keys of who signs. A small device takes one thing at a time.
"""

import asyncio
from collections import Counter, OrderedDict

from aiocoap.numbers.codes import Code

from ...agent.codec import cbor
from ...agent.errors import RemoteError
from ..groups import wire
from .coap import Refusal, Unreachable

_MOST_ASKED = 1000  # documents on their way at one time
_MOST_TOLD = 40  # devices at one time: nobody waits for them, and a socket's buffer holds no more answers
_SERVERS_FAULT = 5  # class of a code
_UNBELIEVED = "4.00: it believes nobody who has signed this, or is busy; policy keys --who shows what it knows"
_DOCUMENT, _KEYS = (wire.PATH,), (wire.PATH, "keys")


class Bringing:
    """`request`: as of Pushes; `keys`: a Vouching, `belonging`: a Belonging; `answered(rollout, endpoint,
    Acknowledgement)` and `refused(rollout, endpoint, why)`: what came of a document."""

    def __init__(self, request, keys, belonging, note, answered, refused):
        self._request, self._keys, self._belonging, self._note = request, keys, belonging, note
        self._answered, self._refused = answered, refused
        self._asked, self._tasks = set(), set()  # (endpoint, group); tasks
        self._locks = {}  # endpoint: [Lock, how many want it]
        self._waiting, self._telling = OrderedDict(), Counter()  # endpoints to be told; how often they are being told

    @property
    def telling(self):
        """How many devices are being told what they lack, or are to be."""
        return len(self._waiting) + self._telling.total()

    async def stop(self):
        running = list(self._tasks)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def ask(self, rollout, endpoint, document):
        """Bring a document, once at a time; who is not asked now is asked again."""
        key = endpoint, rollout.group.name
        if key not in self._asked and len(self._asked) < _MOST_ASKED:
            self._asked.add(key)
            self._spawn(self._bring(key, rollout, document))

    def tell(self, endpoints):
        """Tell these what they lack, some at a time; who does not answer is told at its next contact."""
        self._waiting.update((endpoint, None) for endpoint in endpoints if self._lacks(endpoint))
        self._tell_some()

    def _tell_some(self):
        while self._waiting and len(self._telling) < _MOST_TOLD:
            endpoint, _ = self._waiting.popitem(last=False)
            self._telling[endpoint] += 1
            self._spawn(self._tell(endpoint))

    def _lacks(self, endpoint):
        return self._belonging.lacks(endpoint) or self._keys.lacks(endpoint)

    def _spawn(self, coroutine):
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task):
        self._tasks.discard(task)
        if not task.cancelled() and task.exception():
            self._note("bug", what=repr(task.exception()))

    async def _tell(self, endpoint):
        try:
            async with _Turn(self._locks, endpoint):
                await self._prepare(endpoint)
        except Unreachable as problem:
            self._note("groups_unanswered", endpoint=endpoint, why=str(problem)[:200])
        finally:
            self._telling -= Counter([endpoint])
            self._tell_some()

    async def _prepare(self, endpoint):
        """What it lacks, in this order: who is in no group takes no keys. Its groups may change meanwhile."""
        while self._belonging.lacks(endpoint):
            await self._belonging.tell(endpoint)
        await self._vouch(endpoint)

    async def _bring(self, key, rollout, document):
        endpoint, group = key
        try:
            async with _Turn(self._locks, endpoint):
                told = wire.read_acknowledgement(await self._vouched(endpoint, document))
            self._answered(rollout, endpoint, told)
        except (Refusal, RemoteError, Unreachable) as problem:
            unbelieved = isinstance(problem, Refusal) and problem.code == Code.BAD_REQUEST and not problem.text
            why = _UNBELIEVED if unbelieved else str(problem)[:200]
            self._note("policy_unanswered", endpoint=endpoint, group=group, version=rollout.version, why=why)
            if not isinstance(problem, Unreachable):
                self._refused(rollout, endpoint, why)
        finally:
            self._asked.discard(key)

    async def _vouched(self, endpoint, document):
        """The answer to a document; one who believes nobody may have lost the keys that it had."""
        await self._prepare(endpoint)
        try:
            return await self._send(endpoint, _DOCUMENT, document)
        except Refusal as problem:
            if problem.code != Code.BAD_REQUEST or not self._keys.doubt(endpoint):
                raise
        await self._vouch(endpoint)
        return await self._send(endpoint, _DOCUMENT, document)

    async def _send(self, endpoint, path, payload):
        return (await self._request(endpoint, Code.POST, path, payload)).payload

    async def _vouch(self, endpoint):
        """The keys, to who lacks them."""
        if not self._keys.lacks(endpoint):
            return
        version = self._keys.version
        try:
            status = _status(await self._send(endpoint, _KEYS, self._keys.document))
        except Refusal as problem:
            if problem.code.class_ == _SERVERS_FAULT:  # a gateway's, whose device is silent
                raise Unreachable(str(problem)) from problem
            status = "refused: %s" % problem.code.dotted
        self._keys.said(endpoint, version, status)


class _Turn:
    """One at a time for each endpoint, in the order in which they came."""

    def __init__(self, locks, endpoint):
        self._locks, self._endpoint = locks, endpoint

    async def __aenter__(self):
        found = self._locks.setdefault(self._endpoint, [asyncio.Lock(), 0])
        found[1] += 1
        try:
            await found[0].acquire()
        except asyncio.CancelledError:
            self._leave(found)
            raise

    async def __aexit__(self, *_):
        found = self._locks[self._endpoint]
        found[0].release()
        self._leave(found)

    def _leave(self, found):
        found[1] -= 1
        if not found[1]:
            del self._locks[self._endpoint]


def _status(payload):
    """The number in the answer to a document of keys, or what is wrong with it."""
    try:
        told = cbor.decode(payload)
    except RemoteError:
        told = None
    fits = isinstance(told, list) and 1 <= len(told) <= 2 and type(told[0]) is int
    return told[0] if fits else "refused: no answer that makes sense"
