"""What a bootstrap server asks inside a bootstrap, over CoAP. Loaded for each request, and dropped.

Source: LwM2M 1.1 Core 6.1.7, Transport 6.4.2.
"""

from ..codec import coap
from ..engine.tree_writing import checked
from ..errors import RemoteError
from . import content
from .objects_account import kind


def handle(north, request, bootstrap, now):
    """Answers a request of the bootstrap server."""
    try:
        code = _configure(request, bootstrap, now)
        payload = b""
    except RemoteError as e:
        code = e.args[1] if len(e.args) > 1 else coap.BAD_REQUEST
        payload = e.args[0].encode()
    north.exchange.respond(request, code, now, payload)


def _configure(request, bootstrap, now):
    if request.code == coap.POST and request.path == ("bs",):
        bootstrap.finish(now)
        return coap.CHANGED
    path = content.path(request.path)
    if request.code == coap.DELETE:
        bootstrap.delete(path, now)
        return coap.DELETED
    if request.code != coap.PUT or not 1 <= len(path) <= 3:
        raise RemoteError("a bootstrap takes PUT, DELETE and POST /bs", coap.NOT_ALLOWED)
    bootstrap.write(path, configuration(path, request.format, request.payload), now)
    return coap.CHANGED


def configuration(target, format, payload):
    """-> [(path, value)] of a bootstrap write, kinds checked; resources that we do not have are left out (1.1 Core
    6.1.7.3)."""
    found = []
    for where, value in content.decode(target, kind, format, payload):
        taken = kind(where) if len(where) == 3 else None
        if taken is not None:
            found.append((where, checked(where, taken, value)))
    return found
