"""What the settings of a policy do on this device. Loaded when they change, and dropped.

What no group sets is as the device's own settings and accounts say.
"""

from ..accounts import SERVER
from . import obeying_links, obeying_times

PERIOD, LIFETIME = 1, 10


def apply(agent, now, settings, offset):
    """Put {setting: value} into force instead of what was in force. offset: of the reports (s)."""
    period_s = settings.get(PERIOD, agent.settings.get("report_period_s"))
    if agent.reports.period_ms != period_s * 1000:
        agent.reports.set_period(period_s * 1000, now)
    obeying_times.apply(agent, now, settings, offset)
    _live(agent, now, settings.get(LIFETIME))
    obeying_links.apply(agent, now, settings)


def _live(agent, now, lifetime_s):
    """How long a registration lasts; None: as each account says."""
    tree = agent.configuration.tree
    for account in agent.configuration.accounts:
        wanted = lifetime_s or tree.get((SERVER, account.instance, 1), 300)
        if account.lifetime_s != wanted:
            account.lifetime_s = wanted
            agent.registration.update_now(now)
