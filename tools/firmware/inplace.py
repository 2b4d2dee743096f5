"""Runs a ROMFS image in place: `python inplace.py IMAGE CONFIG [MICROPYTHON OPTION ...]`. Imports nothing of ours.

On a device the image lies in flash and costs no heap. Here this process maps the file, and then becomes MicroPython
(the wheel holds it as an extension module), which mounts the mapped memory by its address: bytecode, strings and names
stay outside its heap, so `-X heapsize=` bounds exactly what would be RAM.
"""

import ctypes
import mmap
import sys

BOOT = (
    "import sys, uctypes, vfs; vfs.mount(vfs.VfsRom(uctypes.bytearray_at(%d, %d)), '/rom'); "
    "sys.path[:] = ['/rom', '.frozen']; from firmware.main import main; sys.exit(main(%r) or 0)"
)


def map_image(path):
    """(the mapping, its address, its length in bytes); the mapping must be kept alive."""
    with open(path, "rb") as file:
        # A private copy-on-write map: ctypes gives the address of writable memory only.
        image = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    return image, ctypes.addressof(ctypes.c_char.from_buffer(image)), len(image)


def main(argv):
    """Become MicroPython; returns its exit code."""
    from micropython_unix import run_main

    image, address, length = map_image(argv[1])
    code = run_main(["micropython", *argv[3:], "-c", BOOT % (address, length, argv[2])])
    return code if image else 1  # naming the image here keeps it mapped until MicroPython has ended


if __name__ == "__main__":
    sys.exit(main(sys.argv))
