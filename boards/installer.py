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


class Installer:
    """program: its path; folder: where the package is kept; limit: bytes that one may have."""

    def __init__(self, program, folder, limit):
        if "'" in program + folder:
            raise ValueError("option installer: %r is not possible; a path without quotes" % program)
        self.limit = limit
        self._program, self._files = program, Files(folder)

    def begin(self, _size):
        self.abort()
        self._files.write(_NAME, b"")

    def write(self, data):
        """The next bytes. They are only written to the file: a power cut voids a download anyway."""
        file = open_private(self._files.path(_NAME), "ab")
        try:
            file.write(data)
        finally:
            file.close()

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
