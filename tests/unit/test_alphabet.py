"""The GSM 7-bit alphabet, its extension and packing, UCS2 (TS 23.038 6)."""

from agent.codec import alphabet


def test_the_alphabet_has_128_characters_and_each_comes_back():
    septets = bytes([code for code in range(128) if code != 27])
    text = alphabet.gsm(septets)
    assert len(text) == 127 and alphabet.to_gsm(text) == septets


def test_the_extension():
    assert alphabet.to_gsm("[\u20ac]") == b"\x1b\x3c\x1b\x65\x1b\x3e"
    text = "^{}\\[~]|\u20ac\f"
    assert alphabet.gsm(alphabet.to_gsm(text)) == text
    assert alphabet.gsm(b"\x1bA") == "A"  # unknown: as in the main table
    assert alphabet.gsm(b"\x1b\x1b") == " "
    assert alphabet.gsm(b"A\x1b") == "A"


def test_what_is_not_in_the_alphabet():
    assert alphabet.to_gsm("\u0444") is alphabet.to_gsm("\x1b") is alphabet.to_gsm("`") is None
    assert alphabet.to_gsm("") == b""


def test_packing():
    """TS 23.038 6.1.2: the well-known example."""
    septets = alphabet.to_gsm("hellohello")
    assert alphabet.pack(septets) == b"\xe8\x32\x9b\xfd\x46\x97\xd9\xec\x37"
    assert alphabet.unpack(b"\xe8\x32\x9b\xfd\x46\x97\xd9\xec\x37", 10) == septets


def test_packing_of_every_length_and_fill():
    for fill in range(7):
        for length in range(20):
            septets = bytes([(index * 37 + length) % 128 for index in range(length)])
            packed = alphabet.pack(septets, fill)
            assert len(packed) == (length * 7 + fill + 7) // 8
            assert alphabet.unpack(packed, length, fill) == septets
            assert length == 0 or alphabet.unpack(packed, length + 2, fill) is None


def test_ucs2():
    assert alphabet.ucs2(b"\x04\x42\x00A") == "\u0442A"
    assert alphabet.to_ucs2("\u0442A") == b"\x04\x42\x00A"
    smile = "\U0001f600"
    assert alphabet.to_ucs2(smile) == b"\xd8\x3d\xde\x00"
    assert alphabet.ucs2(b"\xd8\x3d\xde\x00\x00!") == smile + "!"
    assert alphabet.ucs2(b"\xd8\x3d\x00A") == "\ufffdA"  # half a pair
    assert alphabet.ucs2(b"\xde\x00") == "\ufffd" and alphabet.ucs2(b"\xd8\x3d") == "\ufffd"
    assert alphabet.ucs2(b"\x00A\x00") == "A"  # half a character at the end


def test_hexadecimal():
    assert alphabet.unhex("00fF10") == b"\0\xff\x10" and alphabet.unhex("") == b""
    for bad in ("0", "0g", "+1", " 1", "1 ", "-1"):
        assert alphabet.unhex(bad) is None, bad
