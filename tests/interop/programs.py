"""Programs that are not ours, which tests need."""

import os
import shutil
import subprocess

import pytest


def found(program, package):
    """The path of a program, its Debian package installed where that is possible; else the test is skipped."""
    path = shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin")
    if path is None and os.geteuid() == 0 and shutil.which("apt-get"):
        # Another worker may be installing: wait for it, then there is nothing left to do.
        subprocess.run(["apt-get", "-o", "DPkg::Lock::Timeout=120", "install", "-y", "-q", "--no-install-recommends",
                        package], stdin=subprocess.DEVNULL, capture_output=True, timeout=300, check=False)
        path = shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin")
    return path or pytest.skip("no `%s` found: apt-get install %s" % (program, package))
