"""Which LwM2M objects the agent has, and what of them is always at hand. Their tables and getters are in files of their
own (catalogue.py), loaded when a server asks for them and let go afterwards.
"""

from ..accounts import OSCORE, POINTSMAN, SECURITY
from ..overlay import drop

SEQUENCE = (POINTSMAN, 0, 0)
METER = (3331, 0, 5700)
SETTING = {1: "report_period_s", 2: "apn"}  # resources of 26242 that are settings


def configured_settings(tree):
    """-> [(setting, value)] that a configuration brings along."""
    found = []
    for rid, name in sorted(SETTING.items()):
        if (POINTSMAN, 0, rid) in tree:
            found.append((name, tree[(POINTSMAN, 0, rid)]))
    return found


def resource_of(setting):
    """The resource that a setting is, or None."""
    for rid in SETTING:
        if SETTING[rid] == setting:
            return (POINTSMAN, 0, rid)
    return None


class Resources:
    """The objects of one agent, announced in its tree of objects."""

    meter = None  # the last reading's value
    faulty = False  # the meter gave none the last time
    _loaded = False

    def __init__(self, agent, objects):
        self._agent, self._objects = agent, objects
        self.kept = {}  # what an object's file wants to find again
        for oid in (SECURITY, OSCORE):
            objects.add(oid, "", None, hidden=True)
        self.extend()

    def extend(self):
        """Announce what there is, now that more of it is known."""
        from .announcing import announced

        for oid, there in announced(self._agent, self._objects):
            self._objects.later(oid, self._load, there)
            if oid == 25:
                self.kept["children"] = there
        drop("north.announcing", "north.upgrading")

    def look(self, now):
        """Tell whoever observes object 4, or a device behind this one, what of it has changed."""
        if self.kept:
            from .catalogue import forget, look

            look(self._agent, now)
            forget()

    def rest(self):
        """Let go of what was loaded for a server."""
        if self._loaded:
            self._loaded = False
            self._objects.rest()
            from .catalogue import forget

            forget()

    def _load(self, oid):
        self._loaded = True
        from .catalogue import enter

        enter(oid, self._agent, self._objects)
        drop("north.catalogue")
