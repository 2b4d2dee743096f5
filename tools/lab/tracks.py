"""The drawing at the left of the timeline: two tracks, Ethernet and 4G, and on which of them the device is.

    Ethernet 4G
       │     ┊     cable in, nobody registered
       ●     ┊     registered with the gateway
       ╳     ┊     cable pulled
       ╰─────●     the points are set: registered with the platform
       ●─────╯     and back
       ○     ┊     no power; the gateway does not know yet

With many devices the tracks carry numbers: how many are on each.
"""

from typing import NamedTuple

_DRAWN = {"rail": "│", "idle": "┊", "train": "●", "dark": "○", "broken": "╳", "away": "╰─────●", "home": "●─────╯"}
_PLAIN = {"rail": "|", "idle": ":", "train": "O", "dark": "o", "broken": "X", "away": "`-----O", "home": "O-----'"}


_BEFORE_S, _COLUMNS = 8, 60  # of readings(): seconds before the moment, and seconds in all


class Place(NamedTuple):
    """Where one device is: `on` is "eth", "lte" or None; whether its cable is in, its bearer up, its power on."""

    on: str | None = None
    cable: bool = True
    bearer: bool = False
    power: bool = True


class Tracks:
    """Keeps the place of each device and draws one row of the two tracks, always 7 columns wide."""

    def __init__(self, count, unicode):
        self.unicode = unicode
        self.count = count
        self._signs = _DRAWN if unicode else _PLAIN
        self._places = {}

    def heading(self):
        return "Eth   4G"

    def move(self, device, place):
        """The row that shows `device` arriving at `place`."""
        before = self._places.get(device, Place())
        self._places[device] = place
        if self.count > 1:
            return self._numbers()
        if before.on == "eth" and place.on == "lte":
            return self._signs["away"]
        if before.on == "lte" and place.on == "eth":
            return self._signs["home"]
        return self._rails(place)

    def same(self):
        """The row when nothing has moved."""
        if self.count > 1:
            return self._numbers()
        return self._rails(next(iter(self._places.values()), Place()))

    def _rails(self, place):
        train = self._signs["train" if place.power else "dark"]
        left = self._signs["rail" if place.cable else "idle"]
        if place.on == "eth":
            left = train if place.cable else self._signs["broken"]
        right = train if place.on == "lte" else self._signs["rail" if place.bearer else "idle"]
        return left + "     " + right

    def _numbers(self):
        places = self._places.values()
        counts = [sum(1 for p in places if p.on == link) for link in ("eth", "lte")]
        left, right = (str(n) if n else self._signs["idle"] for n in counts)
        return "%-3s %3s" % (left, right)


def readings(since, times, unicode):
    """One device's readings at these times (Unix s), a column a second, and a stroke at the moment `since`."""
    mark, blank, stroke = ("●", "·", "│") if unicode else ("o", ".", "|")
    columns = [blank] * _COLUMNS
    for time in times:
        column = int(time - since + _BEFORE_S)
        if 0 <= column < _COLUMNS:
            columns[column] = mark
    return ("".join(columns[:_BEFORE_S]) + stroke + "".join(columns[_BEFORE_S:])).rstrip(blank)
