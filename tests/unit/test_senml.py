"""SenML (RFC 8428) in CBOR and JSON, with the packs that LwM2M 1.1 sends."""

from agent.codec import cbor, senml
from agent.errors import LocalError, RemoteError

READINGS = [("/26242/0/0", 7, None)] + [("/3331/0/5805", 100 + i, 1700000000 + 60 * i) for i in range(3)]
ACCOUNT = [
    ("0", "coap://192.0.2.1:5683", None),
    ("1", False, None),
    ("3", b"\x00\xfb\xff", None),
    ("10", 101, None),
]


def refused(data, json=False):
    try:
        senml.unpack(data if isinstance(data, bytes) else cbor.encode(data), json)
    except RemoteError:
        return
    raise AssertionError("accepted %s" % data)


def both_ways(records, base=""):
    """What comes back, the same by CBOR and by JSON."""
    first = senml.unpack(senml.pack(records, base))
    second = senml.unpack(senml.pack(records, base, json=True), json=True)
    assert first == second
    return first


def test_readings_go_there_and_back():
    assert both_ways(READINGS) == READINGS


def test_readings_are_small():
    """One name and one time for all; RFC 8428 4.5."""
    assert cbor.decode(senml.pack(READINGS)) == [
        {0: "/26242/0/0", 2: 7},
        {-2: "/3331/0/5805", -3: 1700000000, 2: 100},
        {6: 60, 2: 101},
        {6: 120, 2: 102},
    ]
    assert senml.pack(READINGS, json=True) == (
        b'[{"n":"/26242/0/0","v":7},{"bn":"/3331/0/5805","bt":1700000000,"v":100},{"t":60,"v":101},{"t":120,"v":102}]'
    )


def test_instance_with_a_base_name():
    """LightweightM2M-1.1-int-261: a bootstrap write of /0/1."""
    assert both_ways(ACCOUNT, "/0/1/") == [("/0/1/" + name, value, None) for name, value, _ in ACCOUNT]
    assert cbor.decode(senml.pack(ACCOUNT, "/0/1/"))[:2] == [
        {-2: "/0/1/", 0: "0", 3: "coap://192.0.2.1:5683"},
        {0: "1", 4: False},
    ]


def test_one_record_needs_no_base():
    assert cbor.decode(senml.pack([("5805", 5, 99)], "/3331/0/")) == [{0: "/3331/0/5805", 2: 5, 6: 99}]
    assert cbor.decode(senml.pack([("", 5, None)], "/3331/0/5805")) == [{0: "/3331/0/5805", 2: 5}]


def test_a_name_may_be_all_in_the_base():
    assert both_ways([("", 1, None), ("/1", 2, None)], "/3/0/6") == [
        ("/3/0/6", 1, None),
        ("/3/0/6/1", 2, None),
    ]


def test_nothing_is_inherited_that_was_not_meant():
    records = [
        ("/a", 1, 1700000000),
        ("/a", 2, 1700000000),
        ("/b", 3, None),
        ("/b", 4, None),
        ("/c", 5, 1700000300),
        ("/a", 6, 1700000100),
        ("/a", 7, None),
        ("/d", 8, 5),
    ]
    assert both_ways(records) == records


def test_fractions_of_a_second():
    records = [
        ("/a", 1, 1700000000.1),
        ("/a", 2, 1700000000.7),
        ("/a", 3, 1700000001),
        ("/a", 4, -3.3),
        ("/a", 5, 0.1),
    ]
    assert both_ways(records) == records


def test_kinds_of_values():
    values = [0, -1, 1 << 40, 5.0, 0.1, -2.5e-9, True, False, "", '\u00e9"\\\n\x01', b"", b"\xff" * 5]
    for value in values:
        for got in (
            both_ways([("/a", value, None)])[0][1],
            both_ways([("/a", value, None), ("/b", 1, None)])[0][1],
        ):
            assert got == value and isinstance(got, bool) == isinstance(value, bool)


def test_numbers_stay_small():
    """An integral float is three bytes, an int as many as it needs."""
    assert len(senml.pack([("/a", 5.0, None)])) == len(senml.pack([("/a", 5, None)])) + 2


def test_paths_without_values():
    """LightweightM2M-1.1-int-244: a Read-Composite names paths."""
    records = [("/3/0/0", None, None), ("/1", None, None)]
    assert both_ways(records) == records


