"""LwM2M CBOR (LwM2M 1.2 Core 7.4.7): maps in maps, and keys that are arrays of ids."""

from agent.codec import cbor, lwm2m_cbor
from agent.errors import LocalError, RemoteError

DEVICE = [
    ((3, 0, 0), "Open Mobile Alliance"),
    ((3, 0, 7, 0), 3800),
    ((3, 0, 7, 1), 5000),
    ((3, 0, 9), -1),
    ((3, 0, 13), 1367491215),
    ((3331, 0, 5805), 0.5),
    ((3342, 0, 5500), True),
    ((9, 0, 0), b"\x00\xff"),
]


def unpack(text, base=()):
    return lwm2m_cbor.unpack(bytes.fromhex(text), base)


def refused(data, base=()):
    try:
        lwm2m_cbor.unpack(bytes.fromhex(data) if isinstance(data, str) else cbor.encode(data), base)
    except RemoteError:
        return
    raise AssertionError("accepted %s" % data)


def unencodable(records):
    try:
        lwm2m_cbor.pack(records)
    except LocalError:
        return
    raise AssertionError("encoded %s" % records)


def test_there_and_back():
    data = lwm2m_cbor.pack(DEVICE)
    assert sorted(lwm2m_cbor.unpack(data)) == sorted(DEVICE)
    assert cbor.decode(data) == {
        3: {0: {0: "Open Mobile Alliance", 7: {0: 3800, 1: 5000}, 9: -1, 13: 1367491215}},
        3331: {0: {5805: 0.5}},
        3342: {0: {5500: True}},
        9: {0: {0: b"\x00\xff"}},
    }
    assert lwm2m_cbor.pack([]) == b"\xa0" and lwm2m_cbor.unpack(b"\xa0") == []


def test_every_way_to_spell_a_path():
    for text in (
        "a10da1181aa101182a",  # {13: {26: {1: 42}}}
        "a1830d181a01182a",  # {[13, 26, 1]: 42}
        "bf9f0d181a01ff182aff",  # both of no stated length
        "bf0dbf181abf01182affffff",
        "a1810da181181aa18101182a",  # {[13]: {[26]: {[1]: 42}}}
        "a1820d181aa101182a",  # {[13, 26]: {1: 42}}
        "a10da182181a01182a",  # {13: {[26, 1]: 42}}
    ):
        assert unpack(text) == unpack(text, (13, 26)) == unpack(text, (13, 26, 1)) == [((13, 26, 1), 42)]
        refused(text, (13, 27)), refused(text, (13, 26, 1, 0))


def test_order_is_kept():
    assert unpack("a3820300a209010002830301050483040000f5") == [
        ((3, 0, 9), 1),
        ((3, 0, 0), 2),
        ((3, 1, 5), 4),
        ((4, 0, 0), True),
    ]


def test_paths_without_values():
    """A Read-Composite names paths."""
    records = [((3, 0, 0), None), ((1,), None), ((4, 0), None)]
    assert sorted(lwm2m_cbor.unpack(lwm2m_cbor.pack(records))) == sorted(records)


def test_links_and_times():
    assert lwm2m_cbor.unpack(lwm2m_cbor.pack([((65, 0, 0, 0), (66, 1))])) == [((65, 0, 0, 0), "66:1")]
    assert unpack("a18303000dc11a5182428f") == [((3, 0, 13), 1367491215)]
    refused("a18303000dc1f5"), refused("a18303000dc16130"), refused("a18303000dc482020a"), refused("a18303000dc08100")


def test_what_is_no_path_is_refused():
    for tree in ({"3": 1}, {-1: {0: {0: 1}}}, {65536: {0: {0: 1}}}, {3: {0: 5}}, {3: 5}, 5, [5], {3: {0: {0: [1]}}}):
        refused(tree)
    refused({3: {0: {0: {0: {0: 1}}}}})
    for text in ("a18005", "a1f505", "a182030005", "a1810005", "a185030000000005", "a181810005", "a1a0f6", "a14300f6"):
        refused(text)
    refused("a2030003f6"), refused("a2830300000183030000f6"), refused("a28303000001820300a10002")
    refused("a28303000601840300060002")  # with and without instances


def test_malformed():
    for text in ("", "a1", "a103", "a10302ff", "bf03", "ff", "a1ff", "a003", "bb" + "ff" * 8, "a1" * 40):
        refused(text)


def test_bounds():
    many = dict.fromkeys(range(512), 0)
    assert len(lwm2m_cbor.unpack(cbor.encode({3: {0: many}}))) == 512
    many[512] = 0
    refused({3: {0: many}})


def test_what_has_no_encoding():
    unencodable([((3, 0, 0), 1), ((3, 0, 0), 2)]), unencodable([((3, 0, 0), 1), ((3, 0, 0, 1), 2)])
    unencodable([((3, 0, 0), object())]), unencodable([((3, 0, 0, 1), 1), ((3, 0, 0), 2)])
