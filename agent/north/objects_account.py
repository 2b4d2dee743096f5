"""The objects of which a configuration consists, as servers see them: 0 security and 21 OSCORE (not at all), 1 server,
2 access control, and the private 26241. What is stored are rows of the agent's tree (accounts.py).

Sources: OMA LwM2M 1.1 Core appendix E, registry (0 and 1 version 1.1, 2 version 1.0, 21 version 2.0).
"""

from ..accounts import ACCESS, OSCORE, POINTSMAN, REGISTRAR, SECURITY, SERVER, instances
from ..errors import RemoteError
from ..table import find
from .objects_pointsman import TABLE as _POINTSMAN

_NOT_ALLOWED = 133
_IDS = 65534  # the highest short server id

# id operations kind
_SECURITY = """
0 - str
1 - bool
2 - int
3 - opaque
4 - opaque
5 - opaque
6 - int
7 - opaque
8 - opaque
9 - str
10 - int
11 - int
12 - int
13 - int
14 - str
15 - int
16 -* int
17 - objlnk
"""
_SERVER = """
0 R int
1 RW! int
2 RW? int
3 RW? int
4 E -
5 RW? int
6 RW! bool
7 RW! str
8 E -
9 E -
10 RW? objlnk
11 R int
12 R time
13 - int
14 - int
15 - bool
16 - bool
17 - int
18 - int
19 - int
20 - int
21 RW? bool
22 RW? str
23 RW? bool
"""
_ACCESS = """
0 R int
1 R int
2 RW*? int
3 RW! int
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
_REGISTRAR = """
0 R int
1 R str
2 R bool
"""
TABLES = {SECURITY: _SECURITY, SERVER: _SERVER, ACCESS: _ACCESS, OSCORE: _OSCORE, REGISTRAR: _REGISTRAR,
          POINTSMAN: _POINTSMAN}  # fmt: skip
# resource of object 1: lowest and highest value that a server may write
_RANGES = """
1 10 31536000
2 0 31536000
3 0 31536000
5 0 31536000
"""


def kind(path):
    """The kind of a resource of the configuration, or None when it is not known (a bootstrap write ignores it)."""
    found = find(TABLES[path[0]], str(path[2])) if path[0] in TABLES else None
    return found and found[1]


def multiple(path):
    """Whether a resource of the configuration has instances."""
    return "*" in find(TABLES[path[0]], str(path[2]))[0]


def enter(agent, objects):
    """Put 1, 2 and 26241 into the tree of objects."""
    account = _Accounts(agent)
    objects.add(SERVER, _SERVER, account.server, account.write, account.execute, account.servers)
    objects.add(REGISTRAR, _REGISTRAR, account.registrar, instances=account.servers)
    objects.add(ACCESS, _ACCESS, account.access, account.write_access, None, account.rights, False,
                account.grant, account.revoke)  # fmt: skip


class _Accounts:
    def __init__(self, agent):
        self._agent = agent

    def servers(self):
        return [account.instance for account in self._agent.configuration.accounts]

    def rights(self):
        return instances(_tree(self._agent), ACCESS)

    def server(self, instance, rid):
        return _tree(self._agent).get((SERVER, instance, rid))

    def registrar(self, instance, rid):
        return _tree(self._agent).get((REGISTRAR, instance, rid))

    def access(self, instance, rid):
        return _tree(self._agent).get((ACCESS, instance, rid))

    def write(self, instance, rid, value, really):
        found = find(_RANGES, str(rid))
        if found and value is not None and not int(found[0]) <= value <= int(found[1]):
            raise RemoteError("/1/%d/%d: %r s are not in %s..%s" % (instance, rid, value, found[0], found[1]))
        if rid == 7 and value not in ("U", "UQ", "S", "SQ", "US", "UQS"):
            raise RemoteError("/1/%d/7: binding %r is not possible; U or UQ is" % (instance, value[:8]))
        if really:
            self._agent.set_account(instance, rid, value)

    def execute(self, instance, rid, _arguments):
        if rid == 8:
            self._agent.update_wanted()
        elif rid == 4:
            self._agent.disable_wanted(instance)
        elif rid != 9 or not self._agent.bootstrap_wanted():
            raise RemoteError("/1/x/%d cannot be executed here" % rid, _NOT_ALLOWED)

    def write_access(self, instance, rid, value, really):
        """2: {short server id: rights}; 3: the owner. What they mean is decided where requests are judged."""
        if rid == 2 and [True for ssid, rights in value.items() if not (0 <= ssid <= _IDS and 0 <= rights <= 31)]:
            raise RemoteError("/2/%d/2: rights are 0..31, of servers 0..%d" % (instance, _IDS))
        if really:
            self._agent.configuration.set((ACCESS, instance, rid), value)

    def grant(self, instance, values, really):
        """Rights on an instance that a server created; it cannot do this itself (north/access.py)."""
        for rid in sorted(values) if really else ():
            self._agent.configuration.set((ACCESS, instance, rid), values[rid])
        self._agent.resources.extend()

    def revoke(self, instance, really):
        if really:
            self._agent.configuration.remove(ACCESS, instance)
        self._agent.resources.extend()


def _tree(agent):
    return agent.configuration.tree
