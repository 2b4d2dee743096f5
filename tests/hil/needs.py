"""What `make hil` needs of this machine, and how to get what is missing."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

QEMU = "qemu-system-aarch64"
FOLDER = Path(__file__).resolve().parents[2] / ".venv" / "hil"
ROOM = 600 << 20  # bytes: Debian packages 90 MB, the image from them 90 MB, 60 MB for each guest that runs
_PROGRAMS = (  # program, Debian package, what for
    (QEMU, "qemu-system-arm", "the virtual Raspberry Pi"),
    ("apt-get", "apt", "fetches the guest's packages, by this machine's own list of mirrors"),
    ("dpkg-deb", "dpkg", "unpacks them"),
    ("mke2fs", "e2fsprogs", "makes the guest's disk"),
)


class Missing(Exception):
    """Something that is not there; the text says how to get it."""


def find(program):
    """The path of a program, also where only root looks for one; None where there is none."""
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def missing():
    """[text] of everything that is not there. Root is not needed for anything."""
    if sys.platform != "linux":
        return ["Linux: this is %s" % sys.platform]
    found = ["`%s` (%s): apt install %s" % (program, use, package) for program, package, use in _PROGRAMS
             if not find(program)]  # fmt: skip
    place = FOLDER.parent if FOLDER.parent.exists() else FOLDER.parents[1]
    free = shutil.disk_usage(place).free
    if free < ROOM and not (FOLDER / "base.cpio").exists():
        found.append("%d MB of disk: %s has %d MB left" % (ROOM >> 20, place, free >> 20))
    return found


def install():
    """QEMU, where nothing but root's word is needed for it (CI)."""
    if find(QEMU) or os.geteuid() or not find("apt-get"):
        return
    for words in (["update", "-q"], ["install", "-y", "-q", "--no-install-recommends", "qemu-system-arm"]):
        subprocess.run(["apt-get", *words], stdin=subprocess.DEVNULL, capture_output=True, timeout=600, check=False)

