"""CoRE link format (RFC 6690), the reading half: loaded when there is something to read, and dropped by whoever is done
with it.
"""

from ..errors import RemoteError

_MAX_LINKS = 256
_MAX_ATTRIBUTES = 16  # of one link
_STOPS = " ,;<>\"'\\=()[]{}"


def read(text):
    """[(target, [(name, value or None)])] of a link list (str), which may be empty. Raises RemoteError."""
    links = []
    at = _skip(text, 0)
    while at < len(text) or links:
        if len(links) == _MAX_LINKS:
            raise RemoteError("linkformat: more than %d links" % _MAX_LINKS)
        target, at = _target(text, at)
        attributes = []
        at = _skip(text, at)
        while text[at : at + 1] == ";":
            if len(attributes) == _MAX_ATTRIBUTES:
                raise RemoteError("linkformat: more than %d attributes" % _MAX_ATTRIBUTES)
            name, value, at = _attribute(text, _skip(text, at + 1))
            attributes.append((name, value))
            at = _skip(text, at)
        links.append((target, attributes))
        if at == len(text):
            break
        if text[at] != ",":
            raise RemoteError("linkformat: expected a comma at %d" % at)
        at = _skip(text, at + 1)
    return links


def _target(text, at):
    end = text.find(">", at)
    if text[at : at + 1] != "<" or end < 0:
        raise RemoteError("linkformat: expected a <target> at %d" % at)
    return text[at + 1 : end], end + 1


def _attribute(text, at):
    """(name, value or None, where it ends)."""
    end = _end(text, at)
    if end == at:
        raise RemoteError("linkformat: expected an attribute at %d" % at)
    name = text[at:end]
    if text[end : end + 1] != "=":
        return name, None, end
    if text[end + 1 : end + 2] == '"':
        value, at = _string(text, end + 2)
        return name, value, at
    at = end + 1
    # An unquoted value (ptoken) may hold all but separators; real servers put more in than RFC 6690 allows.
    while at < len(text) and text[at] not in ',;" ':
        at += 1
    return name, text[end + 1 : at], at


def _string(text, at):
    """(quoted string without its escapes, where it ends); `at` is behind the opening quote."""
    parts = []
    while True:
        end = text.find('"', at)
        if end < 0:
            raise RemoteError("linkformat: unterminated string")
        escape = text.find("\\", at, end)
        if escape < 0:
            parts.append(text[at:end])
            return "".join(parts), end + 1
        parts.append(text[at:escape] + text[escape + 1 : escape + 2])
        at = escape + 2


def _end(text, at):
    """Where a name ends that starts at `at`."""
    while at < len(text) and " " < text[at] < "\x7f" and text[at] not in _STOPS:
        at += 1
    return at


def _skip(text, at):
    while text[at : at + 1] in (" ", "\n", "\t", "\r"):
        at += 1
    return at
