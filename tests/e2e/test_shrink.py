"""Shrinking source for a device changes what it costs, never what it does."""

import ast

import pytest

from pointsman.tools.firmware import build
from pointsman.tools.firmware.shrink import shrink

RENAMED = '''"""A file."""

_LIMIT = 3


class Thing:
    def __init__(self):
        self._count = 0
        self.__own = 1

    def _step(self, _amount=1):
        self._count += _amount
        return self._count < _LIMIT

    def step(self):
        return self._step(_amount=2)
'''


def shrunk(text, **others):
    return shrink(dict(others, it=text))[0]["it"]


def test_private_names_of_one_file_become_short():
    small, names = shrink({"it": RENAMED})
    assert names == {"it": {"_0": "_LIMIT/_count", "_1": "_step"}}
    space = {}
    exec(small["it"], space)
    thing = space["Thing"]()
    assert thing.step() and not thing.step() and "_count" not in small["it"] and "__own" in small["it"]


def test_a_variable_and_an_attribute_may_share_a_short_name_but_not_where_a_class_looks_itself_up():
    text = ("_one = 1\nclass A:\n    _two = 2\n    three = _two + _one\n"
            "    def four(self):\n        return self._two + _one\n")
    small, names = shrink({"it": text})
    assert names == {"it": {"_0": "_one", "_1": "_two"}}
    space = {}
    exec(small["it"], space)
    assert space["A"].three == space["A"]().four() == 3


def test_each_file_counts_from_the_start():
    _, names = shrink({"a": "_one = 1\n", "b": "_two = 2\n"})
    assert names == {"a": {"_0": "_one"}, "b": {"_0": "_two"}}


def test_files_whose_classes_inherit_count_on():
    texts = {"a": "class A:\n    def _one(self): pass\n", "b": "class B(a.A):\n    def _two(self): pass\n",
             "c": "class C(B):\n    def _three(self): pass\n", "d": "_four = 4\n"}
    _, names = shrink(texts)
    assert names == {"a": {"_0": "_one"}, "b": {"_1": "_two"}, "c": {"_2": "_three"}, "d": {"_0": "_four"}}


def test_files_of_one_class_share_no_short_name():
    """An object has the attributes of all its classes, in whatever files they are."""
    base = "class Base:\n    def _first(self):\n        return 1\n    def first(self):\n        return self._first()\n"
    more = "from base import Base\nclass Other(Base):\n    def _second(self, x):\n        return x\n"
    _, names = shrink({"base": base, "more": more, "third": "_name = 1\n"})
    assert names == {"base": {"_0": "_first"}, "more": {"_1": "_second"}, "third": {"_0": "_name"}}


def test_what_is_overridden_is_called_the_same():
    base = "class A:\n    def _own(self): pass\n    def _hook(self): return 1\n    def go(self): return self._hook()\n"
    more = "class B(A):\n    def _more(self): pass\n    def _hook(self): return 2\n"
    small, names = shrink({"a": base, "b": more})
    assert names == {"a": {"_0": "_own", "_1": "_hook"}, "b": {"_2": "_more", "_1": "_hook"}}
    space = {}
    exec(small["a"] + small["b"], space)
    assert space["B"]().go() == 2


def test_what_a_file_puts_on_anothers_object_has_a_name_of_its_own():
    """A part of an engine may use what only the other part defines, and add to it."""
    part = "def climb(thing):\n    thing._added = thing._kept = 1\n    return thing._first\n"
    whole = "class Thing:\n    def __init__(self):\n        self._first = self._second = self._kept = 0\n"
    _, names = shrink({"part": part, "whole": whole})
    assert len({short for new in names.values() for short in new}) == 4
    assert {names["part"][short] for short in set(names["part"]) & set(names["whole"])} == {"_first", "_kept"}


@pytest.mark.parametrize("text, others", [
    ("_name = 1\nx = '%(_name)s'\n", {}),  # said in a string
    ("_name = 1\nx = f'{_name}'\n", {}),  # said in an f-string
    ("from machine import _name\n", {}),  # somebody else's
    ("import asyncio\nx = asyncio.core._io_queue\n", {}),
    ("class A:\n    def _on_up(self): pass\n    def go(self, e): getattr(self, '_on_' + e)()\n", {}),  # made up
    ("class A:\n    def _up(self): pass\n    def go(self, e): getattr(self, '_' + e)()\nSTATES = 'down up'\n", {}),
    ("class A:\n    def _on_up(self): pass\n", {"b": "def go(a, e): send(a, '_on_' + e)\n"}),
    ("__all__ = 1\n_x = 2\n", {}),  # not private; already short
])
def test_what_others_may_know_keeps_its_name(text, others):
    assert shrink(dict(others, it=text))[1]["it"] == {}


def test_strings_that_would_cost_an_object_each_are_named_first():
    small = shrunk('"""A file."""\nT = (("idle", "start", "requesting"), ("idle", "stop", "nothing to be done"))\n')
    head, rest = small.split(";", 1)
    assert head == "(lambda o:['idle','nothing to be done','requesting','start','stop'])".replace(
        "'nothing to be done',", "")
    assert rest.startswith('"""A file."""') and small.count("\n") == 2
    assert shrunk("x = 1\n") == "x = 1\n"


def test_a_long_string_is_named_where_it_can_be_one():
    assert shrunk("x = ('report_period_s', 'two words here', 'continue_')\n").startswith(
        "(lambda o:['continue_',o.report_period_s]);")


def test_lines_stay_where_they_are():
    for path in build.sources():
        text = (build.ROOT / path).read_text("utf-8")
        small = shrunk(text)
        assert small.count("\n") == text.count("\n")
        before, after = ([node.lineno for node in ast.walk(ast.parse(t)) if isinstance(node, ast.FunctionDef)]
                         for t in (text, small))
        assert before == after, path
