"""LwM2M JSON (LwM2M 1.0 6.4.4): what servers that began with 1.0 ask for."""

from agent.codec import lwm2m_json
from agent.errors import LocalError, RemoteError

DEVICE = [((3, 0, 0), "maker"), ((3, 0, 6, 0), 1), ((3, 0, 6, 1), 5), ((3, 0, 11), True), ((3, 0, 13), b"\xff\x00")]
TEXT = b'{"bn":"/3/0/","e":[{"n":"0","sv":"maker"},{"n":"6/0","v":1},{"n":"6/1","v":5},{"n":"11","bv":true},'
TEXT += b'{"n":"13","sv":"/wA="}]}'


def kinds(path):
    return "opaque" if path[2] == 13 else "float"


def refused(data, base=(3, 0)):
    try:
        lwm2m_json.unpack(data, base, kinds)
    except RemoteError:
        return
    raise AssertionError("accepted %r" % data)


def test_there_and_back():
    assert lwm2m_json.pack(DEVICE, (3, 0)) == TEXT
    assert lwm2m_json.unpack(TEXT, (3, 0), kinds) == DEVICE
    assert lwm2m_json.pack([], (3, 0)) == b'{"bn":"/3/0","e":[]}'


def test_one_resource():
    text = b'{"bn":"/1/0/1","e":[{"v":60}]}'
    assert lwm2m_json.pack([((1, 0, 1), 60)], (1, 0, 1)) == text
    assert lwm2m_json.unpack(text, (1, 0, 1), kinds) == [((1, 0, 1), 60)]
    assert lwm2m_json.unpack(b'{"e":[{"n":"","v":60}]}', (1, 0, 1), kinds) == [((1, 0, 1), 60)]
    assert lwm2m_json.unpack(b'{"e":[{"n":"1","v":0.5}]}', (1, 0), kinds) == [((1, 0, 1), 0.5)]


def test_links():
    text = b'{"bn":"/10/0/","e":[{"n":"11/0","ov":"11:0"}]}'
    assert lwm2m_json.pack([((10, 0, 11, 0), (11, 0))], (10, 0)) == text
    assert lwm2m_json.unpack(text, (10,), kinds) == [((10, 0, 11, 0), "11:0")]


def test_what_is_refused():
    for data in (b"", b"[]", b"{}", b'{"e":{}}', b'{"e":[1]}', b'{"e":[{"n":1,"v":1}]}', b'{"e":[{"n":"1"}]}',
                 b'{"e":[{"n":"1","v":"1"}]}', b'{"e":[{"n":"1","v":true}]}', b'{"e":[{"n":"1","v":1,"sv":"1"}]}',
                 b'{"e":[{"n":"1","bv":1}]}', b'{"e":[{"n":"1","sv":1}]}', b'{"e":[{"n":"x","v":1}]}',
                 b'{"e":[{"n":"1","v":1},{"n":"1","v":2}]}', b'{"bn":"/4/0/","e":[{"n":"1","v":1}]}',
                 b'{"bn":1,"e":[{"n":"1","v":1}]}', b'{"bn":"/3/0/","e":[{"n":"1/2/3","v":1}]}',
                 b'{"e":[{"n":"65536","v":1}]}', b'{"e":[{"n":"13","sv":"A"}]}', b'{"e":[{"n":"13","v":1}]}',
                 b'{"e":[{"n":"1","sv":"\xff"}]}', b"[" * 600):  # fmt: skip
        refused(data)
    try:
        lwm2m_json.pack([((3, 0, 1), float("inf"))], (3, 0))
    except LocalError:
        return
    raise AssertionError
