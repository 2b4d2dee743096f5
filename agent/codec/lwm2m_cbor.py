"""LwM2M CBOR, content format 11544 (LwM2M 1.2 Core 7.4.7): [(path, value)] <-> maps in maps, keyed by ids.

A path is a tuple (object[, instance[, resource[, resource instance]]]), a value an int, float, bool, str, bytes, a
tuple (object, instance) for a link to it, or None where only a path is named (a Read-Composite). Paths are sent whole.
A key may also be an array of several ids; we send none, since it saves nothing where paths have much in common.
"""

from ..errors import LocalError
from . import cbor


def pack(records, base=None, kinds=None):
    """As write(): the bytes."""
    out = bytearray()
    write(out, records, base, kinds)
    return bytes(out)


def write(out, records, base=None, kinds=None):
    """Writes [(path, value)]; `base` and `kinds` are for formats that need them. Raises LocalError."""
    tree = {}
    for path, value in records:
        level = tree
        for part in path[:-1]:
            level = level.setdefault(part, {})
            if not isinstance(level, dict):
                raise LocalError("lwm2m cbor: a value above %s" % (path,))
        if path[-1] in level:
            raise LocalError("lwm2m cbor: %s twice" % (path,))
        level[path[-1]] = "%d:%d" % value if isinstance(value, tuple) else value
    cbor.write(out, tree)


def unpack(data, base=(), kinds=None):
    """[(path, value)] of bytes sent to `base`, at or below which all must lie; a link to an object stays "66:0".
    Raises RemoteError."""
    from .lwm2m_cbor_reading import read

    return read(data, base)
