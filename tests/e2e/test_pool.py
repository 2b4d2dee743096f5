"""Keeping messages in one string changes what code costs, never what it says."""

import ast

from pointsman.tools.firmware import build
from pointsman.tools.firmware.inline import inline
from pointsman.tools.firmware.pool import pool

TEXT = '''"""A file of three."""


def say(number, where="nowhere at all"):
    """It says things."""
    if number:
        return ("%d of them "
                "are here"), where
    return "none of them", "not_a_message", "nowhere at all"
'''


def test_messages_are_cut_out_of_one_string():
    small, space, before = pool(TEXT), {}, {}
    exec(TEXT, before)
    exec(small, space)
    assert small.startswith("_T='") and '"none of them"' not in small and '"not_a_message"' in small
    assert [space["say"](n) for n in (0, 1)] == [before["say"](n) for n in (0, 1)]


def test_few_messages_stay():
    text = TEXT.replace("none of them", "none")
    assert pool(text) == text


def test_lines_stay_where_they_are():
    texts = inline({path.as_posix(): (build.ROOT / path).read_text("utf-8") for path in build.sources()})
    for path, text in texts.items():
        before, after = ([node.lineno for node in ast.walk(ast.parse(t)) if isinstance(node, ast.FunctionDef)]
                         for t in (text, pool(text)))
        assert before == after and pool(text).count("\n") == text.count("\n"), path
