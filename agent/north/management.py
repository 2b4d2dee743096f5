"""Device management: what a registrar asks of the object tree, over CoAP. Loaded for each request, and dropped; what is
seldom asked is in files of its own.

Source: LwM2M 1.1 Core 6.3, Transport 6.4.4.
"""

from ..codec import coap
from ..engine import tree_reading, tree_writing
from ..engine.objects import spelled
from ..errors import RemoteError
from . import content

_LINK_FORMAT = 40


def handle(north, request, now):
    """Answers a request of the registrar, and tells who observes what it changed."""
    options, changed = (), ()
    try:
        path = content.path(request.path)
        code, payload, format, options, changed = _reaction(request, path)(north, request, path)
    except RemoteError as e:
        code, payload, format = refusal(e)
    north.exchange.respond(request, code, now, payload, format, options)
    if request.observe == 0 and code == coap.CONTENT:
        for observer, peer, path in north.exchange.observed(request.path):
            if peer == request.peer and path == request.path:
                north.formats[observer] = request.accept
    for path in changed:
        north.changed(path, now)


def refusal(error):
    """A RemoteError as (code, diagnostic text, no format); 4.00 where it names no code."""
    return error.args[1] if len(error.args) > 1 else coap.BAD_REQUEST, error.args[0].encode(), None


def _reaction(request, path):
    """What does it: -> (code, payload, format, options, [path changed]). RemoteError 4.04 or 4.05."""
    code, depth = request.code, len(path)
    if not path:
        raise RemoteError("there is nothing at /", coap.NOT_FOUND)
    if code == coap.GET:
        return _discover if request.accept == _LINK_FORMAT else _read
    if code == coap.PUT and depth > 1:
        return _write
    if code == coap.POST and depth in (2, 3):
        return _write if depth == 2 or request.format is not None else _execute
    if code == coap.DELETE or (code == coap.POST and depth == 1):
        return _come_or_go
    raise RemoteError("not to be done with %s" % spelled(path), coap.NOT_ALLOWED)


def _read(north, request, path):
    code, payload, format = content.answer(north.objects, path, request.accept)
    return code, payload, format, (), ()


def _discover(north, _request, path):
    from ..codec import linkformat

    links = [(spelled(item), []) for item, _ in tree_reading.discover(north.objects, path)]
    return coap.CONTENT, linkformat.encode(links).encode(), _LINK_FORMAT, (), ()


def _write(north, request, path):
    """PUT replaces, POST adds to what is there (Core 6.3.3); to a resource that can be executed it does that."""
    objects = north.objects
    if request.code == coap.POST and len(path) == 3:
        row = tree_reading.resources(path, objects.at(path)[0])[0]
        if "E" in row[1] or "*" not in row[1]:
            return _execute(north, request, path)
    values = content.decode(path, lambda where: tree_reading.kind(objects, where), request.format, request.payload)
    changed = tree_writing.write(objects, values, path, request.code == coap.PUT)
    return coap.CHANGED, b"", None, (), changed


def _execute(north, request, path):
    if request.format:  # text, or none
        raise RemoteError("arguments are text, not format %d" % request.format, coap.UNSUPPORTED)
    tree_writing.execute(north.objects, path, request.payload)
    return coap.CHANGED, b"", None, (), ()


def _come_or_go(north, request, path):
    from . import creating

    return creating.answer(north, request, path)
