"""`pointsman agent` and a standard LwM2M 1.1 server: observations and Send."""

import pytest
from aiocoap.numbers.codes import Code


@pytest.fixture(scope="module")
def options():
    return {"options": ["--set", "report_period_s=1"]}


def test_send(device):
    """LightweightM2M-1.1-int-306 Send Operation; -int-311 Send command: the readings come by themselves, each with its
    time, and nothing of ours towards a server that does not know it (W4)."""
    device.becomes(lambda: len(device.server.sent) > 1)
    assert all(path == "/3331/0/5700" and isinstance(value, int | float) and when > 1.7e9
               for _, path, value, when in device.server.sent)


def nothing_more(device, path):
    """Two more changes, and nobody hears of them; the second is waited for by what it is answered with."""
    before = len(device.server.notified)
    for lifetime in (b"90", b"60"):
        assert device.put(path, lifetime) == Code.CHANGED
        assert device.text(path) == lifetime.decode()
    assert len(device.server.notified) == before


def test_observe(device):
    """LightweightM2M-1.1-int-301 Observation and Notification of parameter values."""
    path = device.account + "/1"
    assert device.observe(path) == {path: 60}
    for lifetime in (70, 80):
        assert device.put(path, b"%d" % lifetime) == Code.CHANGED
        device.becomes(lambda lifetime=lifetime: device.notified(path)[-1:] == [{path: lifetime}])


def test_cancel_by_observe(device):
    """LightweightM2M-1.1-int-303 Cancel observations using Observe with Cancel parameter."""
    path = device.account + "/1"
    device.cancel(path)
    nothing_more(device, path)


def test_cancel_by_reset(device):
    """LightweightM2M-1.1-int-302 Cancel Observations using Reset Operation."""
    path = device.account + "/1"
    device.observe(path)
    device.cancel_by_reset(path)
    assert device.put(path, b"71") == Code.CHANGED  # notified, answered with Reset
    nothing_more(device, path)


def test_observe_the_meter(device):
    """LightweightM2M-1.1-int-301 with the value that the device measures."""
    path = "/3331/0/5700"
    assert path in device.observe(path)
    device.becomes(lambda: len(device.notified(path)) > 1)
    device.cancel(path)


def test_muting_send(device):
    """LightweightM2M-1.1-int-307 Muting Send (/1/x/23): nothing is sent while it holds, and nothing is lost by it."""
    path, mute = "/3331/0/5700", device.account + "/23"
    device.observe(path)

    def measured(times):
        seen = len(device.notified(path))
        device.becomes(lambda: len(device.notified(path)) >= seen + times)

    assert device.put(mute, b"1") == Code.CHANGED
    measured(1)
    before = len(device.server.sent)
    measured(2)
    assert len(device.server.sent) == before
    assert device.put(mute, b"0") == Code.CHANGED
    device.becomes(lambda: len(device.server.sent) >= before + 3)
    device.cancel(path)


def test_observe_a_setting(device):
    """LightweightM2M-1.1-int-301 with a setting that takes effect through the policies: the report period."""
    path = "/26242/0/1"
    assert device.observe(path) == {path: 1}
    assert device.put(path, b"2") == Code.CHANGED
    device.becomes(lambda: device.notified(path)[-1:] == [{path: 2}])
    assert device.put(path, b"1") == Code.CHANGED
    device.becomes(lambda: device.notified(path)[-1:] == [{path: 1}])
    device.cancel(path)
