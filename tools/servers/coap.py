"""One CoAP endpoint of a server: a UDP socket that answers requests and sends its own from the same port.

aiocoap does the protocol; everything that reaches into it stays in this file. What is added: the port is
really exclusive (aiocoap's own bind shares it silently), every input is bounded, a bug in an answer becomes
5.00 and a log line, and requests end in bounded time with one kind of exception.
"""

import asyncio
import contextlib
import logging
import random
import socket
from urllib.parse import urlsplit

import aiocoap
from aiocoap import Message, error, resource
from aiocoap.numbers.codes import Code
from aiocoap.numbers.constants import TransportTuning
from aiocoap.transports.udp6 import UDP6EndpointAddress

from .wire import Plain, Reject, Seldom, address, host_of, owner, udp

__all__ = ["Coap", "Patience", "Refusal", "Unreachable", "address", "host_of", "owner", "pause", "reply", "until"]

MAX_PAYLOAD = 64 * 1024  # bytes of one request, after its blocks have been put together

logging.getLogger("pointsman.coap").addHandler(logging.NullHandler())
logging.getLogger("pointsman.coap").propagate = False


class Refusal(Exception):
    """The request is answered with this code and a diagnostic text (RFC 7252 5.5.2)."""

    def __init__(self, code, text=""):
        super().__init__(text or str(code))
        self.code = code
        self.text = text

    def message(self):
        return Message(code=self.code, payload=self.text.encode()[:256])


class Unreachable(Exception):
    """No answer came: the peer is silent, its port is closed, its name is unknown or we are stopping."""


class Patience(TransportTuning):
    """How long a request is tried: first timeout in s, number of retransmissions, and the bound of it all in
    s."""

    ACK_RANDOM_FACTOR = 1.25

    def __init__(self, ack_timeout, retransmissions, limit):
        self.ACK_TIMEOUT = ack_timeout
        self.MAX_RETRANSMIT = retransmissions
        self.limit = limit


RELAY = Patience(0.7, 2, 5.0)  # on the gateway's LAN, where somebody upstream waits for the answer
DEVICE = Patience(2.0, 2, 15.0)  # a device anywhere, possibly through a gateway
SERVER = Patience(1.0, 3, 16.0)  # from server to server


def reply(code, payload=b"", format=None):
    """A response message with an optional content format."""
    message = Message(code=code, payload=payload)
    if format is not None:
        message.opt.content_format = format
    return message


def pause(attempt, first=0.5, most=20.0):
    """Seconds before the next attempt: doubled each time, capped, jittered over its upper half."""
    return min(most, first * 2 ** min(attempt, 16)) * random.uniform(0.5, 1.0)


async def until(notifications, end):
    """The notifications of an observation until the event `end` is set."""
    source, ending = aiter(notifications), asyncio.ensure_future(end.wait())
    try:
        while True:
            step = asyncio.ensure_future(anext(source))
            await asyncio.wait({step, ending}, return_when=asyncio.FIRST_COMPLETED)
            if ending.done():
                step.cancel()
                return
            with contextlib.suppress(StopAsyncIteration):
                yield step.result()
                continue
            return
    finally:
        ending.cancel()