def test_no_records():
    assert both_ways([]) == [] and senml.pack([]) == b"\x80" and senml.pack([], json=True) == b"[]"


def test_examples_of_the_rfc():
    """RFC 8428 5.1.1, 5.1.2 and 5.1.3 (without the unit)."""
    assert senml.unpack(b'[{"n":"urn:dev:ow:10e2073a01080063","u":"Cel","v":23.1}]', True) == [
        ("urn:dev:ow:10e2073a01080063", 23.1, None)
    ]
    pack = (
        b'[{"bn":"urn:dev:ow:10e2073a0108006:","bt":1.276020076001e+09,"bu":"A","bver":5,"n":"voltage","u":"V",'
        b'"v":120.1},{"n":"current","t":-5,"v":1.2},{"n":"current","t":-4,"v":1.3}]'
    )
    assert senml.unpack(pack, True) == [
        ("urn:dev:ow:10e2073a0108006:voltage", 120.1, 1276020076.001),
        ("urn:dev:ow:10e2073a0108006:current", 1.2, 1276020071.001),
        ("urn:dev:ow:10e2073a0108006:current", 1.3, 1276020072.001),
    ]


def test_cbor_labels():
    """RFC 8428 6, table 6."""
    data = cbor.encode(
        [
            {
                -2: "urn:dev:ow:10e2073a0108006:",
                -3: 1276020076.001,
                -4: "A",
                -1: 5,
                0: "voltage",
                1: "V",
                2: 120.1,
            },
            {0: "current", 6: -5, 2: 1.2},
        ]
    )
    assert senml.unpack(data)[1] == ("urn:dev:ow:10e2073a0108006:current", 1.2, 1276020071.001)


def test_what_a_leshan_server_writes():
    """LwM2M 1.1 TS 7.4.4: base name with the path, names below it, order of fields as it comes."""
    pack = b'[{"bn":"/3/0/","n":"0","vs":"Open Mobile Alliance"},{"n":"6/1","v":5},{"n":"11/0","vlo":"10:3"}]'
    assert senml.unpack(pack, True) == [
        ("/3/0/0", "Open Mobile Alliance", None),
        ("/3/0/6/1", 5, None),
        ("/3/0/11/0", "10:3", None),
    ]
    assert senml.unpack(cbor.encode([{-2: "/1/0/1", 2: 300}])) == [("/1/0/1", 300, None)]
    assert senml.unpack(cbor.encode([{-2: "/1/0/", 0: "1", "vlo": "1:0"}])) == [("/1/0/1", "1:0", None)]


def test_base_values_are_added():
    """RFC 8428 4.5.2."""
    assert senml.unpack(b'[{"bn":"a","bv":20,"v":1.5},{"v":-1},{"n":"b","vs":"x"},{"bv":0,"v":3}]', True) == [
        ("a", 21.5, None),
        ("a", 19, None),
        ("ab", "x", None),
        ("a", 3, None),
    ]


def test_a_record_of_bases_alone_says_nothing_itself():
    assert senml.unpack(b'[{"bt":1700000000},{"n":"/a","v":1}]', True) == [("/a", 1, 1700000000)]


def test_unknown_fields():
    """RFC 8428 4.4: ignored, unless their name ends in an underscore."""
    assert senml.unpack(cbor.encode([{0: "a", 2: 1, 5: 9, 77: [1], "x": {}}])) == [("a", 1, None)]
    assert senml.unpack(b'[{"n":"a","v":1,"foo":[{"v":2}]}]', True) == [("a", 1, None)]
    refused([{0: "a", 2: 1, "foo_": 1}])
    refused(b'[{"n":"a","v":1,"foo_":1}]', True)


def test_versions():
    assert senml.unpack(b'[{"bver":10,"n":"a","v":1}]', True) == [("a", 1, None)]
    refused(b'[{"bver":11,"n":"a","v":1}]', True)
    refused([{-1: 11, 0: "a", 2: 1}])
    refused([{-1: "5", 0: "a", 2: 1}])


def test_names_are_checked():
    """RFC 8428 4.5.1."""
    for name in ("", "a b", "a;b", "/3/0/\u00e9", "a\n", "*", "../\x00"):
        refused([{0: name, 2: 1}])
    refused([{2: 1}])
    assert senml.unpack(cbor.encode([{0: "aZ09-:./_", 2: 1}]))[0][0] == "aZ09-:./_"


