"""Our TLV beside a second reader and writer written for this test alone, our LwM2M CBOR beside cbor2."""

import struct

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from agent.codec import lwm2m_cbor, tlv
from agent.errors import RemoteError

settings.register_profile("codecs", deadline=None, max_examples=200)
settings.load_profile("codecs")

ids = some.one_of(some.integers(0, 9), some.integers(0, 65535))
texts = some.text(some.characters(codec="utf-8"), max_size=40)
# kind -> values
KINDS = {
    "int": some.integers(-(1 << 63), (1 << 63) - 1),
    "float": some.floats(allow_nan=False),
    "bool": some.booleans(),
    "str": texts,
    "opaque": some.one_of(some.binary(max_size=9), some.binary(min_size=250, max_size=300)),
    "objlnk": some.tuples(ids, ids),
}
kinds = some.sampled_from(sorted(KINDS))


@some.composite
def resources(draw, several=False):
    """{resource or (instance, resource): (kind, value or {resource instance: value})} of object 9."""
    keys = some.tuples(ids, ids) if several else ids
    found = {}
    for key in draw(some.lists(keys, max_size=6, unique=True)):
        kind = draw(kinds)
        values = KINDS[kind]
        found[key] = kind, draw(some.one_of(values, some.dictionaries(ids, values, min_size=1, max_size=4)))
    return found


def records(tree, base):
    """[(path, value)] in rising order, as the object tree gives them."""
    found = []
    for key, (_, value) in tree.items():
        path = base + (key if isinstance(key, tuple) else (key,))
        found += [(path + (n,), v) for n, v in value.items()] if isinstance(value, dict) else [(path, value)]
    return sorted(found, key=lambda record: record[0])


def entries(data):
    """The second reader, straight from table 7.4.4-1: [(type, id, body)]."""
    found = []
    while data:
        first = bin(data[0] + 256)[3:]
        kind, wide, size, short = first[:2], 1 + int(first[2]), int(first[3:5], 2), int(first[5:], 2)
        number, data = int.from_bytes(data[1 : 1 + wide], "big"), data[1 + wide :]
        length = int.from_bytes(data[:size], "big") if size else short
        body, data = data[size : size + length], data[size + length :]
        assert len(body) == length
        found.append(({"00": "object instance", "01": "resource instance", "10": "multiple", "11": "resource"}[kind],
                      number, body))  # fmt: skip
    return found


def meaning(kind, body):
    if kind == "int":
        assert len(body) in (1, 2, 4, 8)
        return int.from_bytes(body, "big", signed=True)
    if kind == "float":
        return struct.unpack({4: "!f", 8: "!d"}[len(body)], body)[0]
    if kind == "objlnk":
        return struct.unpack("!HH", body)
    return {"bool": lambda b: {b"\0": False, b"\1": True}[b], "str": bytes.decode, "opaque": bytes}[kind](body)


def second_reading(data, tree):
    found = {}
    for kind, rid, body in entries(data):
        what = tree[rid][0]
        if kind == "multiple":
            inner = entries(body)
            assert {kind for kind, _, _ in inner} == {"resource instance"}
            found[rid] = what, {number: meaning(what, part) for _, number, part in inner}
        else:
            assert kind == "resource"
            found[rid] = what, meaning(what, body)
    return found


