"""The installer of a Linux machine: a package becomes a file, and a program of the product's does the rest.

    PROGRAM check FILE      0: it is sound and from whom it should be; 2: it is not for this device; else: damaged.
                            Its first line of output names it, the second its version
    PROGRAM install FILE    0: installed; 3: installed by a restart; else: failed
    PROGRAM outcome         after that restart. 0: the new firmware runs

The agent waits for each of them: they must be quick, or only begin what takes long.
"""

import os

from .files import Files, open_private

_NAME = "firmware.package"
_SAID = "firmware.said"
_OTHER_DEVICE, _BY_RESTART = 2, 3
_LINE = 64  # bytes of a name or version
_STEP = 8192  # bytes from one moment to the next at which all of them are surely on the medium


class Installer:
    """program: its path; folder: where the package is kept; limit: bytes that one may have."""

    def __init__(self, program, folder, limit):
        if "'" in program + folder:
            raise ValueError("option installer: %r is not possible; a path without quotes" % program)
        self.limit = limit
        self._program, self._files = program, Files(folder)
        self._at = 0  # where the next bytes belong

    def begin(self, _size):
        self.abort()
        self._files.write(_NAME, b"")
        self._at = 0

    def write(self, data):
        """The next bytes. From step to step they are made to reach the medium, too."""
        before, self._at = self._at, self._at + len(data)
        file = open_private(self._files.path(_NAME), "r+b")
        try:
            file.seek(before)
            file.write(data)
            file.flush()
            if hasattr(os, "fsync") and self._at // _STEP > before // _STEP:
                os.fsync(file.fileno())
        finally:
            file.close()

    def resume(self, block):
        """After a power cut: -> how many bytes of the package are there for certain, in whole blocks; the next ones
        follow these. One step less than the file is long: a cut may leave it longer than what is in it."""
        try:
            size = os.stat(self._files.path(_NAME))[6]
        except OSError:
            return 0
        self._at = max(size // _STEP - 1, 0) * _STEP // block * block
        return self._at

    def finish(self):
        code = self._run("check '%s' > '%s'" % (self._files.path(_NAME), self._files.path(_SAID)))
        if code == _OTHER_DEVICE:
            raise LookupError("installer: the package is not for this device")
        if code:
            raise ValueError("installer: the package is damaged, or not signed as it should be (%d)" % code)
        said = (self._files.read(_SAID) or b"").split(b"\n") + [b"", b""]
        return [line[:_LINE].decode() for line in said[:2]]

    def abort(self):
        for name in (_NAME, _SAID):
            self._files.remove(name)

    def install(self):
        code = self._run("install '%s'" % self._files.path(_NAME))
        return None if code == _BY_RESTART else code == 0

    def outcome(self):
        return self._run("outcome") == 0

    def _run(self, arguments):
        """-> its exit code."""
        status = os.system("'%s' %s" % (self._program, arguments))
        return status >> 8 or status & 255
