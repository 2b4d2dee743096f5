"""Accounts that end, or are left alone, for a time. Loaded with the first of them.

The bootstrap server's account may be one for a while only (/0/x/12), a server may send us away (Execute /1/x/4), and
one that has failed for good may let us pass on to the next (/1/x/15).
"""

from .accounts import SECURITY, SERVER, bootstrap_account

_LATER_MS = 60000
_DISABLED_S = 86400  # unless /1/x/5 says otherwise
_DELAYED_S = 3600  # at most
_MAX_S = 86400 * 365
_MAX = 16


class Tenure:
    """What is to happen, and when: names (event, instance)."""

    def __init__(self):
        self._due = {}  # name: ms
        self._out = []

    def appoint(self, event, instance, at):
        """An earlier appointment for the same is void. Beyond 16 none is made."""
        if (event, instance) in self._due or len(self._due) < _MAX:
            self._due[(event, instance)] = at

    def cancel(self, event):
        for name in list(self._due):
            if name[0] == event:
                del self._due[name]

    def away(self, event, instance):
        """Whether that account is to be left alone until then: enable - it may not be asked, back - there is a better
        one."""
        return (event, instance) in self._due

    def poll(self, now):
        for name in sorted(self._due):
            if now >= self._due[name]:
                del self._due[name]
                self._out.append(name)

    def deadline(self):
        return min(self._due.values()) if self._due else None

    def take(self):
        """-> [("purge"|"disable"|"enable"|"back", instance)]"""
        out, self._out = self._out, []
        return out

    # what the agent does about what take() gives (see _PLOT)

    def purge(self, agent, now, instance):
        """The bootstrap server's account has ended; but as long as the new ones are unproven it is the only way back.
        """
        if agent.configuration.trial or agent.registration.registrar is None:
            return self.appoint("purge", instance, now + _LATER_MS)
        tree = agent.configuration.tree
        keys = tree.get((SECURITY, instance, 17))
        agent.configuration.remove(SECURITY, instance)
        if keys and keys not in [tree[path] for path in tree if path[0] == SECURITY and path[2] == 17]:
            agent.configuration.remove(*keys)
        agent.log.info(now, "bootstrap", "purged", instance=instance)

    def disable(self, agent, now, instance):
        """A server sends us away: leave it, and leave it alone (1.1 Core E.2, resources 4 and 5)."""
        seconds = agent.configuration.tree.get((SERVER, instance, 5), _DISABLED_S)
        seconds = min(max(seconds, 1), _MAX_S)
        agent.log.warning(now, "registration", "disabled", instance=instance, seconds=seconds)
        self.appoint("enable", instance, now + seconds * 1000)
        agent._aim(now)


def of(agent):
    """The agent's, loaded if it was not."""
    if not agent.tenure:
        agent.tenure = Tenure()
        agent._compose()
    return agent.tenure


def limit(agent, now, fresh):
    """The bootstrap server's account ends as many seconds after Bootstrap-Finish, or after the device's start, as
    /0/x/12 says. fresh: the others begin as many seconds after it as /1/x/14 says."""
    tree = agent.configuration.tree
    for account in agent.configuration.accounts if fresh else ():
        seconds = tree.get((SERVER, account.instance, 14), 0)
        if seconds > 0:
            of(agent).appoint("enable", account.instance, now + min(seconds, _DELAYED_S) * 1000)
    known = bootstrap_account(tree)
    seconds = tree.get((SECURITY, known.security, 12), 0) if known else 0
    if seconds > 0:
        of(agent).appoint("purge", known.security, now + min(seconds, _MAX_S) * 1000)
