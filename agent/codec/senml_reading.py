"""SenML packs, the reading half: loaded when there is something to read, and dropped by whoever is done with it."""

from ..errors import RemoteError
from . import cbor
from .senml_fields import ALPHABET, BN, BT, BV, BVER, VB, VD, VLO, VS, N, T, V

_VALUES = (V, VS, VB, VD, VLO)
_WIDE = 1 << 64
_FAR = 1 << 40  # seconds: 35,000 years
_VERSION = 10  # RFC 8428 4.4: a pack of a later version must be refused


def read(data, json=False):
    """[(full name, value or None, time or None)] of a pack, base fields applied. Raises RemoteError."""
    if json:
        from .senml_json import parse

        pack = parse(data)
    else:
        pack = cbor.decode(data)
    if not isinstance(pack, list):
        raise RemoteError("senml: a pack is an array")
    base = {BN: "", BT: 0, BV: 0}
    records = []
    for record in pack:
        _check(record)
        for label in (BN, BT, BV):
            base[label] = record.get(label, base[label])
        value = _value(record, base[BV])
        if value is not None or N in record or BN in record:
            name = base[BN] + record.get(N, "")
            time = base[BT] + record.get(T, 0)
            records.append((_checked_name(name), value, time if time else None))
    return records


def _check(record):
    """Raises RemoteError unless the fields that we use have the right types."""
    if not isinstance(record, dict):
        raise RemoteError("senml: a record is a map")
    for label, value in record.items():
        if label in (BN, N, VS, VLO):
            good = isinstance(value, str)
        elif label in (VB, VD):
            good = isinstance(value, bool if label == VB else bytes)
        elif label in (BVER, BT, BV, T, V):
            good = _is_number(value, label in (BV, V))
        else:
            good = not (isinstance(label, str) and label[-1:] == "_")  # RFC 8428 4.4: must understand
        if not good or (label == BVER and value > _VERSION):
            raise RemoteError("senml: field %s is not understood" % label)


def _value(record, bv):
    values = [label for label in _VALUES if label in record]
    if len(values) > 1:
        raise RemoteError("senml: more than one value in a record")
    if not values:
        return None
    value = record[values[0]]
    return value + bv if values[0] == V else value


def _checked_name(name):
    """RFC 8428 4.5.1, but LwM2M's names begin with a slash."""
    for char in name or "?":
        if char not in ALPHABET and char not in ":./":
            raise RemoteError("senml: name is empty or has a forbidden character")
    return name


def _is_number(value, wide):
    """Whether it is a number of 64 bits or a float; all but values stay within what time can mean."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    if wide:
        return isinstance(value, float) or -_WIDE <= value < _WIDE
    return -_FAR < value < _FAR
