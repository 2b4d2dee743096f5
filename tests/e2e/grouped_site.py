"""Real agents in groups: a configuration server, a platform and gateways in this process, `pointsman agent` in others,
all protected the same way. What the agents know of groups and of whom to believe comes with their bootstrap.
"""

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path

from fake_device import becomes

from pointsman.tools.groups.members import Group
from pointsman.tools.policies import keys, signing, writing
from pointsman.tools.policies.keys import Signer, Signers
from pointsman.tools.servers.configuration import Configuration
from pointsman.tools.servers.credentials import NONE, ready
from pointsman.tools.servers.enrolling import guard
from pointsman.tools.servers.gateway import Gateway
from pointsman.tools.servers.platform import Platform
from pointsman.tools.servers.protection import asking, serving
from pointsman.tools.servers.storage import Storage

PATIENCE = 60  # s, for anything: the machine may be busy


class Site:
    """`gateways`: how many; gw-1 is at 127.0.0.2, gw-2 at 127.0.0.3 and so on, so that they tell apart without keys."""

    def __init__(self, folder, security=NONE, gateways=0, publish=None):
        self.folder, self.security = folder, security
        self.events, self._books, self.agents, self.gateways = [], [], [], []
        self.root, self.operator = (keys.create(folder / name) for name in ("root.pem", "operator.pem"))
        names = ["gw-%d" % number for number in range(1, gateways + 1)]
        self.platform = Platform(*self._own("platform"), log=self._log, gateways=names,
                                 keys=self._serving("platform", names), publish=publish)
        self.configuration = Configuration(*self._own("configuration"), log=self._log,
                                           keys=self._serving("configuration"))
        self._names = names
        self.sent = []  # (endpoint, path) of what has gone to devices for policies
        request = self.platform.pushes._bringing._request

        def noted(endpoint, code, path, *more):
            self.sent.append((endpoint, "/".join(path)))
            return request(endpoint, code, path, *more)
        self.platform.pushes._bringing._request = self.platform.pushes._belonging._request = noted

    async def __aenter__(self):
        await self.platform.start()
        await self.configuration.start()
        for number, name in enumerate(self._names, 2):
            storage, _, port = self._own(name)
            key = self._secret("platform").device_key(self.security, name) if self.security != NONE else None
            one = Gateway(storage, f"127.0.0.{number}", port, self.platform.uri, self._log, name,
                          upstream_host=f"127.0.0.{number}", keys=self._serving(name),
                          upstream_keys=asking(self.security, key, storage, name))
            await one.start()
            self.gateways.append(one)
        return self

    async def __aexit__(self, *_):
        for one in self.agents:
            one.kill()
        for server in (*self.gateways, self.configuration, self.platform):
            await server.stop()
        for books in self._books:
            books.close()

    # -- what operators do

    async def group(self, name, *members, **more):
        await self.platform.pushes.groups.create(Group(name, **more))
        await self.platform.pushes.groups.include(name, members)

    def keys(self, version, *groups):
        """The document of keys in which the operator may sign for these groups."""
        known = Signers(version - 1)
        known.replace([Signer(self.operator.public, [group.encode() for group in groups])])
        return signing.sign_signers(known, self.root)

    def document(self, version, group="meters", guarded=False, **settings):
        """Signed by the operator, and enclosed for a group that is guarded."""
        given = {"group": group, "version": version, "not_before": 0, "expiry": 4000000000, "settings": settings}
        signed = signing.sign(writing.document(given), self.operator)
        return signing.enclose(signed, guard(str(self.guard)), b"g") if guarded else signed

    @property
    def guard(self):
        """The file with the key of what is sent to all."""
        ready(self.folder / "guard")
        return self.folder / "guard"

    # -- devices

    async def prepare(self, endpoint, *groups, at=None, settings=None, guarded=(), broker=None, **more):
        """Say what it gets: these groups, some of them guarded, an account at a gateway or at the platform, and
        a broker ({"uri", ...}). more: for each group, such as multicast="239.0.0.1:5683"."""
        server, name = (at, at.name) if at else (self.platform, "platform")
        account = {"uri": server.uri, "ssid": 1, "security": self.security}
        if self.security != NONE:
            account["secret"] = str(self.folder / (name + ".secret"))
        places = [{"id": group, "rank": 9 - number, "index": self._index(group, endpoint), **more}
                  for number, group in enumerate(groups)]
        for place in places:
            if place["id"] in guarded:
                place["guard"] = str(self.guard)
        await self.configuration.prepare(endpoint, [account], settings or {}, groups=places,
                                         policy_root=self.root.public.hex(), broker=broker)

    def agent(self, endpoint, python, *more):
        """Start it, with more words for its command; it is stopped with the site, at the latest."""
        agent = Agent(self, endpoint, python, more)
        self.agents.append(agent)
        return agent

    async def registered(self, *endpoints):
        """With the platform, directly or through a gateway."""
        def there():
            live = {row["endpoint"] for row in self.platform.registrations(live=True)}
            return live.issuperset(endpoints)
        await becomes(there, PATIENCE)

    async def complete(self, version, group="meters"):
        """The rollout: all have answered. -> {endpoint: (state, reason)}"""
        await becomes(lambda: self.platform.pushes.status(group, version)["state"] == "complete", PATIENCE)
        return {row["endpoint"]: (row["state"], row["reason"])
                for row in self.platform.pushes.outcomes(group, version)}

    def told(self, event):
        """The fields of all events of this name, of any server."""
        return [fields for _, name, fields in self.events if name == event]

    # -- inside

    def _index(self, group, endpoint):
        return self.platform.pushes.groups.of(group).index(endpoint) or 0

    def _own(self, name):
        self._books.append(Storage("sqlite:///%s" % (self.folder / (name + ".sqlite"))))
        return self._books[-1], "127.0.0.1", 0

    def _secret(self, name):
        return ready(self.folder / (name + ".secret"))

    def _serving(self, name, gateways=()):
        if self.security == NONE:
            return None
        return serving(self.security, self._secret(name), self._books[-1], name, gateways)

    def _log(self, actor, event, **fields):
        self.events.append((actor, event, fields))


