"""`pointsman agent` and a standard LwM2M 1.1 server: queue mode."""

import pytest
from aiocoap.numbers.codes import Code
from lwm2m_device import NAME


@pytest.fixture(scope="module")
def options():
    """An Update is due every 5 s."""
    return {"lifetime": 10}


def words(device):
    """Those of the newest Register."""
    return next(found for kind, _, found in reversed(device.server.log) if kind == "register")


def test_turn_on_queue_mode(device):
    """LightweightM2M-1.1-int-108 Turn on Queue Mode: /1/x/7 is written; the client says with a new Register that it is
    in queue mode, whose word in 1.1 is Q. And off again."""
    assert "Q" not in words(device)
    for binding in (b"UQ", b"U", b"UQ"):
        with device.once_more("register"):
            assert device.put(device.account + "/7", binding) == Code.CHANGED
        assert words(device).get("b", "U") == "U" and ("Q" in words(device)) == (binding == b"UQ")
        assert device.text(device.account + "/7") == binding.decode()
    assert device.put(device.account + "/7", b"Z") == Code.BAD_REQUEST
    assert len(device.server.clients) == 1 and device.count("deregister") == 0


def test_behavior_in_queue_mode(device):
    """LightweightM2M-1.1-int-109 Behavior in Queue Mode: what the server kept is asked after the next Update, and
    answered."""
    with device.once_more("update"):
        pass
    assert device.server.log[-1] == ("update", NAME, {})
    assert device.read("/3/0/11") and device.put(device.account + "/1", b"12") == Code.CHANGED
    device.becomes(lambda: device.client.lifetime == 12)
    assert words(device).get("Q") == ""
