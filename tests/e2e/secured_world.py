"""A platform that is secured, for tests of it: with OSCORE or DTLS, to be stopped, crashed and started again."""

import asyncio

from guarded import Guarded, make

from pointsman.tools.servers.credentials import OSCORE, Secret
from pointsman.tools.servers.dtls import Client, Sessions
from pointsman.tools.servers.oscore import Contexts, client_of
from pointsman.tools.servers.platform import Platform
from pointsman.tools.servers.storage import Storage

SECRET, LAN = Secret(bytes(range(32))), Secret(bytes(range(32, 64)))


class Log:
    def __init__(self):
        self.lines = []

    def __call__(self, actor, event, **fields):
        self.lines.append((actor, event, fields))

    def of(self, event):
        return [fields for _, name, fields in self.lines if name == event]


async def eventually(check, seconds=60):
    end = asyncio.get_running_loop().time() + seconds
    while not check():
        assert asyncio.get_running_loop().time() < end, "it did not come true"
        await asyncio.sleep(0.01)


class World:
    """A platform that is secured so, and can be stopped and started."""

    def __init__(self, security, directory):
        self.security = security
        self.url, self.log, self.port = "sqlite:///%s" % (directory / "platform.sqlite"), Log(), 0

    async def start(self):
        self.storage = Storage(self.url)
        keys = self.serving(self.storage, "platform", SECRET, ("gw-1",))
        self.platform = Platform(self.storage, "127.0.0.1", self.port, self.log, keys=keys, gateways=("gw-1",))
        await self.platform.start()
        self.port = self.platform._coap.port

    async def stop(self):
        await self.platform.stop()
        self.storage.close()

    async def crash(self):
        """No clean end: what close() would write is not written."""
        if self.security == OSCORE:
            self.platform._keys._contexts.clear()
        else:
            self.platform._coap._messages.message_interface.server.close()
        await self.stop()

    def serving(self, storage, name, secret, gateways=()):
        if self.security == OSCORE:
            return Contexts(storage, name, secret.oscore_key)
        return Sessions(secret, gateways)

    def asking(self, storage, name, secret):
        key = secret.device_key(self.security, name)
        return client_of(storage, name, key) if self.security == OSCORE else Client(name, key)

    def rejected(self):
        return self.platform._coap.reject.counts

    def guard(self, name, state=None, secret=SECRET, uri=None):
        key = secret.device_key(self.security, name)
        return Guarded(make(self.security, name, key, state), uri or self.platform.uri)


def scenario(world, steps):
    async def run():
        await world.start()
        try:
            await steps()
        finally:
            await world.stop()

    asyncio.run(run())
