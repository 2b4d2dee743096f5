"""The content formats seldom asked for, and the refusal of those that we do not have: loaded only then, and dropped."""

from ..codec import coap
from ..engine.objects import spelled
from ..errors import RemoteError

_TLV, _LWM2M_JSON, _LWM2M_CBOR = 11542, 11543, 11544  # LwM2M 1.0 6.4, 1.1 Core table 7.4-1, 1.2 Core 7.4


def write(out, asked, values, accept, kind):
    """As content.encode. RemoteError (4.06) when it cannot be had so."""
    codec = _codec(accept)
    if codec is None:
        raise RemoteError("%s cannot be had in format %d" % (spelled(asked), accept), coap.NOT_ACCEPTABLE)
    codec.write(out, values, asked, kind)


def decode(target, kind, format, payload):
    """As content.decode. RemoteError (4.15) when it is not taken."""
    codec = _codec(format)
    if codec is None:
        raise RemoteError("content format %r is not taken here" % format, coap.UNSUPPORTED)
    return codec.unpack(payload, target, kind)


def _codec(format):
    if format == _TLV:
        from ..codec import tlv

        return tlv
    if format == _LWM2M_CBOR:
        from ..codec import lwm2m_cbor

        return lwm2m_cbor
    if format == _LWM2M_JSON:
        from ..codec import lwm2m_json

        return lwm2m_json
    return None
