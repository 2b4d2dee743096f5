"""Device management: what a registrar asks of the object tree, over CoAP. Loaded for each request, and dropped.

Source: LwM2M 1.1 Core 6.3, Transport 6.4.4.
"""

from ..codec import coap
from ..engine import tree_reading, tree_writing
from ..engine.objects import spelled
from ..errors import RemoteError
from . import content

_LINK_FORMAT = 40


def handle(north, request, now):
    """Answers a request of the registrar."""
    try:
        code, payload, format = _manage(north.objects, request)
    except RemoteError as e:
        code, payload, format = refusal(e)
    north.exchange.respond(request, code, now, payload, format)
    if request.observe == 0 and code == coap.CONTENT:
        for observer, peer, path in north.exchange.observed(request.path):
            if peer == request.peer and path == request.path:
                north.formats[observer] = request.accept


def refusal(error):
    """A RemoteError as (code, diagnostic text, no format); 4.00 where it names no code."""
    return error.args[1] if len(error.args) > 1 else coap.BAD_REQUEST, error.args[0].encode(), None


def _manage(objects, request):
    path = content.path(request.path)
    if not path or request.code not in (coap.GET, coap.PUT, coap.POST):
        raise RemoteError("nothing to do at %s" % spelled(path), coap.NOT_ALLOWED if path else coap.NOT_FOUND)
    if request.code == coap.GET and request.accept == _LINK_FORMAT:
        from ..codec import linkformat

        links = [(spelled(item), []) for item, _ in tree_reading.discover(objects, path)]
        return coap.CONTENT, linkformat.encode(links).encode(), _LINK_FORMAT
    if request.code == coap.GET:
        return content.answer(objects, path, request.accept)
    if request.code == coap.POST and len(path) == 3:
        tree_writing.execute(objects, path, request.payload)
    elif len(path) in (2, 3):
        kind = lambda where: tree_reading.kind(objects, where)
        tree_writing.write(objects, content.decode(path, kind, request.format, request.payload))
    else:
        raise RemoteError("%s cannot be created or written whole" % spelled(path), coap.NOT_ALLOWED)
    return coap.CHANGED, b"", None
