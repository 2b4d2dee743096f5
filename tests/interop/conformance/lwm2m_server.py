"""A standard LwM2M 1.1 server and bootstrap server for tests: aiocoap and lwm2m_values.py, nothing of agent/ and
nothing of tools/.

They do what OMA's Core and Transport specifications ask of them and know nothing of ours: words of a Register that they
do not know have no effect. `python tests/interop/conformance/lwm2m_server.py [PORT]` serves alone and prints what
clients do.
"""

import asyncio
import contextlib
import os
import sys
import time
from dataclasses import dataclass

import aiocoap
from aiocoap import Message, resource
from aiocoap.numbers.codes import Code
from lwm2m_security import Door, Tunnel, is_protected
from lwm2m_values import LINKS, SENML, links, records, values

os.environ["AIOCOAP_REUSE_PORT"] = "0"  # a port of its own, not one shared with whoever else would share


@dataclass
class Client:
    """One registration. `expires` is in monotonic s."""

    endpoint: str
    location: str
    lifetime: int
    version: str
    binding: str
    links: dict
    remote: object
    expires: float = 0.0


@dataclass
class Answer:
    """What a client said to a request at `path`."""

    path: str
    code: Code
    format: int | None
    payload: bytes
    observed: bool

    @property
    def values(self):
        """{path: value}"""
        return values(self.format, self.payload, self.path)

    @property
    def value(self):
        """The only one."""
        ((_, found),) = self.values.items()
        return found


class Endpoint(resource.Resource):
    """A CoAP endpoint of 127.0.0.1; security: none, oscore or dtls, with the keys of the one client then. `log` is what
    happened, as (kind, endpoint, detail)."""

    def __init__(self, security="none", keys=None, port=0):
        super().__init__()
        self._oscore, self._dtls = keys if security == "oscore" else None, keys if security == "dtls" else None
        self.log, self._port = [], port

    async def start(self):
        site = Door(self, self._oscore) if self._oscore else self
        self.context = await aiocoap.Context.create_server_context(site, bind=("127.0.0.1", self._port),
                                                                   transports=["oscore", "udp6"])
        self._tokens = self.context.request_interfaces[-1]
        self._port = self._tokens.token_interface.message_interface._local_port()
        self.uri = f"coap://127.0.0.1:{self._port}"
        if self._dtls:
            self._dtls = Tunnel(self._dtls, self._port)
            await self._dtls.start()
            self.uri = self._dtls.uri

    async def stop(self):
        if self._dtls:
            await self._dtls.stop()
        await self.context.shutdown()

    async def render(self, request):
        if self._oscore and not is_protected(request.remote):
            return Message(code=Code.UNAUTHORIZED)
        return self.obey(request)

    async def ask(self, remote, code, path, payload=b"", format=None, accept=None, query=(), observe=None):
        """One request to a client -> Answer. The request of an observation is kept in `last`."""
        request = Message(code=code, payload=payload)
        request.opt.uri_path = tuple(part for part in path.split("/") if part)
        request.opt.uri_query = query
        request.opt.content_format, request.opt.accept = format, accept
        request.opt.observe = observe
        request.remote = remote
        self.last = self.context.request(request, handle_blockwise=observe is None)
        return answer(path, await asyncio.wait_for(self.last.response, 200))


