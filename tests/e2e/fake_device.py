"""A device for tests of the servers: aiocoap and cbor2, nothing of agent/. It believes whatever it is
told."""

import asyncio
import contextlib
import os
import time

import aiocoap
import cbor2
from aiocoap import Message, resource
from aiocoap.numbers.codes import Code

# Else the kernel may give one port to two devices: those of aiocoap say that they would share it.
os.environ["AIOCOAP_REUSE_PORT"] = "0"
LABELS = {"bn": -2, "bt": -3, "n": 0, "v": 2, "vs": 3, "vb": 4, "t": 6, "vd": 8, "vlo": "vlo"}


def senml(entries):
    """SenML-CBOR of [(full name, value, time or None)]."""
    out = []
    for name, value, when in entries:
        kind = {bool: "vb", str: "vs", bytes: "vd"}.get(type(value), "v")
        record = {LABELS["n"]: name, LABELS[kind]: value}
        if when is not None:
            record[LABELS["t"]] = when
        out.append(record)
    return cbor2.dumps(out)


def entries(payload):
    """{full name: value} of SenML-CBOR."""
    base, found = "", {}
    for record in cbor2.loads(payload):
        base = record.get(LABELS["bn"], base)
        value = next(record[LABELS[kind]] for kind in ("v", "vs", "vb", "vd", "vlo") if LABELS[kind] in record)
        found[base + record.get(LABELS["n"], "")] = value
    return found


class FakeDevice(resource.Resource):
    """`values` is its object tree; `requests` what it was asked, as (code, path)."""

    def __init__(self, name, host="127.0.0.1"):
        super().__init__()
        self.name, self.host = name, host
        self.values = {"/3/0/0": "maker", "/3/0/1": "model", "/1/1/1": 60, "/3331/0/5805": 1.5}
        self.requests, self.executed = [], []
        self.finish_code = Code.CHANGED
        self.silent = False
        self.location = None
        self._watched = asyncio.Event()

    async def __aenter__(self):
        bind = (self.host, 0)
        self.context = await aiocoap.Context.create_server_context(self, bind=bind, transports=["udp6"])
        return self

    async def __aexit__(self, *_):
        await self.context.shutdown()

    # -- as a client

    async def ask(self, uri, code=Code.POST, payload=b"", format=None):
        message = Message(code=code, uri=uri, payload=payload)
        if format is not None:
            message.opt.content_format = format
        return await asyncio.wait_for(self.context.request(message).response, 60)

    async def register(self, server, epoch=None, lifetime=60, more="", links="</1/1>,</3/0>"):
        uri = f"{server}/rd?ep={self.name}&lt={lifetime}&lwm2m=1.1&b=U{more}"
        uri += f"&epoch={epoch}" if epoch is not None else ""
        answer = await self.ask(uri, payload=links.encode(), format=40)
        if answer.code == Code.CREATED:
            self.location = f"{server}/" + "/".join(answer.opt.location_path)
        return answer

    async def update(self, query="", payload=b""):
        return await self.ask(self.location + query, payload=payload, format=40 if payload else None)

    async def deregister(self):
        return await self.ask(self.location, Code.DELETE)

    async def send(self, server, first, values):
        head = [("/26242/0/0", first, None)] if first is not None else []
        packed = senml(head + [("/3331/0/5805", value, int(time.time())) for value in values])
        return await self.ask(server + "/dp", payload=packed, format=112)

    # -- as a server

    def change(self, path, value):
        self.values[path] = value
        self._watched.set()

    async def render(self, request):
        path = "/" + "/".join(request.opt.uri_path)
        self.requests.append((request.code, path))
        if self.silent:
            await asyncio.sleep(3600)
        return getattr(self, "on_" + request.code.name.lower())(path, request)

    def on_get(self, path, request):
        if request.opt.accept == 40:
            return Message(code=Code.CONTENT, payload=f"<{path}>".encode(), content_format=40)
        below = path + "/"
        found = [(name, value, None) for name, value in self.values.items() if (name + "/").startswith(below)]
        if not found:
            return Message(code=Code.NOT_FOUND)
        return Message(code=Code.CONTENT, payload=senml(found), content_format=112)

    def on_put(self, path, request):
        if request.opt.content_format == 0:
            plain = request.payload.decode()
            self.values[path] = int(plain) if plain.isdigit() else plain
        else:
            self.values.update(entries(request.payload))
        return Message(code=Code.CHANGED)

    def on_post(self, path, request):
        if path == "/bs":
            return Message(code=self.finish_code)
        if request.payload and request.opt.content_format == 112:
            return self.on_put(path, request)
        self.executed.append((path, request.payload))
        return Message(code=Code.CHANGED)

    def on_delete(self, path, request):
        self.values.clear()
        return Message(code=Code.DELETED)

    async def render_to_pipe(self, pipe):
        if pipe.request.opt.observe != 0:
            return await super().render_to_pipe(pipe)
        number = 0
        while True:
            answer = await self.render(pipe.request)
            answer.opt.observe = number
            pipe.add_response(answer, is_last=False)
            number += 1
            self._watched.clear()
            await self._watched.wait()


async def becomes(condition, limit=60):
    """Poll for a condition; say which one did not come true."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(limit):
            while not condition():
                await asyncio.sleep(0.01)
    assert condition(), "it did not happen"
