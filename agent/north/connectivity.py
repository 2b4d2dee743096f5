"""The objects that tell a server about the device's links: 4 monitoring, 7 statistics, 10 cellular, 11 APN profile, 13
bearer selection.

Sources: OMA LwM2M 1.1 Core appendix E.5 (object 4, version 1.2), OMA registry (7, 10, 11 and 13, versions 1.0).
"""

from ..errors import RemoteError

CONNECTIVITY, STATISTICS, CELLULAR, APN_PROFILE, BEARERS = 4, 7, 10, 11, 13
_LTE, _WLAN, _ETHERNET = 6, 21, 41  # bearers of /4/0/0
_PREFERRED = {_LTE: 4, _WLAN: 7, _ETHERNET: 8}  # as /13/0/0 spells them
_NO_SIGNAL = 0  # dBm: /4/0/2 is mandatory, on a cable too
_ANY_LOGIN, _NO_LOGIN = 2, 3  # /11/0/4
_WATCHED = (0, 1, 2, 4, 7)  # resources of object 4, all of them
_NOT_ALLOWED = 133

# id operations kind
_CONNECTIVITY = """
0 R int
1 R* int
2 R int
4 R* str
7 R* str
"""
_STATISTICS = """
2 R int
3 R int
6 E -
7 E -
"""
_CELLULAR = """
11 R* objlnk
"""
_APN_PROFILE = """
0 RW! str
1 RW str
2 RW bool
3 RW bool
4 RW! int
5 RW str
13 R int
14 R int
"""
_BEARERS = """
0 RW* int
"""
TABLES = {CONNECTIVITY: _CONNECTIVITY, STATISTICS: _STATISTICS, CELLULAR: _CELLULAR, APN_PROFILE: _APN_PROFILE,
          BEARERS: _BEARERS}  # fmt: skip


def enter(agent, objects):
    """Put them into the tree of objects."""
    links = _Links(agent)
    agent.resources.kept.setdefault("told", links.watched())
    objects.add(CONNECTIVITY, _CONNECTIVITY, links.monitoring)
    objects.add(STATISTICS, _STATISTICS, links.statistics, execute=links.collect)
    objects.add(CELLULAR, _CELLULAR, lambda *_: [(APN_PROFILE, 0)])
    objects.add(APN_PROFILE, _APN_PROFILE, links.profile, links.write_profile)
    objects.add(BEARERS, _BEARERS, links.preferred, _refuse)


def look(agent, now):
    """Tell whoever observes object 4 what has changed since they were told."""
    kept = agent.resources.kept
    before = kept["told"]
    kept["told"] = after = _Links(agent).watched()
    changed = [rid for rid, old, new in zip(_WATCHED, before, after) if old != new]
    if changed:
        agent.north.changed((CONNECTIVITY, 0, changed[0]) if len(changed) == 1 else (CONNECTIVITY, 0), now)


class _Links:
    def __init__(self, agent):
        self._agent = agent

    def watched(self):
        return [self.monitoring(0, rid) for rid in _WATCHED]

    def monitoring(self, _instance, rid):
        agent = self._agent
        if rid == 1:
            return [bearer(name) for name in agent.links.up()]
        if rid == 0:
            return bearer(agent.links.active)
        if rid == 2:
            return agent.modem and agent.modem.signal or _NO_SIGNAL
        if rid == 4:
            up = [port for port in agent.ports() if agent.links.is_up(port.name)]
            return [port.address for port in up if port.address and port.address != "0.0.0.0"]
        return [agent.settings.get("apn")] if agent.settings.get("apn") else None

    def statistics(self, _instance, rid):
        """kB sent and received over all links since the start, or since the collection was started."""
        agent = self._agent
        sums = agent.resources.kept.get("stopped") or (agent.metrics and agent.metrics.sums)
        return sums and sums[rid - 2] // 1000

    def collect(self, _instance, rid, _arguments):
        """6 counts from 0, 7 counts no further."""
        kept, metrics = self._agent.resources.kept, self._agent.metrics
        if rid == 6:
            metrics.sums, kept["stopped"] = [0, 0], None
        else:
            kept["stopped"] = kept.get("stopped") or list(metrics.sums)

    def profile(self, _instance, rid):
        agent = self._agent
        get, modem = agent.settings.get, agent.modem
        if rid > 12:
            carried = agent.metrics and agent.metrics.bytes.get("lte")
            return carried and carried[rid - 13]
        login = _ANY_LOGIN if get("ppp_user") else _NO_LOGIN
        connected = modem is not None and modem.state == "connected"
        return ("bearer", get("apn"), not get("apn"), connected, login, get("ppp_user") or None)[rid]

    def write_profile(self, _instance, rid, value, really):
        """The APN is a setting that a server may change; the rest follows from it, or is the device's own."""
        if rid != 1:
            _refuse(0, rid, value, really)
        policies = self._agent.policies
        (policies.offer if really else policies.check)("apn", value)

    def preferred(self, _instance, _rid):
        """The links in the order in which the device prefers them; what a server would rather have is not asked."""
        return [_PREFERRED[bearer(name)] for name in self._agent.settings.get("links").split(",")]


def _refuse(*_):
    raise RemoteError("this is the device's own to decide; of its links, the order in its settings", _NOT_ALLOWED)


def bearer(link):
    """/4/0/0 of a link, by its name: lte and wwan are cellular, wifi and wlan are wireless, all else is a cable."""
    if link in ("lte", "wwan"):
        return _LTE
    return _WLAN if link in ("wifi", "wlan") else _ETHERNET
