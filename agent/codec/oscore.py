"""What OSCORE puts on the wire: the option, and which CoAP option goes where (RFC 8613 sections 4.1 and 6.1)."""

from ..errors import RemoteError
from . import coap

OPTION = 9

# Uri-Host, Uri-Port, Hop-Limit, Proxy-Uri and Proxy-Scheme are for those on the way; every other option is for the end.
_OUTER = (3, 7, 16, 35, 39)
_PIV, _KID, _CONTEXT, _RESERVED = 7, 8, 16, 0xE0


def encode(piv=b"", kid=None, context=None):
    """The option's value: a Partial IV (0 to 5 bytes), a key id and a key id context (bytes or None each)."""
    flags = len(piv) | (0 if kid is None else _KID) | (0 if context is None else _CONTEXT)
    if not flags:
        return b""
    out = bytes((flags,)) + piv
    if context is not None:
        out += bytes((len(context),)) + context
    return out + (kid or b"")


def decode(value):
    """(Partial IV, b"" for none; key id or None; key id context or None). Raises RemoteError: malformed."""
    if not value:
        return b"", None, None
    flags, size = value[0], value[0] & _PIV
    at = 1 + size
    piv, context = value[1:at], None
    # A flag byte of zero is sent as no byte; a number is as short as it can be.
    if not flags or flags & _RESERVED or size > 5 or len(piv) < size or (size > 1 and not piv[0]):
        raise RemoteError("oscore: option with flags %02x" % flags)
    if flags & _CONTEXT:
        size = value[at] if at < len(value) else 256
        context = value[at + 1 : at + 1 + size]
        at += 1 + size
    if at > len(value) or (at < len(value) and not flags & _KID):
        raise RemoteError("oscore: option that is too short or too long")
    return piv, value[at:] if flags & _KID else None, context


def split(message, data):
    """(outer options, the bytes to seal) of a Message and its datagram. Observe is in both; a notification's is empty
    inside."""
    outer, inner = [], []
    for number, value in message.options:
        if number in _OUTER:
            outer.append((number, value))
            continue
        if number == coap.OBSERVE:
            outer.append((number, value))
            value = value if message.code < 32 else b""
        inner.append((number, value))
    at = 4 + len(message.token)
    if outer:
        data, at = coap.encode(coap.Message(0, 0, 0, b"", inner, message.payload)), 4
    return outer, bytes((message.code,)) + data[at:]


def join(outer, inner):
    """The Message that an opened one stands for, and its datagram: type, id and token from outside, else the inside.

    Raises RemoteError: the inside is malformed, or is a response where the outside is a request, or the reverse.
    """
    if not inner or (inner[0] < 32) != (outer.code < 32):
        raise RemoteError("oscore: content of another kind")
    head = coap.encode(coap.Message(outer.type, inner[0], outer.mid, outer.token))
    head += inner[1:]
    return coap.decode(head), head


def value(message):
    """The option's value in a Message. Raises RemoteError: twice, nothing sealed, or what must not be ignored.

    Outer block-wise (4.1.3.4.2) counts as that: what we send fits into a datagram, and we hold no unverified bodies.
    """
    values = message.all(OPTION)
    message = coap.Message(0, 0, 0, b"", [item for item in message.options if item[0] != OPTION], message.payload)
    if len(values) != 1 or not message.payload or coap.unknown_critical(message) is not None:
        raise RemoteError("oscore: not one option, nothing sealed, or an unknown critical option")
    if message.get(coap.BLOCK1) is not None or message.get(coap.BLOCK2) is not None:
        raise RemoteError("oscore: outer block-wise")
    return values[0]
