"""Object 5, firmware update (OMA LwM2M 1.1 Core E.6; registry, version 1.0): engine/firmware.py, as servers see it."""

from ..codec import coap
from ..engine.firmware import STATES
from ..errors import RemoteError
from .upgrading import firmware_of, update

_FIRMWARE, _PACKAGE, _URI = 5, 0, 1
_COAP, _BOTH = 0, 2  # /5/0/8, /5/0/9
_OPAQUE = (None, 42)

# id operations kind
TABLE = """
0 WL! opaque
1 RW! str
2 E -
3 R int
5 R int
6 R str
7 R str
8 R* int
9 R int
"""


def enter(agent, objects):
    """Put it into the tree of objects."""

    def read(_instance, rid):
        firmware = firmware_of(agent)
        if rid in (6, 7):
            return firmware.name[rid - 6] or None
        return {1: firmware.uri, 3: STATES.index(firmware.state), 5: firmware.result, 8: [_COAP], 9: _BOTH}[rid]

    def write(_instance, rid, value, really):
        """Empty, or a package of the one byte 0, cancels."""
        firmware = firmware_of(agent)
        if not value or (rid == _PACKAGE and value == b"\0"):
            if really or firmware.state == "updating":
                firmware.cancel()
        elif not really:
            firmware.may_begin()
        elif rid == _URI:
            firmware.fetch(value)
        else:
            firmware.push(0, False, len(value), value, 0)

    objects.add(_FIRMWARE, TABLE, read, write, lambda *_: update(agent))


def push(agent, request, now):
    """One block of a package -> the code of the answer. RemoteError where it is not taken."""
    if request.code != coap.PUT or request.format not in _OPAQUE:
        raise RemoteError("a package comes by PUT, as opaque (42)", coap.UNSUPPORTED)
    number, more, size = request.block1
    if more and len(request.payload) != size:
        raise RemoteError("a block of %d bytes that says it has %d" % (len(request.payload), size))
    firmware_of(agent).push(number * size, more, request.size1, request.payload, now)
    return coap.CONTINUE if more else coap.CHANGED
