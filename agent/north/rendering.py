"""LwM2M values into CoAP payloads: [(path, value)] -> content formats (LwM2M 1.1 Core 7.4). Loaded for each answer."""

from binascii import b2a_base64

from ..codec import cbor, senml
from ..engine.objects import spelled
from .media import CBOR, OPAQUE, SENML_CBOR, SENML_JSON, TEXT


def encode(asked, values, accept, kind, out):
    """As content.encode."""
    single = len(values) == 1 and values[0][0] == asked
    value = values[0][1] if values else None
    if accept is None:
        accept = TEXT if single else SENML_CBOR
    if accept in (SENML_CBOR, SENML_JSON):
        _senml(out, asked, values, single, accept == SENML_JSON)
    elif not single or accept not in (TEXT, CBOR, OPAQUE) or (accept == OPAQUE and not isinstance(value, bytes)):
        from . import formats

        formats.write(out, asked, values, accept, kind)
    elif accept == CBOR:
        cbor.write(out, value)
    else:
        out.extend(value if accept == OPAQUE else _text(value))
    return accept


def _senml(out, asked, values, single, json):
    base = spelled(asked) if single else spelled(asked).rstrip("/") + "/"
    senml.pack([(spelled(where)[len(base) :], value, None) for where, value in values], base, json, out)


def _text(value):
    if isinstance(value, bool):
        return b"1" if value else b"0"
    if isinstance(value, tuple):
        return b"%d:%d" % value
    return b2a_base64(value).strip() if isinstance(value, bytes) else str(value).encode()