class Coap:
    """`answer(request)` is a coroutine function returning a Message or raising Refusal. `observe(request)`,
    where given, is an async generator for GET with Observe=0: each Message but the last carries the observe
    option. `slow`: {host: how many times as much patience it needs}. `keys`: how it is protected, as wire.Plain."""

    def __init__(self, host, port, answer, note, observe=None, slow=None, keys=None):
        self.host, self.port, self._slow, self._keys = host, port, slow or {}, keys or Plain()
        self.reject = Reject(note)
        self._answer, self._observe, self._note = answer, observe, note
        self._context = self._messages = None

    @property
    def uri(self):
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    @property
    def scheme(self):
        return self._keys.scheme

    async def start(self):
        """Bind and listen, unless that is done already. Raises OSError (EADDRINUSE: the port is taken) or
        socket.gaierror (unknown host)."""
        if self._context:
            return
        sock = await _bound(self.host, self.port)
        self.port = sock.getsockname()[1]
        self._context = aiocoap.Context(serversite=self._keys.site(_Site(self._answer, self._observe, self._note)))
        self._context.log = _logger(self._note)
        await self._keys.attach(self._context, sock, self.reject)
        self._messages = self._context.request_interfaces[-1].token_interface

    async def stop(self):
        """Close the socket; returns whether it was open."""
        context, self._context = self._context, None
        if context:
            await context.shutdown()
        return context is not None

    def remote(self, where, name=None):
        """The remote of `host:port` as `address()` wrote it; `name`: whose credentials protect it."""
        host, _, port = where.rpartition(":")
        host = host.strip("[]")
        mapped = host if ":" in host else "::ffff:" + host
        found = UDP6EndpointAddress((mapped, int(port), 0, 0), self._messages.message_interface)
        return found if name is None else self._keys.remote(found, name)

    async def resolve(self, uri):
        """The remote of a server's URI, coap or coaps. Raises Unreachable when its name is unknown."""
        if self._context is None:
            raise Unreachable("stopped")
        scheme, _, rest = uri.partition("://")
        if scheme == "coaps" and urlsplit(uri).port is None:
            rest += ":5684"
        message = Message(code=Code.GET, uri="coap://" + rest)
        try:
            await self._context.find_remote_and_interface(message)
        except (error.Error, OSError) as problem:
            raise Unreachable(f"{uri}: {problem}") from problem
        return self._keys.server(message.remote)

    def paced(self, to, patience):
        """The patience that a remote needs."""
        factor = self._slow.get(host_of(to), 1)
        return Patience(patience.ACK_TIMEOUT * factor, patience.MAX_RETRANSMIT, patience.limit * factor)

    async def ask(self, to, code, path, query=(), payload=b"", format=None, accept=None, patience=SERVER):
        """Send one request from this port and return the response. `to` is a remote. Raises Unreachable."""
        patience = self.paced(to, patience)
        request = self._request(to, code, path, query, payload, format, accept, patience)
        return await self._first(to, request, patience)

    @contextlib.asynccontextmanager
    async def watch(self, to, path, query=(), accept=None, patience=SERVER):
        """Observe: gives (first response, async iterator of notifications or None). Raises Unreachable."""
        patience = self.paced(to, patience)
        request = self._request(to, Code.GET, path, query, b"", None, accept, patience, observe=0)
        try:
            first = await self._first(to, request, patience)
            yield first, (request.observation if first.opt.observe is not None else None)
        finally:
            if not request.observation.cancelled:
                request.observation.cancel()

    def _request(self, to, code, path, query, payload, format, accept, patience, observe=None):
        message = Message(code=code, payload=payload, transport_tuning=patience)
        message.opt.uri_path, message.opt.uri_query = path, query
        if format is not None:
            message.opt.content_format = format
        if accept is not None:
            message.opt.accept = accept
        if observe is not None:
            message.opt.observe = observe
        message.remote = to
        if self._context is None:
            raise Unreachable("stopped")
        if not self._keys.reachable(to):
            raise Unreachable("it has no session with us since our start, or any more")
        return self._context.request(message)

    async def _first(self, to, request, patience):
        try:
            async with asyncio.timeout(patience.limit):
                return await request.response
        except (TimeoutError, error.TimeoutError) as problem:
            self._keys.silent(to)
            raise Unreachable("no answer in time") from problem
        except (error.Error, OSError) as problem:
            raise Unreachable(str(problem) or type(problem).__name__) from problem

    def forget(self, remote):
        """Stop retransmitting to this remote: what was being asked of it is void, and would block what comes
        next (NSTART 1). aiocoap goes on after the request was cancelled."""
        messages, remote = self._messages, udp(remote)
        for key in [key for key in messages._active_exchanges if key[0] == remote]:
            messages._active_exchanges.pop(key)[1].cancel()
        messages._backlogs.pop(remote, None)

    def send(self, message, remote):
        """Put a finished message (type, id and token set) on the wire from this socket, unprotected."""
        message.remote = udp(remote)
        self._messages.message_interface.send(message)


class _Site(resource.Resource):
    """Everything below the root is one resource: the servers dispatch on the path themselves."""

    def __init__(self, answer, observe, note):
        super().__init__()
        self._answer, self._observe, self._note = answer, observe, note

    async def render(self, request):
        try:
            response = await self._answer(request)
        except Refusal as refusal:
            response = refusal.message()
        except Exception as problem:
            self._note("bug", what=repr(problem), path="/" + "/".join(request.opt.uri_path))
            response = reply(Code.INTERNAL_SERVER_ERROR)
        response.transport_tuning = DEVICE
        return response

    async def render_to_pipe(self, pipe):
        request = pipe.request
        block = request.opt.block1
        if (block.start if block else 0) + len(request.payload) > MAX_PAYLOAD:
            pipe.add_response(reply(Code.REQUEST_ENTITY_TOO_LARGE), is_last=True)
        elif request.opt.observe == 0 and request.code == Code.GET and self._observe:
            await self._notify(pipe)
        else:
            await super().render_to_pipe(pipe)

    async def _notify(self, pipe):
        """What the generator yields; the one without the observe option is its last."""
        async with contextlib.aclosing(self._observe(pipe.request)) as responses:
            try:
                async for response in responses:
                    response.transport_tuning = DEVICE
                    pipe.add_response(response, is_last=response.opt.observe is None)
            except Refusal as refusal:
                pipe.add_response(refusal.message(), is_last=True)


class _Bridge(logging.Handler):
    """Each kind of warning once a second at most: what strangers send causes most of them."""

    def __init__(self, note):
        super().__init__(logging.WARNING)
        self._note, self._seldom = note, Seldom()

    def emit(self, record):
        count = self._seldom(record.msg)
        if count:
            self._note("coap", text=record.getMessage()[:200], count=count)


def _logger(note):
    """aiocoap's warnings become events of ours; the logger is not registered, so it goes with its
    endpoint."""
    logger = logging.Logger("pointsman.coap", logging.WARNING)
    logger.addHandler(_Bridge(note))
    return logger


async def _bound(host, port):
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    family, _, _, _, where = found[0]
    if family == socket.AF_INET:
        where = ("::ffff:" + where[0], where[1], 0, 0)
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    try:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        sock.bind(where)
    except OSError:
        sock.close()
        raise
    return sock
