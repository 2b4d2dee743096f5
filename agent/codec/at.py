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

    def const(value):
        return value


PROMPT = ">"

_MAX_LINE = const(1024)  # bytes; the longest line wanted is an eUICC APDU in hex
_MAX_DATA = const(1500)  # bytes; what one socket read may announce
_CR = const(13)
_LF = const(10)

# Final result codes besides OK, CONNECT, SEND OK and +CMx ERROR (V.250 5.7.1, and what vendors add for sockets).
_REFUSALS = ("ERROR", "NO CARRIER", "SEND FAIL", "NO DIALTONE", "NO DIAL TONE", "BUSY", "NO ANSWER", "ABORTED")
# TS 27.007 9.2: the texts of +CMEE=2 that change what we do, as the numbers of +CMEE=1.
_CAUSES = (
    ("operation not allowed", 3), ("operation not supported", 4), ("sim not inserted", 10),
    ("sim pin required", 11), ("sim puk required", 12), ("sim failure", 13), ("sim busy", 14),
    ("sim wrong", 15), ("no network service", 30), ("unknown", 100),
)
REGISTRATION = ("+CREG:", "+CGREG:", "+CEREG:", "+C5GREG:")


class Reader:
    """Bytes in any chunking -> tokens. Garbage and NULs are dropped, over-long lines are dropped and counted.

    `counted` names the lines that announce raw data: ((prefix, index of the field with the length), ...).
    Set `prompt` to True while a '>' at the start of a line asks for data; it is cleared when that is seen.
    """

    def __init__(self, counted=()):
        self.counted = counted
        self.prompt = False
        self.dropped = 0  # lines too long, lengths impossible
        self.reset()

    def reset(self):
        """Forget a line or payload that has begun, as after a time-out."""
        self._line = b""
        self._long = False
        self._need = 0
        self._gap = False

    def feed(self, data):
        """Take some bytes; return the tokens they complete."""
        tokens, at = [], 0
        while at < len(data):
            at = self._payload(data, at, tokens) if self._need else self._text(data, at, tokens)
        return tokens

    def _text(self, data, at, tokens):
        end = _line_end(data, at)
        self._line += data[at:end]
        if len(self._line) > _MAX_LINE:
            self._line, self._long = b"", True
        if self.prompt and _clean(self._line)[:1] == PROMPT:
            self.prompt = False
            tokens.append(PROMPT)
            self._line = self._line[self._line.find(b">") + 1:]
        if end < len(data):
            self._end(data[end], tokens)
        return end + 1

    def _end(self, terminator, tokens):
        line, long = _clean(self._line), self._long
        self._line, self._long = b"", False
        if long:
            self.dropped += 1
        elif line:
            tokens.append(line)
            self._announce(line, terminator)

    def _announce(self, line, terminator):
        """Switch to raw data when this line says how many bytes of it follow."""
        for prefix, index in self.counted:
            parts = fields(line) if line.startswith(prefix) else ()
            length = number(parts[index]) if index < len(parts) else None
            if length and length > _MAX_DATA:
                self.dropped += 1
            elif length:
                # The data begins after the header's line feed, wherever a chunk was cut.
                self._need, self._gap = length, terminator == _CR

    def _payload(self, data, at, tokens):
        if self._gap:
            self._gap = data[at] == _CR
            return at + 1 if data[at] in (_CR, _LF) else at
        end = at + self._need - len(self._line)
        self._line += data[at:end]
        if len(self._line) == self._need:
            tokens.append(bytes(self._line))
            self._line, self._need = b"", 0
        return min(end, len(data))


def _line_end(data, at):
    """Where the line that starts at `at` ends: a CR, an LF, or the end of what is here."""
    cr, lf = data.find(b"\r", at), data.find(b"\n", at)
    ends = [end for end in (cr, lf) if end >= 0]
    return min(ends) if ends else len(data)


def _clean(raw):
    """A line's printable ASCII: NULs and line noise (a wrong baud rate at boot) are dropped."""
    return bytes([byte for byte in raw if 32 <= byte < 127]).decode().strip()


# --- lines ---


def prefix(command):
    """What the lines of a command's answer begin with: "AT+CPIN?" -> "+CPIN:", "ATI" -> ""."""
    if command[2:3] not in ("+", "^", "#", "%", "$", "*"):
        return ""
    for mark in ("=", "?"):
        command = command.split(mark)[0]
    return command[2:] + ":"


def answers(line, command, wanted, had):
    """Whether a line belongs to the answer of `command` (its prefix is `wanted`, `had` = an answer line came before).

    Registration comes by itself too: only the first line of (n, stat) shape after a read is its answer.
    """
    if not wanted or not line.startswith(wanted):
        return False
    if wanted in REGISTRATION:
        return command.endswith("?") and not had and _carries_n(_split(line))
    return True


def final(line, more=()):
    """The end of an answer: True (done), False (refused), or None when the line does not end one.

    `more` are a vendor's own texts for "refused".
    """
    if line in ("OK", "SEND OK") or line == "CONNECT" or line.startswith("CONNECT "):
        return True
    if line in _REFUSALS or line in more or line.startswith("+CME ERROR") or line.startswith("+CMS ERROR"):
        return False
    return None