class Server(Endpoint):
    """`clients` by endpoint; `notified` as (path, Answer); `sent` as (endpoint, path, value, time). `held` are requests
    (code, path) for a client that sleeps: they go out when it is heard of (queue mode), and its Answers to `awake`."""

    def __init__(self, *protection, port=0):
        super().__init__(*protection, port=port)
        self.clients, self.notified, self.sent, self.observations = {}, [], [], {}
        self.refusing = None  # the code that every Register gets
        self.held, self.awake = [], []
        self._collecting, self._next = [], 0

    # -- registration interface (Core 6.2, Transport 6.4.3)

    def obey(self, request):
        path, code = request.opt.uri_path, request.code
        self._expire()
        if path == ("rd",) and code == Code.POST:
            return self._register(request)
        if len(path) == 2 and path[0] == "rd" and code in (Code.POST, Code.DELETE):
            return self._registered(path[1], request)
        if path == ("dp",) and code == Code.POST:
            return self._send(request)
        return Message(code=Code.NOT_FOUND)

    def _register(self, request):
        words = parameters(request)
        if not words.get("ep") or request.opt.content_format != LINKS:
            return Message(code=Code.BAD_REQUEST)
        if words.get("lwm2m") not in ("1.0", "1.1"):
            return Message(code=Code.PRECONDITION_FAILED)
        if self.refusing:
            self.log.append(("refused", words["ep"], words))
            return Message(code=self.refusing)
        self._next += 1
        client = Client(words["ep"], f"c{self._next}", int(words.get("lt", 86400)), words["lwm2m"], words.get("b", "U"),
                        links(request.payload), request.remote)
        client.expires = time.monotonic() + client.lifetime
        self.clients[client.endpoint] = client
        self.log.append(("register", client.endpoint, words))
        return Message(code=Code.CREATED, location_path=("rd", client.location))

    def _registered(self, location, request):
        client = next((one for one in self.clients.values() if one.location == location), None)
        if client is None or client.remote != request.remote:
            return Message(code=Code.NOT_FOUND)
        if request.code == Code.DELETE:
            del self.clients[client.endpoint]
            self.log.append(("deregister", client.endpoint, {}))
            return Message(code=Code.DELETED)
        words = parameters(request)
        client.lifetime = int(words.get("lt", client.lifetime))
        client.binding = words.get("b", client.binding)
        if request.payload:
            client.links = links(request.payload)
        client.expires = time.monotonic() + client.lifetime
        self.log.append(("update", client.endpoint, words))
        self._wake(client)
        return Message(code=Code.CHANGED)

    def _expire(self):
        for endpoint, client in list(self.clients.items()):
            if client.expires < time.monotonic():
                del self.clients[endpoint]
                self.log.append(("expired", endpoint, {}))

    def _send(self, request):
        client = next((one for one in self.clients.values() if one.remote == request.remote), None)
        if client is None:
            return Message(code=Code.NOT_FOUND)
        if request.opt.content_format != SENML:
            return Message(code=Code.UNSUPPORTED_CONTENT_FORMAT)
        self.sent += [(client.endpoint, *record) for record in records(SENML, request.payload)]
        self._wake(client)
        return Message(code=Code.CHANGED)

    def _wake(self, client):
        if self.held:
            self._collecting.append(asyncio.ensure_future(self._release(client.remote)))

    async def _release(self, remote):
        while self.held:
            code, path = self.held.pop(0)
            self.awake.append(await self.ask(remote, code, path))

    def forget(self, endpoint):
        """Lose the location, as a server that restarts does: the next Update is 4.04."""
        self.clients[endpoint].location = "lost"

    # -- information reporting (Core 6.4)

    async def observe(self, remote, path, accept=SENML, code=Code.GET, payload=b"", format=None):
        """Start an observation -> its first Answer; those that follow are appended to `notified`."""
        first = await self.ask(remote, code, path, payload, format, accept, observe=0)
        if first.observed:
            request = self.observations[path] = self.last
            self._collecting.append(asyncio.ensure_future(self._collect(path, request.observation)))
        return first

    async def stop(self):
        for task in self._collecting:
            task.cancel()
        await asyncio.gather(*self._collecting)
        await super().stop()

    async def _collect(self, path, observation):
        with contextlib.suppress(aiocoap.error.Error, asyncio.CancelledError):  # the client or this server ended
            async for notification in observation:
                self.notified.append((path, answer(path, notification)))

    def cancel_by_reset(self, path):
        """Forget it; aiocoap answers what then comes with Reset (RFC 7641 3.6)."""
        request = self.observations.pop(path)
        request.observation.cancel()
        request._stop_interest()  # at once, not after one notification more

    async def cancel(self, path, accept=SENML, payload=b"", format=None):
        """The request again with Observe=1 and the token of the observation (RFC 7641 3.6) -> Answer."""
        request = self.observations.pop(path)._pipe.request
        for _ in range(3):
            self._tokens._token = int.from_bytes(request.token, "big") - 1
            found = await self.ask(request.remote, request.code, path, payload, format, accept, observe=1)
            if not found.observed:  # else it is a notification that crossed the request
                break
        return found


class BootstrapServer(Endpoint):
    """Does `steps` for a client that asks: a list of (code, path, payload, format); `answers` are the client's, once
    the last was given. `remote` is the last client that asked (Core 6.1, Transport 6.4.2)."""

    def __init__(self, *protection, port=0):
        super().__init__(*protection, port=port)
        self.steps, self.answers, self.remote = [], [], None

    def obey(self, request):
        if request.opt.uri_path != ("bs",) or request.code != Code.POST:
            return Message(code=Code.NOT_FOUND)
        words = parameters(request)
        if not words.get("ep"):
            return Message(code=Code.BAD_REQUEST)
        self.log.append(("request", words["ep"], words))
        self.remote, self.answers = request.remote, []
        self._task = asyncio.ensure_future(self._lead(request.remote, list(self.steps)))
        return Message(code=Code.CHANGED)  # goes out before the task has its first turn

    async def _lead(self, remote, steps):
        found = []
        for code, path, payload, format in steps:
            accept = SENML if code == Code.GET and format is None else format if code == Code.GET else None
            found.append(await self.ask(remote, code, path, payload, format if payload else None, accept))
        self.answers = found


def parameters(request):
    """{word: value} of a query; a word without a value is there with ""."""
    return dict(word.partition("=")[::2] for word in request.opt.uri_query)


def answer(path, message):
    """The Answer that a CoAP message is."""
    return Answer(path, message.code, message.opt.content_format, message.payload, message.opt.observe is not None)


async def _alone(port):
    server, told = Server(port=port), 0
    await server.start()
    print(server.uri, flush=True)
    while True:
        await asyncio.sleep(0.2)
        for line in server.log[told:]:
            print(*line, flush=True)
        told = len(server.log)


if __name__ == "__main__":
    asyncio.run(_alone(int(sys.argv[1]) if len(sys.argv) > 1 else 5683))
