"""LwM2M values in and out of CoAP payloads, hostile ones included."""

from agent.codec import cbor, senml
from agent.errors import RemoteError
from agent.north import bootstrapping, content


def code(call, *args):
    try:
        call(*args)
    except RemoteError as e:
        return e.args[1] if len(e.args) > 1 else 128
    raise AssertionError("was not refused")


def test_paths():
    assert content.path(("3", "0", "11", "1")) == (3, 0, 11, 1) and content.path(()) == ()
    for bad in (("x",), ("-1",), ("65536",), ("3", ""), ("1", "2", "3", "4", "5"), ("123456",)):
        assert code(content.path, bad) == 132


def test_one_resource_is_text_unless_asked_otherwise():
    one = [((3, 0, 0), "me")]
    assert content.encode((3, 0, 0), one, None) == (b"me", 0)
    assert content.encode((3, 0, 0), one, 60) == (cbor.encode("me"), 60)
    assert content.encode((1, 0, 6), [((1, 0, 6), True)], 0) == (b"1", 0)
    payload, format = content.encode((3, 0, 0), one, 112)
    assert format == 112 and senml.unpack(payload) == [("/3/0/0", "me", None)]


def test_an_instance_is_senml():
    two = [((3, 0, 0), "me"), ((3, 0, 11, 0), 5)]
    payload, format = content.encode((3, 0), two, None)
    assert format == 112 and senml.unpack(payload) == [("/3/0/0", "me", None), ("/3/0/11/0", 5, None)]
    payload, format = content.encode((3, 0), two, 110)
    assert format == 110 and senml.unpack(payload, True) == [("/3/0/0", "me", None), ("/3/0/11/0", 5, None)]
    assert code(content.encode, (3, 0), two, 0) == 134 and code(content.encode, (3, 0), two, 11541) == 134


def test_opaque_is_only_for_bytes():
    assert content.encode((9, 0, 0), [((9, 0, 0), b"\x01")], 42) == (b"\x01", 42)
    assert code(content.encode, (9, 0, 0), [((9, 0, 0), "text")], 42) == 134


def test_text_is_read_by_the_kind_of_the_resource():
    def read(kind, payload):
        return content.decode((1, 0, 1), lambda path: kind, 0, payload)[0][1]

    assert read("int", b"-5") == -5 and read("float", b"1.5") == 1.5 and read("bool", b"1") is True
    assert read("str", b"5") == "5" and read("opaque", b"AQI=") == b"\x01\x02"
    for kind, payload in (
        ("int", b"x"),
        ("int", b""),
        ("bool", b"2"),
        ("float", b"1,5"),
        ("str", b"\xff"),
        ("int", b"\xff"),
    ):
        assert code(read, kind, payload) == 128


def test_senml_must_lie_where_it_was_sent():
    pack = senml.pack([("/1/0/1", 60, None)])
    assert content.decode((1, 0), None, 112, pack) == [((1, 0, 1), 60)]
    assert code(content.decode, (3, 0), None, 112, pack) == 128
    assert code(content.decode, (1, 0), None, 112, senml.pack([("/1/0", 60, None)])) == 128
    assert (
        code(content.decode, (1, 0), None, 0, b"5") == 143 and code(content.decode, (1, 0, 1), None, 11541, b"5") == 143
    )


def test_a_bootstrap_write_leaves_out_what_we_do_not_have():
    pack = senml.pack([("0", "coap://h", None), ("99", 5, None)], "/0/1/")
    assert bootstrapping.configuration((0, 1), 112, pack) == [((0, 1, 0), "coap://h")]
    assert code(bootstrapping.configuration, (0, 1), 112, senml.pack([("0", 5, None)], "/0/1/")) == 128


KINDS = {0: "str", 5805: "float", 1: "int", 6: "bool"}


def kind(path):
    return KINDS[path[2]]


def test_tlv_and_lwm2m_cbor_go_out_and_come_in():
    """LightweightM2M-1.1-int-203 and -215 for TLV; 1.2 Core 7.4.7 for LwM2M CBOR."""
    values = [((3331, 0, 0), "me"), ((3331, 0, 5805), 7)]
    tlv = bytes.fromhex("c2006d65e416ad40e00000")
    for format, payload in ((11542, tlv), (11544, cbor.encode({3331: {0: {0: "me", 5805: 7}}}))):
        assert content.encode((3331, 0), values, format, kind) == (payload, format)
        assert content.decode((3331, 0), kind, format, payload) == values
        assert content.encode((3331, 0, 0), values[:1], format, kind)[1] == format
        assert code(content.decode, (3331, 0), kind, format, payload[:-1]) == 128


def test_tlv_and_lwm2m_cbor_must_lie_where_they_were_sent():
    assert code(content.decode, (1, 0, 6), kind, 11542, b"\xc1\x01\x05") == 128
    assert code(content.decode, (1, 0, 6), kind, 11544, cbor.encode({1: {0: {1: 5}}})) == 128
    assert content.decode((1, 0, 1), kind, 11542, b"\xc1\x01\x05") == [((1, 0, 1), 5)]


def test_a_bootstrap_write_in_tlv_or_lwm2m_cbor():
    """What we do not have may be of any form."""
    assert bootstrapping.configuration((0, 1), 11542, b"\xc8\x00\x08coap://h\xc1\x63\x05") == [((0, 1, 0), "coap://h")]
    assert bootstrapping.configuration((0,), 11542, b"\x05\x01\xc1\x01\x00\xc0\x03") == [
        ((0, 1, 1), False),
        ((0, 1, 3), b""),
    ]
    pack = cbor.encode({0: {1: {0: "coap://h", 99: 5}}})
    assert bootstrapping.configuration((0, 1), 11544, pack) == [((0, 1, 0), "coap://h")]
    assert code(bootstrapping.configuration, (0, 1), 11542, b"\xc1\x0a\x05\xc3\x02abc") == 128
