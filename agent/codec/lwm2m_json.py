"""LwM2M JSON, content format 11543, of servers that began with LwM2M 1.0 (1.0 6.4.4): [(path, value)] <-> JSON.

Paths and values are as in lwm2m_cbor.py. What is not a number, a boolean or a link is text; bytes are so in base64,
which only the resource's kind tells from text. Seldom asked for, so loaded only then.
"""

import binascii
import json

from ..errors import LocalError, RemoteError
from .senml_json import loads

_FIELDS = ("v", "bv", "sv", "ov")


def pack(records, base, kinds=None):
    """As write(): the bytes."""
    out = bytearray()
    write(out, records, base, kinds)
    return bytes(out)


def write(out, records, base, kinds=None):
    """Writes [(path, value)] at or below `base`, the path asked. Raises LocalError."""
    slash = "/" if [path for path, _ in records if path != base] else ""
    out.extend(('{"bn":"%s%s","e":[' % (_spelled(base), slash)).encode())
    before = ""
    for path, value in records:
        name = "/".join([str(part) for part in path[len(base) :]])
        out.extend(("%s{%s%s}" % (before, name and '"n":"%s",' % name, _field(value))).encode())
        before = ","
    out.extend(b"]}")


def unpack(data, base, kinds):
    """[(path, value)] of what was sent to `base`, at or below which all must lie; kinds(path) -> a resource's kind.
    Raises RemoteError."""
    whole = loads(data, "lwm2m json")
    rows = whole.get("e") if isinstance(whole, dict) else None
    start = whole.get("bn", _spelled(base) + "/") if isinstance(whole, dict) else None
    if not isinstance(rows, list) or not isinstance(start, str):
        raise RemoteError("lwm2m json: an object with an array e is wanted")
    found = []
    for row in rows:
        name = row.get("n", "") if isinstance(row, dict) else None
        if not isinstance(name, str):
            raise RemoteError("lwm2m json: an element is an object, its n a text")
        path = _path(start + name)
        if path[: len(base)] != base or path in [known for known, _ in found]:
            raise RemoteError("lwm2m json: %s twice, or not for here" % _spelled(path))
        found.append((path, _value(row, kinds(path))))
    return found


def _field(value):
    if isinstance(value, bool):
        return '"bv":%s' % json.dumps(value)
    if isinstance(value, tuple):
        return '"ov":"%d:%d"' % value
    if isinstance(value, bytes):
        value = str(binascii.b2a_base64(value), "utf-8").strip()
    if isinstance(value, float) and value - value != 0:
        raise LocalError("lwm2m json: JSON has no %s" % value)
    return '"%s":%s' % ("sv" if isinstance(value, str) else "v", json.dumps(value))


def _value(row, kind):
    given = [name for name in _FIELDS if name in row]
    value = row[given[0]] if len(given) == 1 else None
    if given[:1] == ["v"]:
        good = isinstance(value, (int, float)) and not isinstance(value, bool)
    else:
        good = isinstance(value, bool if given[:1] == ["bv"] else str)
    if not good:
        raise RemoteError("lwm2m json: an element has one of v, bv, sv and ov, of its kind")
    if kind != "opaque":
        return value
    try:
        return binascii.a2b_base64(value)
    except (ValueError, TypeError):
        raise RemoteError("lwm2m json: bytes are a text in base64")


def _path(name):
    """"/3/0/6/0" -> (3, 0, 6, 0), of a resource or an instance of one."""
    parts = [part for part in name.split("/") if part]
    if not 2 < len(parts) < 5 or [part for part in parts if not part.isdigit() or len(part) > 5 or int(part) > 65535]:
        raise RemoteError("lwm2m json: %s is no resource" % name[:40])
    return tuple([int(part) for part in parts])


def _spelled(path):
    return "".join(["/%d" % part for part in path])
