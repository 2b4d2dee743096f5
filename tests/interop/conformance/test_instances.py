"""`pointsman agent` and a standard LwM2M 1.1 server: instances that the server creates and deletes, of the one object
of the agent that has such (16, the portfolio)."""

import pytest
from aiocoap.numbers.codes import Code
from lwm2m_values import SENML, packed


@pytest.fixture(scope="module")
def options():
    return {"options": ["--set", "portfolio=on"]}


def created(device, name):
    """An instance with one identity, by an id of the server's choice."""
    with device.once_more("update"):
        assert device.post("/16", packed(SENML, {f"/16/{name}/0/0": "host"}), SENML) == Code.CREATED
    return f"/16/{name}"


def test_create_and_delete(device):
    """LwM2M 1.1 Core 6.3.6, 6.3.7: and the server hears of it in an Update."""
    path = created(device, 5)
    device.becomes(lambda: path in device.client.links)
    assert device.read(path) == {path + "/0/0": "host"}
    assert device.post("/16", packed(SENML, {path + "/0/0": "host"}), SENML) == Code.BAD_REQUEST  # is there
    found = device.ask(Code.POST, "/16", b"\x85\x00\x43\x00abc", 11542)  # without an id, in TLV
    assert found.code == Code.CREATED and device.read("/16/0") == {"/16/0/0/0": "abc"}
    for path in ("/16/0", "/16/5"):
        with device.once_more("update"):
            assert device.ask(Code.DELETE, path).code == Code.DELETED
        assert device.ask(Code.GET, path).code == Code.NOT_FOUND
        device.becomes(lambda path=path: path not in device.client.links)  # an Update may have told of the last one


def test_observe_composite_and_instances(device):
    """LightweightM2M-1.1-int-308 Observe-Composite and Creating Object Instance; -int-309 Observe-Composite and
    Deleting Object Instance."""
    assert device.observe_composite(["/3/0/16", "/16"]) == {"/3/0/16": "U"}
    path = created(device, 7)
    device.becomes(lambda: device.notified("/")[-1:] == [{"/3/0/16": "U", path + "/0/0": "host"}])
    assert device.ask(Code.DELETE, path).code == Code.DELETED
    device.becomes(lambda: device.notified("/")[-1:] == [{"/3/0/16": "U"}])
