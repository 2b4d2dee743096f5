"""The heap budget: the lab's whole story in 192 KiB from .mpy files, in 128 KiB from ROMFS (64-bit MicroPython); with
OSCORE or DTLS in 256 and 160 KiB.

`make bench NAMES="heap.story_min_kib heap.story_romfs_min_kib"` searches for the smallest heaps.
"""

import subprocess
import sys

import pytest
import story  # tests/bench

from pointsman.tools.firmware import build, launch

pytestmark = pytest.mark.skipif(not launch.find_micropython(), reason="no `micropython` found: set MICROPYTHON to one")


@pytest.mark.parametrize("form, heap, security", [
    ("mpy", "192K", "none"), ("romfs", "128K", "none"), ("romfs", "160K", "oscore"),
    pytest.param("romfs", "160K", "dtls", marks=pytest.mark.long),
    pytest.param("mpy", "256K", "oscore", marks=pytest.mark.long),
    pytest.param("mpy", "256K", "dtls", marks=pytest.mark.long),
])  # fmt: skip
def test_the_story_fits(form, heap, security, tmp_path):
    root = build.build_mpy(tmp_path / "tree") if form == "mpy" else tmp_path / "image.romfs"
    if form == "romfs":
        build.build_romfs(root)
    words = ("--agent", "micropython", "--heap", heap, "--agent-root", str(root), "--security", security)
    summary, why = story.play(*words)
    assert summary, why
    assert (summary["lost"], summary["duplicated"]) == (0, 0)


def test_an_image_costs_no_heap(tmp_path):
    """300 kB of constants in an image are usable in a heap of 64 KiB: they stay where they are mapped."""
    tree = tmp_path / "tree" / "firmware"
    tree.mkdir(parents=True)
    source = tmp_path / "main.py"
    source.write_text("BIG = b'%s'\n\ndef main(config):\n    print(len(BIG), config)\n    return 5\n" % ("x" * 300000))
    build.compile_file(source, tree / "main.mpy")
    (tmp_path / "image.romfs").write_bytes(build.pack_romfs(tree.parent))
    for root, code in ((tmp_path / "image.romfs", 5), (tree.parent, 1)):
        command = launch.command(launch.find_micropython(), tmp_path / "c.json", heap="64K", root=root)
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
        assert done.returncode == code, done.stderr
        assert ("300000 %s" % (tmp_path / "c.json") in done.stdout) == (code == 5)
        assert ("MemoryError" in done.stdout + done.stderr) == (code == 1)


@pytest.mark.long
def test_an_image_is_the_same_wherever_it_is_built(tmp_path):
    assert build.build_romfs(tmp_path / "a.romfs") > 10000
    code = "import sys; from pointsman.tools.firmware.build import build_romfs; build_romfs(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "b.romfs")], cwd=tmp_path, check=True, timeout=600)
    assert (tmp_path / "a.romfs").read_bytes() == (tmp_path / "b.romfs").read_bytes()
