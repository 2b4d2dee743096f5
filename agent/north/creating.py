"""Create and Delete over CoAP (LwM2M 1.1 Transport 6.4.4). Loaded for such a request, and dropped."""

from ..codec import coap
from ..engine import tree_creating, tree_rows
from . import content

_TLV = 11542


def answer(north, request, account, path):
    """-> (code, payload, format, options, [path changed])."""
    code, options = coap.DELETED, ()
    if request.code == coap.POST:
        code = coap.CREATED
        path, options = _create(north.objects, path, request)
    else:
        tree_creating.delete(north.objects, path)
    if len(path) == 2:
        north.relisted = True
        _follow(north, account, path, code)
    return code, b"", None, options, (path[:3],)


def _follow(north, account, path, code):
    """Rights come with an instance and go with it, and attributes go with it."""
    if content.ACCESS in north.objects.ids():
        from . import access

        access.came(north.objects, account.ssid, path) if code == coap.CREATED else access.went(north.objects, path)
    if code == coap.DELETED and north.store.get("attributes"):
        from .attributing import detach

        detach(north, path)


def _create(objects, path, request):
    """-> (the instance created, the options that tell its id where the server may not know it)."""
    free = path + (tree_creating.free(objects, path[0]),)
    head = _head(request) if request.format == _TLV else None
    base = free if request.format == _TLV and head is None else path
    values = ()
    if request.payload:
        values = content.decode(base, lambda where: tree_rows.kind(objects, where), request.format, request.payload)
    named = path + (head,) if head is not None else free
    if values:
        named = values[0][0][:2]
    tree_creating.create(objects, named, values)
    return named, [(coap.LOCATION_PATH, b"%d" % part) for part in named] if named == free else ()


def _head(request):
    """The id of the object instance that TLV begins with (LwM2M 1.1 Core 7.4.4), None where it begins with a resource:
    then the id is ours to choose."""
    payload = request.payload
    wide = 1 + (payload[0] >> 5 & 1) if payload else 0
    if not payload or payload[0] >> 6:
        return None
    return int.from_bytes(payload[1 : 1 + wide], "big")
