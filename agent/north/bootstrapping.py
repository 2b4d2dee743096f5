"""The bootstrap interface over CoAP: what the agent asks a bootstrap server for, and what that one may do inside a
bootstrap. Loaded when needed, and dropped.

Source: OMA LwM2M 1.1 Core 6.1 and Transport 6.4.2, 1.2 Core 6.1.7.8 (Bootstrap-Pack).
"""

from ..codec import coap
from ..engine.kinds import checked
from ..engine.objects import spelled
from ..errors import RemoteError
from . import content
from .media import SENML_CBOR
from .objects_account import kind, multiple


def request(exchange, peer, endpoint, now):
    """Bootstrap-Request. -> its handle."""
    return exchange.request(peer, coap.POST, ("bs",), now, query=("ep=" + endpoint, "pct=%d" % SENML_CBOR))


def fetch(exchange, peer, endpoint, now):
    """Bootstrap-Pack-Request: everything in one answer. -> its handle."""
    return exchange.request(peer, coap.GET, ("bspack",), now, query=("ep=" + endpoint,), accept=SENML_CBOR)


def packed(response):
    """-> [(path, value)] of the answer to fetch(); None when the server has no pack, or one that is unreadable."""
    if response.code != coap.CONTENT:
        return None
    try:
        return configuration((), response.format, response.payload)
    except RemoteError:
        return None


def handle(north, request, bootstrap, now):
    """Do what the bootstrap server asks, and say how it went."""
    payload, format = b"", None
    try:
        if request.code == coap.GET:
            from . import bootstrap_views

            code = coap.CONTENT
            payload, format = bootstrap_views.view(bootstrap.staged, north.objects, request, north.exchange.room())
        else:
            code = _change(bootstrap, request, now)
    except RemoteError as e:
        code = e.args[1] if len(e.args) > 1 else coap.BAD_REQUEST
        payload = e.args[0].encode()
    north.exchange.respond(request, code, now, payload, format)


def _change(bootstrap, request, now):
    if request.code == coap.POST and request.path == ("bs",):
        bootstrap.finish(now)
        return coap.CHANGED
    path = content.path(request.path)
    if request.code == coap.DELETE:
        bootstrap.delete(path, now)
        return coap.DELETED
    if request.code != coap.PUT or not 1 <= len(path) <= 3:
        raise RemoteError("a bootstrap takes GET, PUT, DELETE and POST /bs", coap.NOT_ALLOWED)
    bootstrap.write(path, configuration(path, request.format, request.payload), now)
    return coap.CHANGED


def configuration(target, format, payload):
    """-> [(path, value)] of a bootstrap write, kinds checked; resources that we do not have are left out (1.1 Core
    6.1.7.5). The value of a multiple resource is {instance: value}."""
    found = {}
    for where, value in content.decode(target, kind, format, payload):
        if len(where) < 3:
            raise RemoteError("%s is no resource, so nothing can be written to it" % spelled(where))
        taken = kind(where)
        if taken is None:
            continue
        value, several, path = checked(where, taken, value), multiple(where), where[:3]
        if several != (len(where) == 4):
            raise RemoteError("%s: has it several instances? %s" % (spelled(path), several))
        if several:
            found.setdefault(path, {})[where[3]] = value
        else:
            found[path] = value
    return sorted(found.items())
