"""AT lines (ITU-T V.250, 3GPP TS 27.007): bytes from a modem -> tokens, and pure parsers of what a line says.

`Reader` cuts the stream into tokens: a str is a line, bytes are a length-counted payload, PROMPT is the '>' that asks
for data. One parser a family of responses follows; each takes a line and raises RemoteError when it says nothing
usable. Field formats differ wildly between firmwares (leading zeros, hex quoted or not, empty and extra fields), so
numbers are compared as numbers and what is not understood is left out rather than guessed.
"""

from ..errors import RemoteError

try:
    from micropython import const
except ImportError:
    const = lambda value: value

PROMPT = ">"

_MAX_LINE = const(1600)  # bytes; the longest line wanted is a list of a dozen operators in UCS2
_MAX_DATA = const(1500)  # bytes; what one socket read may announce
_CR = const(13)
_LF = const(10)
_SIGNS = "+^#*%$!&_"  # what a vendor's own command may begin with

# Tables as text: on MicroPython a tuple of strings costs ten times as much.
# What ends an answer with "refused", besides +CME ERROR and +CMS ERROR (V.250 5.7.1, and what vendors add).
_REFUSALS = (
    "\nERROR\nNO CARRIER\nSEND FAIL\nNO DIALTONE\nNO DIAL TONE\nBUSY\nNO ANSWER\nABORTED\nCOMMAND NOT SUPPORT\n"
)


class Reader:
    """Bytes in any chunking -> tokens. Garbage and NULs are dropped, over-long lines are dropped and counted.

    `counted` names the lines that announce raw data: {name: index of the field with the length}, or a function of the
    line -> length; where the data begins in that line itself: {name: (index, what stands between length and data)}.
    Set `prompt` to True while a '>' or '@' at the start of a line asks for data; it is cleared when that is seen.
    """

    def __init__(self, counted=None):
        self.counted = counted or {}
        self.dropped = 0  # lines too long, lengths impossible
        self.reset()

    def reset(self):
        """Forget a line or payload that has begun, as after a time-out."""
        self.prompt = self._long = self._gap = False
        self._line = b""
        self._need = 0

    def feed(self, data):
        """Take some bytes; return the tokens they complete."""
        tokens, at = [], 0
        while at < len(data):
            if self._need:
                at = self._payload(data, at, tokens)
            elif data[at] in (_CR, _LF) and not (self._line or self._long):
                at += 1  # between two lines; they make up most of what there is to look at
            else:
                at = self._text(data, at, tokens)
        return tokens

    def _text(self, data, at, tokens):
        end, cr = data.find(b"\n", at), data.find(b"\r", at)
        if end < 0 or 0 <= cr < end:
            end = cr
        if end < 0:
            end = len(data)
        self._line += data[at:end]
        extra = self._inside(tokens) if self.counted else None
        if extra is not None:
            return end - extra
        if len(self._line) > _MAX_LINE:
            self._line, self._long = b"", True
        sign = self.prompt and _clean(self._line)[:1]
        if sign and sign in ">@":
            self.prompt = False
            tokens.append(PROMPT)
            self._line = self._line[self._line.find(sign.encode()) + 1 :]
        if end < len(data):
            self._end(data[end], tokens)
        return end + 1

    def _end(self, terminator, tokens):
        line = "" if self._long else _clean(self._line)
        self.dropped += self._long
        self._line, self._long = b"", False
        if line and line != '"':  # the end of what was data inside a line
            tokens.append(line)
            index = self.counted.get(line.partition(":")[0])
            length = index(line) if callable(index) else 0
            if isinstance(index, int):
                length = number((fields(line) + [""] * index)[index]) or 0
            if length > _MAX_DATA:
                self.dropped += 1
            else:
                # The data begins after the header's line feed, wherever a chunk was cut.
                self._need, self._gap = length, terminator == _CR

    def _inside(self, tokens):
        """When data begins inside this line: how many bytes too many were taken for it; else None."""
        name = _clean(self._line.partition(b":")[0])
        index, gap = self.counted[name] if isinstance(self.counted.get(name), tuple) else (0, b"")
        parts = self._line.split(b",", index + 1)
        if not gap or len(parts) < index + 2 or not (b"," + parts[-1]).startswith(gap):
            return None
        head = _clean(b",".join(parts[:-1]))
        length = number(fields(head)[index]) or 0
        if not 0 < length <= _MAX_DATA:
            return None
        tokens.append(head)
        data = parts[-1][len(gap) - 1 :]
        self._line, self._need, self._gap = data, length, False
        if len(data) >= length:
            tokens.append(data[:length])
            self._line, self._need = b"", 0
        return max(0, len(data) - length)

    def _payload(self, data, at, tokens):
        if self._gap:
            self._gap = data[at] == _CR
            return at + 1 if data[at] in (_CR, _LF) else at
        end = at + self._need - len(self._line)
        self._line += data[at:end]
        if len(self._line) == self._need:
            tokens.append(self._line)
            self._line, self._need = b"", 0
        return end


