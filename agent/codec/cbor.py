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


class Tag:
    """A tagged value (RFC 8949 3.4)."""

    def __init__(self, number, value):
        self.number = number
        self.value = value


def encode(value, depth=0):
    """The deterministic encoding of a value; tuples become arrays. Raises LocalError for what has none."""
    if depth > _MAX_DEPTH:
        raise LocalError("cbor: nested deeper than %d" % _MAX_DEPTH)
    if value is None or value is True or value is False:
        return b"\xf6" if value is None else (b"\xf5" if value else b"\xf4")
    if isinstance(value, int):
        return _head(0, value) if value >= 0 else _head(1, -1 - value)
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, str):
        value = value.encode()
        return _head(3, len(value)) + value
    if isinstance(value, (bytes, bytearray)):
        return _head(2, len(value)) + value
    return _container(value, depth + 1)


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


def _head(major, number):
    major <<= 5
    if number < 24:
        return bytes((major | number,))
    for code in range(4):
        if not number >> (8 << code):
            return bytes((major | 24 + code,)) + number.to_bytes(1 << code, "big")
    raise LocalError("cbor: number over 64 bits")


def _float(value):
    if value != value:
        return b"\xf9\x7e\x00"
    for head, form in ((b"\xf9", ">e"), (b"\xfa", ">f")):
        try:
            data = struct.pack(form, value)
        except OverflowError:
            continue
        if struct.unpack(form, data)[0] == value:
            return head + data
    return b"\xfb" + struct.pack(">d", value)


def _container(value, depth):
    if isinstance(value, (list, tuple)):
        return _head(4, len(value)) + b"".join([encode(item, depth) for item in value])
    if isinstance(value, dict) and all([type(key) in _KEYS for key in value]):
        pairs = sorted([(encode(key, depth), encode(item, depth)) for key, item in value.items()])
        return _head(5, len(value)) + b"".join([key + item for key, item in pairs])
    if isinstance(value, Tag):
        return _head(6, value.number) + encode(value.value, depth)
    raise LocalError("cbor: no encoding for %s" % type(value).__name__)
