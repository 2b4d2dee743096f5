"""What the settings of a policy do that concern the links. Loaded when they change, and dropped."""

LINKS = (ORDER,) = (5,)
_NAMES = "eth", "lte", "wifi"  # 1, 2, 3 of an order, as engine/policy_rules.py has them


def apply(agent, now, settings):
    """Put {setting: value} into force instead of what was in force."""
    _order(agent, settings.get(ORDER))
    getattr(agent, "_prefer", agent.links.poll)(now)
    agent._aim_modem(now)  # also where no link is up, so that none becomes active


def _order(agent, codes):
    """Only these links are used, the first one most preferred; short messages, which no order can name, come last.
    None: all of them, as the setting says."""
    names, links = agent.settings.get("links").split(","), agent.links
    if codes:
        others = [name for name in names if name not in _NAMES]
        names = [_NAMES[code - 1] for code in codes if _NAMES[code - 1] in names] + others
    agent._ways = names if codes else None
    links._links = [links._find(name) for name in names]
