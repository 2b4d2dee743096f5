"""The alphabets of short messages and of names on a SIM: GSM 7 bit with its extension, and UCS2 (TS 23.038 6).

A septet is a byte with its highest bit clear; packing puts eight of them into seven bytes (6.1.2).
"""

_GSM = (
    "@\u00a3$\u00a5\u00e8\u00e9\u00f9\u00ec\u00f2\u00c7\n\u00d8\u00f8\r\u00c5\u00e5"
    "\u0394_\u03a6\u0393\u039b\u03a9\u03a0\u03a8\u03a3\u0398\u039e\x1b\u00c6\u00e6\u00df\u00c9"
    " !\"#\u00a4%&'()*+,-./0123456789:;<=>?"
    "\u00a1ABCDEFGHIJKLMNOPQRSTUVWXYZ\u00c4\u00d6\u00d1\u00dc\u00a7"
    "\u00bfabcdefghijklmnopqrstuvwxyz\u00e4\u00f6\u00f1\u00fc\u00e0"
)
_ESCAPE = 0x1B
# After an escape: the codes and, at the same places, what they stand for.
_EXTENSION_CODES = b"\n\x14()/<=>@e"
_EXTENSION = "\f^{}\\[~]|\u20ac"


def gsm(septets):
    """Text of septets. An unknown extension shows as the character of the main table, as 6.2.1.1 wants."""
    out, escaped = [], False
    for code in septets:
        code &= 0x7F
        if code == _ESCAPE:
            if escaped:
                out.append(" ")
            escaped = not escaped
            continue
        at = _EXTENSION_CODES.find(bytes([code])) if escaped else -1
        # Slices: MicroPython keeps for ever what an index gives.
        out.append(_GSM[code : code + 1] if at < 0 else _EXTENSION[at : at + 1])
        escaped = False
    return "".join(out)


def to_gsm(text):
    """Septets of text, or None when a character is not in the alphabet."""
    out = bytearray()
    for char in text:
        at = _GSM.find(char)
        if at >= 0 and at != _ESCAPE:
            out.append(at)
        elif char in _EXTENSION:
            at = _EXTENSION.find(char)
            out.append(_ESCAPE)
            out.append(_EXTENSION_CODES[at])
        else:
            return None
    return bytes(out)


def ucs2(data):
    """Text of big-endian 16-bit units; pairs of surrogates make one character, a lone one shows as U+FFFD.

    Built as UTF-8: on MicroPython chr() keeps every character that it ever made, and a stranger chooses these.
    """
    out, high = bytearray(), 0
    for at in range(0, len(data) - 1, 2):
        unit = data[at] << 8 | data[at + 1]
        if 0xDC00 <= unit < 0xE000 and high:
            unit = 0x10000 + ((high & 0x3FF) << 10) + (unit & 0x3FF)
            out = out[:-3]  # what stood for the first half
        high = unit if 0xD800 <= unit < 0xDC00 else 0
        _utf8(0xFFFD if 0xD800 <= unit < 0xE000 else unit, out)
    return str(out, "utf-8")


def _utf8(code, out):
    """Append a character to bytes (RFC 3629 3)."""
    if code < 0x80:
        out.append(code)
        return
    size = 1 if code < 0x800 else 2 if code < 0x10000 else 3
    out.append((0xC0, 0xE0, 0xF0)[size - 1] | code >> 6 * size)
    for shift in range(6 * size - 6, -1, -6):
        out.append(0x80 | code >> shift & 0x3F)


def to_ucs2(text):
    """Big-endian 16-bit units of text; characters beyond U+FFFF take two (a pair of surrogates)."""
    out = bytearray()
    for char in text:
        code = ord(char)
        if code > 0xFFFF:
            code -= 0x10000
            high = 0xD800 | code >> 10
            out.append(high >> 8)
            out.append(high & 0xFF)
            code = 0xDC00 | code & 0x3FF
        out.append(code >> 8)
        out.append(code & 0xFF)
    return bytes(out)


def unpack(data, count, fill=0):
    """`count` septets from packed bytes, the first `fill` bits skipped; None when the data is too short."""
    if count * 7 + fill > len(data) * 8:
        return None
    out, bits = bytearray(count), fill
    for index in range(count):
        at, shift = bits // 8, bits % 8
        pair = data[at] | (data[at + 1] << 8 if at + 1 < len(data) else 0)
        out[index] = pair >> shift & 0x7F
        bits += 7
    return bytes(out)


def pack(septets, fill=0):
    """Packed bytes of septets, after `fill` bits of zero."""
    out = bytearray((len(septets) * 7 + fill + 7) // 8)
    bits = fill
    for code in septets:
        at, shift = bits // 8, bits % 8
        out[at] |= code << shift & 0xFF
        if shift > 1:
            out[at + 1] |= code >> (8 - shift)
        bits += 7
    return bytes(out)


def unhex(text):
    """The bytes of hexadecimal text, or None when it is none or of odd length."""
    for char in text:
        if char not in "0123456789abcdefABCDEF":
            return None
    return None if len(text) % 2 else bytes([int(text[at : at + 2], 16) for at in range(0, len(text), 2)])
