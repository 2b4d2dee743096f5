"""SenML packs (RFC 8428) in CBOR and JSON, as LwM2M 1.1 uses them: [(name, value, time)] <-> bytes.

A value is an int, float, bool, str, bytes, a tuple (object, instance) for a link to it, or None for a record that only
names a path (a Read-Composite).
Times are seconds: Unix time, or below 2**28 relative to now (RFC 8428 4.5.3). Sums, units and update times
are ignored. Reading is in senml_reading.py and JSON in senml_json.py, loaded when there is some.
"""

from ..errors import LocalError
from . import cbor
from .senml_fields import BN, BT, VB, VD, VLO, VS, N, T, V


def pack(records, base="", json=False, out=None):
    """The bytes of records [(name, value, time or None)], or nothing where they go to the end of the bytearray `out`;
    `base` goes before every name. Raises LocalError.

    A base is sent once. Without one, neighbours of the same name share it. Times are sent as differences.
    """
    if out is None:
        out = bytearray()
        pack(records, base, json, out)
        return bytes(out)
    maps = _maps(records, base)
    if json:
        from . import senml_json

        return senml_json.write(out, maps)
    cbor.head(out, 4, len(records))
    for record in maps:
        cbor.head(out, 5, len(record))
        for label in (N, V, VS, VB, T, VD, BN, BT, VLO):  # as their encodings rise (RFC 8949 4.2.1)
            if label in record:
                cbor.write(out, label)
                cbor.write(out, record[label])


def unpack(data, json=False):
    """[(full name, value or None, time or None)] of a pack, base fields applied. Raises RemoteError."""
    from .senml_reading import read

    return read(data, json)


def _maps(records, base):
    """The fields of each record, all in the same dict."""
    bn, bt = "", 0
    record = {}
    for i in range(len(records)):
        name, value, time = records[i]
        following = records[i + 1] if i + 1 < len(records) else (None, None, None)
        record.clear()
        # A record without any field would say nothing: one that only names a path always has its name.
        if base and len(records) > 1:
            if i == 0:
                record[BN] = base
            if name or value is None:
                record[N] = name
        elif base + name != bn or value is None:
            shared = bn or name == following[0]
            record[BN if shared else N] = base + name
            bn = base + name if shared else ""
        bt = _put_time(record, bt, time or 0, following[2])
        if value is not None:
            record[_label(value)] = "%d:%d" % value if isinstance(value, tuple) else value
        yield record


def _put_time(record, bt, time, following):
    """Adds what says the time of a record (0: none); answers the base time then in force."""
    if bt and time and bt + (time - bt) == time:
        time -= bt
    elif bt or (time and following):
        record[BT] = time  # 0, too: or the record would inherit one
        return time
    if time:
        record[T] = time
    return bt


def _label(value):
    if value is True or value is False:
        return VB
    if isinstance(value, (int, float)):
        return V
    if isinstance(value, str):
        return VS
    if isinstance(value, (bytes, bytearray)):
        return VD
    if isinstance(value, tuple):
        return VLO
    raise LocalError("senml: no record for %s" % type(value).__name__)
