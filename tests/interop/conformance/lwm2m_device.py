"""A `pointsman agent` process and the servers that it knows, whose coroutines become ordinary calls here."""

import asyncio
import contextlib
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time

from aiocoap.numbers.codes import Code
from lwm2m_security import Keys
from lwm2m_server import BootstrapServer, Server
from lwm2m_values import LINKS, SENML, TEXT, links, packed

from pointsman.tools.firmware import attended, launch

NAME = "dev1"
STATES = ("idle", "registering", "registered", "waiting", "leaving")
_SECRET = bytes(range(16))
# What a device that is to be protected is born with (docs: settings security and device_key), and what it is given.
BORN = {"none": None, "dtls": Keys(NAME.encode(), b"", _SECRET),
        "oscore": Keys(hashlib.sha256(NAME.encode()).digest()[:5], b"", _SECRET)}  # fmt: skip
GIVEN = Keys(b"meter", b"srv", b"secretPSK16bytes", b"salt")


class Device:
    """The agent, its server `server` and, with `bootstrap`, its bootstrap server `bs`, whose GIVEN keys it needs for
    the server then: start() makes it run. `security` is none, oscore or dtls."""

    def __init__(self, interpreter, folder, bootstrap=False, lifetime=60, options=(), security="none"):
        self._loop, self._folder = asyncio.new_event_loop(), folder
        self._process = self._leash = None
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self.server = Server(security, GIVEN if bootstrap else BORN[security])
        self.bs = BootstrapServer(security, BORN[security]) if bootstrap else None
        for server in self.servers:
            self.call(server.start())
        uri, self._by_signal = (self.bs or self.server).uri, security == "none"
        if security == "none":
            where = ["--bootstrap", uri] if bootstrap else ["--server", uri, "--lifetime", str(lifetime)]
            self._command = [sys.executable, "-m", "pointsman.tools", "agent", *where, "--endpoint", NAME,
                             "--insecure", "--store", str(folder), "--json", "--interpreter", interpreter, *options]
        else:
            self._command = self._configured(interpreter, {
                "endpoint": NAME, "security": security, "device_key": _SECRET.hex(), "links": "eth",
                "bootstrap_uri" if bootstrap else "server_uri": uri, "lifetime_s": lifetime,
                "block_size": 128})  # fmt: skip

    def _configured(self, interpreter, settings):
        """The command for settings that must not be seen in one: firmware/main.py with a file."""
        file = self._folder / "config.json"
        file.touch(0o600)
        options = {"dir": str(self._folder), "links": ["eth=any"], "stop": 0}
        file.write_text(json.dumps({"board": "linux", "options": options, "settings": settings, "log": "json"}))
        if interpreter == "micropython":
            return launch.command(launch.find_micropython(), file)
        return [sys.executable, str(launch.ROOT / "firmware" / "main.py"), str(file)]

    @property
    def servers(self):
        return [self.server] + ([self.bs] if self.bs else [])

    def start(self):
        """Starts the process, and waits until it knows that it is registered."""
        before = self.count("register")
        with open(self._folder / "agent.log", "a") as log:
            theirs, self._leash = attended.leash()  # `pointsman agent` does not read it
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log, stdin=theirs)
            os.close(theirs)
        self.becomes(lambda: self.count("register") > before and self._knows())

    def _knows(self):
        """Whether the agent itself says that it is registered: the server knows it a little earlier."""
        said = re.findall('"actor": "registration", "event": "([a-z]+)"', (self._folder / "agent.log").read_text())
        return [word for word in said if word in STATES][-1:] == ["registered"]

    def end(self, number=signal.SIGTERM):
        """Ends the process, by a signal or its leash -> its exit code."""
        if self._leash is not None:
            os.close(self._leash)
            self._leash = None
        if self._process.poll() is None and self._by_signal:
            self._process.send_signal(number)
        try:
            return self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise

    def close(self):
        """Ends the process, if need be, and the servers."""
        if self._process:
            self.end(signal.SIGINT)
        for server in self.servers:
            self.call(server.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def told(self):
        """The end of the agent's log."""
        return (self._folder / "agent.log").read_text()[-3000:]

    def call(self, coroutine, limit=240):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(limit)

    def do(self, function, *arguments):
        """A function of the servers' thread."""
        async def inside():
            return function(*arguments)
        return self.call(inside())

    # -- waiting

    def count(self, kind):
        return sum(entry[0] == kind for server in self.servers for entry in server.log)

    def becomes(self, condition, limit=60):
        end = time.monotonic() + limit
        while not condition() and time.monotonic() < end:
            time.sleep(0.01)
        assert condition(), ([server.log[-5:] for server in self.servers], self.server.notified[-5:], self.told)

    @contextlib.contextmanager
    def once_more(self, kind):
        """What happens inside makes the client register, update ... once more."""
        before = self.count(kind)
        yield
        self.becomes(lambda: self.count(kind) > before and (kind != "register" or self._knows()))

    @property
    def answers(self):
        """Codes of the answers to all steps of the newest bootstrap."""
        self.becomes(lambda: self.bs.answers)
        return [one.code for one in self.bs.answers]

    # -- operations

    @property
    def client(self):
        """The registration."""
        return self.server.clients[NAME]

    @property
    def account(self):
        """The instance of the Server object that the server is, as "/1/0"."""
        return next(path for path in self.client.links if path.startswith("/1/"))

    def ask(self, code, path, payload=b"", format=None, **more):
        return self.call(self.server.ask(self.client.remote, code, path, payload, format, **more))

    def get(self, path, accept=SENML):
        return self.ask(Code.GET, path, accept=accept)

    def read(self, path, accept=SENML):
        """{path: value}, which must come in the format asked for."""
        found = self.get(path, accept)
        assert (found.code, found.format) == (Code.CONTENT, accept), found
        return found.values

    def text(self, path):
        """The one value at `path`, as plain text."""
        return self.read(path, TEXT)[path]

    def discover(self, path, *query):
        found = self.ask(Code.GET, path, accept=LINKS, query=query)
        assert (found.code, found.format) == (Code.CONTENT, LINKS), found
        return links(found.payload)

    def put(self, path, payload, format=TEXT):
        return self.ask(Code.PUT, path, payload, format).code

    def post(self, path, payload=b"", format=None):
        """Execute, Write (Partial Update) or Create."""
        return self.ask(Code.POST, path, payload, format).code

    def attributes(self, path, *words):
        """Write-Attributes."""
        return self.ask(Code.PUT, path, query=words).code

    def fetch(self, paths, format=SENML):
        """Read-Composite -> {path: value}"""
        found = self.ask(Code.FETCH, "/", packed(format, dict.fromkeys(paths)), format, accept=format)
        assert (found.code, found.format) == (Code.CONTENT, format), found
        return found.values

    def patch(self, values, format=SENML):
        """Write-Composite."""
        return self.ask(Code.iPATCH, "/", packed(format, values), format).code

    # -- observations

    def observe(self, path, accept=SENML):
        """-> {path: value}"""
        found = self.call(self.server.observe(self.client.remote, path, accept))
        assert found.code == Code.CONTENT and found.observed, found
        return found.values

    def observe_composite(self, paths, format=SENML):
        found = self.call(self.server.observe(self.client.remote, "/", format, Code.FETCH,
                                              packed(format, dict.fromkeys(paths)), format))
        assert found.code == Code.CONTENT and found.observed, found
        return found.values

    def cancel(self, path, **request):
        """By Observe with Cancel; the answer is as that to a Read, and no observation."""
        found = self.call(self.server.cancel(path, **request))
        assert found.code == Code.CONTENT and not found.observed, found

    def cancel_by_reset(self, path):
        self.do(self.server.cancel_by_reset, path)

    def notified(self, path):
        """[{path: value}] of the notifications about an observation so far."""
        return [found.values for where, found in list(self.server.notified) if where == path]

