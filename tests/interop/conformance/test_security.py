"""`pointsman agent`, a bootstrap server and a server, protected by others' OSCORE (aiocoap) and DTLS (OpenSSL)."""

import pytest
from aiocoap.numbers.codes import Code
from lwm2m_device import GIVEN, NAME
from lwm2m_security import is_protected
from lwm2m_values import JSON, SENML, packed


@pytest.fixture(scope="module", params=["dtls", "oscore"])
def security(request):
    return request.param


@pytest.fixture(scope="module")
def options(security):
    return {"security": security, "bootstrap": True}


def account(security, uri):
    """The writes of a server's account with the GIVEN keys."""
    secured = {2: 0, 3: GIVEN.client, 5: GIVEN.secret} if security == "dtls" else {2: 3, 17: (21, 1)}
    yield 0, {0: uri, 1: False, 10: 101, **secured}
    if security == "oscore":
        yield 21, {0: GIVEN.secret, 1: GIVEN.client, 2: GIVEN.server, 3: 10, 5: GIVEN.salt}
    yield 1, {0: 101, 1: 60, 6: True, 7: "U"}


def test_bootstrap_and_registration(prepared, security):
    """LightweightM2M-1.1-int-1 Client Initiated Bootstrap Full (PSK), and the same with OSCORE (1.2 Core 5.2.8): the
    device's own key serves for the bootstrap, and the one that it is given there for the registration."""
    device = prepared
    device.bs.steps = [(Code.DELETE, "/", b"", None)]
    for oid, values in account(security, device.server.uri):
        payload = packed(SENML, {f"/{oid}/1/{rid}": value for rid, value in values.items()})
        device.bs.steps.append((Code.PUT, f"/{oid}/1", payload, SENML))
    device.bs.steps.append((Code.POST, "/bs", b"", None))
    device.start()
    assert device.count("request") == 1 and device.server.log[0][2]["lt"] == "60"
    assert set(device.answers) == {Code.DELETED, Code.CHANGED}
    for server in device.servers:
        assert is_protected(server.remote if server is device.bs else device.client.remote) == (security == "oscore")


def test_operations_under_protection(prepared):
    """LightweightM2M-1.1-int-401 UDP Channel Security - Pre-shared Key Mode; and OSCORE."""
    device = prepared
    assert device.read("/1/1")["/1/1/0"] == 101
    with device.once_more("update"):
        assert device.put("/1/1/1", b"70") == Code.CHANGED
    path = "/1/1/1"
    assert device.observe(path) == {path: 70}
    assert device.put(path, b"80") == Code.CHANGED
    device.becomes(lambda: device.notified(path)[-1:] == [{path: 80}])
    device.cancel(path)
    whole = device.fetch(["/"], JSON)
    assert len(str(whole)) > 256 and whole["/1/1/0"] == 101  # that is more than one block
    for path in ("/0", "/0/1/5", "/21", "/21/1/0"):
        assert device.get(path).code in (Code.UNAUTHORIZED, Code.NOT_FOUND), path


def test_another_start(prepared):
    """LightweightM2M-1.1-int-401: the keys are in the store; it de-registers and registers under them."""
    device = prepared
    with device.once_more("deregister"):
        assert device.end() == 0
    device.start()
    assert device.count("request") == 1 and device.server.log[-1][1] == NAME
    assert device.read("/3/0/16") == {"/3/0/16": "U"}
