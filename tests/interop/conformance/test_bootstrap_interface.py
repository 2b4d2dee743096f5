"""`pointsman agent`, a standard bootstrap server and a standard LwM2M 1.1 server: the bootstrap interface. The tests of
this file are one device's life, in their order."""

import signal

import pytest
from aiocoap.numbers.codes import Code
from lwm2m_device import NAME
from lwm2m_values import JSON, LINKS, SENML, TLV, links, packed

DELETE, FINISH = (Code.DELETE, "/", b"", None), (Code.POST, "/bs", b"", None)


@pytest.fixture(scope="module")
def options():
    return {"bootstrap": True, "options": ["--set", "retry_max_ms=1000"]}


def account(server, instance=1, lifetime=60, format=SENML):
    """The writes of a server's account."""
    security = {0: server.uri, 1: False, 2: 3, 10: 101}
    about = {0: 101, 1: lifetime, 6: True, 7: "U"}
    for oid, values in ((0, security), (1, about)):
        path = f"/{oid}/{instance}"
        yield Code.PUT, path, packed(format, {f"{path}/{rid}": value for rid, value in values.items()}), format


def again(device, code):
    """The server does not know the device any more and refuses it: it goes back to its bootstrap server (int-7)."""
    path = device.account
    device.server.refusing = code
    device.do(device.server.forget, NAME)
    with device.once_more("request"):
        assert device.post(path + "/8") == Code.CHANGED



def renewed(device, code=Code.FORBIDDEN):
    """The same, and it is wanted again."""
    again(device, code)
    device.server.refusing = None
    with device.once_more("register"):
        pass


def accounts(device):
    """The instances of the Server object."""
    return [path for path in device.client.links if path.startswith("/1/")]


def test_client_initiated_bootstrap(prepared):
    """LightweightM2M-1.1-int-0 Client Initiated Bootstrap, and the registration that it leads to (int-101)."""
    device = prepared
    device.bs.steps = [DELETE, *account(device.server), FINISH]
    device.start()
    kind, endpoint, words = device.bs.log[0]
    assert (kind, endpoint) == ("request", NAME) and set(words) <= {"ep", "pct"}
    assert device.answers == [Code.DELETED, Code.CHANGED, Code.CHANGED, Code.CHANGED]
    kind, endpoint, words = device.server.log[0]
    assert (kind, endpoint) == ("register", NAME)
    assert words == {"ep": NAME, "lt": "60", "lwm2m": "1.1"}
    assert device.account == "/1/1" and device.read("/1/1")["/1/1/0"] == 101


def test_bootstrap_sequence(prepared):
    """LightweightM2M-1.1-int-6 Bootstrap Sequence: with an account it registers, and asks no bootstrap server."""
    device, before = prepared, prepared.count("request")
    assert device.end(signal.SIGTERM) == 0
    device.start()
    assert device.count("request") == before and device.account == "/1/1"


@pytest.mark.parametrize("code", (Code.FORBIDDEN, Code.UNAUTHORIZED))
def test_fallback_to_bootstrap(prepared, code):
    """LightweightM2M-1.1-int-7 Fallback to bootstrap: refused by its server, it asks the bootstrap server."""
    device = prepared
    device.bs.steps = [*account(device.server, lifetime=70), FINISH]
    renewed(device, code)
    assert device.server.log[-1][2]["lt"] == "70"


def test_bootstrap_delete(prepared):
    """LightweightM2M-1.1-int-4 Bootstrap Delete: of an instance and of all; the bootstrap server's own account stays,
    so that the next fallback finds it."""
    device = prepared
    for deleted in ((Code.DELETE, "/1/1", b"", None), DELETE):
        device.bs.steps = [deleted, *account(device.server, instance=2 if deleted == DELETE else 1), FINISH]
        renewed(device)
        assert set(device.answers) == {Code.DELETED, Code.CHANGED}
    assert accounts(device) == ["/1/2"]


def test_configuration_consistency(prepared):
    """LightweightM2M-1.1-int-9 Bootstrap and Configuration Consistency: what does not fit together is refused at the
    Finish with 4.06 and changes nothing; what does is taken, in every format."""
    device = prepared
    security, _ = account(device.server, 3)
    device.bs.steps = [DELETE, security, FINISH]
    again(device, Code.FORBIDDEN)
    assert device.answers[-1] == Code.NOT_ACCEPTABLE
    device.server.refusing = None
    with device.once_more("register"):
        pass
    assert accounts(device) == ["/1/2"]  # as before
    for number, format in ((4, TLV), (5, JSON)):
        device.bs.steps = [DELETE, *account(device.server, number, format=format), FINISH]
        renewed(device)
        assert accounts(device) == [f"/1/{number}"]


def test_server_initiated_bootstrap(prepared):
    """LightweightM2M-1.1-int-5 Server Initiated Bootstrap: executed /1/x/9, it asks, and registers again."""
    device = prepared
    device.bs.steps = [DELETE, *account(device.server, 6, lifetime=80), FINISH]
    with device.once_more("register"), device.once_more("request"):
        assert device.post(device.account + "/9") == Code.CHANGED
    assert set(device.answers) == {Code.DELETED, Code.CHANGED}
    assert accounts(device) == ["/1/6"] and device.server.log[-1][2]["lt"] == "80"


def test_bootstrap_read(prepared):
    """LightweightM2M-1.1-int-8 Bootstrap Read: of the Server object, what was written in this bootstrap and before; and
    Bootstrap-Discover. Keys and addresses cannot be read."""
    device = prepared
    looks = [(Code.GET, "/", b"", LINKS), (Code.GET, "/1", b"", SENML), (Code.GET, "/1/6", b"", TLV)]
    device.bs.steps = [*looks, *account(device.server, 7), looks[0], (Code.GET, "/1/7", b"", SENML),
                       (Code.GET, "/0", b"", SENML), (Code.DELETE, "/0/6", b"", None), (Code.DELETE, "/1/6", b"", None),
                       FINISH]  # fmt: skip
    with device.once_more("register"):
        assert device.post(device.account + "/9") == Code.CHANGED
    assert device.answers[-1] == Code.CHANGED and accounts(device) == ["/1/7"]
    known, servers, alone, _, _, later, new, secret, *_ = device.bs.answers
    assert {"/0/6", "/1/6", "/3/0"} <= set(links(known.payload)) and "/1/7" not in links(known.payload)
    assert links(known.payload)["/0/6"]["ssid"] == "101" and "/0/7" in links(later.payload)
    assert servers.values["/1/6/1"] == 80 and alone.values["/1/6/0"] == 101
    assert new.values == {"/1/7/0": 101, "/1/7/1": 60, "/1/7/6": True, "/1/7/7": "U"}
    assert secret.code == Code.METHOD_NOT_ALLOWED
