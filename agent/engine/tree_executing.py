"""Executing resources, a part of objects.py that is loaded for it (LwM2M 1.1 Core 6.3.5)."""

from ..errors import RemoteError
from .objects import spelled
from .tree_rows import instances, resources

_NOT_ALLOWED = 133


def execute(objects, path, arguments):
    """Runs the resource. RemoteError 4.00 when the arguments (bytes) are not as in Core 6.3.5: 0,1='text'."""
    table, _, _, run = objects.at(path)[:4]
    instances(objects, path)
    if len(path) != 3 or "E" not in resources(path, table)[0][1]:
        raise RemoteError("%s cannot be executed" % spelled(path), _NOT_ALLOWED)
    _check_arguments(arguments)
    run(path[1], path[2], arguments)


def _check_arguments(data):
    at, more = 0, bool(data)
    while more:
        good = data[at : at + 1].isdigit()
        at += 1
        if data[at : at + 2] == b"='":
            end = data.find(b"'", at + 2)
            text = data[at + 2 : end] if end > 0 else b" "
            good = good and not [char for char in text if not 32 < char < 127 or char in b'"\\']
            at = end + 1
        more = data[at : at + 1] == b","
        at += more
        if not good:
            raise RemoteError("arguments are like 0,1='text'")
    if at != len(data):
        raise RemoteError("arguments are like 0,1='text'")