class Agent:
    """`pointsman agent` as a process; `python`: cpython or micropython."""

    def __init__(self, site, endpoint, python, more=()):
        self.endpoint, self._log = endpoint, site.folder / (endpoint + ".log")
        words = ["agent", "--bootstrap", site.configuration.uri, "--endpoint", endpoint, "--json", "--interpreter",
                 python, "--store", str(site.folder / (endpoint + ".store")), *more]
        if site.security == NONE:
            words += ["--insecure"]
        else:
            words += ["--security", site.security, "--secrets", str(self._secrets(site))]
        with open(self._log, "ab") as log:
            self.process = subprocess.Popen([sys.executable, "-m", "pointsman.tools", *words], stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL)

    def _secrets(self, site):
        file = site.folder / (self.endpoint + ".json")
        key = site._secret("configuration").device_key(site.security, self.endpoint).hex()
        if not file.exists():
            file.touch(0o600)
            file.write_text(json.dumps({"device_key": key}))
        return file

    def text(self):
        """Its log, so far."""
        return Path(self._log).read_text()

    def events(self, name):
        """The lines of its log with this event, so far."""
        rows = [line for line in self.text().splitlines() if line.startswith("{") and line[-1:] == "}"]
        return [row for row in map(json.loads, rows) if row.get("event") == name]

    async def stop(self):
        """Have it leave: it de-registers."""
        self.process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(self.process.wait, PATIENCE)

    def kill(self):
        """As a power cut, its child too: that one leaves when its parent is gone."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


def run(story):
    """A story, which ends."""
    asyncio.run(asyncio.wait_for(story, 4 * PATIENCE))


__all__ = ["PATIENCE", "Agent", "Site", "becomes", "run"]
