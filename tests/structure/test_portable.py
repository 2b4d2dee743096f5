"""agent/ and boards/ keep to what MicroPython 1.29 and CPython 3.11 both have.

MicroPython's own compiler judges the syntax. What compiles there and then fails when it runs is listed here: each entry
was tried on the interpreter.
"""

import ast

import pytest
import sources

from pointsman.tools.firmware.build import compile_file

MISSING_METHODS = set(
    "bit_length bit_count as_integer_ratio is_integer "
    "zfill ljust rjust title removeprefix removesuffix format_map isascii casefold expandtabs translate swapcase "
    "capitalize isidentifier isprintable isnumeric isdecimal isalnum maketrans".split())
MISSING_BUILTINS = set(
    "ascii format vars aiter anext breakpoint BlockingIOError ConnectionError FileNotFoundError FloatingPointError "
    "ModuleNotFoundError PermissionError RecursionError ReferenceError TimeoutError UnicodeDecodeError "
    "UnicodeEncodeError".split())

PATHS = sources.files(sources.PORTABLE) + [p for p in [sources.ROOT / "firmware" / "main.py"] if p.exists()]
every_file = pytest.mark.parametrize("path", PATHS, ids=sources.relative)


@every_file
def test_compiles_for_micropython(path, tmp_path):
    compile_file(path, tmp_path / "out.mpy")


@every_file
def test_uses_nothing_that_micropython_lacks(path):
    own = _bound(sources.tree(path))
    wrong = ["%s:%d %s" % (sources.relative(path), node.lineno, text)
             for node in ast.walk(sources.tree(path)) for text in [_objection(node)]
             if text and getattr(node, "id", None) not in own]
    assert not wrong, "\n".join(wrong)


def _bound(tree):
    """Names that the file itself gives a meaning: a parameter may well be called `format`."""
    return ({node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
            | {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)})


def _objection(node):
    kind = type(node).__name__
    check = {"Attribute": _attribute, "Name": _name, "Raise": _raise, "Call": _call, "ClassDef": _class,
             "AsyncFunctionDef": _coroutine}.get(kind)
    return check(node) if check else None


def _attribute(node):
    return "no method %s" % node.attr if node.attr in MISSING_METHODS else None


def _name(node):
    return "no builtin %s" % node.id if node.id in MISSING_BUILTINS else None


def _raise(node):
    return "exceptions are not chained: leave out `from`" if node.cause else None


def _class(node):
    return "no metaclass" if node.keywords else None


def _coroutine(node):
    return "no async generators" if any(isinstance(inner, ast.Yield) for inner in ast.walk(node)) else None


def _call(node):
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    if name in ("to_bytes", "from_bytes") and any(word.arg == "signed" for word in node.keywords):
        return "%s is unsigned only" % name
    if name == "OSError" and len(node.args) == 1 and isinstance(node.args[0], ast.Constant):
        return "OSError needs (errno, text): with one argument CPython sets no errno"
    return None
