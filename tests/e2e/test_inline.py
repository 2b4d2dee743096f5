"""Putting constants in the place of their names changes what code costs, never what it does."""

import ast

import pytest

from pointsman.tools.firmware import build
from pointsman.tools.firmware.decided import decided
from pointsman.tools.firmware.inline import inline

CODEC = "GET = 1\nPUT, LONG = 3, 1 << 40\n_OLD = const(-7)\n\n\ndef old(code):\n    return code == GET + _OLD\n"
USER = "from . import codec\nfrom .codec import (\n    GET,\n    old,\n)\nX = (GET, codec.PUT, codec.LONG, codec.old)\n"


def names(text):
    return {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)} | {
        node.attr for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Attribute)}


def test_constants_take_the_place_of_their_names_in_every_file():
    done = inline({"agent/codec.py": CODEC, "agent/user.py": USER})
    assert not {"GET", "_OLD", "const"} & names(done["agent/codec.py"]) and "PUT" not in names(done["agent/user.py"])
    assert "LONG" in names(done["agent/user.py"]) & names(done["agent/codec.py"])
    assert "from .codec import old" in done["agent/user.py"]
    space = {}
    exec(done["agent/codec.py"], space)
    assert space["old"](-6) and space["LONG"] == 1 << 40


@pytest.mark.parametrize("text", [
    "A = 1\ndef f(A): return A\n",
    "A = 1\ndef f():\n    global A\n    A = 2\n",
    "A = 1\nA = 2\n",
    "for A in range(3): pass\nA = 1\n",
    "A = some()\n",
    "class B:\n    A = 1\n    C = 2\n\nA = 1\n",
    "A = 'longer than ten'\n",
])
def test_what_may_change_or_is_large_stays(text):
    assert inline({"it.py": text})["it.py"] == text


@pytest.mark.parametrize("other", ["X = thing.A\n", "X = 'the A of it'\n", "from .it import A, B\nA = A + 1\n"])
def test_what_somebody_may_look_up_stays_defined(other):
    assert "A = 5" in inline({"it.py": "A = 5\nB = A\n", "other.py": other})["it.py"]


def test_the_fallback_for_const_goes_when_nothing_uses_it():
    head = "try:\n    from micropython import const\nexcept ImportError:\n    def const(value): return value\n\n\n"
    assert "micropython" not in inline({"it.py": head + "_A = const(4)\nB = [_A]\n"})["it.py"]
    assert "micropython" in inline({"it.py": head + "_A = const(some())\nB = [_A]\n"})["it.py"]


def test_lines_stay_where_they_are():
    texts = {path.as_posix(): (build.ROOT / path).read_text("utf-8") for path in build.sources()}
    for path, text in inline(texts).items():
        before, after = ([node.lineno for node in ast.walk(ast.parse(t)) if isinstance(node, ast.FunctionDef) and
                          node.name != "const"] for t in (texts[path], text))
        assert before == after and text.count("\n") == texts[path].count("\n"), path


def test_what_is_for_cpython_alone_is_left_out(tmp_path):
    """On a device each of its names would cost heap."""
    text = ("import sys\n\nMICRO = sys.implementation.name == \"micropython\"\n\n\ndef told(e):\n    if not MICRO:\n"
            "        print(e.only_there)\n    if sys.implementation.name != \"micropython\":\n"
            "        return e.nor_here\n    if MICRO:\n        return e.here\n    else:\n        return e.nor_there\n")
    done = inline({"it.py": decided(text)})["it.py"]
    assert done.count("\n") == text.count("\n")
    (tmp_path / "it.py").write_text(done)
    build.compile_file(tmp_path / "it.py", tmp_path / "it.mpy")
    compiled = (tmp_path / "it.mpy").read_bytes()
    assert b"here" in compiled and not [name for name in (b"only_there", b"nor_here", b"nor_there") if name in compiled]
