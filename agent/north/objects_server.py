"""Objects 1, 2 and 26241, as servers see them: the accounts of the configuration, and what each server may do."""

from ..accounts import ACCESS, REGISTRAR, SERVER, instances
from ..errors import RemoteError
from ..table import find
from .objects_account import TABLES

_NOT_ALLOWED = 133
_IDS = 65534  # the highest short server id
_BINDINGS = "U UQ S SQ US UQS"
_TRIGGER, _TRANSPORT = 21, 22
_LIFETIME = 10  # of a policy's settings
# Rows of object 1 that a device has which can be reached by short messages, too.
_SMS_ROWS = """
21 RW? bool
22 RW? str"""

# resource of object 1: lowest and highest value that a server may write
_RANGES = """
1 10 31536000
2 0 31536000
3 0 31536000
5 0 31536000
"""


def enter(agent, objects):
    """Put 1, 2 and 26241 into the tree of objects."""
    account, table = _Accounts(agent), TABLES[SERVER]
    if "sms" not in agent.settings.get("links").split(","):
        table = table.replace(_SMS_ROWS, "")
    objects.add(SERVER, table, account._server, account._write, account._execute, account._servers)
    objects.add(REGISTRAR, TABLES[REGISTRAR], account._registrar, instances=account._servers)
    objects.add(ACCESS, TABLES[ACCESS], account._access, account._write_access, None, account._rights, False,
                account._grant, account._revoke)  # fmt: skip


class _Accounts:
    def __init__(self, agent):
        self._agent = agent

    def _servers(self):
        return [account.instance for account in self._agent.configuration.accounts]

    def _rights(self):
        return instances(_tree(self._agent), ACCESS)

    def _server(self, instance, rid):
        """A device that has short messages can be triggered by one, unless the server has said otherwise."""
        value = _tree(self._agent).get((SERVER, instance, rid))
        policing = self._agent.north.policing
        if policing and rid == 1:
            return policing.forced.get(_LIFETIME, value)
        return True if rid == _TRIGGER and value is None else value

    def _registrar(self, instance, rid):
        return _tree(self._agent).get((REGISTRAR, instance, rid))

    def _access(self, instance, rid):
        return _tree(self._agent).get((ACCESS, instance, rid))

    def _write(self, instance, rid, value, really):
        found = find(_RANGES, str(rid))
        if found and value is not None and not int(found[0]) <= value <= int(found[1]):
            raise RemoteError("/1/%d/%d: %r s are not in %s..%s" % (instance, rid, value, found[0], found[1]))
        if rid == 7 and value not in _BINDINGS.split():
            raise RemoteError("/1/%d/7: binding %r is not possible; U or UQ is" % (instance, value[:8]))
        if rid == _TRANSPORT and value not in ("U", "S", None):
            raise RemoteError("/1/%d/22: transport %r is not possible; U or S is" % (instance, value[:8]))
        if rid == 1 and self._agent.north.policing:
            self._agent.north.policing.yields(_LIFETIME)
        if really:
            self._agent.set_account(instance, rid, value)

    def _execute(self, instance, rid, _arguments):
        if rid == 8:
            self._agent.update_wanted()
        elif rid == 4:
            self._agent.disable_wanted(instance)
        elif rid != 9 or not self._agent.bootstrap_wanted():
            raise RemoteError("/1/x/%d cannot be executed here" % rid, _NOT_ALLOWED)

    def _write_access(self, instance, rid, value, really):
        """2: {short server id: rights}; 3: the owner. What they mean is decided where requests are judged."""
        if rid == 2 and [True for ssid, rights in value.items() if not (0 <= ssid <= _IDS and 0 <= rights <= 31)]:
            raise RemoteError("/2/%d/2: rights are 0..31, of servers 0..%d" % (instance, _IDS))
        if really:
            self._agent.configuration.set((ACCESS, instance, rid), value)

    def _grant(self, instance, values, really):
        """Rights on an instance that a server created; it cannot do this itself (north/access.py)."""
        for rid in sorted(values) if really else ():
            self._agent.configuration.set((ACCESS, instance, rid), values[rid])
        self._agent.resources.extend()

    def _revoke(self, instance, really):
        if really:
            self._agent.configuration.remove(ACCESS, instance)
        self._agent.resources.extend()


def _tree(agent):
    return agent.configuration.tree
