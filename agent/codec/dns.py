"""DNS messages, as much as resolving a name and finding a service by multicast DNS takes (RFC 1035, 6762, 6763).

Names are text with dots between the labels; a dot or backslash inside a label has a backslash before it.
"""

from ..errors import LocalError, RemoteError
from . import utf8

A = 1
CNAME = 5
PTR = 12
TXT = 16
SRV = 33

_IN = 1
_MAX_RECORDS = 64
_MAX_NAME = 255  # bytes on the wire (RFC 1035 2.3.4)


def query(names_types, ident=0, flags=0):
    """The query message for [(name, type)]. Raises LocalError for a name that cannot be sent."""
    out = bytearray()
    for number in (ident, flags, len(names_types), 0, 0, 0):
        out += number.to_bytes(2, "big")
    for name, kind in names_types:
        size = 1
        for label in _labels(name):
            label = label.encode()
            size += len(label) + 1
            if not 0 < len(label) < 64 or size > _MAX_NAME:
                raise LocalError("dns: bad name " + name)
            out += bytes((len(label),)) + label
        out += b"\0" + kind.to_bytes(2, "big") + _IN.to_bytes(2, "big")
    return bytes(out)


def parse(data):
    """[(name, type, value)] of the PTR, SRV, TXT and A records of a response, whichever section they are in.

    PTR: name. SRV: (priority, weight, port, target). TXT: {key in lower case: bytes, or None without "="}.
    A: dotted address. Raises RemoteError for a malformed message and for one that is no successful response.
    """
    if len(data) < 12 or data[2] & 0xF8 != 0x80 or data[3] & 15:
        raise RemoteError("dns: no successful response")
    count = _u16(data, 6) + _u16(data, 8) + _u16(data, 10)
    if _u16(data, 4) + count > _MAX_RECORDS:
        raise RemoteError("dns: more than %d records" % _MAX_RECORDS)
    at = 12
    for _ in range(_u16(data, 4)):
        at = _name(data, at)[1] + 4
    return [record[:3] for record in _records(data, at, count)]


def reply(data, asked):
    """What a response says to the query `asked`, which had one question: (code, cut off, [(name, type, value, TTL in
    s)]), the A and CNAME records of its answer section. None when it answers something else (RFC 5452 3); raises
    RemoteError when it is malformed."""
    if len(data) < len(asked) or data[:2] != asked[:2] or data[2] & 0xF8 != 0x80 or data[4:6] != asked[4:6]:
        return None
    if data[12 : len(asked)].lower() != asked[12:].lower():
        return None
    if _u16(data, 6) > _MAX_RECORDS:
        raise RemoteError("dns: more than %d records" % _MAX_RECORDS)
    found = [record for record in _records(data, len(asked), _u16(data, 6)) if record[1] in (A, CNAME)]
    return data[3] & 15, bool(data[2] & 2), found


def _records(data, at, count):
    """-> [(name, type, value, TTL in s)]"""
    records = []
    for _ in range(count):
        name, at = _name(data, at)
        end = at + 10 + _u16(data, at + 8)
        if end > len(data):
            raise RemoteError("dns: ends within a record")
        kind = _u16(data, at)
        # The top bit of the class asks to flush caches (RFC 6762 10.2).
        if _u16(data, at + 2) & 0x7FFF == _IN and kind in _VALUES:
            ttl = _u16(data, at + 4) << 16 | _u16(data, at + 6)
            records.append((name, kind, _VALUES[kind](data, at + 10, end), ttl))
        at = end
    return records


def _address(data, at, end):
    if end - at != 4:
        raise RemoteError("dns: address of %d bytes" % (end - at))
    return "%d.%d.%d.%d" % tuple(data[at:end])


def _pointer(data, at, end):
    name, after = _name(data, at)
    if after != end:
        raise RemoteError("dns: record and name differ in length")
    return name


def _service(data, at, end):
    if end - at < 7:
        raise RemoteError("dns: short SRV record")
    return _u16(data, at), _u16(data, at + 2), _u16(data, at + 4), _pointer(data, at + 6, end)


def _text(data, at, end):
    table = {}
    while at < end:
        start = at + 1
        at = start + data[at]
        if at > end:
            raise RemoteError("dns: ends within a TXT record")
        key, equals, value = data[start:at].partition(b"=")
        if not key or max(key) > 126:  # RFC 6763 6.4: such a string is ignored
            continue
        key = str(key, "utf-8").lower()
        if key not in table:  # the first one counts
            table[key] = value if equals else None
    return table


_VALUES = {A: _address, CNAME: _pointer, PTR: _pointer, TXT: _text, SRV: _service}


def _name(data, at):
    """(name, where the field ends). Pointers must lead back, or they would never end (RFC 1035 4.1.4)."""
    labels = []
    size = 0
    after = None
    while True:
        length = _u8(data, at)
        if length >= 0xC0:
            if after is None:
                after = at + 2
            target = _u16(data, at) & 0x3FFF
            if target >= at:
                raise RemoteError("dns: pointer that does not lead back")
            at = target
            continue
        at += 1 + length
        size += 1 + length
        if length > 63 or size > _MAX_NAME or at > len(data):
            raise RemoteError("dns: bad name")
        if not length:
            return ".".join(labels), at if after is None else after
        label = utf8.decode(data[at - length : at], "dns")
        labels.append(label.replace("\\", "\\\\").replace(".", "\\."))


def _labels(name):
    label = ""
    labels = []
    escaped = False
    for char in name:
        if char == "." and not escaped:
            labels.append(label)
            label = ""
        elif char == "\\" and not escaped:
            escaped = True
            continue
        else:
            label += char
        escaped = False
    if label:
        labels.append(label)
    return labels


def _u8(data, at):
    if at >= len(data):
        raise RemoteError("dns: ends within a name")
    return data[at]


def _u16(data, at):
    if at + 2 > len(data):
        raise RemoteError("dns: ends within a record")
    return data[at] << 8 | data[at + 1]
