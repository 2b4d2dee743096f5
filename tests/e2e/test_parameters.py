"""Short parameters change what code costs, never what it does."""

import ast

import pytest

from pointsman.tools.firmware.parameters import shorten


def after(text, **others):
    return shorten({"it.py": text, **{"%s.py" % name: other for name, other in others.items()}})["it.py"]


def parameters(text):
    return [argument.arg for node in ast.walk(ast.parse(text)) if isinstance(node, ast.arguments)
            for argument in node.args]


def test_parameters_become_letters_and_nothing_else_does():
    text = '''class It:
    def add(self, first, second=2):
        """first, second: numbers."""
        total = first + second
        return total, [lambda: first + n for n in (1, 2)]
'''
    done = after(text)
    assert parameters(done) == ["self", "a", "b"] and "total" in done
    for source in (text, done):
        space = {}
        exec(source, space)
        total, more = space["It"]().add(5)
        assert total == 7 and [one() for one in more] == [7, 7]


@pytest.mark.parametrize("text, other", [
    ("def f(name):\n    return name\n", "f(name=1)\n"),
    ("def f(name):\n    return name\n", "KEYS = 'what name that'\n"),
    ("def f(name):\n    try:\n        pass\n    except OSError as name:\n        return name\n", ""),
    ("def f(name):\n    import name\n    return name\n", ""),
    ("def f(name):\n    return [name for name in (1, 2)]\n", ""),
    ("def f(name):\n    class It:\n        name = 3\n    return It, name\n", ""),
    ("def f(*name, **more):\n    return name, more\n", ""),
])
def test_what_somebody_may_say_or_bind_stays(text, other):
    assert ast.unparse(ast.parse(text)) + "\n" == after(text, other=other)


def test_a_letter_that_is_taken_is_not_given():
    assert parameters(after("def f(first):\n    return a + first\n")) == ["b"]
    assert parameters(after("def log(now, **fields):\n    return now, fields\n", other="log(1, a=2)\n")) == ["b"]
