"""One AT command at a time: which line belongs to its answer, which came by itself. A part of the modem engine.

A line is part of the answer when a command is pending and the line begins with that command's prefix, or is bare text
(ATI, AT+CGSN) and no known unsolicited line; everything else came by itself. Never decided from quotes or fields
alone: firmwares differ (the exception, registration, is in codec/at.py).
"""

import sys

from ..codec import at
from ..modems import generic

try:
    from micropython import const
except ImportError:
    const = lambda value: value

# Bytes of the transcript (at_transcript.py), and the most that one line takes of it
_RING = 384 if sys.implementation.name == "micropython" else 8192
_NOTED = const(80)
_MAX_LINES = const(32)  # of one answer; what exceeds it is dropped


class Channel:
    """Feed it the tokens of `reader`; `out` collects the bytes for the serial port."""

    def __init__(self):
        self.reader = at.Reader()
        self.out = []
        self.dropped = 0  # data that nobody asked for, lines too many
        self.stale = 0  # commands given up on, whose answers may still come
        self.command = None
        self.held = False  # the prompt was seen; the family wants our data a little later
        self._data = None  # what waits for a prompt
        self.family = generic
        self.ring, self.noted = bytearray(_RING), 0  # what was said lately; how many bytes that were in all

    def of(self, name):
        """A row of the family's file, else of the generic one."""
        return getattr(self.family, name, getattr(generic, name, None))

    def start(self, command, data=None):
        """Send a command (and `data` at its prompt); -> how long it may take (ms)."""
        self.command, self._data, self._lines, self._begun = command, data, [], False
        name = command.split("=")[0].split("?")[0]
        self._prefix = self.of("PREFIXES").get(command) or self.of("PREFIXES").get(name) or at.prefix(command)
        if "%s" in self._prefix:
            self._prefix %= command.split("=")[-1].split(",")[0]
        self.reader.counted = {} if command[-1] in "?#" else self.of("COUNTED")  # nor when it dials
        self.reader.prompt = data is not None and not self.of("asks")
        self.out.append(command.encode() + b"\r")
        self._note(">", command)
        own, known = self.of("TIMEOUTS"), generic.TIMEOUTS
        self.limit = own.get(command) or own.get(name) or known.get(name, known[""])
        return self.limit

    def release(self):
        """Send what was held after the prompt; -> how long the answer may take (ms)."""
        self.out.append(self._data)
        self._note(">", self._data)
        self._data, self.held = None, False
        return self.limit

    def abandon(self):
        """Give up on the pending command; its answer may still come and must not be taken for the next one's."""
        self.stale += self.command is not None
        self.command, self.held = None, False
        self.reader.reset()

    def accept(self, token):
        """Sort one token: ("answer", ok, lines) ends the command; ("line", text) came by itself; or None.

        ("late",): the answer of an abandoned command; ("hold", ms): release() after that time. A refused answer's
        last line is the final result.
        """
        self._note("<", token)
        asks = self.of("asks")
        if isinstance(token, bytes) or token == at.PROMPT and not asks:
            return self._raw(token)
        size = asks and self.command is not None and self._data is not None and asks(token)
        if size:
            self._begun, self._data = True, self._data[:size]
            self.release()
            return self._keep(token)
        done = at.final(token, self.of("REFUSALS"), self.of("SUCCESSES"))
        if self.command is None:
            if done is None:
                return ("line", token)
            self.stale = max(0, self.stale - 1)
            return ("late",)
        if done is not None:
            self.command, self.reader.prompt, self.held = None, False, False
            return ("answer", done, self._lines if done else self._lines + [token])
        if token.endswith(self.command):  # its echo
            return None
        if at.answers(token, self.command, self._prefix, self._begun):
            if not self._begun:
                self._lines, self._begun = [], True  # bare lines before it: what noise made of the echo
        else:
            word = token[: token.find(":") + 1] or token
            if token[0] in "+^#*%&$" or "\n" + word + "\n" in self.of("WORDS"):
                return ("line", token)
        return self._keep(token)

    def _raw(self, token):
        """Data belongs to the answer only when this command's own lines announce it; a prompt asks for ours."""
        prompt = not isinstance(token, bytes)
        if prompt and self.command is not None and self._data is not None:
            if self.of("PROMPT_MS"):
                self.held = True
                return "hold", self.of("PROMPT_MS")
            self.release()
        elif not prompt and self.command is not None and self._prefix.partition(":")[0] in self.reader.counted:
            return self._keep(token)
        else:
            self.dropped += 1
        return None

    def _note(self, sign, item):
        """Into the ring, over what is oldest; of bytes only how many."""
        text = "[%d B]" % len(item) if isinstance(item, bytes) else item[:_NOTED]
        for byte in (sign + text + "\n").encode():
            self.ring[self.noted % len(self.ring)] = byte
            self.noted += 1

    def _keep(self, item):
        if len(self._lines) < _MAX_LINES:
            self._lines.append(item)
        else:
            self.dropped += 1
        return None
