"""CoRE link format (RFC 6690): the list of links in a registration and in /.well-known/core.

A link is (target, [(name, value or None)]); values are str, whether quoted on the wire or not. Decoding is in
linkformat_reading.py, which is loaded when there is something to read.
"""

from ..errors import LocalError

_STOPS = " ,;<>\"'\\=()[]{}"


def encode(links, out=None):
    """The text of links [(target, [(name, value or None)])], or nothing where it goes to the end of the bytearray
    `out`: numbers and versions bare, other values quoted. Raises LocalError for what cannot be written."""
    if out is None:
        out = bytearray()
        encode(links, out)
        return str(out, "utf-8")
    before = "<"
    for target, attributes in links:
        if ">" in target:
            raise LocalError("linkformat: bad target " + target)
        out.extend((before + target + ">").encode())
        before = ",<"
        for name, value in attributes:
            if not name or [char for char in name if not " " < char < "\x7f" or char in _STOPS]:
                raise LocalError("linkformat: bad attribute " + name)
            out.extend((";" + name if value is None else ";" + name + "=" + _quoted(str(value))).encode())


def decode(text):
    """[(target, [(name, value or None)])] of a link list (str), which may be empty. Raises RemoteError."""
    from .linkformat_reading import read

    return read(text)


def _quoted(value):
    if value and not value.replace(".", "").strip("0123456789"):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