def cause(line):
    """Why a command was refused: the number of a +CME ERROR (its text is looked up), else the words in lower case."""
    kind, _, text = line.partition(":")
    text = text.strip().lower()
    if kind != "+CME ERROR":
        return kind.lower() + (" " + text if text else "")
    value = number(text)
    for words, code in _CAUSES:
        if words == text:
            value = code
    return text if value is None else value


def fields(line):
    """The fields after "+NAME:" (or of the whole line), without their quotes; commas inside quotes do not separate."""
    return [part.strip('"').strip() for part in _split(line)]


def _split(line):
    """The fields with their quotes."""
    body = line.partition(":")[2] if line[:1] in ("+", "^", "#", "*", "%") and ":" in line else line
    parts, start, quoted = [], 0, False
    for at, char in enumerate(body):
        if char == '"':
            quoted = not quoted
        elif char == "," and not quoted:
            parts.append(body[start:at].strip())
            start = at + 1
    parts.append(body[start:].strip())
    return parts


def number(text, base=10):
    """A non-negative number with any leading zeros, or None; `base` 10 or 16."""
    digits = "0123456789abcdef"[:base]
    if not text or len(text) > 20 or [char for char in text.lower() if char not in digits]:
        return None
    return int(text, base)


# --- what a line says ---


def registration(line):
    """+CREG, +CGREG, +CEREG, read or unsolicited -> (state, area, cell, technology); what is unknown is None.

    State 0..11 as in TS 27.007 7.2. Some firmwares put n into unsolicited lines too: its shape tells.
    """
    parts = _split(line)
    parts = parts[1:] if _carries_n(parts) else parts
    state = number(parts[0])
    if state is None or state > 11:
        raise RemoteError("at: no registration state in " + line[:40])
    rest = [part.strip('"').strip() for part in parts[1:4]] + [""] * 3
    return state, number(rest[0], 16), number(rest[1], 16), number(rest[2])


def _carries_n(parts):
    """Whether the fields begin with n and state: two short unquoted numbers (an area code has four digits)."""
    if len(parts) < 2 or number(parts[0]) is None:
        return False
    longest = 2 if len(parts) == 3 else 3  # three fields are state, area, cell - unless the second is that short
    return len(parts[1]) <= longest and (number(parts[1]) or 0) <= 11 and parts[1].isdigit()


def registered(state):
    """Whether a registration state carries data: home, roaming, and both without preferred CS fallback."""
    return state in (1, 5, 9, 10)


def sim(line):
    """+CPIN -> "READY", "SIM PIN", "SIM PUK", "NOT READY", "NOT INSERTED"... (TS 27.007 8.3)."""
    text = fields(line)[0].upper()
    if not text:
        raise RemoteError("at: +CPIN says nothing")
    return text


def signal(line):
    """+CSQ -> dBm, or None when not known (TS 27.007 8.5; 100..199 is the TD-SCDMA scale)."""
    level = number(fields(line)[0])
    if level is None:
        raise RemoteError("at: no signal level in " + line[:40])
    if level <= 31:
        return 2 * level - 113
    return level - 216 if 100 <= level <= 191 else None


def iccid(line):
    """The SIM's number from any vendor's answer: 18 to 20 digits that begin with 89 (ITU-T E.118).

    Modems give it as text, quoted or not, with a filler F, or as the card's nibble-swapped BCD.
    """
    text = max(fields(line), key=len).upper()
    if len(text) > 20 or number(text, 16) is None:
        raise RemoteError("at: no ICCID in " + line[:40])
    if text[:2] != "89":
        text = "".join([text[at + 1:at + 2] + text[at] for at in range(0, len(text), 2)])
    text = text.rstrip("F")
    if len(text) < 18 or text[:2] != "89":
        raise RemoteError("at: not an ICCID: " + line[:40])
    return text


def imsi(line):
    """+CIMI -> the subscriber's 6 to 15 digits (TS 23.003 2.2)."""
    text = fields(line)[0]
    if not text.isdigit() or not 6 <= len(text) <= 15:
        raise RemoteError("at: not an IMSI: " + line[:40])
    return text


def imei(line):
    """+CGSN -> 15 digits; of an IMEISV (16 digits) the software version is replaced by the check digit (TS 23.003 6.2)."""
    text = fields(line)[0]
    if not text.isdigit() or not 14 <= len(text) <= 16:
        raise RemoteError("at: not an IMEI: " + line[:40])
    if len(text) != 15:
        text = text[:14] + str(luhn(text[:14]))
    return text


def luhn(digits):
    """The check digit for `digits` (ISO/IEC 7812-1 annex B); a complete number is right when its last digit is it."""
    total = 0
    for at, char in enumerate(reversed(digits)):
        value = int(char) * (1 if at % 2 else 2)
        total += value - 9 if value > 9 else value
    return -total % 10


def text(line):
    """Free text (+CGMI, +CGMM, +CGMR): without prefix and quotes, at most 64 characters."""
    return (fields(line)[0] if line[:1] == "+" else line.strip('"'))[:64]
