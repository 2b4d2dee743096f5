"""The objects that tell a server about the device's links: 4 monitoring, 7 statistics, 10 cellular, 11 APN profile, 13
bearer selection, and the figures in 26242. Read by resources.py once there is a server to tell.

Sources: OMA LwM2M 1.1 Core appendix E.5 (object 4), OMA registry (objects 7, 10, 11 and 13).
"""

CONNECTIVITY, STATISTICS, CELLULAR, APN_PROFILE, BEARERS = 4, 7, 10, 11, 13
_LTE, _WLAN, _ETHERNET = 6, 21, 41  # bearers of /4/0/0
_PREFERRED = {_LTE: 4, _WLAN: 7, _ETHERNET: 8}  # as /13/0/0 spells them
_NO_LOGIN = 3  # /11/0/4
_WATCHED = (0, 1, 2, 4, 7)  # resources of object 4, all of them

# id operations kind
_CONNECTIVITY = """
0 R int
1 R int
2 R int
4 R str
7 R str
"""
_STATISTICS = """
2 R int
3 R int
6 E -
"""
_CELLULAR = """
11 R objlnk
"""
_APN_PROFILE = """
0 R str
1 R str
2 R bool
3 R bool
4 R int
"""
_BEARERS = """
0 R int
"""


class Connectivity:
    """Those objects of one agent, entered into its tree of objects: 7 once it counts, 10, 11 and 13 where it may have
    a modem."""

    def __init__(self, agent, objects):
        self._agent = agent
        self._told = self._now()
        objects.add(CONNECTIVITY, _CONNECTIVITY, self._monitoring)
        if agent.metrics:
            objects.add(STATISTICS, _STATISTICS, self._statistics, execute=self._reset)
        if "lte" in agent.settings.get("links").split(","):
            objects.add(CELLULAR, _CELLULAR, lambda _instance, _rid: [(APN_PROFILE, 0)])
            objects.add(APN_PROFILE, _APN_PROFILE, self._profile)
            objects.add(BEARERS, _BEARERS, self._preferred)

    def look(self, now):
        """Tell whoever observes object 4 what has changed since the last look."""
        told, self._told = self._told, self._now()
        changed = [rid for rid, before, after in zip(_WATCHED, told, self._told) if before != after]
        if changed:
            path = (CONNECTIVITY, 0, changed[0]) if len(changed) == 1 else (CONNECTIVITY, 0)
            self._agent.north.changed(path, now)

    def _now(self):
        return [self._monitoring(0, rid) for rid in _WATCHED]

    def _monitoring(self, _instance, rid):
        agent = self._agent
        if rid == 1:
            return [bearer(name) for name in agent.links.up()]
        if rid == 0:
            return bearer(agent.links.active)
        if rid == 2:
            return agent.modem.signal if agent.modem else None
        if rid == 4:
            up = [port for port in agent.ports() if agent.links.is_up(port.name)]
            return [port.address for port in up if port.address and port.address != "0.0.0.0"]
        return [agent.settings.get("apn")] if agent.settings.get("apn") else None

    def _statistics(self, _instance, rid):
        """kB sent and received over all links since the start, or since they were reset."""
        return self._agent.metrics.sums[rid - 2] // 1000

    def _reset(self, _instance, _rid, _arguments):
        self._agent.metrics.sums = [0, 0]

    def _profile(self, _instance, rid):
        apn, modem = self._agent.settings.get("apn"), self._agent.modem
        connected = modem is not None and modem.state == "connected"
        return ("bearer", apn, not apn, connected, _NO_LOGIN)[rid]

    def _preferred(self, _instance, _rid):
        """The links in the order in which the device prefers them; what a server would rather have is not asked."""
        return [_PREFERRED[bearer(name)] for name in self._agent.settings.get("links").split(",")]


def figure(metrics, rid):
    """The resources of 26242 that count: 6 moves; 7 ms of the last one: detect, dial, register; 8 starts of the modem;
    9 "link sent received", bytes of today; 10 "state s" of the registration. None while nothing is counted."""
    if not metrics:
        return None
    if rid == 9:
        return ["%s %d %d" % (link, sent, received) for link, (sent, received) in sorted(metrics.bytes.items())]
    if rid == 10:
        return ["%s %d" % (state, ms // 1000) for state, ms in sorted(metrics.seconds.items())]
    return (metrics.moves, list(metrics.last), metrics.resets)[rid - 6]


def bearer(link):
    """/4/0/0 of a link, by its name: lte and wwan are cellular, wifi and wlan are wireless, all else is a cable."""
    if link in ("lte", "wwan"):
        return _LTE
    return _WLAN if link in ("wifi", "wlan") else _ETHERNET
