"""Scenarios of devices that start, or come back, while something is wrong with their links: the trap of other products,
which then wait for somebody to drive there."""

from steps import quiet_end, registered, with_gateway
from world import MINUTE, SECOND

_PROBING = {"probe_ms": 2000}


def _off(stage):
    """Power goes, for the modem too; it will be back within 8 s."""
    stage.run(MINUTE)
    stage.device.power_cut()


def without_cable(seed, tell=None):
    """W3: it starts while the cable is out, and moves over when it is there."""
    stage = with_gateway(seed, tell)
    _off(stage)
    stage.device.set_cable(False)
    registered(stage, "platform")
    stage.run(5 * MINUTE)
    stage.device.set_cable(True)
    registered(stage, "gateway")
    return quiet_end(stage)


def with_no_way_out(seed, tell=None):
    """W3: neither link is there at the start; whichever comes first is taken."""
    stage = with_gateway(seed, tell)
    for way, registrar in (("modem", "platform"), ("cable", "gateway")):
        _off(stage)
        stage.device.set_cable(False)
        stage.device.modem.set_coverage(False)
        stage.run(30 * MINUTE)
        assert stage.registrar() is None
        if way == "modem":
            stage.device.modem.set_coverage(True)
        else:
            stage.device.set_cable(True)
        registered(stage, registrar, 2 * MINUTE)
    return quiet_end(stage)


def with_both(seed, tell=None):
    """W1, W2: both links are there at the start; the preferred one is taken, and the other never registered over."""
    stage = with_gateway(seed, tell, standby="hot")
    for _ in range(3):
        _off(stage)
        stage.until(lambda: stage.device.powered, MINUTE)
        stage.until(lambda: stage.platform.direct("meter-1") is not None or stage.registrar() == "gateway", MINUTE)
        assert stage.platform.direct("meter-1") is None
        stage.run(MINUTE)
        assert stage.device.agent.modem.state == "connected" and stage.registrar() == "gateway"
    return quiet_end(stage)


def behind_a_dead_path(seed, tell=None):
    """W3: at the start the cable has carrier, and leads nowhere."""
    stage = with_gateway(seed, tell, **_PROBING)
    _off(stage)
    stage.device.eth.loss = 1000
    registered(stage, "platform", 90 * SECOND)
    stage.run(5 * MINUTE)
    stage.device.eth.loss = 0
    registered(stage, "gateway", 11 * MINUTE)
    return quiet_end(stage)


def with_another_address(seed, tell=None):
    """W2: the network comes back with another address; the registrar that was left, or lost, is reached from there."""
    stage = with_gateway(seed, tell)
    stage.run(MINUTE)
    stage.device.set_cable(False)
    registered(stage, "platform")
    stage.device.readdress("10.0.0.201")
    stage.device.set_cable(True)
    registered(stage, "gateway")
    assert stage.gateway.live("meter-1").peer[1] == "10.0.0.201"
    stage.device.modem.set_coverage(False)
    stage.device.set_cable(False)
    stage.run(2 * MINUTE)
    stage.device.readdress("10.0.0.202")
    stage.device.set_cable(True)
    stage.until(lambda: stage.gateway.live("meter-1").peer[1] == "10.0.0.202", MINUTE)
    stage.device.modem.set_coverage(True)
    stage.device.readdress("10.0.0.203")  # while it is up
    stage.until(lambda: stage.gateway.live("meter-1").peer[1] == "10.0.0.203", MINUTE)
    assert stage.platform.direct("meter-1") is None
    return quiet_end(stage)
