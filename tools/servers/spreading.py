"""The gateway's part in policies: it announces to a group on its LAN what the platform says, takes the acknowledgements
of its devices, and passes them on as one batch a second. What its devices say of their policies when they register
goes upstream with their registration.

Acknowledgements are kept in memory: the platform asks again for those that a restart loses.
"""

import asyncio
import ipaddress
import itertools
import random
import re
import socket

from aiocoap.numbers.codes import Code

from ...agent.errors import RemoteError
from ..groups import wire
from ..groups.delivery import open_socket
from .coap import Refusal, Unreachable, pause
from .pushes import report, reported

_EVERY = 1.0  # s
_MOST = 100_000  # acknowledgements that wait
_PLACE = re.compile(r"([0-9.]{7,15}|[0-9a-f:]{2,39}):([0-9]{1,5})")


class Spreading:
    """`host`: the address of the gateway on its LAN; `pass_on(payload)` is a coroutine function that tells whether the
    platform has taken a batch, and may raise Unreachable."""

    def __init__(self, host, pass_on, note):
        self._host, self._pass_on, self._note = host, pass_on, note
        self._waiting = {}  # (endpoint, group, version): Acknowledgement; what was said last holds
        self._reports = {}  # endpoint: as reported() has it
        self._socks, self._task = {}, None  # by IP version
        self._some = asyncio.Event()
        self._mid = random.randrange(0x10000)

    def start(self):
        self._task = asyncio.create_task(self._deliver())

    async def stop(self):
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        while self._socks:
            self._socks.popitem()[1].close()

    def announce(self, where, payload):
        """To a group (HOST:PORT) on the LAN. Raises Refusal."""
        found = _PLACE.fullmatch(where)
        try:
            host = ipaddress.ip_address(found[1] if found else "")
            wire.read_announcement(payload)
        except (ValueError, RemoteError) as problem:
            raise Refusal(Code.BAD_REQUEST, str(problem)) from problem
        if not host.is_multicast or not 1 <= int(found[2]) <= 65535:
            raise Refusal(Code.BAD_REQUEST, "to: no multicast address with a port")
        self._mid = (self._mid + 1) & 0xFFFF
        try:
            if host.version not in self._socks:
                self._socks[host.version] = _opened(self._host, host.version)
            self._socks[host.version].sendto(wire.push(payload, self._mid, b""), (found[1], int(found[2])))
        except OSError as problem:
            raise Refusal(Code.SERVICE_UNAVAILABLE, f"no multicast here: {problem.strerror}") from problem
        self._note("announced", to=where, bytes=len(payload))

    def acknowledged(self, endpoint, payload):
        """What a device has sent over its own session. Raises Refusal."""
        try:
            told = wire.read_acknowledgement(payload)
        except RemoteError as problem:
            raise Refusal(Code.BAD_REQUEST, str(problem)) from problem
        if told.device != endpoint.encode():
            raise Refusal(Code.BAD_REQUEST, "an acknowledgement of another device")
        if len(self._waiting) >= _MOST:
            raise Refusal(Code.SERVICE_UNAVAILABLE, "the queue to the platform is full")
        self._waiting[endpoint, told.group, told.version] = told
        self._some.set()

    def registered(self, endpoint, queries):
        """It has, and says these of its policies; whether that is other than before."""
        known, self._reports[endpoint] = self._reports.get(endpoint, {}), reported(queries)
        return self._reports[endpoint] != known

    def updated(self, endpoint, queries):
        """The same of an Update, which says what has changed; whether anything has."""
        known, news = self._reports.get(endpoint, {}), reported(queries)
        self._reports[endpoint] = {**known, **news}
        return self._reports[endpoint] != known

    def closed(self, endpoint):
        """Its registration has ended."""
        self._reports.pop(endpoint, None)

    def reports(self, endpoint):
        """What goes upstream with its registration: queries."""
        return report(self._reports.get(endpoint, {}))

    async def _deliver(self):
        attempt = 0
        while True:
            await self._some.wait()
            await asyncio.sleep(max(_EVERY, pause(attempt)) if attempt else _EVERY)
            self._some.clear()
            try:
                while self._waiting:
                    await self._deliver_some()
                attempt = 0
            except Unreachable as problem:
                self._note("policy_waits", why=str(problem), acknowledgements=len(self._waiting))
                attempt += 1
                self._some.set()

    async def _deliver_some(self):
        """Those that the platform refuses it asks for again."""
        some = dict(itertools.islice(self._waiting.items(), wire.MAX_BATCH))
        if not await self._pass_on(wire.batch(some.values())):
            self._note("policy_refused", acknowledgements=len(some))
        for key, told in some.items():
            if self._waiting.get(key) is told:
                del self._waiting[key]


def _opened(host, version):
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        address = ipaddress.IPv4Address(0)
    if not address.is_unspecified and address.version == version:
        return open_socket(host)
    sock = socket.socket(socket.AF_INET if version == 4 else socket.AF_INET6, socket.SOCK_DGRAM)
    sock.setblocking(False)
    return sock
