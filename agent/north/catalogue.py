"""Where each LwM2M object is: a file with its tables and getters. Adding an object is one such file, one row here and
a line in resources.py that says when the agent has it.

Tables are what OMA's registry says (tests/unit/registry.py); 26241 and 26242 are private (docs/decisions/0007).
"""

from ..overlay import drop
from ..table import find

# object file
_FILES = """
1 objects_account
2 objects_account
3 objects_device
4 connectivity
5 objects_firmware
7 connectivity
10 connectivity
11 connectivity
13 connectivity
25 objects_gateway
26241 objects_account
26242 objects_pointsman
"""


def enter(oid, agent, objects):
    """Load an object and put it into the tree of objects; all that no row names are sensors."""
    name = (find(_FILES, str(oid if oid < 65536 else 25)) or ["objects_sensors"])[0]
    __import__(name, globals(), None, ("enter",), 1).enter(agent, _One(oid, objects))


def forget():
    """Let go of everything here."""
    drop("north.catalogue", "north.objects_sensors", *["north." + name for name in _FILES.split()[1::2]])


class _One:
    """Of all the objects of a file the one that was asked for: the agent may not have the others."""

    def __init__(self, oid, objects):
        self._oid, self._objects = oid, objects

    def add(self, oid, *what, **more):
        if oid == self._oid:
            self._objects.add(oid, *what, **more)
