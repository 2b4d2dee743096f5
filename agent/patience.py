"""What a server itself says about registrations that fail (/1/x/15 to 20), and about versions that it does not speak.
Loaded when a registration fails under such an account.

Source: OMA LwM2M 1.1 Core 6.2.1.2 and E.2. Without these resources the device keeps to registration.py's own back-off,
and silence is never taken for a refusal; a server that gives a number of tries says itself what silence shall mean.
"""

from . import tenure
from .accounts import SERVER

_BLOCK, _BOOTSTRAP, _COUNT, _TIMER, _DELAY, _SEQUENCES = 15, 16, 17, 18, 19, 20
_DEFAULTS = {_COUNT: 5, _TIMER: 60, _DELAY: 86400, _SEQUENCES: 1}
_LONGEST_S = 604800  # a week: no number may keep a device silent for ever
_OLDER = {"1.1": "1.0"}


def ladder(tree, instance, tries):
    """-> (s until the next try, whether registration has failed) after that many failed ones: sequences of tries whose
    distance doubles, and a long pause between sequences."""
    count, timer, delay, sequences = [
        max(tree.get((SERVER, instance, rid), _DEFAULTS[rid]), 1) for rid in (_COUNT, _TIMER, _DELAY, _SEQUENCES)
    ]
    attempt = (tries - 1) % count + 1
    if attempt < count:
        return min(timer << min(attempt - 1, 20), _LONGEST_S), False
    return min(delay, _LONGEST_S), tries // count % sequences == 0


def obey(agent, now, target):
    """A registration with this target has failed."""
    account, link = target
    tree, instance = agent.configuration.tree, account.instance
    counted = [rid for rid in _DEFAULTS if (SERVER, instance, rid) in tree]
    passes = tree.get((SERVER, instance, _BLOCK), True) is False
    if not counted and not passes or agent.registration.target is not target:
        return
    wait_s, failed = ladder(tree, instance, agent.registration.tries)
    agent.registration.retry_in(wait_s * 1000, now)
    if failed:
        agent.log.warning(now, "registration", "failed", registrar=account.uri, next_s=wait_s)
        if passes and _others(agent, target):
            tenure.of(agent).appoint("back", instance, now + wait_s * 1000)
            agent._aim(now)
        elif counted and tree.get((SERVER, instance, _BOOTSTRAP), True) and not agent.settings.get("server_uri"):
            agent._seek(now, link)


def _others(agent, target):
    """The accounts that could take its place on this link."""
    found = [account for account in agent.configuration.accounts if account.allows(target[1])]
    away = agent.tenure.away if agent.tenure else lambda *_: False
    return [
        account
        for account in found
        if account is not target[0] and not away("back", account.instance) and not away("enable", account.instance)
    ]


def older(agent, now, target):
    """4.12: the server does not speak our version. The one before is tried at once, and remembered for it. -> whether
    there is one."""
    account = target[0]
    spoken = agent.store.get("versions") or {}
    version = _OLDER.get(spoken.get(account.uri, "1.1"))
    if version is None:
        return False
    uris = [known.uri for known in agent.configuration.accounts]
    spoken = {uri: spoken[uri] for uri in spoken if uri in uris}
    spoken[account.uri] = version
    agent.store.keep({"versions": spoken})
    agent.log.info(now, "registration", "version", registrar=account.uri, version=version)
    agent.registration.retry_in(0, now)
    return True
