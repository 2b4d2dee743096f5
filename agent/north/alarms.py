"""Tells the registrar at once of what is measured beyond the limits of a policy, and when it is back within them.

Loaded while a policy sets limits (timing.py), and then kept. A channel of a policy is an IPSO object of the device:
3331 the meter, 3303 temperature, ... where the board has such a sensor. All are read whenever the meter is.
"""

from ..codec import coap, senml
from ..engine.objects import spelled
from ..engine.thresholds import Thresholds

_METER, _POWER = 3331, 3305
_SENML = 112
_RETRANSMIT = 2
_AGAIN_MS, _REJECTED_MS = 20000, 3600000  # as for readings; some servers know no Send


class Alarms:
    """rows: of the policy. A reading of the meter goes as the reading that it is; what a sensor gives by a Send of its
    own, which is repeated until it is acknowledged or the sensor has crossed a limit again."""

    _handle = _again = None

    def __init__(self, rows):
        self.rows = rows
        self._limits = Thresholds(rows)
        self._waiting = {}  # channel: (value, Unix s or 0)
        self._sent = []

    def look(self, agent, now):
        """The meter was read. -> whether its reading is to go at once."""
        crossed = [one for one in self._limits.channels() if self._crosses(agent, one, now)]
        return _METER in crossed

    def is_due(self, agent):
        """Whether tell() has something to say, and somebody to say it to."""
        if agent.reports.state == "offline":
            if self._handle is not None:
                agent.exchange.cancel(self._handle)  # it would hold up the good-bye
            self._handle = self._again = None
            return False
        return bool(self._waiting) and self._handle is None and self._again is None

    def tell(self, agent, now):
        account, link = agent.registration.target
        self._sent = [(channel, self._waiting[channel]) for channel in sorted(self._waiting)]
        records = [(spelled((one, 0, 5800 if one == _POWER else 5700)), value, wall or None)
                   for one, (value, wall) in self._sent]  # fmt: skip
        self._handle = agent.exchange.request(account.peer(link), coap.POST, ("dp",), now, payload=senml.pack(records),
                                              format=_SENML, retransmit=_RETRANSMIT)  # fmt: skip

    def answered(self, handle, response, now):
        """-> whether it was about what tell() has said."""
        if handle is None or handle != self._handle:
            return False
        self._handle, kind = None, 0 if isinstance(response, str) else response.code >> 5
        if kind == 2:
            for channel, what in self._sent:
                if self._waiting.get(channel) == what:
                    del self._waiting[channel]
        else:
            self._again = now + (_REJECTED_MS if kind == 4 else _AGAIN_MS)
        return True

    def poll(self, now):
        if self._again is not None and now >= self._again:
            self._again = None

    def deadline(self):
        """When poll() has something to do (ms), or None."""
        return self._again

    def _crosses(self, agent, channel, now):
        """Whether it is beyond a limit now, or within them again, as it was not before."""
        value = self._value(agent, channel)
        if value is None or not self._limits.crossed(channel, value):
            return False
        agent.log.warning(now, "policies", "limit crossed", channel=channel, value=value)
        if channel != _METER:
            self._waiting[channel] = value, agent.wall()
        return True

    def _value(self, agent, channel):
        """What is measured there, or None."""
        if channel == _METER:
            return None if agent.resources.faulty else agent.resources.meter
        try:
            return agent.board.sense(channel)
        except (OSError, ValueError):
            return None
