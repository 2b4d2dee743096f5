"""IP addresses in the ways modems write them (TS 27.007 10.1.10, 10.1.23, 10.1.35), made equal.

IPv4 with dots; IPv6 as sixteen decimal numbers with dots, or with colons in any case; a subnet mask hung on behind
by further numbers or by a slash; little-endian hexadecimal (Huawei). Out come "10.0.0.1" and RFC 5952's "fe80::1".
"""

from . import at


def address(text):
    """-> (address, mask): the mask of IPv4 with dots, of IPv6 "/64"; None for what is not there, or is all zero."""
    text, slash, length = text.strip('" ').partition("/")
    mask = None
    if ":" in text:
        data = _colons(text)
    else:
        data = _dots(text)
        if data and len(data) in (8, 32):
            half = len(data) // 2
            data, mask = data[:half], data[half:]
            mask = _text(mask) if half == 4 else "/%d" % _ones(mask)
    if slash and at.number(length) is not None:
        mask = "/" + length
    if not data or len(data) not in (4, 16) or not any(data):
        return None, None
    return _text(data), mask


def is_mask(text):
    """Whether it is an IPv4 subnet mask: ones, then zeros."""
    data = _dots(text.strip('" '))
    if not data or len(data) != 4 or data[0] != 255 and not (data[0] and not any(data[1:])):
        return False
    value = int.from_bytes(data, "big") ^ 0xFFFFFFFF
    return value & (value + 1) == 0


def prefix(mask):
    """How many ones a mask begins with: "255.255.255.0" -> 24, "/64" -> 64; None when it is none."""
    if mask[:1] == "/":
        return at.number(mask[1:])
    return _ones(_dots(mask)) if is_mask(mask) else None


def little(text):
    """"0100000A", perhaps with 0x before it or zeros missing at its front -> "10.0.0.1"; None when no number."""
    text = text.strip('" ')
    value = at.number(text[2:] if text[:2].lower() == "0x" else text, 16)
    if value is None or value > 0xFFFFFFFF:
        return None
    return ".".join([str(value >> shift & 255) for shift in (0, 8, 16, 24)])


def _dots(text):
    values = [at.number(part.strip()) for part in text.split(".")]
    if None in values or max(values) > 255:
        return None
    return bytes(values)


def _colons(text):
    head, double, tail = text.partition("::")
    groups = [[at.number(part, 16) for part in side.split(":")] if side else [] for side in (head, tail)]
    missing = 8 - len(groups[0]) - len(groups[1])
    if missing < 0 or bool(double) != (missing > 0) and not (double and missing == 0):
        return None
    groups = groups[0] + [0] * missing + groups[1]
    if None in groups or max(groups) > 0xFFFF:
        return None
    return bytes([byte for group in groups for byte in (group >> 8, group & 255)])


def _text(data):
    if len(data) == 4:
        return ".".join([str(byte) for byte in data])
    groups = [data[at] << 8 | data[at + 1] for at in range(0, 16, 2)]
    best, size = 0, 1  # the longest run of two or more zeros, the first of equals (RFC 5952 4.2)
    for start in range(8):
        end = start
        while end < 8 and not groups[end]:
            end += 1
        if end - start > size:
            best, size = start, end - start
    if size == 1:
        return ":".join(["%x" % group for group in groups])
    sides = [":".join(["%x" % group for group in side]) for side in (groups[:best], groups[best + size :])]
    return "::".join(sides)


def _ones(data):
    count = 0
    for byte in data:
        for shift in range(7, -1, -1):
            if not byte >> shift & 1:
                return count
            count += 1
    return count
