"""An initramfs, written without root and without unpacking anything: a cpio archive straight from Debian's packages.

The kernel unpacks several archives that lie one behind the other, so the Debian part is made once, and what a run adds
is a second archive (Linux, Documentation/driver-api/early-userspace/buffer-format.rst).
"""

import importlib.util
import marshal
import os
import struct
import subprocess
import sys
import tarfile

_FOLDER, _LINK, _FILE = 0o040000, 0o120000, 0o100000
_MERGED = ("bin", "sbin", "lib", "lib64")  # links to /usr's, as in every Debian since 12
_LEFT_OUT = (
    "usr/share/", "usr/lib/python3/dist-packages/debpython", "/test/", "/lib2to3/", "/pydoc_data/", "/idlelib/",
    "/tkinter/", "/distutils/", "/ensurepip/", "/gconv/", "/perl",
)  # fmt: skip


class Archive:
    """A cpio archive (form "newc") that grows in a binary file; everything in it is root's."""

    def __init__(self, file):
        self._file, self._known = file, set()

    def folder(self, path):
        """And those that it lies in."""
        parts = path.split("/")
        for end in range(1, len(parts) + 1):
            part = "/".join(parts[:end])
            if part and part not in self._known:
                self._add(part, _FOLDER | 0o755, b"")

    def link(self, path, target):
        self.folder(path.rpartition("/")[0])
        self._add(path, _LINK | 0o777, target.encode())

    def put(self, path, data, mode=0o644):
        self.folder(path.rpartition("/")[0])
        self._add(path, _FILE | mode, data)

    def merge_usr(self):
        """Before all else: /bin is /usr/bin, and so on."""
        for name in _MERGED:
            self.folder("usr/" + name)
            self.link(name, "usr/" + name)

    def close(self):
        self._add("TRAILER!!!", 0, b"")
        self._file.write(bytes(-self._file.tell() % 512))

    def _add(self, path, mode, data):
        if path in self._known:
            return
        self._known.add(path)
        name = path.encode() + b"\0"
        fields = (len(self._known), mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0)
        self._file.write(b"070701" + b"".join(b"%08x" % field for field in fields) + name)
        self._file.write(bytes(-self._file.tell() % 4) + data)
        self._file.write(bytes(-self._file.tell() % 4))

    # from packages

    def package(self, deb):
        """All of a package that a running guest needs; Python's library compiled, where this Python can."""
        for name, entry, tar in members(deb):
            path = _merged(name)
            if any(part in "/" + path for part in _LEFT_OUT):
                continue
            if entry.isdir():
                self.folder(path)
            elif entry.issym():
                self.link(path, entry.linkname)
            elif entry.isfile():
                self._packed(path, tar.extractfile(entry).read(), entry.mode & 0o777)

    def _packed(self, path, data, mode):
        code = compiled(path, data)
        if code:
            self.put(path + "c", code)  # in the source's place: nobody reads that in the guest
        else:
            self.put(path, data, mode)

    def tree(self, folder, prefix):
        """A folder of this machine as `prefix` of the guest's, modules compiled beside their source."""
        for where, _, names in os.walk(folder):
            for name in names:
                source = os.path.join(where, name)
                path = prefix + "/" + os.path.relpath(source, folder)
                with open(source, "rb") as file:
                    data = file.read()
                self.put(path, data, 0o755 if os.access(source, os.X_OK) else 0o644)
                code = compiled(path, data)
                if code:
                    self.put(importlib.util.cache_from_source(path), code)


def members(deb):
    """(path, tar's entry, tar) of every file of a package."""
    command = ["dpkg-deb", "--fsys-tarfile", str(deb)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as unpacking:
        with tarfile.open(fileobj=unpacking.stdout, mode="r|") as tar:
            for entry in tar:
                yield entry.name.removeprefix("./").rstrip("/"), entry, tar


def compiled(path, data):
    """A module's code as its .pyc file holds it, never to be checked again; None when this is no module, or not one of
    this Python's."""
    if "/python%d.%d/" % sys.version_info[:2] not in path or not path.endswith(".py"):
        return None
    try:
        code = compile(data, "/" + path, "exec", dont_inherit=True)
    except SyntaxError:
        return None
    head = importlib.util.MAGIC_NUMBER + struct.pack("<I", 1)  # PEP 552: by hash, unchecked
    return head + importlib.util.source_hash(data) + marshal.dumps(code)


def _merged(path):
    return "usr/" + path if path.split("/")[0] in _MERGED else path
