"""UTF-8 as RFC 3629 wants it, the same on both interpreters.

MicroPython's own decoder lets overlong forms, surrogates and numbers beyond U+10FFFF pass; CPython's does
not. Two peers that disagree on what a name says are how a forbidden path gets through: closed here.
"""

from ..errors import RemoteError


def decode(data, what):
    """The text in `data` (bytes). Raises RemoteError("`what`: ...") unless well-formed (RFC 3629 4)."""
    try:
        text = str(data, "utf-8")
    except UnicodeError:
        raise RemoteError(what + ": text is not UTF-8")
    if len(text) != len(data):  # only then is there anything but ASCII
        for at, first in enumerate(data):
            if first >= 0xC0 and not _allowed(first, data[at + 1]):
                raise RemoteError(what + ": text is not UTF-8")
    return text


def _allowed(first, second):
    """Whether a multi-byte character may start so; the number of its bytes has been checked before."""
    if first == 0xE0:
        return second >= 0xA0
    if first == 0xED:
        return second < 0xA0
    if first == 0xF0:
        return second >= 0x90
    if first == 0xF4:
        return second < 0x90
    return 0xC2 <= first < 0xF5


def check(text, what):
    """`text` itself, if it can be sent. Raises RemoteError: a JSON escape can name half a character."""
    try:
        data = text.encode()
    except UnicodeError:
        raise RemoteError(what + ": text is not UTF-8")
    decode(data, what)
    return text
