"""Files in a folder as the store's medium: what is written stays written, old or new after a power cut.

A device's settings are nobody else's business: the folder is 0700 and the files 0600. MicroPython has no chmod and
no fsync: there the folder has to be made by whoever starts the agent, and a cut of the machine's own power (not the
end of the process) may lose what the kernel had not written yet.
"""

import os
import sys

_ENOENT, _EEXIST = 2, 17
_MICRO = sys.implementation.name == "micropython"


class Files:
    """The medium: read, write, append, remove, forget, by name. Raises OSError with the path in its text. key: the file
    of the machine's secret, where somebody else takes care of it; None: the machine is simulated, it has no secrets."""

    key = None

    def __init__(self, folder):
        self.folder = folder
        try:
            _make(folder)
        except OSError as e:
            if e.errno != _EEXIST:
                raise OSError(e.errno, "store: %s cannot be made (%s); choose another folder" % (folder, reason(e)))

    def read(self, name):
        """The whole content, or None when there is no such file."""
        try:
            with open(self.path(name), "rb") as file:
                return file.read()
        except OSError as e:
            if e.errno == _ENOENT:
                return None
            raise self._failed(e, name, "read")

    def write(self, name, data):
        """Replace: the new content is complete on the medium before it takes the old one's place."""
        draft = self.path(name) + ".new"
        try:
            self._fill(draft, "wb", data)
            os.rename(draft, self.path(name))
            _sync_folder(self.folder)
        except OSError as e:
            raise self._failed(e, name, "written")

    def append(self, name, data):
        try:
            self._fill(self.path(name), "ab", data)
        except OSError as e:
            raise self._failed(e, name, "written")

    def remove(self, name):
        """Does nothing when there is no such file."""
        try:
            os.remove(self.path(name))
        except OSError as e:
            if e.errno != _ENOENT:
                raise self._failed(e, name, "removed")

    def forget(self, name):
        """Overwrite it where it lies, as far as the file system does so, and remove it, and what a power cut left of
        it."""
        from .secret import forget

        forget(self, name)

    def secret(self, what):
        """32 secret bytes or more that are this machine's and not in the folder: "read", "make" (where there are none
        yet) or "forget". OSError says why there are none."""
        from .secret import of

        return of(self, what, Files)

    def path(self, name):
        return self.folder + "/" + name

    def _fill(self, path, mode, data):
        # Not `with`: on LittleFS an exception inside would commit the half file (close() follows flush() here).
        file = open_private(path, mode)
        try:
            file.write(data)
            file.flush()
            if not _MICRO:
                os.fsync(file.fileno())
        finally:
            file.close()

    def _failed(self, e, name, what):
        return OSError(e.errno, "store: %s cannot be %s (%s)" % (self.path(name), what, reason(e)))


def reason(e):
    """An OSError's text, which MicroPython often leaves out."""
    return e.args[1] if len(e.args) > 1 else "errno %s" % e.args[0]


def open_private(path, mode):
    """open(), but a new file can be read by its owner only."""
    if _MICRO:
        return open(path, mode)
    else:
        return open(path, mode, opener=lambda name, flags: os.open(name, flags, 0o600))


def _make(folder):
    """mkdir -p, for its owner only."""
    at = folder.find("/", 1)
    while at > 0:
        try:
            os.mkdir(folder[:at])
        except OSError as e:
            if e.errno not in (_EEXIST, 13, 30):  # a parent we may not write to, or on a read-only medium
                raise
        at = folder.find("/", at + 1)
    if not _MICRO:
        os.mkdir(folder, 0o700)
    else:
        os.mkdir(folder)


def _sync_folder(folder):
    """The rename itself has to reach the medium too."""
    if not _MICRO:
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
