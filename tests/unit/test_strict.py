"""CBOR that is signed has one form (RFC 8949 4.2.1): all others are refused, and what is read is written the same."""

from test_cbor import LOOSE, VECTORS

from agent.codec import cbor, strict
from agent.errors import RemoteError


def refused(data):
    try:
        strict.load_all(bytes.fromhex(data) if isinstance(data, str) else data)
    except RemoteError as error:
        assert str(error).startswith("cbor: "), error
        return str(error)
    raise AssertionError("accepted %s" % data)


def is_plain(value):
    if isinstance(value, (list, dict)):
        parts = list(value) if isinstance(value, list) else list(value.values())
        return all([is_plain(part) for part in parts])
    return isinstance(value, (int, str, bytes)) and not isinstance(value, bool)


def test_vectors_of_the_rfc():
    """RFC 8949 appendix A: the deterministic ones of the kinds that there are; no floats, no simple values."""
    taken = 0
    for value, data in VECTORS:
        if is_plain(value):
            taken += 1
            assert strict.load_all(bytes.fromhex(data)) == value, data
        else:
            assert "simple value" in refused(data)
    assert taken > 25


def test_every_other_form_is_refused():
    for data, _ in LOOSE:
        refused(data)


def test_the_shortest_heads():
    """RFC 8949 4.2.1, for each kind and each width."""
    for major in range(6):
        for code, most in ((24, 23), (25, 255), (26, 0xFFFF), (27, 0xFFFFFFFF)):
            head = bytes((major << 5 | code,)) + most.to_bytes(1 << code - 24, "big")
            assert "not the shortest form of %d" % most in refused(head)
    for number in (24, 255, 256, 0xFFFF, 0x10000, 0xFFFFFFFF, 0x100000000, (1 << 64) - 1):
        assert strict.load_all(cbor.encode(number)) == number
        assert strict.load_all(cbor.encode(-1 - number)) == -1 - number


def test_tags_simple_values_and_indefinite_lengths():
    for data in ("c100", "d24401020304", "d81200", "f4", "f6", "f7", "f90000", "5f4100ff", "9fff", "bfff", "ff"):
        assert "a tag, a simple value or an indefinite length" in refused(data)
    for reserved in ("1c", "3d", "5e", "7c", "9d", "be"):
        refused(reserved + "00" * 20)


def test_keys_of_a_map():
    """In the order of their encoding, once each, numbers or text."""
    table = dict.fromkeys((10, 100, -1, "a", "aa"), 0)
    assert strict.load_all(bytes.fromhex("a50a00186400200061610062616100")) == table
    for data in ("a2020001 00", "a201000100", "a220000100", "a26161000100", "a2616200616100", "a2626161006162 00"):
        assert "out of order, or there twice" in refused(data.replace(" ", ""))
    for key in ("80", "a0", "4161"):
        assert "no numbers or texts" in refused("a1" + key + "00")


def test_depth_and_number_are_bounded():
    """Before anybody has proven anything, 1 KiB of input must not become 64 KiB of heap."""
    strict.load_all(b"\x81" * 6 + b"\x00")
    assert "6 levels" in refused(b"\x81" * 7 + b"\x00") and "6 levels" in refused(b"\xa1\x00" * 7 + b"\x00")
    refused(b"\x81" * 1024)
    assert len(strict.load_all(b"\x98\x9f" + b"\x80" * 159)) == 159
    assert "more than 160 values" in refused(b"\x98\xa0" + b"\x80" * 160)
    assert "more than 160 values" in refused(b"\xb8\xa0" + b"".join([cbor.encode(n) + b"\x00" for n in range(160)]))


def test_lengths_beyond_the_input():
    for data in ("", "18", "1900", "41", "5affffffff", "7bffffffffffffffff", "81", "9bffffffffffffffff", "a1", "a100"):
        assert "ends within" in refused(data)
    assert "2 bytes after the end" in refused("010203")


def test_text_is_utf8():
    for data in ("61ff", "62c0af", "63eda080", "64f4908080"):
        assert "UTF-8" in refused(data)


def test_there_is_one_form_of_each_value():
    """What is taken is written the same, whatever the bytes: of all arrays of two one in seven."""
    taken = 0
    for number in range(0, 0x10000, 7):
        data = b"\x82" + bytes((number >> 8, number & 0xFF))
        try:
            value = strict.load_all(data)
        except RemoteError:
            continue
        assert cbor.encode(value) == data
        taken += 1
    assert 300 < taken < 700
