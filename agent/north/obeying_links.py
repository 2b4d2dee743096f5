"""What the settings of a policy do that concern the links. Loaded when they change, and dropped."""

LTE = "lte"
ORDER, CAP, APN = 5, 6, 7
_NAMES = "eth", "lte", "wifi"  # 1, 2, 3 of an order, as engine/policy_rules.py has them
_ANSWER_MS = 2000  # for what is on its way over a context that is to be closed


def apply(agent, now, settings):
    """Put {setting: value} into force instead of what was in force."""
    _limit(agent, now, settings.get(CAP))
    _order(agent, settings.get(ORDER), settings.get(CAP))
    getattr(agent, "_prefer", agent.links.poll)(now)
    agent._aim_modem(now)  # also where no link is up, so that none becomes active
    _dial(agent, now, settings.get(APN))


def _order(agent, codes, cap):
    """Only these links are used, the first one most preferred; short messages, which no order can name, come last.
    None: all of them, as the setting says."""
    names, links = agent.settings.get("links").split(","), agent.links
    if codes:
        others = [name for name in names if name not in _NAMES]
        names = [_NAMES[code - 1] for code in codes if _NAMES[code - 1] in names] + others
    if cap == 0 and LTE in names:
        names.remove(LTE)
        names.append(LTE)
    agent._ways = names
    links._links = [links._find(name) for name in names]


def _limit(agent, now, cap):
    """What LTE may carry in 30 days (bytes) before it comes last; None: as the settings say of metered links."""
    get = agent.settings.get
    if cap is not None and not agent.metrics:
        agent._load_watching(now)
    metrics, metered, own = agent.metrics, get("metered").split(","), get("data_cap_kb") * 1024
    caps = dict.fromkeys(metered, own) if own else {}
    if cap is not None:
        metered.append(LTE)
        caps[LTE] = cap
    if metrics and caps != metrics._caps:
        metrics._metered, metrics._caps = metered, caps
        agent._account(now)


def _dial(agent, now, apn):
    """Another access point name. A context that is open is closed a little later: the answer to the policy goes over
    it."""
    policing, modem, own = agent.policing, agent.modem, agent.settings.get("apn")
    wanted = own if apn is None else apn
    policing.apn = None
    if wanted != (modem._apn if modem else own):
        policing.apn, policing.redialled = wanted, True
        policing.dial_at = now + (_ANSWER_MS if modem and modem.state == "connected" else 0)
