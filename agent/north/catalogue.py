"""Where each LwM2M object is: a file with its tables and getters. Adding an object is one such file, one row here and
a line in announcing.py that says when the agent has it.

Tables are what OMA's registry says (tests/unit/registry.py); 26241 to 26244 are private (docs/decisions/0007).
"""

from ..overlay import drop
from ..table import find

# object file
_FILES = """
1 objects_server
2 objects_server
3 objects_device
4 connectivity
5 objects_firmware
7 connectivity
10 connectivity
11 connectivity
12 objects_radio
13 connectivity
16 objects_portfolio
25 objects_gateway
504 objects_radio
26241 objects_server
26242 objects_pointsman
26243 objects_groups
26244 objects_groups
"""


def enter(oid, agent, objects):
    """Load an object and put it into the tree of objects; all that no row names are sensors."""
    name = (find(_FILES, str(oid if oid < 65536 else 25)) or ["objects_sensors"])[0]
    _file(name).enter(agent, _One(oid, objects))


def look(agent, now):
    """Tell whoever observes object 4, or a device behind this one, what of it has changed."""
    if "told" in agent.resources.kept and agent.exchange.observed(("4",)):
        _file("connectivity").look(agent, now)
    if "children" in agent.resources.kept:
        _file("objects_gateway").look(agent, now)


def _file(name):
    return __import__(name, globals(), None, ("enter",), 1)


def forget():
    """Let go of everything here."""
    names = _FILES.split()[1::2] + ["catalogue", "objects_sensors", "objects_account"]
    drop(*["north." + name for name in names])


class _One:
    """Of all the objects of a file the one that was asked for: the agent may not have the others."""

    def __init__(self, oid, objects):
        self._oid, self._objects = oid, objects

    def add(self, oid, *what, **more):
        if oid == self._oid:
            self._objects.add(oid, *what, **more)
