"""CBOR (RFC 8949): the vectors of its appendix A, deterministic encoding, and hostile input."""

from agent.codec import cbor
from agent.errors import LocalError, RemoteError

# RFC 8949 appendix A, where the shown bytes are also the deterministic encoding.
VECTORS = (
    (0, "00"),
    (1, "01"),
    (10, "0a"),
    (23, "17"),
    (24, "1818"),
    (25, "1819"),
    (100, "1864"),
    (1000, "1903e8"),
    (1000000, "1a000f4240"),
    (1000000000000, "1b000000e8d4a51000"),
    (18446744073709551615, "1bffffffffffffffff"),
    (-18446744073709551616, "3bffffffffffffffff"),
    (-1, "20"),
    (-10, "29"),
    (-100, "3863"),
    (-1000, "3903e7"),
    (0.0, "f90000"),
    (1.0, "f93c00"),
    (1.1, "fb3ff199999999999a"),
    (1.5, "f93e00"),
    (65504.0, "f97bff"),
    (100000.0, "fa47c35000"),
    (3.4028234663852886e38, "fa7f7fffff"),
    (1.0e300, "fb7e37e43c8800759c"),
    (5.960464477539063e-8, "f90001"),
    (0.00006103515625, "f90400"),
    (-4.0, "f9c400"),
    (-4.1, "fbc010666666666666"),
    (False, "f4"),
    (True, "f5"),
    (None, "f6"),
    (b"", "40"),
    (b"\x01\x02\x03\x04", "4401020304"),
    ("", "60"),
    ("a", "6161"),
    ("IETF", "6449455446"),
    ('"\\', "62225c"),
    ("\u00fc", "62c3bc"),
    ("\u6c34", "63e6b0b4"),
    ("\U00010151", "64f0908591"),
    ([], "80"),
    ([1, 2, 3], "83010203"),
    ([1, [2, 3], [4, 5]], "8301820203820405"),
    (list(range(1, 26)), "98190102030405060708090a0b0c0d0e0f101112131415161718181819"),
    ({}, "a0"),
    ({1: 2, 3: 4}, "a201020304"),
    ({"a": 1, "b": [2, 3]}, "a26161016162820203"),
    (["a", {"b": "c"}], "826161a161626163"),
    ({"a": "A", "b": "B", "c": "C", "d": "D", "e": "E"}, "a56161614161626142616361436164614461656145"),
)
# The same appendix: what a decoder must also understand.
LOOSE = (
    ("5f42010243030405ff", b"\x01\x02\x03\x04\x05"),
    ("7f657374726561646d696e67ff", "streaming"),
    ("9fff", []),
    ("9f018202039f0405ffff", [1, [2, 3], [4, 5]]),
    ("9f01820203820405ff", [1, [2, 3], [4, 5]]),
    ("83018202039f0405ff", [1, [2, 3], [4, 5]]),
    ("83019f0203ff820405", [1, [2, 3], [4, 5]]),
    ("bf61610161629f0203ffff", {"a": 1, "b": [2, 3]}),
    ("826161bf61626163ff", ["a", {"b": "c"}]),
    ("bf6346756ef563416d7421ff", {"Fun": True, "Amt": -2}),
    ("f7", None),
    ("fa3fc00000", 1.5),
    ("fb3ff8000000000000", 1.5),
    ("1805", 5),
    ("1b0000000000000005", 5),
    ("5fff", b""),
    ("7fff", ""),
    ("bfff", {}),
    ("590001ff", b"\xff"),
)


def refused(data):
    try:
        cbor.decode(bytes.fromhex(data) if isinstance(data, str) else data)
    except RemoteError as error:
        assert str(error).startswith("cbor: "), error
        return str(error)
    raise AssertionError("accepted %s" % data)


def unencodable(value):
    try:
        cbor.encode(value)
    except LocalError:
        return
    raise AssertionError("encoded")


def test_vectors_of_the_rfc():
    """RFC 8949 appendix A."""
    for value, data in VECTORS:
        assert cbor.encode(value).hex() == data, data
        decoded = cbor.decode(bytes.fromhex(data))
        assert decoded == value and type(decoded) is type(value), data


def test_loose_encodings_are_understood():
    """RFC 8949 3.2: long heads and indefinite lengths."""
    for data, value in LOOSE:
        assert cbor.decode(bytes.fromhex(data)) == value, data


def test_infinities_nan_and_minus_zero():
    inf = float("inf")
    for value, data in ((inf, "f97c00"), (-inf, "f9fc00"), (-0.0, "f98000"), (float("nan"), "f97e00")):
        assert cbor.encode(value).hex() == data
    for data in ("f97c00", "fa7f800000", "fb7ff0000000000000"):
        assert cbor.decode(bytes.fromhex(data)) == inf
    for data in ("f97e00", "fa7fc00000", "fb7ff8000000000000"):
        value = cbor.decode(bytes.fromhex(data))
        assert value != value


