"""Code that is needed now and then: imported where it is used, and dropped again where memory is small.

`from .x import y` inside a function holds y only until the function returns; what keeps a module alive is the
interpreter's own table. On a microcontroller that table forgets it here, and the next use loads it anew, in a
few ms.
"""

import sys


def drop(*names):
    """Let these modules of this package go, such as "engine.discovery". Elsewhere than on MicroPython nothing
    happens."""
    if sys.implementation.name != "micropython":
        return
    root = __name__.rsplit(".", 1)[0]
    for name in names:
        path = root + "." + name
        parent, _, last = path.rpartition(".")
        if sys.modules.pop(path, None) and hasattr(sys.modules[parent], last):
            delattr(sys.modules[parent], last)
