"""What the device measures, as IPSO objects: 3331 energy is its meter, the others are there where the board says so.

Source: OMA registry, versions 1.0. Units are those of the registry and of SenML (RFC 8428 12.1).
"""

from ..errors import RemoteError

_ENERGY, _MEASUREMENT = 3331, 3305
_VALUE, _UNIT, _TOTAL = 5700, 5701, 5805
_UNAVAILABLE = 163  # 5.03

# 3303 temperature, 3304 humidity, 3316 voltage, 3317 current, 3328 power, 3331 energy
# id operations kind
SENSOR = """
5700 R float
5701 R str
"""
MEASUREMENT = """
5800 R float
5805 R float
"""


def enter(agent, objects):
    """Put them into the tree of objects."""

    def energy(_instance, rid):
        return agent.resources.meter if rid == _VALUE else "Wh"

    def sensor(oid):
        return lambda _instance, rid: sensors[oid] if rid == _UNIT else _sensed(agent, oid)

    def measurement(_instance, rid):
        return agent.resources.meter if rid == _TOTAL else _sensed(agent, _MEASUREMENT)

    sensors = getattr(agent.board, "sensors", None) or {}
    objects.add(_ENERGY, SENSOR, energy)
    for oid in sensors:
        if oid == _MEASUREMENT:
            objects.add(oid, MEASUREMENT, measurement)
        else:
            objects.add(oid, SENSOR, sensor(oid))


def _sensed(agent, oid):
    try:
        return agent.board.sense(oid)
    except (OSError, ValueError) as e:
        raise RemoteError("sensor %d gives nothing now: %s" % (oid, e), _UNAVAILABLE)
