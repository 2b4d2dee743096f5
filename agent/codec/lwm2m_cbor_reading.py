"""LwM2M CBOR, the reading half: loaded when there is something to read, and dropped by whoever is done with it."""

from ..errors import RemoteError
from .cbor_reading import _BREAK, Reader

_MAX_VALUES = 512  # a value is two bytes on the wire and over a hundred in the heap
_TIME = 1  # RFC 8949 3.4.2


def read(data, base):
    """[(path, value or None)] at or below `base`, in the order of the input. Raises RemoteError."""
    reader = _Reader(data, 0, _untagged)
    found = reader.inner(0)
    if reader.at != len(data):
        raise RemoteError("lwm2m cbor: %d bytes after the end" % (len(data) - reader.at))
    if not isinstance(found, list):
        raise RemoteError("lwm2m cbor: the outermost item is no map")
    for path, value in found:
        if path[: len(base)] != base or (value is not None and len(path) < 3):
            raise RemoteError("lwm2m cbor: no value can be at %s here" % "/".join([str(part) for part in path]))
    paths = {path for path, _ in found}
    if len(paths) != len(found) or [path for path in paths if len(path) == 4 and path[:3] in paths]:
        raise RemoteError("lwm2m cbor: a resource twice")
    return found


class _Reader(Reader):
    """Maps become lists [(path below, value)], so arrays, which are only keys, become tuples."""

    def array(self, number, depth):
        return tuple(super().array(number, depth))

    def pairs(self, number, depth):
        found = []
        count = 0
        while count != number:
            key = self.item(depth)
            if key is _BREAK and number is None:
                break
            count += 1
            _enter(found, _ids(key), self.inner(depth))
        return found


def _enter(found, ids, value):
    if isinstance(value, tuple):
        raise RemoteError("lwm2m cbor: an array as a value")
    rows = [(ids + path, item) for path, item in value] if isinstance(value, list) else ((ids, value),)
    for path, item in rows:
        if len(path) > 4:
            raise RemoteError("lwm2m cbor: a path of more than 4 ids")
        if len(found) == _MAX_VALUES:
            raise RemoteError("lwm2m cbor: more than %d values" % _MAX_VALUES)
        found.append((path, item))


def _ids(key):
    """A key as the part of a path."""
    ids = key if isinstance(key, tuple) else (key,)
    for number in ids:
        if type(number) is not int or not 0 <= number < 65536:
            raise RemoteError("lwm2m cbor: a key is no id")
    if not ids:
        raise RemoteError("lwm2m cbor: an empty key")
    return ids


def _untagged(number, value):
    """A time (tag 1) is its number; no other tag means anything here."""
    if number != _TIME or isinstance(value, bool) or not isinstance(value, (int, float)):
        raise RemoteError("lwm2m cbor: tag %d" % number)
    return value
