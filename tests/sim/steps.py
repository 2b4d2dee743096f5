"""What scenarios begin and end with."""

from stage import Stage
from world import MINUTE


def registered(stage, name, limit=MINUTE):
    """Until the device is registered with `name` in its own eyes and in theirs; -> how long that took (ms)."""
    servers = {"gateway": stage.gateway.live, "platform": stage.platform.direct}
    return stage.until(
        lambda: stage.registrar() == name and servers[name](stage.device.name) is not None, limit
    )


def with_gateway(seed, tell, **changed):
    """A new device that has found its way to the gateway."""
    stage = Stage(seed, 1, tell, **changed)
    stage.power_on()
    registered(stage, "gateway")
    return stage


def quiet_end(stage):
    """No faults any more: in the end nothing is lost and nothing is there twice."""
    stage.calm()
    stage.run(25 * MINUTE)
    stage.settled()
    return stage
