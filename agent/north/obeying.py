"""What the settings of a policy do on this device. Loaded when they change, and dropped.

What no group sets is as the device's own settings say.
"""

PERIOD = 1


def apply(agent, now, settings, _offset):
    """Put {setting: value} into force instead of what was in force."""
    period_s = settings.get(PERIOD, agent.settings.get("report_period_s"))
    if agent.reports.period_ms != period_s * 1000:
        agent.reports.set_period(period_s * 1000, now)
