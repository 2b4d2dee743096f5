"""An aiocoap server whose resource /p only a client with OSCORE may use.

usage: oscore_server.py PORT DIRECTORY    DIRECTORY has the security context, as aiocoap keeps it
"""

import asyncio
import sys

import aiocoap
from aiocoap.credentials import CredentialsMap
from aiocoap.oscore_sitewrapper import OscoreSiteWrapper
from aiocoap.resource import ObservableResource, Site


class Value(ObservableResource):
    """What was put last; says `put SIZE` for each."""

    value = b"none"

    def _check(self, request):
        if type(request.remote).__name__ != "OSCOREAddress":  # aiocoap itself lets everybody in
            raise aiocoap.error.Forbidden

    async def render_get(self, request):
        self._check(request)
        return aiocoap.Message(payload=self.value)

    async def render_put(self, request):
        self._check(request)
        self.value = request.payload
        print("put %d bytes" % len(self.value), flush=True)
        if self.value == b"count":
            asyncio.get_running_loop().call_later(0.2, self.tick, 1)
        self.updated_state()
        return aiocoap.Message(code=aiocoap.CHANGED)

    def tick(self, count):
        """Three values in a row, for those who observe."""
        self.value = b"%d" % count
        self.updated_state()
        if count < 3:
            asyncio.get_running_loop().call_later(0.2, self.tick, count + 1)


async def main(port, directory):
    credentials = CredentialsMap()
    credentials.load_from_dict({":device": {"oscore": {"basedir": directory}}})
    site = Site()
    site.add_resource(["p"], Value())
    site = OscoreSiteWrapper(site, credentials)
    context = await aiocoap.Context.create_server_context(site, bind=("127.0.0.1", port))
    print("serving", flush=True)
    try:
        await asyncio.get_running_loop().create_future()
    finally:
        await context.shutdown()


asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
