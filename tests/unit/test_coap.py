"""CoAP messages (RFC 7252 section 3): what is accepted, what is refused, and the very bytes."""

from agent.codec import coap
from agent.errors import LocalError, RemoteError


def refused(data):
    try:
        coap.decode(data)
    except RemoteError as error:
        assert str(error).startswith("coap: "), error
        return str(error)
    raise AssertionError("accepted " + data.hex())


def option(head, more=b""):
    """A GET with one raw option header."""
    return b"\x40\x01\x00\x01" + bytes((head,)) + more


def same(first, second):
    for name in ("type", "code", "mid", "token", "payload"):
        assert getattr(first, name) == getattr(second, name), name
    assert list(first.options) == list(second.options)


def test_request_and_answer_of_the_rfc():
    """RFC 7252 appendix A, figure 16."""
    request = coap.Message(coap.CON, coap.GET, 0x7D34, options=[(coap.URI_PATH, b"temperature")])
    data = bytes.fromhex("40017d34") + b"\xbbtemperature"
    assert coap.encode(request) == data
    same(coap.decode(data), request)
    answer = coap.decode(bytes.fromhex("60457d34ff") + b"22.3 C")
    assert (answer.type, answer.code, answer.mid, answer.payload) == (
        coap.ACK,
        coap.CONTENT,
        0x7D34,
        b"22.3 C",
    )
    assert answer.options == [] and answer.token == b""


def test_answer_with_a_token():
    """RFC 7252 appendix A, figure 18."""
    answer = coap.Message(coap.ACK, coap.CONTENT, 0x7D35, b"\x20", payload=b"22.3 C")
    data = bytes.fromhex("61457d3520ff") + b"22.3 C"
    assert coap.encode(answer) == data
    same(coap.decode(data), answer)


def test_options_are_sorted_and_repeated_ones_keep_their_order():
    options = [
        (coap.URI_QUERY, b"b"),
        (coap.URI_PATH, b"z"),
        (coap.BLOCK2, b""),
        (coap.URI_PATH, b"a"),
        (coap.URI_QUERY, b"a"),
    ]
    message = coap.decode(coap.encode(coap.Message(coap.NON, coap.POST, 65535, b"12345678", options)))
    assert message.path() == ("z", "a") and message.query() == ("b", "a")
    assert [number for number, _ in message.options] == [11, 11, 15, 15, 23]
    assert message.token == b"12345678"


def test_every_size_of_delta_and_length():
    """RFC 7252 3.1: 12, 13, 268 and 269 are where the forms change."""
    for number in (1, 12, 13, 268, 269, 65535):
        for length in (0, 12, 13, 268, 269, 1034):
            message = coap.Message(coap.CON, coap.PUT, 1, options=[(number, b"x" * length)], payload=b"p")
            same(coap.decode(coap.encode(message)), message)


def test_the_bytes_of_extended_forms():
    assert coap.encode(coap.Message(0, 1, 1, options=[(13, b"")])) == option(0xD0, b"\x00")
    assert coap.encode(coap.Message(0, 1, 1, options=[(269, b"")])) == option(0xE0, b"\x00\x00")
    assert coap.encode(coap.Message(0, 1, 1, options=[(1, b"x" * 13)])) == option(0x1D, b"\x00" + b"x" * 13)
    assert coap.encode(coap.Message(0, 1, 1, options=[(65535, b"")])) == option(0xE0, b"\xfe\xf2")


def test_reserved_nibbles_are_refused():
    """RFC 7252 3.1: 15 is reserved for the payload marker."""
    refused(option(0xF0, b"\x00\x00"))
    refused(option(0x0F, b"\x00\x00"))
    refused(option(0xF1, b"\x00\x00"))


def test_truncated_messages_are_refused():
    whole = coap.encode(coap.Message(0, 1, 7, b"tok", [(11, b"a" * 13), (269, b"x")], b"p"))
    short = [coap.decode(whole[:size]) for size in range(len(whole)) if not _fails(whole[:size])]
    # Only where an option ends is a shorter message a message too.
    assert [(len(message.options), message.payload) for message in short] == [(0, b""), (1, b""), (2, b"")]


def _fails(data):
    try:
        coap.decode(data)
    except RemoteError:
        return True
    return False


def test_option_numbers_beyond_16_bits_are_refused():
    refused(option(0xE0, b"\xff\xff"))
    refused(option(0xE0, b"\xfe\xf2\x10"))
    assert coap.decode(option(0xE0, b"\xfe\xf2\x00")).options == [(65535, b""), (65535, b"")]


def test_number_of_options_is_bounded():
    assert len(coap.decode(b"\x40\x01\x00\x01" + b"\x10" * 40).options) == 40
    assert "more than 40" in refused(b"\x40\x01\x00\x01" + b"\x10" * 41)


def test_token_lengths():
    """RFC 7252 3: 9-15 must not be sent and are a message format error."""
    for length in range(16):
        data = bytes((0x40 | length, 1, 0, 1)) + b"t" * length
        if length < 9:
            assert coap.decode(data).token == b"t" * length
        else:
            assert "token length" in refused(data)
    refused(b"\x44\x01\x00\x01abc")


def test_versions_other_than_one():
    for version in (0, 2, 3):
        data = bytes((version << 6, 1, 0, 1))
        assert coap.header(data) is None
        refused(data)


def test_too_short_for_a_header():
    for size in range(4):
        assert coap.header(b"\x40\x01\x00\x01"[:size]) is None
        refused(b"\x40\x01\x00\x01"[:size])


