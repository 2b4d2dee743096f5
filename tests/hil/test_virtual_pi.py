"""The installed agent on a virtual Raspberry Pi: Debian's kernel and pppd, a USB modem, a cable, a disk; judged by the
servers' own books (W1-W4). See virtual_pi.py for the drawing.
"""

import statistics
import time

import pytest
from needs import missing
from virtual_pi import DIAL_MS, VirtualPi

REASON = "; ".join(missing())
pytestmark = [pytest.mark.hil, pytest.mark.skipif(bool(REASON), reason=REASON)]
FAILOVER_MS = 2000  # what was promised, beyond the modem's own dialling


@pytest.fixture
def pi():
    with VirtualPi() as made:
        yield made


def test_the_cable_is_pulled_and_put_back(pi, capsys):
    """W3: fail-over to PPP by the kernel and pppd, and back, with no reading lost; three times."""
    pi.started()
    delays, dialled = [], len(pi.entries("modem", "connected"))  # a slow start may have dialled before the cable was up
    for _ in range(3):
        at = pi.guest.cable(False)
        delays.append((pi.registered_at("platform", at) - at) * 1000 - DIAL_MS)
        pi.readings()
        pi.registered_at("gw-1", pi.guest.cable(True))
        pi.readings()
    pi.holds()
    assert pi.bootstraps() == 1 and len(pi.direct()) == 7 and len(pi.entries("modem", "connected")) == dialled + 3
    with capsys.disabled():
        print("  [fail-over to PPP, beyond the %d ms of dialling: %s ms]" % (
            DIAL_MS, ", ".join("%.0f" % delay for delay in delays)), end=" ")  # fmt: skip
    assert statistics.median(delays) <= FAILOVER_MS


def test_the_modem_is_unplugged_and_plugged_in_again(pi):
    """Idle, and in the midst of a data call; the same agent goes on with it."""
    pi.started()
    pi.unplug()
    pi.until(lambda: pi.guest.ask("test -e /dev/ttyUSB0")[0], "end of the port")
    pi.readings()
    pi.plug()
    pi.registered_at("platform", pi.guest.cable(False))
    pi.readings()
    pi.unplug()
    pi.until(lambda: pi.entries("links", "down")[-1]["link"] == "lte", "word of the lost data call")
    since = time.time()
    pi.plug()
    pi.registered_at("platform", since)
    pi.registered_at("gw-1", pi.guest.cable(True))
    pi.holds()
    assert pi.bootstraps() == 1 and len(pi.entries("agent", "started")) == 1


def test_the_power_is_cut(pi):
    """In the midst of reporting, of dialling, and of a data call; back each time as who it was, with all it had."""
    pi.started()
    for moment in ("reporting", "connecting", "connected"):
        if moment != "reporting":
            pi.guest.cable(False)
            pi.until(lambda moment=moment: pi.entries("modem", moment), moment)
        else:
            pi.readings(1)
        epoch = pi.direct()[-1].epoch
        pi.power_cut()
        since = time.time()
        pi.power_on()
        pi.registered_at("gw-1", since)
        assert pi.direct()[-1].epoch > epoch
        pi.until(lambda: pi.entries("modem", "registered"), "modem that is ready")
        pi.holds()
    assert pi.bootstraps() == 1
    assert {row.endpoint for row in pi.books.registrations()} == {pi.endpoint}


def test_power_comes_back_without_the_cable(pi):
    """The trap of other products: it starts while the cable is out, and is never seen again."""
    pi.started()
    pi.power_cut()
    since = time.time()
    pi.power_on(cable=False)
    pi.registered_at("platform", since)
    pi.readings()
    pi.registered_at("gw-1", pi.guest.cable(True))
    pi.holds()
    assert pi.bootstraps() == 1


def test_the_agent_is_killed(pi):
    """firmware/start.sh starts it again; it gets the modem back from the middle of a data call."""
    pi.started()
    pi.registered_at("platform", pi.guest.cable(False))
    pi.readings()
    since = time.time()
    assert pi.guest.ask("kill -9 $(pidof python3)")[0] == 0
    pi.registered_at("platform", since)
    pi.registered_at("gw-1", pi.guest.cable(True))
    pi.holds()
    assert pi.bootstraps() == 1 and len(pi.entries("agent", "started")) == 2
