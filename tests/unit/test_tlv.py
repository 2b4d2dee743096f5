"""OMA-TLV, with the examples of the specification (LwM2M 1.1 Core 7.4.4.1 to 7.4.4.3), bytes as printed there."""

from agent.codec import tlv
from agent.errors import LocalError, RemoteError

DEVICE = [
    ((3, 0, 0), "Open Mobile Alliance"),
    ((3, 0, 1), "Lightweight M2M Client"),
    ((3, 0, 2), "345000123"),
    ((3, 0, 3), "1.0"),
    ((3, 0, 6, 0), 1),
    ((3, 0, 6, 1), 5),
    ((3, 0, 7, 0), 3800),
    ((3, 0, 7, 1), 5000),
    ((3, 0, 8, 0), 125),
    ((3, 0, 8, 1), 900),
    ((3, 0, 9), 100),
    ((3, 0, 10), 15),
    ((3, 0, 11, 0), 0),
    ((3, 0, 13), 1367491215),
    ((3, 0, 14), "+02:00"),
    ((3, 0, 16), "U"),
]
DEVICE_BYTES = (
    "c800144f70656e204d6f62696c6520416c6c69616e6365"
    "c801164c69676874776569676874204d324d20436c69656e74"
    "c80209333435303030313233"
    "c303312e30"
    "860641000141010588070842000ed842011388870841007d42010384"
    "c10964c10a0f830b410000c40d5182428fc60e2b30323a3030c11055"
)
ACCESS = [
    ((2, 0, 0), 1),
    ((2, 0, 1), 0),
    ((2, 0, 2, 127), 7),
    ((2, 0, 3), 127),
    ((2, 2, 0), 3),
    ((2, 2, 1), 0),
    ((2, 2, 2, 127), 7),
    ((2, 2, 2, 310), 1),
    ((2, 2, 3), 127),
]
ACCESS_BYTES = "08000ec10001c101008302417f07c1037f080212c10003c101008702417f0761013601c1037f"
SERVER = [((1, 0, 0), 1), ((1, 0, 1), 86400), ((1, 0, 6), True), ((1, 0, 7), "U")]
SERVER_BYTES = "08000fc10001c40100015180c10601c10755"
LINKS = [((65, 0, 0, 0), (66, 0)), ((65, 0, 0, 1), (66, 1)), ((65, 0, 1), "8613800755500"), ((65, 0, 2), 0x12345678)]
LINKS_BYTES = "88000c440000420000440100420001c8010d38363133383030373535353030c40212345678"

KINDS = {(3, rid): "str" for rid in (0, 1, 2, 3, 14, 16)}
KINDS.update({(3, 13): "time", (1, 6): "bool", (1, 7): "str", (65, 0): "objlnk", (65, 1): "str"})


def kinds(path):
    return KINDS.get((path[0], path[2]), "int")


def refused(text, base=(3, 0), kind="int"):
    try:
        tlv.unpack(bytes.fromhex(text), base, lambda path: kind)
    except RemoteError:
        return
    raise AssertionError("accepted %s" % text)


def unencodable(records, base=(3, 0)):
    try:
        tlv.pack(records, base)
    except LocalError:
        return
    raise AssertionError("encoded %s" % records)


def both_ways(value, kind, size):
    data = tlv.pack([((9, 0, 1), value)], (9, 0), lambda path: kind)
    assert len(data) == size + (2 if size < 8 else 3)
    (path, back), = tlv.unpack(data, (9, 0), lambda path: kind)
    assert path == (9, 0, 1) and back == value and type(back) is type(value), (value, back)


def test_examples_of_the_specification():
    for base, records, text in (
        ((3, 0), DEVICE, DEVICE_BYTES),
        ((2,), ACCESS, ACCESS_BYTES),
        ((1,), SERVER, SERVER_BYTES),
        ((65, 0), LINKS, LINKS_BYTES),
    ):
        assert tlv.pack(records, base).hex() == text
        assert tlv.unpack(bytes.fromhex(text), base, kinds) == records
    assert len(DEVICE_BYTES) == 2 * 121


def test_one_resource_and_one_of_its_instances():
    """7.4.4: the payload is still an entry with its head."""
    assert tlv.pack([((3, 0, 0), "me")], (3, 0, 0)) == b"\xc2\x00me"
    multiple = tlv.pack(DEVICE[4:6], (3, 0, 6))
    assert multiple.hex() == "8606410001410105"
    assert tlv.unpack(multiple, (3, 0, 6), kinds) == DEVICE[4:6]
    assert tlv.unpack(multiple[2:], (3, 0, 6), kinds) == DEVICE[4:6]
    assert tlv.pack(DEVICE[5:6], (3, 0, 6, 1)).hex() == "410105"
    assert tlv.unpack(b"\x41\x01\x05", (3, 0, 6, 1), kinds) == DEVICE[5:6]


