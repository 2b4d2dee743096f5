"""LwM2M values in CoAP payloads: content formats -> [(path, value)] (LwM2M 1.1 Core 7.4). The other way is in
rendering.py."""

from binascii import a2b_base64

from ..codec import cbor, coap, senml
from ..engine.objects import spelled
from ..errors import RemoteError
from .media import CBOR, OPAQUE, SENML_CBOR, SENML_JSON, TEXT

ACCESS = 2  # the object that says what each server may do, where there are several
_MOST = 8192  # bytes, as the exchange takes
_DIGITS = "0123456789"  # str.isdigit() knows more of them than int()


def path(segments):
    """("3", "0") -> (3, 0); as objects.spelled() has it, ("d1", "3") -> (131075,). RemoteError (4.04) when these are no
    object, instance, resource and resource instance ids."""
    behind = 0
    first = segments[0] if len(segments) > 1 else ""
    if first[:1] == "d" and 1 < len(first) < 6 and not first[1:].strip(_DIGITS):
        behind, segments = int(segments[0][1:]) + 1 << 16, segments[1:]
    ids = [int(part) if 0 < len(part) < 6 and not part.strip(_DIGITS) else 65536 for part in segments]
    if len(ids) > 4 or [number for number in ids if number > 65535]:
        raise RemoteError("there is no /%s" % "/".join(segments)[:60], coap.NOT_FOUND)
    return (ids[0] + behind,) + tuple(ids[1:]) if ids else ()


def visible(objects, ssid):
    """The object tree as that server may read it."""
    if ACCESS not in objects.ids():
        return objects
    from .access import View

    return View(objects, ssid)


def answer(objects, asked, accept, out):
    """-> (code, payload, format) of what is read at `asked`. RemoteError where it cannot be."""
    from ..engine.tree_reading import read
    from ..engine.tree_rows import kind

    payload, format = encode(asked, read(objects, asked), accept, lambda where: kind(objects, where), out)
    return coap.CONTENT, payload, format


def encode(asked, values, accept, kind=None, out=None):
    """[(path, value)] -> (payload, format), in the format accepted; text for one resource and SenML-CBOR else where
    none is named. kind(path) is the resource's. The payload is the bytearray `out`, where there is one.
    RemoteError when that cannot be, or is too much."""
    from .rendering import encode

    if out is None:
        out = bytearray()
    try:
        format = encode(asked, values, accept, kind, out)
    except MemoryError:
        raise RemoteError("no room for %s: ask for less at a time" % spelled(asked), coap.INTERNAL)
    return fitting(out, asked), format


def fitting(out, asked):
    """What was written of `asked`, unless it is too much."""
    if len(out) > _MOST:
        raise RemoteError("%d bytes in %s: ask for less at a time" % (len(out), spelled(asked)), coap.INTERNAL)
    return out


def refusal(error):
    """A RemoteError as (code, diagnostic text, no format); 4.00 where it names no code, 5.00 for what is our fault."""
    code = coap.BAD_REQUEST if isinstance(error, RemoteError) else coap.INTERNAL
    return error.args[1] if len(error.args) > 1 else code, error.args[0].encode(), None


def decode(target, kind, format, payload):
    """-> [(path, value)] written at `target`; kind(path) is the resource's, for formats that do not say it."""
    if format in (SENML_CBOR, SENML_JSON):
        return [(below(target, name), value) for name, value, _ in senml.unpack(payload, format == SENML_JSON)]
    if len(target) < 3 or format not in (None, TEXT, CBOR, OPAQUE):
        from . import formats

        return formats.decode(target, kind, format, payload)
    if format == CBOR:
        return [(target, cbor.decode(payload))]
    return [(target, payload if format == OPAQUE else _from_text(target, kind(target), payload))]


def below(target, name):
    """A SenML name as a path, which must lie at or below `target`."""
    where = path([part for part in name.split("/") if part])
    if where[: len(target)] != target or len(where) < 3:
        raise RemoteError("%s does not lie in %s" % (name[:60], spelled(target)))
    return where


def _from_text(target, kind, payload):
    try:
        text = payload.decode()
        if kind == "bool":
            return ("0", "1").index(text) == 1
        if kind == "opaque":
            return a2b_base64(text)
        if kind in ("int", "time", "float") and text.strip(_DIGITS + "+-.eE"):
            raise ValueError
        return {"int": int, "time": int, "float": float}.get(kind, str)(text)
    except (ValueError, UnicodeError):
        raise RemoteError("%s takes %s, not %r" % (spelled(target), kind, payload[:40]))
