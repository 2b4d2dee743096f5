"""LwM2M values into CoAP payloads: [(path, value)] -> content formats (LwM2M 1.1 Core 7.4). Loaded for each answer."""

from binascii import b2a_base64

from ..codec import cbor, coap, senml
from ..engine.objects import spelled
from ..errors import RemoteError
from .media import CBOR, OPAQUE, SENML_CBOR, SENML_JSON, TEXT

_MOST = 8192  # bytes, as the exchange takes


def encode(asked, values, accept, kind=None):
    """As content.encode."""
    payload, format = _encode(asked, values, accept, kind)
    if len(payload) > _MOST:
        raise RemoteError("%d bytes in %s: ask for less at a time" % (len(payload), spelled(asked)), coap.INTERNAL)
    return payload, format


def _encode(asked, values, accept, kind):
    single = len(values) == 1 and values[0][0] == asked
    if accept is None:
        accept = TEXT if single else SENML_CBOR
    if accept in (SENML_CBOR, SENML_JSON):
        return _senml(asked, values, accept == SENML_JSON), accept
    value = values[0][1] if values else None
    if not single or accept not in (TEXT, CBOR, OPAQUE) or (accept == OPAQUE and not isinstance(value, bytes)):
        from . import formats

        return formats.encode(asked, values, accept, kind)
    if accept == CBOR:
        return cbor.encode(value), CBOR
    return (value if accept == OPAQUE else _text(value)), accept


def _senml(asked, values, json):
    base = spelled(asked) if len(values) == 1 and values[0][0] == asked else spelled(asked).rstrip("/") + "/"
    records = [(spelled(where)[len(base) :], value, None) for where, value in values]
    return senml.pack(records, base, json)


def _text(value):
    if isinstance(value, bool):
        return b"1" if value else b"0"
    if isinstance(value, tuple):
        return b"%d:%d" % value
    return b2a_base64(value).strip() if isinstance(value, bytes) else str(value).encode()
