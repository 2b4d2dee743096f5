"""A transcript of an AT port: every byte both ways with its time, as JSON lines that `pointsman modem --replay` reads.

    {"transcript": 1, "profile": "quectel-ec25"}
    {"ms": 1204, "to": "modem", "text": "AT+CPIN=****\\r"}
    {"ms": 1209, "to": "device", "text": "\\r\\nOK\\r\\n"}
    {"ms": 5120, "to": "device", "data": 48}

`text` is Latin-1: a character a byte. PINs and passwords are stars. What a data call carries is only counted.
"""

import json
import os
import time

from ..faults import BUSY, USAGE, Fault
from .secrets import Mask

MAX_BYTES = 64 << 20  # of a file; then it ends
MAX_LINE = 1 << 20
ENDS = ("modem", "device")


class Record:
    """Writes one to a file that only its owner may read. online(): whether a data call runs; echo(): whether the modem
    echoes. Fault when the file cannot be made.
    """

    def __init__(self, path, profile):
        self.online = self.echo = lambda: False
        self._masks = {end: Mask() for end in ENDS}
        self._owed = 0  # digits of a secret whose echo is still to come
        self._begun = time.monotonic()
        self._last = None
        self._left = MAX_BYTES
        try:
            number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        except OSError as error:
            raise Fault("no record at %s: %s" % (path, error.strerror), "choose another --record", BUSY) from None
        self._file = os.fdopen(number, "w", encoding="utf-8")
        self._put({"transcript": 1, "profile": profile})

    def add(self, end, data):
        """Bytes on their way to "modem" or "device"."""
        ms = round((time.monotonic() - self._begun) * 1000)
        entry = {"ms": ms, "to": end}
        if self.online() or data[:1] == b"~":  # a frame: the device has not noticed yet that the call has ended
            entry["data"] = len(data)
        else:
            entry["text"] = self._hidden(end, data.decode("latin-1"))
        last = self._last
        if last and (last["ms"], last["to"], "text" in last) == (ms, end, "text" in entry):
            for key in ("text", "data"):
                if key in entry:
                    last[key] += entry[key]
        else:
            self._flush()
            self._last = entry

    def close(self):
        """Write what is left."""
        self._flush()
        self._file.close()

    def _hidden(self, end, text):
        shown = self._masks[end].feed(text)
        stars = shown.count("*") - text.count("*")
        if end == "modem":
            self._owed = max(0, self._owed) + stars if self.echo() else 0
        elif stars:
            self._owed -= stars
        elif self._owed > 0:  # an unsolicited line came between the echo's beginning and the secret
            hidden = [self._owe(character) for character in shown]
            shown = "".join(hidden)
        return shown

    def _owe(self, character):
        if character.isdigit() and self._owed > 0:
            self._owed -= 1
            return "*"
        return character

    def _flush(self):
        if self._last:
            self._put(self._last)
            self._last = None

    def _put(self, entry):
        line = json.dumps(entry) + "\n"
        if self._left:
            self._left = max(0, self._left - len(line))
            self._file.write(line if self._left else '{"end": "full"}\n')
            self._file.flush()


def read(path):
    """[(ms, "modem" | "device", bytes)] of a transcript. Fault with the line that is wrong."""
    try:
        with open(path, encoding="utf-8") as file:
            return [entry for number, line in enumerate(file, 1) for entry in _entry(path, number, line)]
    except (OSError, UnicodeDecodeError) as error:
        raise Fault("the record %s cannot be read: %s" % (path, error), "name another", USAGE) from None


def _entry(path, number, line):
    try:
        entry = json.loads(line) if len(line) <= MAX_LINE else None
        if "data" in entry or "end" in entry or number == 1 and entry["transcript"] == 1:
            return []
        if number > 1 and type(entry["ms"]) is int and 0 <= entry["ms"] < 1 << 40 and entry["to"] in ENDS:
            return [(entry["ms"], entry["to"], entry["text"].encode("latin-1"))]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    remedy = 'a line is like {"ms": 1204, "to": "modem", "text": "AT\\r"}'
    raise Fault("%s, line %d: %r is no entry of a transcript" % (path, number, line[:60]), remedy, USAGE)
