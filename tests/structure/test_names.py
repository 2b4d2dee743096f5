"""Names that say what a file is about, and the sentence at its head that says it in full."""

import ast

import pytest
import sources

# Each of these fits everything, so it says nothing.
GENERIC = {"manager", "managers", "handler", "handlers", "hal", "util", "utils", "helper", "helpers", "common", "misc"}


@pytest.mark.parametrize("path", sources.files(sources.ALL), ids=sources.relative)
def test_module_docstring(path):
    text = path.read_text("utf-8")
    empty_package = path.name == "__init__.py" and not text.strip()
    assert empty_package or ast.get_docstring(sources.tree(path)), "%s needs a docstring" % sources.relative(path)


def test_no_generic_names():
    generic = [sources.relative(path) for path in sources.files(sources.ALL)
               if GENERIC & {word for part in path.relative_to(sources.ROOT).with_suffix("").parts
                             for word in part.split("_")}]
    assert not generic, generic


def test_packages_of_the_agent_are_empty():
    """An __init__ with code would load a whole folder into a device's memory when one file of it is needed."""
    full = [sources.relative(path) for path in sources.files(sources.PORTABLE)
            if path.name == "__init__.py" and [n for n in sources.tree(path).body if not isinstance(n, ast.Expr)]]
    assert not full, full
