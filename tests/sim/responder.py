"""A DNS-SD responder's answer, byte by byte (RFC 1035 4.1, RFC 6762 6.7, RFC 6763); the codec only asks and reads."""

_A, _PTR, _TXT, _SRV, _IN = 1, 12, 16, 33, 1
_TTL = 10  # s; a legacy unicast answer says no more (RFC 6762 6.7)


def answer(question, service, host, port):
    """The unicast answer to a one-shot query (bytes) for `service`, or None when it asks for something else."""
    wanted = _name(service) + _u16(_PTR) + _u16(_IN)
    if question[2] & 0x80 or question[12 : 12 + len(wanted)] != wanted:
        return None
    instance = "configuration." + service.partition("_sub.")[2]
    target = "configuration.local"
    address = bytes([int(part) for part in host.split(".")])
    records = _record(service, _PTR, _name(instance))
    records += _record(instance, _SRV, _u16(0) + _u16(0) + _u16(port) + _name(target))
    records += _record(instance, _TXT, b"\x08path=/bs\x03v=1") + _record(target, _A, address)
    # the identifier and the question come back, as to any resolver that is no multicast DNS one
    return question[:2] + b"\x84\x00" + _u16(1) + _u16(1) + _u16(0) + _u16(3) + wanted + records


def _record(name, kind, data):
    return _name(name) + _u16(kind) + _u16(_IN) + _TTL.to_bytes(4, "big") + _u16(len(data)) + data


def _name(text):
    out = b""
    for label in text.split("."):
        out += bytes([len(label)]) + label.encode()
    return out + b"\x00"


def _u16(number):
    return number.to_bytes(2, "big")