def entry(kind, number, body, waste):
    """The second writer; `waste` makes the id and the length longer than they must be."""
    wide = 2 if waste or number > 255 else 1
    size = 3 if waste else (0 if len(body) < 8 else (len(body).bit_length() + 7) // 8)
    head = kind << 6 | (wide - 1) << 5 | size << 3 | (0 if size else len(body))
    length = len(body).to_bytes(size, "big") if size else b""
    return struct.pack("!B", head) + number.to_bytes(wide, "big") + length + body


def spoken(kind, value, waste):
    if kind == "int":
        size = 8 if waste else next(n for n in (1, 2, 4, 8) if -(1 << 8 * n - 1) <= value < 1 << 8 * n - 1)
        return value.to_bytes(size, "big", signed=True)
    if kind == "float":
        return struct.pack("!d", value)
    if kind == "objlnk":
        return struct.pack("!HH", *value)
    return {"bool": lambda v: bytes([v]), "str": str.encode, "opaque": bytes}[kind](value)


def second_writing(tree, waste):
    out = b""
    for rid, (kind, value) in sorted(tree.items()):
        if isinstance(value, dict):
            inner = [entry(1, number, spoken(kind, value[number], waste), waste) for number in sorted(value)]
            out += entry(2, rid, b"".join(inner), waste)
        else:
            out += entry(3, rid, spoken(kind, value, waste), waste)
    return out


@given(resources())
def test_tlv_of_ours_is_read_by_the_second_reader(tree):
    assert second_reading(tlv.pack(records(tree, (9, 0)), (9, 0)), tree) == tree


@given(resources(), some.booleans())
def test_tlv_of_the_second_writer_is_read_by_us(tree, waste):
    data = second_writing(tree, waste)
    assert tlv.unpack(data, (9, 0), lambda path: tree[path[2]][0]) == records(tree, (9, 0))


@given(resources(several=True))
def test_tlv_of_several_instances_comes_back(tree):
    everything = records(tree, (9,))
    data = tlv.pack(everything, (9,))
    assert {kind for kind, _, _ in entries(data)} <= {"object instance"}
    assert tlv.unpack(data, (9,), lambda path: tree[path[1:3]][0]) == everything


@given(some.binary(max_size=60), some.sampled_from(((9,), (9, 0), (9, 0, 1), (9, 0, 1, 2))), kinds)
def test_tlv_garbage(data, base, kind):
    try:
        found = tlv.unpack(data, base, lambda path: kind)
    except RemoteError:
        return
    assert all(path[: len(base)] == base and 2 < len(path) < 5 for path, _ in found)


# LwM2M CBOR: any splitting of the paths into keys means the same.


@some.composite
def keyed(draw, rows, at=0):
    """cbor2's view of sorted rows [(path, value)] as a map, its keys split as drawn."""
    tree = {}
    while rows:
        deepest = min(len(path) for path, _ in rows[:1])
        size = draw(some.integers(1, deepest - at))
        key = rows[0][0][at : at + size]
        same = [row for row in rows if row[0][at : at + size] == key]
        rows = [row for row in rows if row[0][at : at + size] != key]
        below = same[0][1] if len(same[0][0]) == at + size else draw(keyed(same, at + size))
        tree[key[0] if size == 1 and draw(some.booleans()) else key] = below
    return tree


@given(some.data(), resources(several=True))
def test_lwm2m_cbor_of_cbor2_is_read_by_us(data, tree):
    rows = [row for row in records(tree, (9,)) if not isinstance(row[1], tuple)]
    found = lwm2m_cbor.unpack(cbor2.dumps(data.draw(keyed(rows))))
    assert sorted(found, key=lambda row: row[0]) == rows


@given(resources(several=True))
def test_lwm2m_cbor_of_ours_is_read_by_cbor2(tree):
    rows = records(tree, (9,))
    read = cbor2.loads(lwm2m_cbor.pack(rows))
    for path, value in rows:
        there = read
        for part in path:
            there = there[part]
        assert there == ("%d:%d" % value if isinstance(value, tuple) else value)


@given(some.one_of(some.binary(max_size=60), some.binary(max_size=30).map(lambda data: b"\xa2\x03" + data)))
def test_lwm2m_cbor_garbage(data):
    try:
        found = lwm2m_cbor.unpack(data)
    except RemoteError:
        return
    assert all(0 < len(path) < 5 for path, _ in found)


@pytest.mark.parametrize("waste", (False, True))
def test_the_second_reader_and_writer_agree(waste):
    tree = {0: ("str", "Open Mobile Alliance"), 6: ("int", {0: 1, 1: 5}), 300: ("bool", True)}
    assert second_reading(second_writing(tree, waste), tree) == tree
