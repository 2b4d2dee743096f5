"""The project's own source files, read once, for the tests that look at them."""

import ast
import functools
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PORTABLE = ("agent", "boards")
SHIPPED = PORTABLE + ("firmware", "tools")
ALL = SHIPPED + ("tests",)


def files(folders):
    """Paths of all .py files in these folders of the checkout, sorted."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py") if path.is_file())


def relative(path):
    """A file's name as a person would write it: `agent/codec/coap.py`. It serves as the test's id."""
    return path.relative_to(ROOT).as_posix()


@functools.lru_cache(maxsize=None)
def tree(path):
    """The syntax tree of one file."""
    return ast.parse(path.read_text("utf-8"), str(path))


def module(path):
    """The dotted name of a file: agent/codec/coap.py -> agent.codec.coap; a package's own name for __init__.py."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path):
    """[(line, dotted name)] of everything that a file imports, at any depth, relative imports resolved.

    `from ..codec import cbor` counts as agent.codec.cbor where that is a file, else as agent.codec.
    """
    found = []
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = _base(path, node)
            found += [(node.lineno, _deepest(base, alias.name)) for alias in node.names]
    return found


def _base(path, node):
    if not node.level:
        return node.module
    package = module(path).split(".")
    if path.name != "__init__.py":
        package = package[:-1]
    package = package[:len(package) - (node.level - 1)]
    return ".".join(package + ([node.module] if node.module else []))


def _deepest(base, name):
    place = ROOT.joinpath(*base.split("."), name)
    return base + "." + name if place.with_suffix(".py").exists() or place.is_dir() else base
