"""SenML as JSON (RFC 8428 5): the same records as in CBOR, under other names. Seldom asked for, so loaded only then."""

import binascii
import json

from ..errors import LocalError, RemoteError
from . import utf8
from .senml_fields import ALPHABET, BN, BT, BV, BVER, VB, VD, VLO, VS, N, T, V

_LABELS = (BVER, BN, BT, BV, N, T, V, VS, VB, VD, VLO)
_NAMES = ("bver", "bn", "bt", "bv", "n", "t", "v", "vs", "vb", "vd", "vlo")
_MAX_BRACKETS = 512  # bounds records, nesting and heap at once


def write(out, records):
    """Writes JSON of records in the order of _LABELS: MicroPython's dicts have no order of their own."""
    before = "["
    for record in records:
        fields = [_field(name, record[label]) for label, name in zip(_LABELS, _NAMES) if label in record]
        out.extend((before + "{" + ",".join(fields) + "}").encode())
        before = ","
    out.extend(b"[]" if before == "[" else b"]")


def _field(name, value):
    if name == "vd":
        value = str(binascii.b2a_base64(value), "utf-8").rstrip("=\n").replace("+", "-").replace("/", "_")
    elif isinstance(value, float) and value - value != 0:
        raise LocalError("senml: JSON has no %s" % value)
    return '"%s":%s' % (name, json.dumps(value))


def parse(data):
    """JSON (bytes) as the list of maps that CBOR would have given."""
    pack = loads(data, "senml")
    return [_labelled(record) for record in pack] if isinstance(pack, list) else None


def loads(data, who):
    """What JSON (bytes) says, within bounds. RemoteError, of `who`."""
    text = utf8.decode(data, who)
    if text.count("[") + text.count("{") > _MAX_BRACKETS:
        raise RemoteError("%s: more than %d brackets" % (who, _MAX_BRACKETS))
    try:
        return json.loads(text)
    except (ValueError, TypeError, RuntimeError):  # the last: nested too deeply for the parser
        raise RemoteError("%s: not JSON" % who)


def _labelled(record):
    if not isinstance(record, dict):
        raise RemoteError("senml: a record is a map")
    for label, name in zip(_LABELS, _NAMES):
        if name in record:
            record[label] = record.pop(name)
    if isinstance(record.get(VS), str):
        utf8.check(record[VS], "senml")
    if VD in record:
        record[VD] = _binary(record[VD])
    return record


def _binary(text):
    """The bytes of base64url without padding (RFC 8428 4.3); a2b_base64 alone would skip bad characters."""
    text = text.rstrip("=") if isinstance(text, str) else "*"
    for char in text:
        if char not in ALPHABET:
            raise RemoteError("senml: vd is not base64url")
    if len(text) % 4 == 1:
        raise RemoteError("senml: vd is not base64url")
    return binascii.a2b_base64(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4))
