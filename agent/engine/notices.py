"""When one observer is told: the timing of one observation (LwM2M 1.1 Core 7.3, 1.2 Core 7.3.2). Times are ms.

What is observed is looked at when it changed, and when deadline() says so; due() then says whether to tell. What is
seen is a number or bool where one single value is observed, else anything that differs when the content does.
"""

_CONDITIONS = ("gt", "lt", "st", "edge")


class Notice:
    """rules: {attribute: number}, of which pmin, pmax, epmin and epmax are s; seen: what the observer knows now."""

    def __init__(self, rules, seen, now):
        self._seen = seen
        self._looked_at = now
        self._wanted = False
        self.set_rules(rules)
        self.told(seen, now)

    def set_rules(self, rules):
        self._rules = rules
        longest = rules.get("pmax", 0)
        self._pmin = rules.get("pmin", 0) * 1000
        self._pmax = longest * 1000 if longest * 1000 >= self._pmin else 0  # a shorter one is to be ignored

    def look(self, seen, now):
        """What is observed is now `seen`. Within epmin of the last look it is not judged yet."""
        self._postponed = now < self._looked_at + self._rules.get("epmin", 0) * 1000
        if self._postponed:
            return
        before, self._seen, self._looked_at = self._seen, seen, now
        self._wanted = self._wanted or self._matters(before, seen)

    def due(self, now):
        """Whether the observer is to be told now."""
        at = self._told_at + (self._pmin if self._wanted else self._pmax)
        return now >= at and (self._wanted or self._pmax > 0)

    def told(self, seen, now):
        """The observer was told."""
        self._told, self._told_at = seen, now
        self._wanted = self._postponed = False

    def deadline(self):
        """When to look again (ms), or None."""
        rules = self._rules
        times = []
        if self._wanted:
            times.append(self._told_at + self._pmin)
        elif self._pmax:
            times.append(self._told_at + self._pmax)
        if self._postponed:
            times.append(self._looked_at + rules["epmin"] * 1000)
        elif rules.get("epmax"):
            times.append(self._looked_at + rules["epmax"] * 1000)
        return min(times) if times else None

    def _matters(self, before, seen):
        rules = self._rules
        if not isinstance(seen, (int, float, bool)) or not [name for name in _CONDITIONS if name in rules]:
            return seen != self._told
        if isinstance(seen, bool):
            return seen != before and seen == bool(rules.get("edge", seen))
        for name in ("gt", "lt"):
            if name in rules and _beyond(before, rules[name], name) != _beyond(seen, rules[name], name):
                return True
        return "st" in rules and abs(seen - self._told) >= rules["st"]


def _beyond(value, limit, name):
    return value > limit if name == "gt" else value < limit