def test_empty_messages():
    """RFC 7252 4.1: four bytes and no more."""
    for kind in (coap.CON, coap.ACK, coap.RST):
        message = coap.decode(coap.encode(coap.Message(kind, 0, 9)))
        assert (message.type, message.code, message.mid, message.options) == (kind, 0, 9, [])
    refused(b"\x40\x00\x00\x01\xffx")
    refused(b"\x40\x00\x00\x01\x10")
    refused(b"\x41\x00\x00\x01t")


def test_types_and_codes_that_do_not_go_together():
    """RFC 7252 4.2, 4.3 and table 1."""
    refused(b"\x50\x00\x00\x01")  # NON is never empty
    refused(b"\x70\x45\x00\x01")  # RST is
    refused(b"\x70\x01\x00\x01")
    refused(b"\x60\x01\x00\x01")  # ACK carries no request


def test_reserved_code_classes():
    for code in (32, 63, 192, 223, 224, 225, 255):
        assert "reserved code" in refused(bytes((0x40, code, 0, 1)))
    for code in (1, 31, 64, 95, 128, 160, 191):
        assert coap.decode(bytes((0x40, code, 0, 1))).code == code


def test_payload_marker_without_payload():
    refused(b"\x40\x01\x00\x01\xff")
    refused(option(0xB1, b"a\xff"))
    assert coap.decode(b"\x40\x01\x00\x01\xff\xff").payload == b"\xff"


def test_header_of_a_malformed_confirmable():
    """What it takes to reset it (RFC 7252 4.2)."""
    assert coap.header(b"\x4f\x01\xab\xcd") == (coap.CON, 1, 0xABCD)


def test_text_options_are_text():
    """RFC 7252 3.2; the same answer on both interpreters for overlong forms and surrogates."""
    for bad in (
        b"\xff",
        b"\xc0\xaf",
        b"\xc1\x81",
        b"\xe0\x80\xaf",
        b"\xed\xa0\x80",
        b"\xf0\x80\x80\xaf",
        b"\xf4\x90\x80\x80",
        b"\xf5\x80\x80\x80",
        b"\xc3",
        b"a\x80",
    ):
        refused(option(0xB0 | len(bad), bad))
    for good in ("\u00e9", "\u20ac", "\ud7ff", "\U0001f600", "\U0010ffff"):
        assert coap.decode(option(0xB0 | len(good.encode()), good.encode())).path() == (good,)
    # Opaque options may hold anything.
    assert coap.decode(option(0x42, b"\xff\xc0")).get(coap.ETAG) == b"\xff\xc0"


def test_numbers():
    """RFC 7252 3.2."""
    for number, data in (
        (0, b""),
        (1, b"\x01"),
        (255, b"\xff"),
        (256, b"\x01\x00"),
        (1 << 31, b"\x80\x00\x00\x00"),
    ):
        assert coap.uint(number) == data
        message = coap.Message(0, 1, 1, options=[(coap.MAX_AGE, data)])
        assert message.uint(coap.MAX_AGE) == number
    assert coap.Message(0, 1, 1, options=[(coap.MAX_AGE, b"\x00\x05")]).uint(coap.MAX_AGE) == 5
    assert coap.Message(0, 1, 1).uint(coap.OBSERVE) is None
    assert coap.Message(0, 1, 1, options=[(2048, b"x" * 200)]).uint(2048) is None


def test_access_to_options():
    message = coap.Message(0, 1, 1, options=[(4, b"one"), (4, b"two")])
    assert message.get(4) == b"one" and message.all(4) == [b"one", b"two"]
    assert message.get(5) is None and message.all(5) == []
    assert message.path() == () and message.query() == ()


def test_elective_options_of_a_forbidden_length_do_not_count():
    """RFC 7252 5.4.3."""
    message = coap.Message(0, 69, 1, options=[(coap.CONTENT_FORMAT, b"abc"), (coap.MAX_AGE, b"12345")])
    assert message.uint(coap.CONTENT_FORMAT) is None and message.get(coap.MAX_AGE) is None
    assert coap.unknown_critical(message) is None


def test_unknown_critical_options():
    """RFC 7252 5.4.1, 5.4.3, 5.4.5."""

    def first(*options):
        return coap.unknown_critical(coap.Message(0, 1, 1, options=options))

    assert first() is None
    assert (
        first(
            (3, b"host"),
            (7, b"\x16\x33"),
            (11, b"a"),
            (11, b"b"),
            (15, b"q"),
            (17, b""),
            (23, b""),
            (27, b""),
        )
        is None
    )
    assert first((2048, b""), (10, b"")) is None
    assert first((11, b"a"), (9, b"")) == 9
    assert first((1, b"etag")) == 1 and first((5, b"")) == 5 and first((65535, b"")) == 65535
    assert first((17, b"abc")) == 17 and first((3, b"")) == 3 and first((11, b"x" * 256)) == 11
    assert first((23, b""), (23, b"")) == 23 and first((6, b""), (6, b"")) is None


def test_what_cannot_be_encoded():
    for message in (
        coap.Message(0, 1, 1, b"123456789"),
        coap.Message(0, 1, 65536),
        coap.Message(0, 256, 1),
        coap.Message(0, 1, 1, options=[(1, b"x" * 65805)]),
        coap.Message(0, 1, 1, options=[(70000, b"")]),
    ):
        try:
            coap.encode(message)
        except LocalError:
            continue
        raise AssertionError("encoded")


def test_dotted_codes():
    assert [coap.dotted(code) for code in (0, 1, 69, 95, 132, 160)] == [
        "0.00",
        "0.01",
        "2.05",
        "2.31",
        "4.04",
        "5.00",
    ]
