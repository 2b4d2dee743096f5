"""Information reporting: the notifications to those who observe what an object tree holds (LwM2M 1.1 Core 6.4)."""

from ..codec import coap
from ..errors import RemoteError
from . import content


def changed(north, path, now):
    """Tells who observes `path`, or what holds it, what it is now."""
    for observer, _, observed in north.exchange.observed([str(part) for part in path]):
        try:
            code, payload, format = content.answer(north.objects, content.path(observed), north.formats.get(observer))
        except RemoteError:
            code, payload, format = coap.NOT_FOUND, b"", None
        north.exchange.notify(observer, code, payload, format, now)