def _clean(raw):
    """A line's printable ASCII: NULs and line noise (a wrong baud rate at boot) are dropped."""
    return bytes([byte for byte in raw if 32 <= byte < 127]).decode().strip()


# --- lines ---


def prefix(command):
    """What the lines of a command's answer begin with: "AT+CPIN?" -> "+CPIN:", "ATI" -> ""."""
    if len(command) < 3 or command[2] not in "+^#%$*":
        return ""
    return command[2:].split("=")[0].split("?")[0] + ":"


def answers(line, command, wanted, had):
    """Whether a line belongs to the answer of `command` (its prefix is `wanted`, `had` = an answer line came before).

    Registration comes by itself too: only the first line of (n, stat) shape after a read is its answer.
    """
    if not wanted or not line.startswith(wanted):
        return False
    return not wanted.endswith("REG:") or command.endswith("?") and not had and _carries_n(rest(line).split(","), True)


def final(line, refusals="", successes=""):
    """The end of an answer: True (done), False (refused), or None when the line does not end one.

    `refusals`, `successes`: a vendor's own texts, each between newlines; one that ends with a colon
    stands for every line that begins so ("+CIPERROR:"). at_finals.py has a table of them.
    """
    whole, head = "\n" + line + "\n", "\n" + line.partition(":")[0] + ":\n"
    if line[:10] in ("+CME ERROR", "+CMS ERROR") or whole in _REFUSALS + refusals or head in refusals:
        return False
    if line in ("OK", "SEND OK") or (line + " ").startswith("CONNECT ") or whole in successes or head in successes:
        return True
    return False if line[:13] == "MODEM ERROR: " and line[13:].isdigit() else None  # Motorola's


def cause(line):
    """Why a command was refused: the number of a +CME ERROR (its text is looked up), else the words in lower case."""
    kind, _, text = line.lower().partition(":")
    text = text.strip()
    if kind != "+cme error":
        return (kind + " " + text).strip()
    value = number(text)
    if value is None and text:
        from . import at_errors  # only firmwares that ignore +CMEE=1 come here

        value = at_errors.equipment(text)
    return text if value is None else value


def rest(line):
    """What follows "+NAME:"; the whole line when it does not begin so."""
    return (line.partition(":")[2] if line[:1] in _SIGNS and ":" in line else line).strip()


def fields(line):
    """The fields after "+NAME:" (or of the whole line), without their quotes; a quoted comma does not part."""
    parts, quoted = [""], False
    for piece in rest(line).split('"'):
        if quoted:
            parts[-1] += piece
        else:
            first, *more = piece.split(",")
            parts[-1] += first
            parts += more
        quoted = not quoted
    return [part.strip() for part in parts]


def number(text, base=10):
    """A non-negative number with any leading zeros, or None; `base` 10 or 16."""
    for char in text.lower():
        if char not in "0123456789abcdef"[:base]:
            return None
    return int(text, base) if 0 < len(text) <= 20 else None


# --- what a line says ---


def bad(what, line):
    raise RemoteError("at: no %s in %s" % (what, line[:40]))


