"""What LwM2M 1.1 servers share above CoAP: paths, values in their content formats, and the words of a
Register.

Everything here that a peer can get wrong raises Refusal(4.00 ...) naming the cause.
"""

import math
from dataclasses import dataclass

from aiocoap.numbers.codes import Code

from ...agent.codec import cbor, linkformat, senml
from ...agent.errors import RemoteError
from .coap import Refusal, owner

TEXT, LINKS, OPAQUE, CBOR, JSON, SENML = 0, 40, 42, 60, 110, 112
VERSIONS = ("1.0", "1.1")
MAX_LIFETIME = 2**31 - 1  # s
DEFAULT_LIFETIME = 86400  # s, TS Core 1.1 6.2.1
MAX_EPOCH = 2**63 - 1
MAX_RECORDS = 512  # of one SenML pack: the codec's own bound
SEQUENCE = "/26242/0/0"  # names the sequence of the first reading of a Send
MAX_ARGUMENTS = 256  # bytes, of an Execute


def segments(path):
    """`/3/0/4` as ("3", "0", "4"). Raises ValueError: up to four numbers 0..65535 (TS Core 7.3)."""
    parts = tuple(part for part in path.split("/") if part)
    if len(parts) > 4 or not all(part.isascii() and part.isdecimal() and int(part) <= 65535 for part in parts):
        raise ValueError(f"{path!r} is no LwM2M path: up to four numbers, as /3/0/4")
    return parts


def pack(path, values):
    """SenML-CBOR of a value at `path`, or of {relative name: value} below it."""
    if not isinstance(values, dict):
        return senml.pack([(path, values, None)])
    base = path.rstrip("/") + "/"
    return senml.pack([(str(name), value, None) for name, value in values.items()], base=base)


def unpack(payload, format, path):
    """The value at `path`, or {full path: value} where the answer holds several."""
    if format in (SENML, JSON):
        found = {name: value for name, value, _ in records(payload, format)}
        return found[path] if set(found) == {path} else found
    if format == CBOR:
        return _decoded(cbor.decode, payload)
    if format == OPAQUE:
        return payload
    if format in (TEXT, LINKS, None):
        return text(payload)
    raise Refusal(Code.UNSUPPORTED_CONTENT_FORMAT, f"content format {format} is not known here")


def records(payload, format=SENML):
    """[(full name, value, time or None)] of a SenML pack."""
    return _decoded(senml.unpack, payload, format == JSON)


def text(payload):
    try:
        return payload.decode()
    except UnicodeDecodeError as problem:
        raise Refusal(Code.BAD_REQUEST, "payload is not UTF-8") from problem


def links(payload):
    """The object links of a Register or Update as text, checked (RFC 6690)."""
    found = text(payload)
    _decoded(linkformat.decode, found)
    return found


def _decoded(decode, *arguments):
    try:
        return decode(*arguments)
    except RemoteError as problem:
        raise Refusal(Code.BAD_REQUEST, str(problem)) from problem


def parameters(request):
    """The query as {name: value}. A repeated or nameless one is refused; `pol`, one for each group that a device is
    in, is not among them."""
    found = {}
    for item in request.opt.uri_query:
        if item.startswith("pol="):
            continue
        name, _, value = item.partition("=")
        if not name or name in found:
            raise Refusal(Code.BAD_REQUEST, f"query {item[:40]!r} is repeated or has no name")
        found[name] = value
    return found


def number(words, name, low, high, default=None):
    """The decimal value of a query parameter within its bounds."""
    value = words.get(name)
    if value is None:
        return default
    if not (value.isascii() and value.isdecimal() and len(value) <= 19 and low <= int(value) <= high):
        raise Refusal(Code.BAD_REQUEST, f"{name}={value[:24]!r}: a number {low}..{high} is expected")
    return int(value)


def endpoint(request, words):
    """The endpoint name of a Register or Bootstrap-Request: 1 to 128 printable characters without a slash."""
    name = words.get("ep", owner(request.remote).endpoint)
    if not name or len(name) > 128 or not name.isprintable() or "/" in name:
        raise Refusal(Code.BAD_REQUEST, "ep: an endpoint name of 1 to 128 printable characters is expected")
    return name


@dataclass
class Terms:
    """What a device says of itself in a Register; in an Update None means unchanged."""

    lifetime: int | None = None  # s
    binding: str | None = None
    links: str | None = None
    version: str | None = None
    epoch: int | None = None
    via: str | None = None


def register_terms(request):
    """Terms of a Register (TS Core 6.2.1) with its defaults. 4.12 for a version that we do not speak."""
    words = parameters(request)
    name = endpoint(request, words)
    terms = _terms(request, words)
    terms.version = words.get("lwm2m", "1.0")
    if terms.version not in VERSIONS:
        raise Refusal(Code.PRECONDITION_FAILED, "lwm2m: " + " or ".join(VERSIONS))
    terms.lifetime = terms.lifetime or DEFAULT_LIFETIME
    terms.binding = terms.binding or "U"
    terms.links = terms.links or ""
    terms.epoch = number(words, "epoch", 0, MAX_EPOCH)
    terms.via = words.get("via", "")[:64] or None
    return name, terms


def update_terms(request):
    return _terms(request, parameters(request))


def _terms(request, words):
    if request.payload and request.opt.content_format not in (LINKS, None):
        raise Refusal(Code.UNSUPPORTED_CONTENT_FORMAT, "object links are expected in content format 40")
    found = links(request.payload) if request.payload else None
    return Terms(number(words, "lt", 1, MAX_LIFETIME), words.get("b", "")[:8] or None, found)


def readings(payload, format):
    """(sequence of the first or None, [(time, path, value)]) of a Send (TS Core 6.4.5)."""
    if format not in (SENML, JSON):
        raise Refusal(Code.UNSUPPORTED_CONTENT_FORMAT, "SenML-CBOR (112) or SenML-JSON (110) is expected")
    found = records(payload, format)
    first = None
    if found and found[0][0] == SEQUENCE:
        first = found.pop(0)[1]
        if not isinstance(first, int) or isinstance(first, bool) or not 0 <= first <= MAX_EPOCH - MAX_RECORDS:
            raise Refusal(Code.BAD_REQUEST, f"{SEQUENCE} is the sequence of the first reading: a number")
    if not found:
        raise Refusal(Code.BAD_REQUEST, "no reading in it")
    return first, [(time, path, _kept(path, value)) for path, value, time in found]


def _kept(path, value):
    """A value as the books can hold it (JSON): bytes in hex, no infinities."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float) and not math.isfinite(value):
        raise Refusal(Code.BAD_REQUEST, f"{path}: not a finite number")
    if isinstance(value, int | float | str | bool):
        return value
    raise Refusal(Code.BAD_REQUEST, f"{path}: no value, or of a kind that cannot be kept")
