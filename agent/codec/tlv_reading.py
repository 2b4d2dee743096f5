"""OMA-TLV, the reading half: loaded when there is something to read, and dropped by whoever is done with it.

An id or a length may be longer than it must be. Nothing nests deeper than an instance, a resource and its instances.
"""

import struct

from ..errors import RemoteError
from . import utf8

# An empty value is two bytes on the wire and over a hundred in the heap.
_MAX_VALUES = 512
_PLACES = (1, 3, 2, 2)  # by bits 7-6: which place of a path the id takes
_GROUPS = (0, 2)  # an object instance, a multiple resource


def read(data, base, kinds):
    """[(path, value)] of bytes sent to `base`: an object takes instances, an instance resources, a resource itself.

    An instance may also repeat its own head, as some servers do. What is to be created without an id is read with the
    id it will have in `base`.
    kinds(path) -> int, float, bool, str, opaque, time or objlnk; whatever else: the value stays bytes. Raises
    RemoteError, and lets through what `kinds` raises.
    """
    found = []
    if not 1 <= len(base) <= 4:
        raise RemoteError("tlv: says nothing of several objects")
    _level(data, 0, len(data), base, True, kinds, found)
    paths = {path for path, _ in found}
    if len(paths) != len(found) or [path for path in paths if len(path) == 4 and path[:3] in paths]:
        raise RemoteError("tlv: a resource twice")
    return found


def _level(data, at, end, path, top, kinds, found):
    while at < end:
        kind, number, start, at = _head(data, at, end)
        where = _where(path, top, kind, number)
        if kind in _GROUPS:
            _level(data, start, at, where, False, kinds, found)
            continue
        if len(found) == _MAX_VALUES:
            raise RemoteError("tlv: more than %d values" % _MAX_VALUES)
        found.append((where, _value(data[start:at], kinds(where), where)))


def _head(data, at, end):
    """-> (bits 7-6, id, where the body starts, where it ends) of the entry at `at`."""
    first = data[at]
    wide = 1 + (first >> 5 & 1)
    size = first >> 3 & 3
    start = at + 1 + wide + size
    if start > end:
        raise RemoteError("tlv: ends within a head")
    length = int.from_bytes(data[at + 1 + wide : start], "big") if size else first & 7
    if length > end - start:
        raise RemoteError("tlv: ends within a value")
    return first >> 6, int.from_bytes(data[at + 1 : at + 1 + wide], "big"), start, start + length


def _where(path, top, kind, number):
    place = _PLACES[kind]
    if len(path) == place:
        return path + (number,)
    if top and len(path) == place + 1 and path[place] == number:
        return path
    what = ("object instance", "resource instance", "multiple resource", "resource")[kind]
    raise RemoteError("tlv: %s %d does not belong into %s" % (what, number, "/".join([str(part) for part in path])))


def _value(data, kind, path):
    size = len(data)
    if kind in ("int", "time") and size in (1, 2, 4, 8):
        number = int.from_bytes(data, "big")
        return number - (1 << 8 * size) if data[0] & 128 else number
    if kind == "float" and size in (4, 8):
        return struct.unpack(">f" if size == 4 else ">d", data)[0]
    if kind == "bool" and size == 1 and data[0] < 2:
        return data[0] == 1
    if kind == "objlnk" and size == 4:
        return struct.unpack(">HH", data)
    if kind == "str":
        return utf8.decode(data, "tlv")
    if kind in ("int", "time", "float", "bool", "objlnk"):
        raise RemoteError("tlv: %s takes %s, not %d bytes" % ("/".join([str(part) for part in path]), kind, size))
    return bytes(data)
