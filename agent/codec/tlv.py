"""OMA-TLV, content format 11542 (LwM2M 1.1 Core 7.4.4; 1.0 7.4.3): [(path, value)] -> bytes.

A path is a tuple (object, instance, resource[, resource instance]), a value an int, float, bool, str, bytes or a tuple
(object, instance) for a link to it; what a path begins with because it was asked for is not sent. Values do not say
their kind. Reading, which therefore must be told the kinds, is in tlv_reading.py.
"""

import struct

from ..errors import LocalError

# By the place in a path that an entry's id takes; bits 7-6 of its head (table 7.4.4-1).
_LEAF = (None, None, 0xC0, 0x40)
_GROUP = (None, 0x00, 0x80, None)


def pack(records, base, kinds=None):
    """As write(): the bytes."""
    out = bytearray()
    write(out, records, base, kinds)
    return bytes(out)


def write(out, records, base, kinds=None):
    """Writes [(path, value)] at or below `base`, the path asked; what shares an instance or a multiple resource stands
    together.

    kinds(path) -> the resource's kind, for a float of integral value that is held as an int. Raises LocalError.
    """
    if not base:
        raise LocalError("tlv: says nothing of several objects")
    _level(out, records, (0, 1, 2, 2, 3)[len(base)], kinds)


def unpack(data, base, kinds):
    """[(path, value)] of what was sent to `base`. Raises RemoteError; see tlv_reading.py."""
    from .tlv_reading import read

    return read(data, base, kinds)


def _level(out, records, place, kinds):
    at = 0
    while at < len(records):
        path, value = records[at]
        if not max(place, 2) < len(path) < 5:
            raise LocalError("tlv: no value can be at %s" % (path,))
        start = at
        at += 1
        if len(path) == place + 1:
            head, body = _LEAF[place], _bytes(value, kinds and kinds(path))
        else:
            while at < len(records) and records[at][0][: place + 1] == path[: place + 1]:
                at += 1
            head, body = _GROUP[place], bytearray()  # apart, as its length stands before it
            _level(body, records[start:at], place + 1, kinds)
        _head(out, head, path[place], len(body))
        out.extend(body)


def _head(out, head, number, length):
    """Type, id and length, each as short as it can be."""
    if length >> 24 or number >> 16:
        raise LocalError("tlv: id over 65535, or 16 MB and more")
    wide = 2 if number > 255 else 1
    size = 0 if length < 8 else (1 if length < 256 else (2 if length < 65536 else 3))
    out.append(head | wide - 1 << 5 | (size << 3 or length))
    out.extend(number.to_bytes(wide, "big"))
    if size:
        out.extend(length.to_bytes(size, "big"))


def _bytes(value, kind):
    """A value as table C-1 of 1.1 Core has it."""
    if isinstance(value, bool):
        return b"\x01" if value else b"\x00"
    if isinstance(value, int) and kind != "float":
        return _int(value)
    if isinstance(value, (int, float)):
        return _float(float(value))
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    if isinstance(value, tuple):
        return struct.pack(">HH", value[0], value[1])
    raise LocalError("tlv: no encoding for %s" % type(value).__name__)


def _int(value):
    for size in (1, 2, 4, 8):
        half = 1 << 8 * size - 1
        if -half <= value < half:
            return (value & 2 * half - 1).to_bytes(size, "big")
    raise LocalError("tlv: number over 64 bits")


def _float(value):
    try:
        short = struct.pack(">f", value)
    except OverflowError:
        return struct.pack(">d", value)
    return short if value != value or struct.unpack(">f", short)[0] == value else struct.pack(">d", value)
