"""A standard LwM2M 1.1 server for tests: aiocoap and cbor2, nothing of agent/ and nothing of tools/.

It does what OMA's Core and Transport specifications ask of a server and knows nothing of ours: words of a Register
that it does not know have no effect. It can also be run alone: `python tests/interop/lwm2m_server.py [PORT]` prints
what clients do.
"""

import asyncio
import contextlib
import os
import sys
import time
from dataclasses import dataclass, field

import aiocoap
import cbor2
from aiocoap import Message, resource
from aiocoap.numbers.codes import Code

os.environ["AIOCOAP_REUSE_PORT"] = "0"  # a port of its own, not one shared with whoever else would share
TEXT, LINKS, OPAQUE, CBOR, JSON, SENML = 0, 40, 42, 60, 110, 112
BN, BT, N, V, VS, VB, T, VD = -2, -3, 0, 2, 3, 4, 6, 8  # RFC 8428 12.2


@dataclass
class Client:
    """One registration. `expires` is in monotonic s."""

    endpoint: str
    location: str
    lifetime: int
    version: str
    binding: str
    links: str
    remote: object
    expires: float = 0.0
    observations: dict = field(default_factory=dict)  # path -> request


class Refused(Exception):
    """The client answered with an error: args are its code and diagnostic text."""


class Server(resource.Resource):
    """`clients` by endpoint; `log` is what happened, as (kind, endpoint, detail); `notified` as (path, value)."""

    def __init__(self, port=0, host="127.0.0.1"):
        super().__init__()
        self.host, self.port = host, port
        self.clients, self.log, self.notified, self.sent = {}, [], [], []
        self._next = 0

    async def start(self):
        bind = (self.host, self.port)
        self.context = await aiocoap.Context.create_server_context(self, bind=bind, transports=["udp6"])
        self._tokens = self.context.request_interfaces[0]
        self.port = self._tokens.token_interface.message_interface._local_port()

    async def stop(self):
        await self.context.shutdown()

    @property
    def uri(self):
        return f"coap://{self.host}:{self.port}"

    # -- registration interface (Core 6.2, Transport 6.4.3)

    async def render(self, request):
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
        words = dict(word.partition("=")[::2] for word in request.opt.uri_query)
        if not words.get("ep") or request.opt.content_format != LINKS:
            return Message(code=Code.BAD_REQUEST)
        if words.get("lwm2m") not in ("1.0", "1.1"):
            return Message(code=Code.PRECONDITION_FAILED)
        self._next += 1
        client = Client(words["ep"], f"c{self._next}", int(words.get("lt", 86400)), words["lwm2m"], words.get("b", "U"),
                        request.payload.decode(), request.remote)
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
        words = dict(word.partition("=")[::2] for word in request.opt.uri_query)
        if "lt" in words:
            client.lifetime = int(words["lt"])
        if request.payload:
            client.links = request.payload.decode()
        client.expires = time.monotonic() + client.lifetime
        self.log.append(("update", client.endpoint, words))
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
        self.sent += [(client.endpoint, *record) for record in senml(request.payload)]
        return Message(code=Code.CHANGED)

    def forget(self, endpoint):
        """Lose the location, as a server that restarts does: the next Update is 4.04."""
        self.clients[endpoint].location = "lost"

    # -- device management and information reporting (Core 6.3, 6.4)

    async def ask(self, endpoint, code, path, payload=b"", format=None, accept=None, query=(), observe=None):
        """One request to a client. Returns the response message; raises Refused for 4.xx and 5.xx."""
        request = Message(code=code, payload=payload)
        request.opt.uri_path = tuple(part for part in path.split("/") if part)
        request.opt.uri_query = query
        request.opt.content_format, request.opt.accept = format, accept
        request.opt.observe = observe
        request.remote = self.clients[endpoint].remote
        self.last = self.context.request(request, handle_blockwise=observe is None)
        response = await asyncio.wait_for(self.last.response, 20)
        if not response.code.is_successful():
            raise Refused(response.code, response.payload.decode("utf-8", "replace"))
        return response

    async def read(self, endpoint, path, accept=SENML):
        """(content format, value): a value for text and CBOR, {path: value} for SenML."""
        response = await self.ask(endpoint, Code.GET, path, accept=accept)
        assert response.code == Code.CONTENT
        return response.opt.content_format, decoded(response)

    async def discover(self, endpoint, path):
        response = await self.ask(endpoint, Code.GET, path, accept=LINKS)
        assert response.code == Code.CONTENT and response.opt.content_format == LINKS
        return response.payload.decode()

    async def write(self, endpoint, path, payload, format=TEXT, code=Code.PUT):
        return (await self.ask(endpoint, code, path, payload, format)).code

    async def execute(self, endpoint, path, arguments=b""):
        return (await self.ask(endpoint, Code.POST, path, arguments)).code

    async def observe(self, endpoint, path, accept=SENML):
        """Start an observation; notifications are appended to `notified`. Returns the first value."""
        response = await self.ask(endpoint, Code.GET, path, accept=accept, observe=0)
        assert response.opt.observe is not None, "the client does not let itself be observed"
        request = self.clients[endpoint].observations[path] = self.last
        asyncio.ensure_future(self._collect(path, request.observation))
        return decoded(response)

    async def _collect(self, path, observation):
        with contextlib.suppress(aiocoap.error.Error):  # the client or this server ended
            async for notification in observation:
                self.notified.append((path, decoded(notification) if notification.code.is_successful() else None))

    def cancel_by_reset(self, endpoint, path):
        """LightweightM2M-1.1-int-302: forget it; aiocoap answers what then comes with Reset."""
        request = self.clients[endpoint].observations.pop(path)
        request.observation.cancel()
        request._stop_interest()  # at once, not after one notification more

    async def cancel(self, endpoint, path, accept=SENML):
        """LightweightM2M-1.1-int-303: GET with Observe=1 and the token of the observation (RFC 7641 3.6)."""
        request = self.clients[endpoint].observations.pop(path)
        self._tokens._token = int.from_bytes(request._pipe.request.token, "big") - 1
        response = await self.ask(endpoint, Code.GET, path, accept=accept, observe=1)
        assert response.opt.observe is None and response.code == Code.CONTENT


def senml(payload):
    """[(full name, value, time)] of SenML-CBOR, base fields resolved (RFC 8428 4.6)."""
    name, when, found = "", 0, []
    for record in cbor2.loads(payload):
        name, when = record.get(BN, name), record.get(BT, when)
        value = next((record[key] for key in (V, VS, VB, VD, "vlo") if key in record), None)
        found.append((name + record.get(N, ""), value, when + record.get(T, 0) or None))
    return found


def decoded(message):
    """The value of a response by its content format."""
    format = message.opt.content_format
    if format == SENML:
        return {name: value for name, value, _ in senml(message.payload)}
    if format == CBOR:
        return cbor2.loads(message.payload)
    return message.payload if format == OPAQUE else message.payload.decode()


async def _alone(port):
    server, told = Server(port), 0
    await server.start()
    print(server.uri, flush=True)
    while True:
        await asyncio.sleep(0.2)
        for line in server.log[told:]:
            print(*line, flush=True)
        told = len(server.log)


if __name__ == "__main__":
    asyncio.run(_alone(int(sys.argv[1]) if len(sys.argv) > 1 else 5683))
