"""`pointsman agent` and a bootstrap server with Bootstrap-Pack (LwM2M 1.2 Core 6.1.7.8)."""

import pytest
from aiocoap import Message
from aiocoap.numbers.codes import Code
from lwm2m_device import NAME
from lwm2m_server import parameters
from lwm2m_values import SENML, packed


@pytest.fixture(scope="module")
def options():
    return {"bootstrap": True, "options": ["--set", "bootstrap_pack=on", "--set", "retry_max_ms=1000"]}


def contents(server, lifetime):
    return {"/0/3/0": server.uri, "/0/3/1": False, "/0/3/2": 3, "/0/3/10": 7,
            "/1/3/0": 7, "/1/3/1": lifetime, "/1/3/6": True, "/1/3/7": "U"}  # fmt: skip


@pytest.fixture(scope="module")
def pack(prepared):
    """What the bootstrap server has for those who ask for everything at once: {path: value}, or nothing."""
    offered, server, ordinary = {}, prepared.bs, prepared.bs.obey

    def obey(request):
        if request.opt.uri_path != ("bspack",):
            return ordinary(request)
        server.log.append(("pack", parameters(request)["ep"], request.opt.accept))
        if not offered:
            return Message(code=Code.NOT_FOUND)
        return Message(code=Code.CONTENT, payload=packed(SENML, offered), content_format=SENML)

    server.obey = obey
    return offered


def test_a_pack_is_all_that_is_needed(prepared, pack):
    """One question, one answer; no Bootstrap-Request, no Finish."""
    pack.update(contents(prepared.server, 60))
    prepared.start()
    assert prepared.bs.log == [("pack", NAME, SENML)]
    assert prepared.account == "/1/3" and prepared.read("/1/3")["/1/3/0"] == 7


def test_without_a_pack_it_asks_as_ever(prepared, pack):
    """4.04: the server has none. Bootstrap-Request follows, at the server's word (Execute /1/x/9)."""
    values = contents(prepared.server, 70)
    pack.clear()
    steps = [{path: value for path, value in values.items() if path.startswith(start)} for start in ("/0/", "/1/")]
    prepared.bs.steps = [(Code.PUT, next(iter(one))[:4], packed(SENML, one), SENML) for one in steps]
    prepared.bs.steps.append((Code.POST, "/bs", b"", None))
    with prepared.once_more("request"), prepared.once_more("register"):
        assert prepared.post(prepared.account + "/9") == Code.CHANGED
    assert [kind for kind, *_ in prepared.bs.log] == ["pack", "pack", "request"]
    assert prepared.client.lifetime == 70
