"""SenML packs (RFC 8428) in CBOR and JSON, as LwM2M 1.1 uses them: [(name, value, time)] <-> bytes.

A value is an int, float, bool, str, bytes, or None for a record that only names a path (a Read-Composite).
Times are seconds: Unix time, or below 2**28 relative to now (RFC 8428 4.5.3). Sums, units and update times
are ignored.
"""

import binascii
import json

from ..errors import LocalError, RemoteError
from . import cbor, utf8

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


# RFC 8428 table 4: the same field as a number in CBOR and as a name in JSON. `vlo` (object link) is OMA's.
_BVER = const(-1)
_BN = const(-2)
_BT = const(-3)
_BV = const(-5)
_N = const(0)
_T = const(6)
_V = const(2)
_VS = const(3)
_VB = const(4)
_VD = const(8)
_VLO = const("vlo")
_LABELS = (_BVER, _BN, _BT, _BV, _N, _T, _V, _VS, _VB, _VD, _VLO)
_NAMES = ("bver", "bn", "bt", "bv", "n", "t", "v", "vs", "vb", "vd", "vlo")
_VALUES = (_V, _VS, _VB, _VD, _VLO)

_WIDE = const(1 << 64)
_FAR = const(1 << 40)  # seconds: 35,000 years
_VERSION = const(10)  # RFC 8428 4.4: a pack of a later version must be refused
_MAX_BRACKETS = const(512)  # in JSON: bounds records, nesting and heap at once
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def pack(records, base="", json=False):
    """The bytes of records [(name, value, time or None)]; `base` goes before every name. Raises LocalError.

    A base is sent once. Without one, neighbours of the same name share it. Times are sent as differences.
    """
    out = []
    bn = ""
    bt = 0
    for i, (name, value, time) in enumerate(records):
        record = {}
        following = records[i + 1] if i + 1 < len(records) else (None, None, None)
        # A record without any field would say nothing: one that only names a path always has its name.
        if base and len(records) > 1:
            _put(record, _BN, base if i == 0 else "")
            if name or value is None:
                record[_N] = name
        elif base + name != bn or value is None:
            shared = bn or name == following[0]
            record[_BN if shared else _N] = base + name
            bn = base + name if shared else ""
        bt = _put_time(record, bt, time or 0, following[2])
        if value is not None:
            record[_label(value)] = value
        out.append(record)
    return _text(out).encode() if json else cbor.encode(out)


def unpack(data, json=False):
    """[(full name, value or None, time or None)] of a pack, base fields applied. Raises RemoteError."""
    pack = _parse(data) if json else cbor.decode(data)
    if not isinstance(pack, list):
        raise RemoteError("senml: a pack is an array")
    base = {_BN: "", _BT: 0, _BV: 0}
    records = []
    for record in pack:
        _check(record)
        for label in (_BN, _BT, _BV):
            base[label] = record.get(label, base[label])
        value = _value(record, base[_BV])
        if value is not None or _N in record or _BN in record:
            name = base[_BN] + record.get(_N, "")
            time = base[_BT] + record.get(_T, 0)
            records.append((_checked_name(name), value, time if time else None))
    return records


def _put(record, label, value):
    if value:
        record[label] = value


def _put_time(record, bt, time, following):
    """Adds what says the time of a record (0: none); answers the base time then in force."""
    if bt and time and bt + (time - bt) == time:
        _put(record, _T, time - bt)
        return bt
    if bt or (time and following):
        record[_BT] = time  # 0, too: or the record would inherit one
        return time
    _put(record, _T, time)
    return 0


def _label(value):
    if value is True or value is False:
        return _VB
    if isinstance(value, (int, float)):
        return _V
    if isinstance(value, str):
        return _VS
    if isinstance(value, (bytes, bytearray)):
        return _VD
    raise LocalError("senml: no record for %s" % type(value).__name__)


def _text(records):
    """JSON in the order of _LABELS: MicroPython's dicts have no order of their own."""
    parts = []
    for record in records:
        fields = [_field(name, record[label]) for label, name in zip(_LABELS, _NAMES) if label in record]
        parts.append("{" + ",".join(fields) + "}")
    return "[" + ",".join(parts) + "]"


def _field(name, value):
    if name == "vd":
        value = str(binascii.b2a_base64(value), "utf-8").rstrip("=\n").replace("+", "-").replace("/", "_")
    elif isinstance(value, float) and value - value != 0:
        raise LocalError("senml: JSON has no %s" % value)
    return '"%s":%s' % (name, json.dumps(value))


def _parse(data):
    """JSON (bytes) as the list of maps that CBOR would have given."""
    text = utf8.decode(data, "senml")
    if text.count("[") + text.count("{") > _MAX_BRACKETS:
        raise RemoteError("senml: more than %d brackets" % _MAX_BRACKETS)
    try:
        pack = json.loads(text)
    except (ValueError, TypeError, RuntimeError):  # the last: nested too deeply for the parser
        raise RemoteError("senml: not JSON")
    return [_labelled(record) for record in pack] if isinstance(pack, list) else None


def _labelled(record):
    if not isinstance(record, dict):
        raise RemoteError("senml: a record is a map")
    for label, name in zip(_LABELS, _NAMES):
        if name in record:
            record[label] = record.pop(name)
    if isinstance(record.get(_VS), str):
        utf8.check(record[_VS], "senml")
    if _VD in record:
        record[_VD] = _binary(record[_VD])
    return record


def _binary(text):
    """The bytes of base64url without padding (RFC 8428 4.3); a2b_base64 alone would skip bad characters."""
    text = text.rstrip("=") if isinstance(text, str) else "*"
    for char in text:
        if char not in _ALPHABET:
            raise RemoteError("senml: vd is not base64url")
    if len(text) % 4 == 1:
        raise RemoteError("senml: vd is not base64url")
    return binascii.a2b_base64(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4))


def _check(record):
    """Raises RemoteError unless the fields that we use have the right types."""
    if not isinstance(record, dict):
        raise RemoteError("senml: a record is a map")
    for label, value in record.items():
        if label in (_BN, _N, _VS, _VLO):
            good = isinstance(value, str)
        elif label in (_VB, _VD):
            good = isinstance(value, bool if label == _VB else bytes)
        elif label in (_BVER, _BT, _BV, _T, _V):
            good = _is_number(value, label in (_BV, _V))
        else:
            good = not (isinstance(label, str) and label[-1:] == "_")  # RFC 8428 4.4: must understand
        if not good or (label == _BVER and value > _VERSION):
            raise RemoteError("senml: field %s is not understood" % label)


def _value(record, bv):
    values = [label for label in _VALUES if label in record]
    if len(values) > 1:
        raise RemoteError("senml: more than one value in a record")
    if not values:
        return None
    value = record[values[0]]
    return value + bv if values[0] == _V else value


def _checked_name(name):
    """RFC 8428 4.5.1, but LwM2M's names begin with a slash."""
    for char in name or "?":
        if char not in _ALPHABET and char not in ":./":
            raise RemoteError("senml: name is empty or has a forbidden character")
    return name


def _is_number(value, wide):
    """Whether it is a number of 64 bits or a float; all but values stay within what time can mean."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    if wide:
        return isinstance(value, float) or -_WIDE <= value < _WIDE
    return -_FAR < value < _FAR
