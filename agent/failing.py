"""What the agent does when a registration fails, or a notification. Loaded when one does, and dropped."""

from .accounts import SERVER
from .overlay import drop

_REDIAL_AFTER = 2  # registrations in a row that nobody answered
_TRIAL_TRIES = 5


def unreachable(agent, now, target):
    """No answer: another link, if there is one. Silence alone never leads back to bootstrap, except for a configuration
    on trial, or one that says so itself."""
    agent.log.warning(now, "registration", "unreachable", registrar=target[0].uri, link=target[1])
    agent.links.distrust(target[1], now)
    if agent.modem and target[1] == "lte":
        agent._silent = (agent._silent + 1) % _REDIAL_AFTER
        if not agent._silent:
            agent.modem.redial(now)  # a context that seems open and is dead is the commonest failure in the field
    _obey(agent, now, target)
    _reverts(agent, now)


def refused(agent, now, target):
    """The registrar does not want us: perhaps another one does, or else the configuration before, or a new one."""
    agent.log.warning(now, "registration", "refused", registrar=target[0].uri)
    agent.links.distrust(target[1], now)
    _obey(agent, now, target)
    wanted = agent.configuration.tree.get((SERVER, target[0].instance, 16), True)
    if not _reverts(agent, now) and wanted and not agent.settings.get("server_uri"):
        agent._seek(now, target[1])


def version(agent, now, target):
    """4.12: an older version is tried at once; when there is none, the server is as good as not there."""
    from .patience import older

    if not older(agent, now, target):
        unreachable(agent, now, target)
    drop("patience")


def unheard(agent, now, observer):
    """Nobody acknowledged a notification. That ends its observation (RFC 7641 4.5), of which the registrar does not
    know: registered anew, and not by an Update, it observes again, and gets what was kept for it."""
    agent.log.warning(now, "exchange", "unheard", observer=observer)
    agent._queued = None
    agent.registration.update_now(now)


def _obey(agent, now, target):
    """What the server itself says about tries that fail, where it says something."""
    if [rid for rid in range(15, 21) if (SERVER, target[0].instance, rid) in agent.configuration.tree]:
        from .patience import obey

        obey(agent, now, target)
        drop("patience")


def _reverts(agent, now):
    """-> whether the configuration was taken back, after it failed _TRIAL_TRIES times."""
    agent._trial_tries = agent._trial_tries + 1 if agent.configuration.trial else 0
    if agent._trial_tries < _TRIAL_TRIES or not agent.configuration.revert():
        return False
    agent._trial_tries = 0
    agent.log.warning(now, "bootstrap", "reverted", text="no registration under it; the one before is back")
    agent._reconfigured(now)
    return True