def test_floats_keep_their_value_in_the_shortest_form():
    """RFC 8949 4.2.2."""
    for value, size in (
        (5.0, 3),
        (0.5, 3),
        (65505.0, 5),
        (65536.0, 5),
        (1e-7, 9),
        (16777216.0, 5),
        (16777217.0, 9),
        (3.5e38, 9),
        (1.401298464324817e-45, 5),
        (2.9802322387695312e-08, 5),
        (230.25, 3),
    ):
        data = cbor.encode(value)
        assert len(data) == size and cbor.decode(data) == value, value


def test_maps_are_sorted_by_the_bytes_of_their_keys():
    """RFC 8949 4.2.1."""
    table = {}
    for key in ("aa", 100, -1, "z", 10):
        table[key] = None
    assert cbor.encode(table).hex() == "a50af61864f620f6617af6626161f6"


def test_tags():
    tag = cbor.decode(bytes.fromhex("c11a514b67b0"))
    assert isinstance(tag, cbor.Tag) and tag.number == 1 and tag.value == 1363896240
    assert cbor.encode(tag).hex() == "c11a514b67b0"
    assert cbor.decode(bytes.fromhex("d82044010203ff")).number == 32
    assert cbor.encode(cbor.Tag(18, [b"", {}, None, b"x"])).hex() == "d28440a0f64178"


def test_tuples_and_bytearrays():
    assert cbor.encode((1, bytearray(b"ab"))) == cbor.encode([1, b"ab"])


def test_every_truncation_is_refused():
    for _, data in VECTORS:
        for size in range(len(data) // 2):
            refused(data[: 2 * size])
    for data, _ in LOOSE:
        for size in range(len(data) // 2):
            refused(data[: 2 * size])


def test_trailing_bytes_are_refused():
    assert "after the end" in refused("0000")
    assert cbor.decode_from(b"\x01\x82\x02\x03\x04", 1) == ([2, 3], 4)
    assert cbor.decode_from(b"\x01\x82\x02\x03\x04", 4) == (4, 5)
    try:
        cbor.decode_from(b"\x01", 1)
    except RemoteError:
        return
    raise AssertionError("read beyond the end")


def test_reserved_heads_and_simple_values():
    """RFC 8949 3 and 3.3."""
    for data in (
        "1c",
        "1d",
        "1e",
        "1f00",
        "3f",
        "5c",
        "7d",
        "9e",
        "bc",
        "dc00",
        "df00",
        "fc",
        "fd",
        "fe",
        "e0",
        "f0",
        "f3",
        "f800",
        "f818",
        "f820",
        "f8ff",
    ):
        refused(data)


def test_break_only_ends_an_indefinite_item():
    for data in ("ff", "81ff", "a1ff", "a101ff", "a1ff00", "c1ff", "bf01ff", "9fc1ffff", "8201ff"):
        refused(data)


def test_chunks_of_a_string_are_of_its_kind():
    """RFC 8949 3.2.3."""
    for data in ("5f6161ff", "7f4161ff", "5f5f4100ffff", "5f00ff", "7f61c361a9ff", "5fc04100ff"):
        refused(data)


def test_text_is_utf8():
    for data in ("61ff", "62c0af", "63eda080", "64f4908080", "61c3", "7f61ffff"):
        refused(data)


def test_keys_are_unique_and_plain():
    assert "twice" in refused("a201020103")
    assert "twice" in refused("bf616101616102ff")
    for key in ("80", "a0", "f93c00", "f4", "f6", "c101", "4161"):
        refused("a1" + key + "00")


def test_depth_is_bounded():
    for opened, closed in (("81", ""), ("9f", "ff"), ("a100", ""), ("c1", ""), ("bf00", "ff")):
        cbor.decode(bytes.fromhex(opened * 16 + "00" + closed * 16))
        refused(opened * 17 + "00" + closed * 17)
    refused(b"\x81" * 5000)
    refused(b"\xc1" * 5000)
    refused(b"\x9f" * 5000)


def test_depth_of_what_we_write_is_bounded_too():
    value = 0
    for _ in range(16):
        value = [value]
    assert cbor.decode(cbor.encode(value)) == value
    unencodable([value])


def test_lengths_beyond_the_input_allocate_nothing():
    for data in (
        "5affffffff",
        "7b7fffffffffffffff",
        "9affffffff",
        "bb7fffffffffffffff00",
        "9bffffffffffffffff",
        "5bffffffffffffffff",
        "82",
        "8301",
        "a2010203",
        "5f5affffffffff",
    ):
        assert "ends within" in refused(data), data


def test_the_number_of_containers_is_bounded():
    """One byte of input must not become a hundred of heap without limit."""
    assert len(cbor.decode(b"\x99\x01\xff" + b"\x80" * 511)) == 511
    assert "more than 512" in refused(b"\x99\x02\x00" + b"\x80" * 512)
    assert "more than 512" in refused(b"\x9f" + b"\xa0" * 600 + b"\xff")


def test_what_has_no_encoding():
    for value in (
        1 << 64,
        -(1 << 64) - 1,
        object(),
        {1: object()},
        {b"a": 1},
        {None: 1},
        {1.5: 1},
        cbor.Tag(1 << 64, 0),
    ):
        unencodable(value)