def test_an_instance_may_have_its_own_head():
    assert tlv.unpack(bytes.fromhex(SERVER_BYTES), (1, 0), kinds) == SERVER
    refused(SERVER_BYTES, (1, 1))
    refused("0400c10064", (3, 0))  # the instance's length reaches into nothing
    refused("05000300c10064", (3, 0))  # an instance within one


def test_integers_take_1_2_4_or_8_bytes():
    for bits, size in ((7, 1), (15, 2), (31, 4), (63, 8)):
        both_ways((1 << bits) - 1, "int", size)
        both_ways(-(1 << bits), "int", size)
    both_ways(0, "int", 1), both_ways(-1, "int", 1), both_ways(1367491215, "time", 4)
    unencodable([((3, 0, 1), 1 << 63)])
    for text in ("c000", "c300010203", "c50001020304ff", "c800090102030405060708ff"):
        refused(text)


def test_other_kinds():
    both_ways(1.5, "float", 4), both_ways(0.1, "float", 8), both_ways(1e300, "float", 8)
    both_ways(float("-inf"), "float", 4), both_ways("\u20ac", "str", 3), both_ways("", "str", 0)
    both_ways(True, "bool", 1), both_ways(False, "bool", 1), both_ways((65535, 0), "objlnk", 4)
    both_ways(b"\x00" * 8, "opaque", 8)
    assert tlv.pack([((9, 0, 1), 7)], (9, 0), lambda path: "float") == b"\xc4\x01\x40\xe0\x00\x00"
    nan = tlv.unpack(tlv.pack([((9, 0, 1), float("nan"))], (9, 0)), (9, 0), lambda path: "float")[0][1]
    assert nan != nan
    for text, kind in (
        ("c10002", "bool"),
        ("c000", "bool"),
        ("c2000102", "float"),
        ("c100ff", "str"),
        ("c200c080", "str"),
        ("c3000102ff", "objlnk"),
    ):
        refused(text, (3, 0), kind)
    unencodable([((3, 0, 1), None)]), unencodable([((3, 0, 1), [1])])


def test_lengths_and_ids_of_every_size():
    for size, head in ((7, "c705"), (8, "c80508"), (255, "c805ff"), (256, "d0050100"), (65536, "d805010000")):
        data = tlv.pack([((3, 0, 5), b"x" * size)], (3, 0))
        assert data[: len(head) // 2].hex() == head
        assert tlv.unpack(data, (3, 0), lambda path: "opaque") == [((3, 0, 5), b"x" * size)]
    assert tlv.pack([((3, 0, 65535), True)], (3, 0)).hex() == "e1ffff01"
    assert tlv.pack([((3, 256, 1), True)], (3,)).hex() == "230100c10101"
    unencodable([((3, 0, 65536), 1)])
    # longer than they must be
    assert tlv.unpack(bytes.fromhex("f8000900000105"), (3, 0), kinds) == [((3, 0, 9), 5)]


def test_what_is_not_known_stays_bytes():
    assert tlv.unpack(bytes.fromhex("c2c80102c1c905"), (3, 0), lambda path: None) == [
        ((3, 0, 200), b"\x01\x02"),
        ((3, 0, 201), b"\x05"),
    ]
    assert tlv.unpack(b"", (3, 0), kinds) == [] and tlv.unpack(b"\x80\x06", (3, 0), kinds) == []


def test_nesting_is_as_the_paths_are():
    for text, base in (
        ("c10001", (3,)),  # a resource among instances
        ("410001", (3, 0)),  # a resource's instance among resources
        ("8200c100", (3, 0)),  # a resource within a multiple one
        ("8204820001", (3, 0)),  # a multiple resource within one
        ("c10101", (3, 0, 0)),
        ("410201", (3, 0, 6, 1)),
        ("c10001", ()),
    ):
        refused(text, base)
    for path, base in (((3, 0), (3,)), ((3, 0), (3, 0)), ((3, 0, 1), (3, 0, 1, 0)), ((3, 0, 1), ())):
        unencodable([(path, 1)], base)
    unencodable([((3, 0, 1, 2, 3), 1)])


def test_ends_within():
    for text in ("c1", "c2", "e100", "c800", "d00001", "c20001", "c80005", "d800ffffff", "870641000141"):
        refused(text)
    whole = bytes.fromhex(DEVICE_BYTES)
    complete = [end for end in range(len(whole)) if _reads(whole[:end])]
    assert len(complete) == 13  # between two entries


def _reads(data):
    try:
        tlv.unpack(data, (3, 0), kinds)
    except RemoteError:
        return False
    return True


def test_bounds():
    refused("c10001c10002")  # twice
    refused("c106018606410001410105")  # with and without instances
    refused("".join(["e0%04x" % i for i in range(513)]), (3, 0), "str")
    many = b"".join([b"\xe0" + i.to_bytes(2, "big") for i in range(512)])
    assert len(tlv.unpack(many, (3, 0), lambda path: "str")) == 512
