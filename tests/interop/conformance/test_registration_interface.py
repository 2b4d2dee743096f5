"""`pointsman agent` and a standard LwM2M 1.1 server: the registration interface."""

import signal

import pytest
from aiocoap.numbers.codes import Code
from lwm2m_device import NAME


@pytest.fixture(scope="module")
def options():
    """An Update is due every 5 s, while the other tests go on."""
    return {"lifetime": 10, "options": ["--set", "report_period_s=1"]}


def test_initial_registration(device):
    """LightweightM2M-1.1-int-101 Initial Registration: the standard's words and none of ours, and the object links."""
    kind, endpoint, words = device.server.log[0]
    assert (kind, endpoint) == ("register", NAME)
    assert words == {"ep": NAME, "lt": "10", "lwm2m": "1.1"}
    links = device.client.links
    assert "/3/0" in links and device.account in links and "112" in links["/"]["ct"]
    assert not [path for path in links if path.startswith(("/0", "/21"))]


def test_registration_update(device):
    """LightweightM2M-1.1-int-102 Registration Update: one that the server asks for, and one that the lifetime does."""
    for _ in range(2):
        for lifetime in (11, 10):
            with device.once_more("update"):
                assert device.put(device.account + "/1", b"%d" % lifetime) == Code.CHANGED
            # What was awaited may have been the Update that was due.
            device.becomes(lambda lifetime=lifetime: device.client.lifetime == lifetime)
    with device.once_more("update"):
        pass
    assert device.server.log[-1] == ("update", NAME, {})
    assert device.count("register") == 1 and device.count("expired") == 0


def test_registration_update_trigger(device):
    """LightweightM2M-1.1-int-104 Registration Update Trigger."""
    with device.once_more("update"):
        assert device.post(device.account + "/8") == Code.CHANGED


def test_discarded_register_update(device):
    """LightweightM2M-1.1-int-105 Discarded Register Update: 4.04 to an Update makes the client register again."""
    account = device.account
    device.do(device.server.forget, NAME)
    with device.once_more("register"):
        assert device.post(account + "/8") == Code.CHANGED


def test_extending_the_lifetime(device):
    """LightweightM2M-1.1-int-107 Extending the lifetime of a registration: a write of /1/x/1, an Update with it."""
    path = device.account + "/1"
    with device.once_more("update"):
        assert device.put(path, b"120") == Code.CHANGED
    device.becomes(lambda: device.client.lifetime == 120)
    assert device.text(path) == "120"
    assert device.put(path, b"10") == Code.CHANGED
    device.becomes(lambda: device.client.lifetime == 10)


def test_queue_mode(device):
    """LightweightM2M-1.1-int-108 Turn on Queue Mode: it registers again, and says so."""
    with device.once_more("register"):
        assert device.put(device.account + "/7", b"UQ") == Code.CHANGED
    words = [words for kind, _, words in device.server.log if kind == "register"][-1]
    assert words.get("b", "U") == "U" and "Q" in words
    assert device.put(device.account + "/7", b"Z") == Code.BAD_REQUEST
    assert device.text(device.account + "/7") == "UQ"


def test_behaviour_in_queue_mode(device):
    """LightweightM2M-1.1-int-109 Behavior in Queue Mode: what the server held back is answered when the client was
    heard of; and it can be turned off."""
    device.server.held = [(Code.GET, "/3/0/16"), (Code.GET, device.account + "/1")]
    device.becomes(lambda: len(device.server.awake) == 2)
    assert [one.code for one in device.server.awake] == [Code.CONTENT] * 2
    with device.once_more("register"):
        assert device.put(device.account + "/7", b"U") == Code.CHANGED
    assert "Q" not in [words for kind, _, words in device.server.log if kind == "register"][-1]


def test_disable(device):
    """LightweightM2M-1.1-int-103 Deregistration, at the server's word (/1/x/4), for as long as it says (/1/x/5)."""
    assert device.put(device.account + "/5", b"1") == Code.CHANGED
    with device.once_more("register"), device.once_more("deregister"):
        assert device.post(device.account + "/4") == Code.CHANGED


@pytest.mark.parametrize("number", (signal.SIGINT, signal.SIGTERM))
def test_deregistration(device, number):
    """LightweightM2M-1.1-int-103 Deregistration, on either signal; started again, it registers."""
    with device.once_more("deregister"):
        assert device.end(number) == 0
    assert NAME not in device.server.clients
    device.start()
