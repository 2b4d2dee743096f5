"""Short messages as modems store and send them: the PDU format (TS 27.005 4, TS 23.040 9.2).

`decode` takes what +CMGR, +CMGL, +CMT or +CDS show; `encode` makes what +CMGS takes. A long text or datagram is cut
into parts that carry a reference, their number and their place (9.2.3.24); `join` puts them together again.
"""

from ..errors import RemoteError
from . import alphabet, at_clock

try:
    from micropython import const
except ImportError:
    const = lambda value: value

_MAX_PARTS = const(255)
_USER_DATA = const(140)  # bytes of user data in one message
_DIGITS = "0123456789*#abc"  # of an address (9.1.2.3); 15 fills up


def _bad(why):
    raise RemoteError("at: SMS: " + why)


class _Bytes:
    """A PDU read from front to back; too short is a RemoteError."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        end = self.at + count
        if end > len(self.data):
            _bad("%d bytes are missing" % (end - len(self.data)))
        piece, self.at = self.data[self.at : end], end
        return piece

    def byte(self):
        return self.take(1)[0]


def decode(pdu, centre=True):
    """A PDU in hexadecimal (or bytes) -> dict. `centre`: it begins with the service centre's address.

    kind "deliver" (received), "submit" (of ours, stored) or "report" (of delivery); smsc, number: "+49..." or
    a name, smsc may be ""; deliver: time (Unix s) and zone (minutes), both None when nonsense; submit: reference,
    validity (s or None); report: reference, time, zone, done (Unix s), status (9.2.3.15: 0..31 delivered,
    32..63 still trying, above: failed); pid, dcs; text, or data (bytes) when it is no text;
    part: (reference, parts, number of this one from 1) or None; ports: (destination, source) or None.
    """
    data = alphabet.unhex(pdu.strip('"\r\n ')) if isinstance(pdu, str) else pdu
    if not data:
        _bad("no hexadecimal PDU")
    source = _Bytes(data)
    message = {"smsc": _centre(source) if centre else ""}
    first = source.byte()
    (_deliver, _submit, _report, _deliver)[first & 3](source, first, message)
    return message


def _deliver(source, first, message):
    message["kind"] = "deliver"
    message["number"] = _address(source)
    message["pid"], message["dcs"] = source.byte(), source.byte()
    message["time"], message["zone"] = _timestamp(source.take(7))
    _content(source, first, message)


def _submit(source, first, message):
    message["kind"] = "submit"
    message["reference"] = source.byte()
    message["number"] = _address(source)
    message["pid"], message["dcs"] = source.byte(), source.byte()
    form = first >> 3 & 3
    message["validity"] = _validity(source.byte()) if form == 2 else None
    if form in (1, 3):
        source.take(7)  # "enhanced" or a date; nobody asks for either
    _content(source, first, message)


def _report(source, first, message):
    message["kind"] = "report"
    message["reference"] = source.byte()
    message["number"] = _address(source)
    message["time"], message["zone"] = _timestamp(source.take(7))
    message["done"] = _timestamp(source.take(7))[0]
    message["status"] = source.byte()
    message["part"] = message["ports"] = None


# --- fields ---


def _centre(source):
    length = source.byte()
    if not length:
        return ""
    if length > 12:
        _bad("service centre of %d bytes" % length)
    kind = source.byte()
    return _number(kind, source.take(length - 1))


def _address(source):
    """9.1.2.5: the length counts digits."""
    digits = source.byte()
    if digits > 20 + 8:
        _bad("address of %d digits" % digits)
    kind = source.byte()
    data = source.take((digits + 1) // 2)
    if kind & 0x70 == 0x50:
        septets = alphabet.unpack(data, digits * 4 // 7)
        return alphabet.gsm(septets).rstrip("\0")
    return _number(kind, data)[: digits + (kind & 0x70 == 0x10)]


def _number(kind, data):
    text = "+" if kind & 0x70 == 0x10 else ""
    for byte in data:
        for digit in (byte & 15, byte >> 4):
            text += _DIGITS[digit] if digit < 15 else ""
    return text


def _timestamp(data):
    """-> (Unix s, zone in minutes) of seven swapped BCD bytes (9.2.3.11); (None, None) when no calendar has it."""
    pairs = [(byte & 15) * 10 + (byte >> 4) for byte in data]
    quarters = (data[6] & 7) * 10 + (data[6] >> 4)
    zone = -15 * quarters if data[6] & 8 else 15 * quarters
    try:
        if max([byte >> 4 for byte in data[:6]]) > 9 or max([byte & 15 for byte in data[:6]]) > 9 or quarters > 79:
            return None, None
        return at_clock.unix(pairs[:6]) - zone * 60, zone
    except RemoteError:
        return None, None


def _validity(value):
    """A relative validity period in seconds (9.2.3.12.1)."""
    if value < 144:
        return (value + 1) * 300
    if value < 168:
        return 43200 + (value - 143) * 1800
    return (value - 166) * 86400 if value < 197 else (value - 192) * 604800


def coding(dcs):
    """"gsm", "ucs2" or "data" of a data coding scheme (TS 23.038 4)."""
    group = dcs >> 4
    if group < 8:  # general, and marked for deletion; bit 5: compressed, which nobody can read
        return "data" if dcs & 0x20 else ("gsm", "data", "ucs2", "gsm")[dcs >> 2 & 3]
    if group == 15:
        return "data" if dcs & 4 else "gsm"
    return "ucs2" if group == 14 else "gsm"


def _content(source, first, message):
    message["part"] = message["ports"] = None
    kind, length, headed = coding(message["dcs"]), source.byte(), first & 0x40
    if message["dcs"] & 0xFC == 0xF8 and length == len(source.data) - source.at:
        kind = "ucs2"  # some set the reserved bit and mean that: then the length counts bytes
    size = (length * 7 + 7) // 8 if kind == "gsm" else length
    if size > _USER_DATA:
        _bad("%d bytes of user data" % size)
    data = source.take(size)
    skip = 0
    if headed:
        if not data or data[0] >= len(data):
            _bad("user data header does not fit")
        skip = data[0] + 1
        _header(data[1:skip], message)
    if kind == "gsm":
        septets = (skip * 8 + 6) // 7  # the text begins at a septet's edge
        if septets > length:
            _bad("user data header does not fit")
        message["text"] = alphabet.gsm(alphabet.unpack(data, length)[septets:])
    elif kind == "ucs2":
        message["text"] = alphabet.ucs2(data[skip:])
    else:
        message["data"] = bytes(data[skip:])


def _header(header, message):
    """Elements of a user data header: concatenation, with 8 or 16 bits of reference, and ports (9.2.3.24)."""
    at = 0
    while at + 2 <= len(header):
        kind, size = header[at], header[at + 1]
        value, at = header[at + 2 : at + 2 + size], at + 2 + size
        if at > len(header):
            _bad("user data header is cut")
        if kind == 0 and size == 3 or kind == 8 and size == 4:
            if 1 <= value[-1] <= value[-2]:  # else it is to be ignored
                message["part"] = (int.from_bytes(value[:-2], "big"), value[-2], value[-1])
        elif kind == 4 and size == 2 or kind == 5 and size == 4:
            half = size // 2
            message["ports"] = (int.from_bytes(value[:half], "big"), int.from_bytes(value[half:], "big"))


def join(messages):
    """Decoded parts of one long message, in any order -> one dict like theirs, or None while parts are missing.

    Its part is None; what else differs between parts is taken from the first.
    """
    places = {}
    for message in messages:
        if message["part"] is None:
            return message if len(messages) == 1 else None
        places[message["part"][2]] = message
    if not messages or len(places) != messages[0]["part"][1]:
        return None
    whole = dict(places[1])
    key = "text" if "text" in whole else "data"
    pieces = [places[number].get(key) for number in sorted(places)]
    if None in pieces:
        _bad("parts of different kinds")
    whole[key] = ("" if key == "text" else b"").join(pieces)
    whole["part"] = None
    return whole


# --- sending ---


def encode(number, content, smsc="", reference=0, ports=None, validity=None, report=False):
    """[(PDU in hexadecimal, length for +CMGS)] that send `content` (str, or bytes as 8-bit data) to `number`.

    `reference` (0..65535) tells the parts of this message from others'; `ports`: (destination, source);
    `validity`: seconds the network may keep trying; `report`: ask for a status report. RemoteError when the number
    is none or the content needs more than 255 parts.
    """
    septets = alphabet.to_gsm(content) if isinstance(content, str) else None
    data = content if not isinstance(content, str) else alphabet.to_ucs2(content) if septets is None else septets
    dcs = 4 if not isinstance(content, str) else 8 if septets is None else 0
    fixed = b"" if ports is None else b"\x05\x04" + bytes([byte for port in ports for byte in (port >> 8, port & 255)])
    pieces = _cut(data, dcs, len(fixed) + bool(fixed))
    if len(pieces) > 1:
        pieces = _cut(data, dcs, len(fixed) + (7 if reference > 255 else 6))
    if len(pieces) > _MAX_PARTS:
        _bad("content needs more than 255 messages")
    centre = _centre_of(smsc)
    out = []
    for index, piece in enumerate(pieces):
        header = fixed
        if len(pieces) > 1:
            wide = reference > 255
            header += bytes([8, 4, reference >> 8 & 255] if wide else [0, 3]) + bytes([reference & 255])
            header += bytes([len(pieces), index + 1])
        first = 1 | (0x40 if header else 0) | (0x10 if validity else 0) | (0x20 if report else 0)
        tpdu = bytes([first, 0]) + _address_of(number) + bytes([0, dcs])
        tpdu += (bytes([_relative(validity)]) if validity else b"") + _user_data(piece, dcs, header)
        out.append((_hex(centre + tpdu), len(tpdu)))
    return out


def _cut(data, dcs, header):
    """The pieces that fit beside a header of so many bytes; no escape sequence or surrogate pair is torn apart."""
    room = _USER_DATA - header
    if dcs == 0:
        room = room * 8 // 7
    pieces, at = [], 0
    while at < len(data) or not pieces:
        end = min(at + room, len(data))
        if end < len(data):
            if dcs == 0 and data[end - 1] == 0x1B:
                end -= 1
            elif dcs == 8:
                end -= (end - at) % 2
                end -= 2 * (0xD8 <= data[end - 2] < 0xDC)
        pieces.append(data[at:end])
        at = end
    return pieces


def _user_data(piece, dcs, header):
    if header:
        header = bytes([len(header)]) + header
    if dcs:
        return bytes([len(header) + len(piece)]) + header + piece
    fill = -len(header) * 8 % 7
    return bytes([(len(header) * 8 + 6) // 7 + len(piece)]) + header + alphabet.pack(piece, fill)


def _semi_octets(number):
    digits = [_DIGITS.find(char) for char in number.lower().lstrip("+")]
    if not 1 <= len(digits) <= 20 or min(digits) < 0:
        _bad("no number: " + number[:24])
    if len(digits) % 2:
        digits.append(15)
    return bytes([digits[at] | digits[at + 1] << 4 for at in range(0, len(digits), 2)])


def _address_of(number):
    data = _semi_octets(number)
    return bytes([len(number.lstrip("+")), 0x91 if number[:1] == "+" else 0x81]) + data


def _centre_of(number):
    if not number:
        return b"\0"  # the one on the SIM
    data = _semi_octets(number)
    return bytes([len(data) + 1, 0x91 if number[:1] == "+" else 0x81]) + data


def _relative(seconds):
    """The smallest relative validity that is no shorter than so many seconds (9.2.3.12.1)."""
    value = 0
    while value < 255 and _validity(value) < seconds:
        value += 1
    return value


def _hex(data):
    return "".join(["%02X" % byte for byte in data])
