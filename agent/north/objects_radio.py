"""What there is of radio: 12 WLAN, where the board's link tells of it, and 504, the SIM in the modem (OMA registry,
versions 1.0).
"""

from ..errors import RemoteError

WLAN, SIM = 12, 504
_NOT_ALLOWED = 133
_UP, _ERROR, _STATION, _BGN, _PSK = 1, 2, 1, 5, 1  # of 12: 3, 3, 8, 14, 15

# id operations kind
_WLAN = """
0 RW! str
1 RW! bool
3 R int
4 R str
5 RW! str
8 RW! int
9 RW! int
14 RW! int
15 RW! int
"""
_SIM = """
0 R int
1 R* int
11 R* str
13 R int
"""
TABLES = {WLAN: _WLAN, SIM: _SIM}


def enter(agent, objects):
    """Put them into the tree of objects."""

    def stations():
        return [port for port in agent.ports() if hasattr(port, "station")]

    def wlan(instance, rid):
        port = stations()[instance]
        if rid in (1, 3):
            return True if rid == 1 else _UP if agent.links.is_up(port.name) else _ERROR
        name, mac, ssid, channel, secured = port.station()
        fixed = {0: name, 4: mac, 5: ssid, 8: _STATION, 9: channel, 14: _BGN, 15: _PSK if secured else 0}
        return fixed[rid]

    def sim(_instance, rid):
        """A removable UICC without remote provisioning, as far as an AT modem tells."""
        iccid = agent.modem and agent.modem.identity.get("iccid")
        return {0: 0, 1: [0], 11: [iccid] if iccid else [], 13: 0}[rid]

    objects.add(WLAN, _WLAN, wlan, _refuse, instances=lambda: list(range(len(stations()))))
    objects.add(SIM, _SIM, sim)


def _refuse(*_):
    raise RemoteError("the board's own options say how Wi-Fi is joined", _NOT_ALLOWED)