def test_fields_of_the_wrong_type():
    for label, wrong in (
        (0, 1),
        (0, b"a"),
        (-2, 5),
        (2, "1"),
        (2, True),
        (2, None),
        (2, []),
        (3, 1),
        (3, b"x"),
        (4, 1),
        (4, "true"),
        (8, "x"),
        (6, "1"),
        (6, True),
        (-3, "now"),
        (-5, "1"),
        ("vlo", 3),
        (2, cbor.Tag(4, [1, 2])),
    ):
        record = {0: "a"}
        record[label] = wrong
        refused([record])
    for text in (
        '{"n":1,"v":1}',
        '{"n":"a","v":"1"}',
        '{"n":"a","v":true}',
        '{"n":"a","vb":1}',
        '{"n":"a","vs":1}',
        '{"n":"a","vd":1}',
        '{"n":"a","t":"1","v":1}',
        '{"bn":1,"n":"a","v":1}',
        '{"n":"a","v":null}',
        '{"n":"a","vlo":1}',
    ):
        refused(("[%s]" % text).encode(), True)


def test_times_that_no_clock_shows():
    inf = float("inf")
    for time in (1 << 41, -(1 << 41), 1e300, inf, -inf, inf - inf):
        refused([{0: "a", 2: 1, 6: time}])
        refused([{0: "a", 2: 1, -3: time}])
    refused(b'[{"n":"a","v":1,"t":1e400}]', True)


def test_numbers_that_no_register_holds():
    refused(b'[{"n":"a","v":123456789012345678901234567890}]', True)
    refused(b'[{"n":"a","bv":-123456789012345678901234567890}]', True)


def test_two_values_in_a_record():
    refused([{0: "a", 2: 1, 3: "x"}])
    refused(b'[{"n":"a","v":1,"vb":true}]', True)


def test_what_is_no_pack():
    for value in ({}, 1, None, "x", [1], [[]], [None], {0: "a", 2: 1}):
        refused(value)
    for text in (
        b"",
        b"{}",
        b"1",
        b"null",
        b"[1]",
        b"[[]]",
        b"[",
        b'[{"n":"a","v":1}',
        b"[{}",
        b"\xff",
        b'[{"n":"a","v":1}}]',
        b'[{"n":"a","v":1}] x',
        b"[nul]",
        b'"',
    ):
        refused(text, True)


def test_base64url():
    """RFC 8428 4.3; the interpreters' own decoders skip what they do not know."""
    for text, value in (
        ("", b""),
        ("APv_", b"\x00\xfb\xff"),
        ("-_8", b"\xfb\xff"),
        ("YQ", b"a"),
        ("YQ==", b"a"),
    ):
        pack = ('[{"n":"a","vd":"%s"}]' % text).encode()
        assert senml.unpack(pack, True) == [("a", value, None)]
    for text in ("A", "AAAAA", "A+//", "!!!!", "AA AA", "YW Jj", "Y=Q", "\u00e9\u00e9"):
        refused(('[{"n":"a","vd":"%s"}]' % text).encode(), True)


def test_json_text_that_is_no_text():
    """A lone surrogate can be escaped in JSON, but it cannot be stored or sent."""
    refused(b'[{"n":"a","vs":"\\ud800"}]', True)
    refused(b'[{"n":"\\ud800","v":1}]', True)


def test_json_is_bounded():
    refused(b"[" * 400, True)
    refused(b"[" * 100000, True)
    refused(b"[" * 400 + b"]" * 400, True)
    refused(b'{"a":' * 500, True)
    refused(b"[" + b",".join([b'{"n":"a","v":1}'] * 600) + b"]", True)
    assert len(senml.unpack(b"[" + b",".join([b'{"n":"a","v":1}'] * 500) + b"]", True)) == 500


def test_what_cannot_be_packed():
    for value, json in (
        (float("inf"), True),
        (float("nan"), True),
        ([], False),
        ({}, True),
        (1 << 64, False),
    ):
        try:
            senml.pack([("/a", value, None)], json=json)
        except LocalError:
            continue
        raise AssertionError("packed")


def test_a_sensor_may_say_nan():
    value = senml.unpack(senml.pack([("/a", float("nan"), None)]))[0][1]
    assert value != value