def registration(line, read=None):
    """+CREG, +CGREG, +CEREG, +C5GREG -> (state, area, cell, technology); what is unknown is None.

    State 0..11 as in TS 27.007 7.2, 10.1.20, 10.1.22, 10.1.47. `read`: whether it answers a read; when that
    is not known (None) the shape tells, as some firmwares put n into unsolicited lines too.
    """
    parts = registration_fields(line, read)
    return number(parts[0]), number(parts[1], 16), number(parts[2], 16), number(parts[3])


def registration_fields(line, read=None):
    """State, area, cell, technology and all that follows, as text; n, and a routing area before the cell, left out."""
    parts = rest(line).split(",")
    parts = parts[1 if _carries_n(parts, read) else 0 :]
    state = number(parts[0].strip())
    if state is None or state > 11:
        bad("state", line)
    parts = [part.strip('" ') for part in parts] + [""] * 3
    if 0 < len(parts[2]) <= 2 < len(parts[3]):  # +CEREG of early LTE firmwares
        parts.pop(2)
    return parts


def _carries_n(parts, read=None):
    """Whether the fields begin with n and state: two short unquoted numbers (an area code has four digits)."""
    first, second, third, fourth = ([part.strip() for part in parts] + [""] * 3)[:4]
    state = number(second)
    if number(first) is None or state is None or state > 11:
        return False
    if third[:1] == '"':  # the area is quoted, so the field before it is none
        return True
    if read is False and 2 < len(parts) < 5:  # state, area, cell, technology, all without leading zeros?
        return len(fourth) > 2
    # Three fields are state, area, cell - unless the second is too short for an area.
    return len(second) <= (2 if len(parts) == 3 and not read else 3)


def registered(state):
    """Whether a registration state carries data: home, roaming, and both without preferred CS fallback."""
    return state in (1, 5, 9, 10)


def sim(line):
    """+CPIN -> "READY", "SIM PIN", "SIM PUK", "NOT READY", "NOT INSERTED"... (TS 27.007 8.3)."""
    return fields(line)[0].upper() or bad("SIM status", line)


def signal(line):
    """+CSQ -> dBm, or None when not known (TS 27.007 8.5; 100..199 is the TD-SCDMA scale); +CESQ -> RSRP (8.69)."""
    parts = fields(line)
    level = number(parts[0])
    if level is None:
        bad("signal", line)
    if line[:6] == "+CESQ:":
        level = number((parts + [""] * 6)[5])
        return level - 141 if level is not None and level <= 97 else None
    if level <= 31:
        return 2 * level - 113
    return level - 216 if 100 <= level <= 191 else None


def iccid(line):
    """The SIM's number from any vendor's answer: 18 to 20 digits that begin with 89 (ITU-T E.118).

    Modems give it as text, quoted or not, with a filler F, or as the card's nibble-swapped BCD. Some
    operators have hexadecimal digits in it, so those are let through.
    """
    text = max(fields(line.rpartition(":")[2]), key=len).upper().replace(" ", "")
    if text[:2] != "89":
        text = "".join([text[at + 1 : at + 2] + text[at] for at in range(0, len(text), 2)])
    text = text.rstrip("F")
    if not 18 <= len(text) <= 20 or text[:2] != "89" or number(text, 16) is None:
        bad("ICCID", line)
    return text


def imsi(line):
    """+CIMI -> the subscriber's 6 to 15 digits (TS 23.003 2.2)."""
    text = fields(line.rpartition(":")[2])[0]
    if number(text) is None or not 6 <= len(text) <= 15:
        bad("IMSI", line)
    return text


def imei(line):
    """+CGSN -> 15 digits; an IMEISV's two software digits give way to the check digit (TS 23.003 6.2)."""
    text = fields(line.rpartition(":")[2])[0].replace("-", "").replace(" ", "")
    if number(text) is None or not 14 <= len(text) <= 16:
        bad("IMEI", line)
    if len(text) == 15:
        return text
    from .checkdigit import luhn

    return text[:14] + luhn(text[:14])


def text(line):
    """Free text (+CGMI, +CGMM, +CGMR): without prefix and quotes, at most 64 characters."""
    return rest(line).strip('" ')[:64]
