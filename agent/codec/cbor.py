"""CBOR (RFC 8949): bytes <-> int, float, str, bytes, list, dict, bool, None and Tag.

Encoding is deterministic (4.2.1). Decoding is in cbor_reading.py, which is loaded when there is something to read.
"""

import struct

from ..errors import LocalError, RemoteError

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


_MAX_DEPTH = const(16)
# Bytes as keys beside text ones make MicroPython print a warning at every look-up.
_KEYS = (int, str)
_NONE = "cbor: no encoding for %s"


class Tag:
    """A tagged value (RFC 8949 3.4)."""

    def __init__(self, number, value):
        self.number = number
        self.value = value


def encode(value):
    """The deterministic encoding of a value; tuples become arrays. Raises LocalError for what has none."""
    out = bytearray()
    write(out, value)
    return bytes(out)


def write(out, value, depth=0):
    """As encode(), at the end of a bytearray."""
    if depth > _MAX_DEPTH:
        raise LocalError("cbor: nested deeper than %d" % _MAX_DEPTH)
    if value is None or value is True or value is False:
        out.append(0xF6 if value is None else (0xF5 if value else 0xF4))
    elif isinstance(value, int):
        head(out, 0, value) if value >= 0 else head(out, 1, -1 - value)
    elif isinstance(value, float):
        _float(out, value)
    elif isinstance(value, str):
        value = value.encode()
        head(out, 3, len(value))
        out.extend(value)
    elif isinstance(value, (bytes, bytearray)):
        head(out, 2, len(value))
        out.extend(value)
    else:
        _container(out, value, depth + 1)


def decode(data):
    """The value of exactly one data item (bytes). Raises RemoteError: malformed, or followed by anything."""
    value, at = decode_from(data, 0)
    if at != len(data):
        raise RemoteError("cbor: %d bytes after the end" % (len(data) - at))
    return value


def decode_from(data, at):
    """(value, where the next item starts) for the data item at `at`. Raises RemoteError."""
    from .cbor_reading import Reader

    reader = Reader(data, at, Tag)
    return reader.inner(0), reader.at


def head(out, major, number):
    """Writes the head of a data item: its major type, and a number or how many follow. Raises LocalError."""
    major <<= 5
    if number < 24:
        return out.append(major | number)
    for code in range(4):
        if not number >> (8 << code):
            out.append(major | 24 + code)
            return out.extend(number.to_bytes(1 << code, "big"))
    raise LocalError("cbor: number over 64 bits")


def _float(out, value):
    if value != value:
        return out.extend(b"\xf9\x7e\x00")
    for first, form in ((0xF9, ">e"), (0xFA, ">f"), (0xFB, ">d")):
        try:
            data = struct.pack(form, value)
        except OverflowError:
            continue
        if struct.unpack(form, data)[0] == value:
            out.append(first)
            return out.extend(data)


def _container(out, value, depth):
    if isinstance(value, (list, tuple)):
        head(out, 4, len(value))
        for item in value:
            write(out, item, depth)
    elif isinstance(value, dict):
        head(out, 5, len(value))
        for key in sorted(value, key=encode):
            if type(key) not in _KEYS:
                raise LocalError(_NONE % type(key).__name__)
            write(out, key, depth)
            write(out, value[key], depth)
    elif isinstance(value, Tag):
        head(out, 6, value.number)
        write(out, value.value, depth)
    else:
        raise LocalError(_NONE % type(value).__name__)
