"""CBOR (RFC 8949), the reading half: loaded when there is something to read, and dropped by whoever is done with it.

It also takes what a careless peer sends (long heads, indefinite lengths), but never more than the input itself
justifies: a length is checked against what is left before anything is allocated.
"""

import struct

from ..errors import RemoteError
from . import utf8

_MAX_DEPTH = 16
# An empty map is one byte on the wire and 64 in the heap: unlimited, 1 KiB from a peer is 64 KiB here.
_MAX_CONTAINERS = 512
# Bytes as keys beside text ones make MicroPython print a warning at every look-up.
_KEYS = (int, str)
_BREAK = object()


class Reader:
    """Where decoding stands in the input, and how many containers it may still make; a tagged item becomes tag(number,
    value)."""

    def __init__(self, data, at, tag):
        self.data, self.tag = data, tag
        self.at = at
        self.containers = _MAX_CONTAINERS

    def read(self, count):
        start = self.at
        if count > len(self.data) - start:
            raise RemoteError("cbor: ends within an item")
        self.at = start + count
        return self.data[start : self.at]

    def number(self, info):
        return info if info < 24 else int.from_bytes(self.read(1 << info - 24), "big")

    def item(self, depth):
        """The next value, or _BREAK."""
        first = self.read(1)[0]
        major, info = first >> 5, first & 31
        if depth > _MAX_DEPTH:
            raise RemoteError("cbor: nested deeper than %d" % _MAX_DEPTH)
        if 27 < info < 31 or (info == 31 and major in (0, 1, 6)):
            raise RemoteError("cbor: reserved head 0x%02x" % first)
        if major == 7:
            return self.simple(info)
        number = None if info == 31 else self.number(info)
        if major < 2:
            return -1 - number if major else number
        if major < 4:
            data = self.string(major, number)
            return data if major == 2 else utf8.decode(data, "cbor")
        return self.container(major, number, depth + 1)

    def simple(self, info):
        if 24 < info < 28:
            size = 1 << info - 24
            return struct.unpack((">e", ">f", ">d")[info - 25], self.read(size))[0]
        if info == 31:
            return _BREAK
        if not 20 <= info <= 23:
            raise RemoteError("cbor: simple value %d" % info)
        return (False, True, None, None)[info - 20]

    def string(self, major, length):
        if length is not None:
            return self.read(length)
        parts = []
        while True:  # chunks of the same major type and of definite length, then a break (RFC 8949 3.2.3)
            first = self.read(1)[0]
            if first == 0xFF:
                return b"".join(parts)
            info = first & 31
            if first >> 5 != major or info > 27:
                raise RemoteError("cbor: bad chunk of a string")
            part = self.read(self.number(info))
            if part:
                parts.append(part)
            if major == 3:
                utf8.decode(part, "cbor")

    def container(self, major, number, depth):
        self.containers -= 1
        if self.containers < 0:
            raise RemoteError("cbor: more than %d containers" % _MAX_CONTAINERS)
        if major == 6:
            return self.tag(number, self.inner(depth))
        if number is not None and number * (major - 3) > len(self.data) - self.at:
            raise RemoteError("cbor: ends within an item")
        return self.array(number, depth) if major == 4 else self.pairs(number, depth)

    def inner(self, depth):
        """The next value, which must be there. Raises RemoteError."""
        value = self.item(depth)
        if value is _BREAK:
            raise RemoteError("cbor: break outside of an indefinite item")
        return value

    def array(self, number, depth):
        items = []
        while number is None or len(items) < number:
            value = self.item(depth)
            if value is _BREAK:
                if number is None:
                    break
                raise RemoteError("cbor: break outside of an indefinite item")
            items.append(value)
        return items

    def pairs(self, number, depth):
        table = {}
        while number is None or len(table) < number:
            key = self.item(depth)
            if key is _BREAK and number is None:
                break
            if type(key) not in _KEYS:
                raise RemoteError("cbor: map key is no number or text")
            if key in table:
                raise RemoteError("cbor: map key twice")
            table[key] = self.inner(depth)
        return table
