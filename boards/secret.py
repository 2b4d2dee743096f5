"""The machine's own secret, under which the agent seals credentials: 32 random bytes in a file of their own, beside the
folder of the state and not in it. Loaded when there is something to seal, to open or to wipe.

Whoever can read that file and the state has the credentials; docs/security.md says what that means.
"""

import os
import sys

_SIZE = 32
_EACCES, _ENOENT, _EINVAL = 13, 2, 22


def of(medium, what, Files):
    """The port secret() of a medium that is Files: see there. The file is FOLDER.key, or what `medium.key` names:
    that one is neither made nor removed here."""
    path = medium.key or medium.folder.rstrip("/") + ".key"
    folder, _, name = path.rpartition("/")
    files = Files(folder or ".")
    _drop()
    if what == "forget":
        return None if medium.key else forget(files, name)
    found = files.read(name)
    if found is None and what == "make" and not medium.key:
        found = os.urandom(_SIZE)
        files.write(name, found)
    if found is None:
        raise OSError(_ENOENT, "machine key: %s is not there" % path)
    if len(found) < _SIZE:
        raise OSError(_EINVAL, "machine key: %s has %d bytes, %d are needed; without it the device starts as new"
                      % (path, len(found), _SIZE))
    if medium.key is not None and _readable(path):
        raise OSError(_EACCES, "machine key: others may read %s; chmod 600 it, and start with umask 077" % path)
    return found


def forget(files, name):
    """Overwrite a file of `files` where it lies, and remove it and its draft."""
    for file in (name, name + ".new"):
        data = files.read(file)
        if data is not None:
            try:
                files._fill(files.path(file), "r+b", bytes(len(data)))
            except OSError as e:
                raise files._failed(e, file, "written")
            files.remove(file)


def _readable(path):
    """By others than its owner. MicroPython cannot make a file that is not, unless the umask does it or a folder above
    lets nobody in."""
    path = path if path[0] == "/" else os.getcwd() + "/" + path
    while path and os.stat(path)[0] & 0o077:
        path = path.rpartition("/")[0]
    return not path


def _drop():
    """Not needed before long: only MicroPython's own table of modules, and the package, hold this file."""
    package = sys.modules[__name__.rpartition(".")[0]]
    if sys.implementation.name == "micropython" and sys.modules.pop(__name__, None):
        delattr(package, "secret")
