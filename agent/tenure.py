"""Accounts that end, or are left alone, for a time. Loaded when there is one."""

from .accounts import SECURITY, bootstrap_account
from .engine.appointments import Appointments

_LATER_MS = 60000


def appoint(agent, name, at):
    """Have `agent` told of name, an (event, detail), at that time (ms)."""
    if not agent.appointments:
        agent.appointments = Appointments()
        agent._compose()
    agent.appointments.make(name, at)


def limit(agent, now):
    """The bootstrap server's account may be one for a while only: as many seconds from Bootstrap-Finish as /0/x/12 says
    (1.1 Core E.1), or from the device's start."""
    known = bootstrap_account(agent.configuration.tree)
    seconds = agent.configuration.tree.get((SECURITY, known.instance, 12), 0) if known else 0
    if seconds > 0:
        appoint(agent, ("purge", known.instance), now + seconds * 1000)


def purge(agent, now, instance):
    """Its time has come; as long as the new accounts are unproven it is still the only way back."""
    if agent.configuration.trial or agent.registration.registrar is None:
        return appoint(agent, ("purge", instance), now + _LATER_MS)
    agent.configuration.remove(SECURITY, instance)
    agent.log.info(now, "bootstrap", "purged", instance=instance)
