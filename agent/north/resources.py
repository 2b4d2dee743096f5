"""What the LwM2M objects of the agent hold: one table and one getter an object. Adding an object is one such pair. What
is about links is in connectivity.py.

Ids and kinds: OMA LwM2M 1.1 Core appendix E (objects 0, 1, 3), IPSO 3331 (energy); 26241 and 26242 are private to
pointsman (docs/decisions). Only objects in accounts.CONFIGURED are stored, as rows of the agent's tree.
"""

from ..accounts import OSCORE, POINTSMAN, REGISTRAR, SECURITY, SERVER
from ..errors import RemoteError
from ..table import find

DEVICE, ENERGY = 3, 3331
SEQUENCE = (POINTSMAN, 0, 0)
METER = (ENERGY, 0, 5805)

# id operations kind
_SECURITY = """
0 - str
1 - bool
2 - int
3 - opaque
4 - opaque
5 - opaque
9 - str
10 - int
11 - int
12 - int
17 - objlnk
"""
_OSCORE = """
0 - opaque
1 - opaque
2 - opaque
3 - int
4 - int
5 - opaque
6 - opaque
"""
_SERVER = """
0 R int
1 RW int
2 RW int
3 RW int
6 RW bool
7 RW str
8 E -
13 R int
"""
_DEVICE = """
0 R str
1 R str
2 R str
3 R str
4 E -
11 R int
13 R int
16 R str
"""
_ENERGY = """
5701 R str
5805 R float
"""
_REGISTRAR = """
0 R int
1 R str
2 R bool
"""
_POINTSMAN = """
0 R int
1 RW int
2 RW str
3 R int
4 R int
5 R str
6 R int
7 R int
8 R int
9 R str
10 R str
"""
_TABLE_OF = {SECURITY: _SECURITY, OSCORE: _OSCORE, SERVER: _SERVER, REGISTRAR: _REGISTRAR, POINTSMAN: _POINTSMAN}
_SETTING = {1: "report_period_s", 2: "apn"}  # resources of 26242 that are settings


def kind(path):
    """The kind of a resource of the configuration, or None when it is not known (a bootstrap write ignores it)."""
    found = find(_TABLE_OF[path[0]], str(path[2])) if path[0] in _TABLE_OF else None
    return found and found[1]


def configured_settings(tree):
    """-> [(setting, value)] that a configuration brings along."""
    found = []
    for rid, name in sorted(_SETTING.items()):
        if (POINTSMAN, 0, rid) in tree:
            found.append((name, tree[(POINTSMAN, 0, rid)]))
    return found


def resource_of(setting):
    """The resource that a setting is, or None."""
    for rid in _SETTING:
        if _SETTING[rid] == setting:
            return (POINTSMAN, 0, rid)
    return None


class Resources:
    """The objects of one agent, entered into its tree of objects; reads what the engines know, writes through the
    agent."""

    connectivity = None  # what tells of the links, once a server has asked

    def __init__(self, agent, objects):
        self._agent, self._objects = agent, objects
        self.meter = None  # the last reading's value
        add = objects.add
        add(SECURITY, _SECURITY, None, hidden=True)
        add(OSCORE, _OSCORE, None, hidden=True)
        add(SERVER, _SERVER, self._server, self._write_server, self._execute_server, self._accounts)
        add(DEVICE, _DEVICE, self._device, execute=self._reboot)
        add(ENERGY, _ENERGY, self._energy)
        if any([account.knows_epoch for account in agent.configuration.accounts]):
            add(REGISTRAR, _REGISTRAR, self._registrar, instances=self._accounts)
        add(POINTSMAN, _POINTSMAN, self._pointsman, self._write_pointsman)
        self.extend()

    def extend(self):
        """Once there are servers to tell: what is to be told of the links, when they ask (connectivity.py)."""
        agent = self._agent
        if agent.configuration.accounts:
            cellular = (10, 11, 13) if "lte" in agent.settings.get("links").split(",") else ()
            self._objects.later(((4, 7) if agent.metrics else (4,)) + cellular, self._load)

    def _load(self):
        from .connectivity import Connectivity

        self.connectivity = Connectivity(self._agent, self._objects)

    def _accounts(self):
        return [account.instance for account in self._agent.configuration.accounts]

    def _server(self, instance, rid):
        return self._agent.configuration.tree.get((SERVER, instance, rid))

    def _write_server(self, instance, rid, value, really):
        if rid == 1 and not 10 <= value <= 31536000:
            raise RemoteError("a lifetime of %r s is not in 10..31536000" % value)
        if really:
            self._agent.set_account(instance, rid, value)

    def _execute_server(self, _instance, _rid, _arguments):
        self._agent.update_wanted()

    def _registrar(self, instance, rid):
        return self._agent.configuration.tree.get((REGISTRAR, instance, rid))

    def _device(self, _instance, rid):
        if rid < 4:
            return self._agent.settings.get(("manufacturer", "model", "serial", "firmware")[rid]) or None
        return {11: [0], 13: self._agent.wall() or None, 16: "U"}.get(rid)

    def _reboot(self, _instance, _rid, _arguments):
        self._agent.reset_wanted()

    def _energy(self, _instance, rid):
        return self.meter if rid == 5805 else "Wh"

    def _pointsman(self, _instance, rid):
        agent = self._agent
        if rid in _SETTING:
            return agent.settings.get(_SETTING[rid])
        if rid == 5:
            return agent.links.active or ""
        if rid > 5:
            from .connectivity import figure

            return figure(agent.metrics, rid)
        return {0: agent.journal.next_seq, 3: agent.configuration.epoch, 4: agent.journal.dropped}.get(rid)

    def _write_pointsman(self, _instance, rid, value, really):
        policies = self._agent.policies
        (policies.offer if really else policies.check)(_SETTING[rid], value)
