"""The virtual Raspberry Pi's kernel and Debian part, made once from Debian's own packages, in .venv/hil.

usage: python tests/hil/image.py [--install]    makes it, or says what keeps it from being made; as root it can get QEMU
"""

import atexit
import functools
import gzip
import lzma
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from archive import Archive, members
from needs import FOLDER, Missing, find, install, missing
from packages import Apt

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
# What the guest is to have; what these need is found in them. A name that is not there is built in.
MODULES = (
    "virtio_pci", "virtio_net", "virtio_blk", "virtio_rng", "crc32c_generic", "ext4", "ppp_async", "xhci-pci",
    "ftdi_sio",
)  # fmt: skip
DISK = 16 << 20  # bytes
_STAMP_VERSION = "1"  # a change of these files makes the image anew; this is for a change that they do not show
_SOURCES = ("image.py", "archive.py", "packages.py")
_ETC = {
    "etc/passwd": "root:x:0:0:root:/:/bin/sh\n",
    "etc/group": "root:x:0:\n",
    "etc/hosts": "127.0.0.1 localhost\n",
}
_FOLDERS = ("proc", "sys", "dev", "tmp", "root", "run/lock", "var/lib", "etc/ppp/peers")


class Image:
    """kernel, base (the initramfs without what is ours), disk (empty, formatted): paths; python: "3.11"."""

    def __init__(self):
        self.kernel, self.base, self.disk = FOLDER / "vmlinuz", FOLDER / "base.cpio", FOLDER / "disk.ext4"
        self._stamp = FOLDER / "stamp"

    @property
    def python(self):
        return self._stamp.read_text().split()[0]

    def made(self):
        """Itself, made now if it is not there yet or is older than what makes it. Raises Missing."""
        wanting = missing()
        if wanting:
            raise Missing("; ".join(wanting))
        newest = max((HERE / name).stat().st_mtime for name in _SOURCES)
        if self._stamp.exists() and self._stamp.stat().st_mtime > newest:
            return self
        self._stamp.unlink(missing_ok=True)
        debs = Apt(FOLDER).download()
        version = [found[1] for deb in debs if (found := re.match(r"python(3\.\d+)-minimal_", deb.name))]
        self._make(debs[0], debs[1:])
        self._stamp.write_text("%s %s\n" % (version[0], _STAMP_VERSION))
        return self

    def _make(self, kernel, debs):
        modules = self._unpack(kernel)
        with self.base.open("wb") as file:
            archive = Archive(file)
            archive.merge_usr()
            for path in _FOLDERS:
                archive.folder(path)
            for path, text in _ETC.items():
                archive.put(path, text.encode())
            archive.link("var/run", "../run")
            archive.link("var/lock", "../run/lock")  # pppd needs it
            for deb in debs:
                archive.package(deb)
            order = in_order(modules, MODULES)
            for name in order:
                archive.put("mod/%s.ko" % name, modules[name])
            archive.put("mod/order", "".join(name + "\n" for name in order).encode())
            archive.close()
        with self.disk.open("wb") as file:
            file.truncate(DISK)
        subprocess.run([find("mke2fs"), "-q", "-t", "ext4", "-F", str(self.disk)], check=True, capture_output=True)

    def _unpack(self, deb):
        """{name: module} of all the kernel's modules; its image goes to its place."""
        modules = {}
        for path, entry, tar in members(deb):
            if not entry.isfile():
                continue
            if path.startswith("boot/vmlinuz-"):
                self.kernel.write_bytes(tar.extractfile(entry).read())
            elif re.search(r"\.ko(\.xz|\.gz)?$", path) and re.search("/(drivers|fs|net|lib|crypto|arch)/", path):
                modules[Path(path).name.partition(".ko")[0]] = _plain(path, tar.extractfile(entry).read())
        return modules


def _plain(path, data):
    if path.endswith(".xz"):
        return lzma.decompress(data)
    return gzip.decompress(data) if path.endswith(".gz") else data


def in_order(modules, wanted):
    """Names of the wanted modules and of all that they say they depend on, each after what it needs."""
    names = {name.replace("-", "_"): name for name in modules}  # a module's name and its file's may differ in that
    found = []

    def add(name):
        name = names.get(name.replace("-", "_"))
        if name and name not in found:
            (needed,) = re.findall(rb"\0depends=([^\0]*)\0", b"\0" + modules[name])[:1] or [b""]
            for other in needed.decode().split(","):
                add(other)
            found.append(name)

    for name in wanted:
        add(name)
    return found


@functools.cache
def installed(python):
    """(folder, path in the guest): the checkout as `pip install` leaves it among a Python's packages."""
    place = tempfile.mkdtemp(prefix="virtual-pi-installed-")
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    with tempfile.TemporaryDirectory() as sources:
        for name in ("agent", "boards", "firmware", "tools"):
            shutil.copytree(ROOT / name, Path(sources) / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
            shutil.copy(ROOT / name, sources)
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation",
                   "--no-compile", "--disable-pip-version-check", "--root-user-action=ignore", "--target", place,
                   sources]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    return place, "usr/local/lib/python%s/dist-packages" % python


if __name__ == "__main__":
    if "--install" in sys.argv:
        install()
    began = time.monotonic()
    try:
        image = Image().made()
    except Missing as cause:
        sys.exit("make hil: this machine lacks %s" % cause)
    if time.monotonic() - began > 1:
        print("the guest's image: made in %.0f s; %s (Debian, Python %s)" % (
            time.monotonic() - began, image.base, image.python))  # fmt: skip
