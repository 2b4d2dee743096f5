"""Whether a reading is beyond the limits of a policy: told once when it goes beyond one, and once when it is back.

Loaded while a policy sets limits.
"""


class Thresholds:
    """rows: [(channel, low, high, hysteresis)], a channel once; in the units of what is measured."""

    def __init__(self, rows):
        self._limits = {row[0]: tuple(row[1:]) for row in rows}
        self._beyond = {}  # channel: -1 below its low limit, 1 above its high one

    def channels(self):
        """What is to be measured."""
        return sorted(self._limits)

    def crossed(self, channel, value):
        """Whether this reading is beyond a limit where the one before was not, or back within both by the hysteresis.
        """
        low, high, slack = self._limits[channel]
        before = self._beyond.get(channel, 0)
        if value > high or (before > 0 and value > high - slack):
            beyond = 1
        elif value < low or (before < 0 and value < low + slack):
            beyond = -1
        else:
            beyond = 0
        self._beyond[channel] = beyond
        return beyond != before
