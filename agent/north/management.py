"""Device management: what a registrar asks of the object tree, over CoAP. Loaded for each request, and dropped; what is
seldom asked is in files of its own.

Source: LwM2M 1.1 Core 6.3, Transport 6.4.4.
"""

from ..codec import coap
from ..engine.objects import spelled
from ..errors import LocalError, RemoteError
from ..overlay import drop

_LINK_FORMAT = 40


def handle(north, request, account, now):
    """Answers a request of the registrar, whose Account it is, and tells who observes it what was changed."""
    if request.path[:1] == ("policy",) and north.policing:
        from . import pushing

        return pushing.handle(north, request, now)
    options, changed, paths = (), (), ()
    try:
        path = _content().path(request.path)
        if request.query and request.observe == 0:  # attributes of this observation (1.2 Core 6.4.1)
            from ..engine import attributes

            attributes.check(attributes.merged({}, request.query, 4, None))
        if request.code in (coap.FETCH, coap.IPATCH):
            from . import composing

            code, payload, format, options, changed, paths = composing.answer(north, request, account)
        else:
            code, payload, format, options, changed = _done(north, request, account, path, now)
            paths = [path]
    except (RemoteError, LocalError) as e:
        code, payload, format = _content().refusal(e)
    if format == _LINK_FORMAT:
        request.observe = None
    north.exchange.respond(request, code, now, payload, format, options)
    if request.observer:
        if not north.observing:
            from .observing import Observing

            north.observing = Observing(north)
        north.observing.register(request, account, paths, format, now)
    for path in changed:
        north.changed(path, now)


def _done(north, request, account, path, now):
    if path and _content().ACCESS in north.objects.ids():
        from .access import check

        check(north.objects, account.ssid, request, path)
    if request.block1 and request.path in north.exchange.piecemeal:
        from . import objects_firmware

        code = objects_firmware.push(north.exchange.piecemeal[request.path], request, now)
        return code, b"", None, (), ()
    return _reaction(request, path)(north, request, account, path)


def _reaction(request, path):
    """What does it: -> (code, payload, format, options, [path changed]). RemoteError 4.04 or 4.05."""
    code, depth = request.code, len(path)
    if not path:
        raise RemoteError("there is nothing at /", coap.NOT_FOUND)
    if code == coap.GET:
        return _attributes if request.accept == _LINK_FORMAT else _read
    if code == coap.PUT and request.query and not request.payload:
        return _attributes
    if code == coap.PUT and depth > 1:
        return _write
    if code == coap.POST and depth in (2, 3):
        return _write if depth == 2 or request.format is not None else _execute
    if code == coap.DELETE or (code == coap.POST and depth == 1):
        return _come_or_go
    raise RemoteError("not to be done with %s" % spelled(path), coap.NOT_ALLOWED)


def _read(north, request, account, path):
    content = _content()
    objects, out = content.visible(north.objects, account.ssid), north.exchange.room()
    code, payload, format = content.answer(objects, path, request.accept, out)
    return code, payload, format, (), ()


def _content():
    """Held on to by nobody: a write needs the room when it has been read."""
    from . import content

    return content


def _attributes(north, request, account, path):
    from . import attributing

    return (attributing.discover if request.code == coap.GET else attributing.attach)(north, request, account, path)


def _write(north, request, account, path):
    """PUT replaces, POST adds to what is there (Core 6.3.3); to a resource that can be executed it does that."""
    objects = north.objects
    if request.code == coap.POST and len(path) == 3:
        from ..engine.tree_rows import resources

        row = resources(path, objects.at(path)[0])[0]
        if "E" in row[1] or "*" not in row[1]:
            return _execute(north, request, account, path)
    values = _read_in(objects, request, path)
    drop("north.content", "codec.cbor_reading", "codec.senml_reading")
    from ..engine.tree_writing import write

    return coap.CHANGED, b"", None, (), write(objects, values, path, request.code == coap.PUT)


def _read_in(objects, request, path):
    from ..engine.tree_rows import kind

    return _content().decode(path, lambda where: kind(objects, where), request.format, request.payload)


def _execute(north, request, _account, path):
    if request.format:  # text, or none
        raise RemoteError("arguments are text, not format %d" % request.format, coap.UNSUPPORTED)
    from ..engine.tree_executing import execute

    execute(north.objects, path, request.payload)
    return coap.CHANGED, b"", None, (), ()


def _come_or_go(north, request, account, path):
    from . import creating

    return creating.answer(north, request, account, path)
