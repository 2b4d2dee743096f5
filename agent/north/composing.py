"""Read-, Observe- and Write-Composite (LwM2M 1.1 Core 6.3.8 to 6.3.10; Transport: FETCH and iPATCH of RFC 8132). Loaded
for such a request, and while one observes so."""

from ..codec import coap, senml
from ..engine import tree_reading, tree_writing
from ..errors import RemoteError
from . import content

_SENML_JSON, _SENML_CBOR, _LWM2M_CBOR = 110, 112, 11544
_PATHS = 32


def answer(north, request, account):
    """-> (code, payload, format, options, [path changed], [path read])."""
    if request.path:
        raise RemoteError("FETCH and iPATCH go to /", coap.NOT_ALLOWED)
    records = _records(request)
    if request.code == coap.IPATCH:
        _check(north.objects, request, account, records)
        return coap.CHANGED, b"", None, (), tree_writing.write(north.objects, records), ()
    paths = [path for path, _ in records]
    if [value for _, value in records if value is not None]:
        raise RemoteError("to read takes paths without values")
    format = request.format if request.accept is None else request.accept
    if format not in (_SENML_JSON, _SENML_CBOR, _LWM2M_CBOR):
        raise RemoteError("several values cannot be had in format %d" % format, coap.NOT_ACCEPTABLE)
    found = values(content.visible(north.objects, account.ssid), paths)
    payload, format = content.encode((), found, format, None, north.exchange.room())
    return coap.CONTENT, payload, format, (), (), paths


def values(objects, paths):
    """-> [(path, value)] of all that can be read of `paths`: parts may be missing, but not all (1.1 Core 6.3.8)."""
    found = []
    for path in paths:
        for below in [path] if path else [(oid,) for oid in objects.ids()]:
            try:
                found += [item for item in tree_reading.read(objects, below) if item not in found]
            except RemoteError:
                pass
    if not found:
        raise RemoteError("nothing of that is here", coap.NOT_FOUND)
    return found


def _check(objects, request, account, records):
    if content.ACCESS in objects.ids():
        from .access import check

        for path, _ in records:
            check(objects, account.ssid, request, path)


def _records(request):
    """-> [(path, value or None)] of the payload."""
    if request.format == _LWM2M_CBOR:
        from ..codec import lwm2m_cbor

        records = lwm2m_cbor.unpack(request.payload)
    elif request.format in (_SENML_JSON, _SENML_CBOR):
        packed = senml.unpack(request.payload, request.format == _SENML_JSON)
        records = [(content.path([part for part in name.split("/") if part]), value) for name, value, _ in packed]
    else:
        raise RemoteError("several paths cannot be given in format %s" % request.format, coap.UNSUPPORTED)
    if not 0 < len(records) <= _PATHS:
        raise RemoteError("give 1 to %d paths" % _PATHS)
    return records
