"""Data that ends with a pattern instead of being counted: Sierra's +KUDPRCV, +KUDPSND and their likes.

After "CONNECT" the line carries data, in the direction that the command is for, until the pattern.
"""

from . import at

try:
    from micropython import const
except ImportError:
    const = lambda value: value

_MAX_DATA = const(1500)
_CR = const(13)


class Reader(at.Reader):
    """As at.Reader, and the row "CONNECT" of `counted` has the pattern (bytes).

    A "CONNECT" then asks for our data like a prompt, or begins theirs; without that row it is a line.
    """

    def reset(self):
        """Forget a line or payload that has begun, as after a time-out."""
        at.Reader.reset(self)
        self._end_mark = b""

    def _end(self, terminator, tokens):
        mark = self.counted.get("CONNECT")
        if not mark or self._long or self._line.strip() != b"CONNECT":
            return at.Reader._end(self, terminator, tokens)
        self._line = b""
        if self.prompt:
            self.prompt = False
            tokens.append(at.PROMPT)
        else:
            self._end_mark, self._need, self._gap = mark, 1, terminator == _CR

    def _payload(self, data, start, tokens):
        mark = self._end_mark
        if self._gap or not mark:
            return at.Reader._payload(self, data, start, tokens)
        self._line += data[start:]
        end, extra = self._line.find(mark), 0
        if end < 0 and len(self._line) < _MAX_DATA + len(mark):
            return len(data)
        if end < 0:
            self.dropped += 1
        else:
            extra = len(self._line) - end - len(mark)
            tokens.append(self._line[:end])
        self.reset()
        return len(data) - extra
