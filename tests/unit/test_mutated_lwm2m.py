"""LwM2M's own formats, damaged in thousands of ways: refused by RemoteError, or what is accepted means something."""

from test_lwm2m_cbor import DEVICE
from test_lwm2m_json import TEXT
from test_mutated import hammer, hexes
from test_tlv import ACCESS_BYTES, DEVICE_BYTES, LINKS_BYTES, SERVER_BYTES, kinds

from agent.codec import lwm2m_cbor, lwm2m_json, tlv


def _kinds(path):
    """Every kind there is, and some that are not known."""
    return ("int", "float", "bool", "str", "opaque", "time", "objlnk", None)[path[2] & 7]


def again(data, base, kinds):
    records = tlv.unpack(data, base, kinds)
    assert all([path[: len(base)] == base and 2 < len(path) < 5 for path, _ in records])
    packed = tlv.pack(records, base, kinds)
    assert len(packed) <= 2 * len(data)
    # Numbers that are not equal to themselves would fail here: compare what they are sent as.
    assert tlv.pack(tlv.unpack(packed, base, kinds), base, kinds) == packed


def test_tlv_to_an_instance():
    def read(data):
        again(data, (3, 0), kinds)

    hammer(hexes(DEVICE_BYTES, LINKS_BYTES), 21, read)


def test_tlv_to_an_object():
    def read(data):
        again(data, (2,), kinds)

    hammer(hexes(ACCESS_BYTES, SERVER_BYTES), 22, read)


def test_tlv_of_every_kind():
    def read(data):
        again(data, (9, 0), _kinds)

    hammer(hexes("c10005c4013f800000c10201c303616263c4040102ffffc4055182428fc40600410001c2070102"), 23, read)


def test_lwm2m_cbor():
    def read(data):
        records = lwm2m_cbor.unpack(data)
        assert all([0 < len(path) < 5 for path, _ in records])
        packed = lwm2m_cbor.pack([record for record in records if record[1] is not None])
        assert lwm2m_cbor.pack(lwm2m_cbor.unpack(packed)) == packed

    corpus = [lwm2m_cbor.pack(DEVICE), lwm2m_cbor.pack([((3, 0, 0), None), ((1,), None)])]
    hammer(corpus + hexes("a3820300a209010002830301050483040000f5", "bf9f0d181a01ff182aff"), 24, read)


def test_lwm2m_json():
    def read(data):
        records = lwm2m_json.unpack(data, (3,), _kinds)
        assert all([path[0] == 3 and 2 < len(path) < 5 for path, _ in records])
        packed = lwm2m_json.pack(records, (3,))
        assert lwm2m_json.pack(lwm2m_json.unpack(packed, (3,), _kinds), (3,)) == packed

    hammer([TEXT, b'{"e":[{"n":"0/1/2","v":-1e3},{"n":"0/7/65535","ov":"1:2"}],"bt":5}'], 25, read)
