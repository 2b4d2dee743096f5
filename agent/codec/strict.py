"""CBOR with one encoding for each value (RFC 8949 4.2.1), for what is signed: anything that two readers could take for
two different things is refused. cbor.py reads what careless peers send; here nobody has a reason to be careless.

Numbers, bytes, text, arrays and maps with keys of numbers or text: no tags, no floats or simple values, no indefinite
lengths, the shortest heads, keys in order and once each, six levels, and nothing behind the end.
"""

from ..errors import RemoteError
from . import utf8

try:
    from micropython import const
except ImportError:
    const = int

_MAX_DEPTH = const(6)
# A policy with all that it may have in it has 125 values, keys included. One of two bytes takes up to 48 of heap.
_MAX_VALUES = const(160)


def load_all(data):
    """The value of exactly one data item (bytes). Raises RemoteError: not in the one form that it can have."""
    reader = _Reader(data)
    value = reader.value(0)
    if reader.at != len(data):
        raise RemoteError("cbor: %d bytes after the end" % (len(data) - reader.at))
    return value


class _Reader:
    """Where reading stands in the input, and how many values there may still be."""

    def __init__(self, data):
        self.data, self.at = data, 0
        self.left = _MAX_VALUES

    def read(self, count):
        start = self.at
        if count > len(self.data) - start:
            raise RemoteError("cbor: ends within an item")
        self.at = start + count
        return self.data[start : self.at]

    def value(self, depth):
        first = self.read(1)[0]
        major, number = first >> 5, first & 31
        self.left -= 1
        if self.left < 0 or depth > _MAX_DEPTH:
            raise RemoteError("cbor: more than %d values or %d levels" % (_MAX_VALUES, _MAX_DEPTH))
        if major > 5 or number > 27:
            raise RemoteError("cbor: head 0x%02x: a tag, a simple value or an indefinite length" % first)
        if number > 23:
            number = self.long(1 << number - 24)
        if major < 2:
            return -1 - number if major else number
        if major < 4:
            data = self.read(number)
            return data if major == 2 else utf8.decode(data, "cbor")
        return self.array(number, depth + 1) if major == 4 else self.table(number, depth + 1)

    def long(self, size):
        number = int.from_bytes(self.read(size), "big")
        if number < 24 or not number >> 4 * size and size > 1:
            raise RemoteError("cbor: not the shortest form of %d" % number)
        return number

    def array(self, number, depth):
        items = []
        while number:
            items.append(self.value(depth))
            number -= 1
        return items

    def table(self, number, depth):
        found, last = {}, b""
        while number:
            start = self.at
            key = self.value(depth)
            encoded = self.data[start : self.at]
            if not isinstance(key, (int, str)) or encoded <= last:
                raise RemoteError("cbor: map keys that are no numbers or texts, out of order, or there twice")
            last = encoded
            found[key] = self.value(depth)
            number -= 1
        return found
