"""CoRE link format (RFC 6690): the list of links in a registration and in /.well-known/core.

A link is (target, [(name, value or None)]); values are str, whether quoted on the wire or not. Decoding is in
linkformat_reading.py, which is loaded when there is something to read.
"""

from ..errors import LocalError

_STOPS = " ,;<>\"'\\=()[]{}"


def encode(links):
    """The text of links [(target, [(name, value or None)])]: numbers and versions bare, other values quoted.

    Raises LocalError for what cannot be written.
    """
    out = []
    for target, attributes in links:
        if ">" in target:
            raise LocalError("linkformat: bad target " + target)
        parts = ["<" + target + ">"]
        for name, value in attributes:
            if not name or [char for char in name if not " " < char < "\x7f" or char in _STOPS]:
                raise LocalError("linkformat: bad attribute " + name)
            parts.append(name if value is None else name + "=" + _quoted(str(value)))
        out.append(";".join(parts))
    return ",".join(out)


def decode(text):
    """[(target, [(name, value or None)])] of a link list (str), which may be empty. Raises RemoteError."""
    from .linkformat_reading import read

    return read(text)


def _quoted(value):
    if value and not value.replace(".", "").strip("0123456789"):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
