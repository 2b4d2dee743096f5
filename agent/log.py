"""What happened, for people and for the laboratory: a level, a sink, and the last entries to be read later.

An entry is (level, now in ms, actor, event, fields); the actor is the part of the agent that speaks, the
event one word.
"""

import json
import sys
from collections import deque

_LEVELS = ("debug", "info", "warning", "error")
_KEPT_CHARACTERS = 96
_SECRET = ("key", "psk", "secret", "password")


class Log:
    """Hands entries of `level` and worse to `sink(level, now, actor, event, fields)`; keeps the last few."""

    def __init__(self, sink=None, level="info", keep=8):
        self.sink = sink
        self._least = _LEVELS.index(level)
        self._kept = deque((), keep)

    def write(self, level, now, actor, event, fields=None):
        """One entry. Fields whose name speaks of a secret are masked before anything sees them."""
        if _LEVELS.index(level) < self._least:
            return
        fields = mask(fields or {})
        self._kept.append(line(level, now, actor, event, fields)[:_KEPT_CHARACTERS])
        if self.sink:
            self.sink(level, now, actor, event, fields)

    def debug(self, now, actor, event, **fields):
        self.write("debug", now, actor, event, fields)

    def info(self, now, actor, event, **fields):
        self.write("info", now, actor, event, fields)

    def warning(self, now, actor, event, **fields):
        self.write("warning", now, actor, event, fields)

    def error(self, now, actor, event, **fields):
        self.write("error", now, actor, event, fields)

    def tail(self):
        """The last entries as lines of text, oldest first: a line takes a third of the heap that its fields take."""
        return list(self._kept)


def mask(fields):
    """The fields without secrets: the value of anything named like one is replaced."""
    return {name: "***" if is_secret(name) else fields[name] for name in fields}


def is_secret(name):
    """Whether what is called so must not be shown."""
    return name == "pin" or any(word in name.lower() for word in _SECRET)


def line(level, now, actor, event, fields):
    """An entry as a line for people: `12.345 registration registered lifetime=300 uri=coap://...`."""
    words = ["%d.%03d" % (now // 1000, now % 1000), actor, event]
    if level in ("warning", "error"):
        words.insert(1, level.upper())
    return " ".join(words + ["%s=%s" % (name, shown(fields[name])) for name in sorted(fields)])


def json_line(level, now, actor, event, fields):
    """An entry as one JSON object: {"t": ms, "actor": ..., "event": ..., "level": ..., and the fields}."""
    words = [("t", now), ("actor", actor), ("event", event), ("level", level)]
    words += [(name, fields[name]) for name in sorted(fields)]
    return "{%s}" % ", ".join(["%s: %s" % (json.dumps(name), _json(value)) for name, value in words])


def _json(value):
    plain = value is None or isinstance(value, (bool, int, str, list, tuple))
    return json.dumps(value if plain else shown(value))


def shown(value):
    """A value as a log line shows it: bytes in hexadecimal, never a line break or a control character."""
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).hex()
    text = str(value)
    for char in text:
        if not " " <= char != "\x7f":
            return "".join([char if " " <= char != "\x7f" else "?" for char in text])
    return text


def sink(form):
    """A log sink that prints lines: "text" for people, "json" for programs. ValueError for anything else."""
    if form not in ("text", "json"):
        raise ValueError("log: %r is not possible; text or json" % (form,))
    make = json_line if form == "json" else line

    def write(*entry):
        try:
            sys.stdout.write(make(*entry) + "\n")
            sys.stdout.flush()
        except OSError:
            pass  # nobody listens any more: no reason to stop metering

    return write
