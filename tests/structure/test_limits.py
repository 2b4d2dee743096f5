"""How long, deep and inherited code may get. The figures are those of the best code bases that we looked at."""

import ast

import pytest
import sources

FILE_LINES = 350
TEST_FILE_LINES = 450  # read one function at a time
FUNCTION_LINES = 60
NESTING = 3
TEST_NESTING = 4  # a loop over cases around what is tried
INHERITANCE = 2

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)
every_file = pytest.mark.parametrize("path", sources.files(sources.ALL), ids=sources.relative)


@every_file
def test_length_of_a_file(path):
    lines = len(path.read_text("utf-8").splitlines())
    most = TEST_FILE_LINES if _is_test(path) else FILE_LINES
    assert lines <= most, "%s has %d lines; split it" % (sources.relative(path), lines)


@every_file
def test_length_of_functions(path):
    for node in ast.walk(sources.tree(path)):
        if isinstance(node, FUNCTIONS):
            lines = node.end_lineno - node.lineno + 1
            assert lines <= FUNCTION_LINES, "%s:%d %s has %d lines" % (
                sources.relative(path), node.lineno, node.name, lines)


@every_file
def test_nesting(path):
    for node in ast.walk(sources.tree(path)):
        if isinstance(node, FUNCTIONS):
            depth, line = max(_depths(node, 0), default=(0, 0))
            most = TEST_NESTING if _is_test(path) else NESTING
            assert depth <= most, "%s:%d %s nests %d deep" % (sources.relative(path), line, node.name, depth)


def _is_test(path):
    return path.is_relative_to(sources.ROOT / "tests")


def _depths(node, depth):
    """(depth, line) of every block below node; an inner function starts again, `elif` is as deep as its `if`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, FUNCTIONS + (ast.ClassDef, ast.Lambda)):
            continue
        if isinstance(child, BLOCKS) and not _is_elif(node, child):
            yield depth + 1, child.lineno
            yield from _depths(child, depth + 1)
        else:
            yield from _depths(child, depth)


def _is_elif(parent, child):
    return isinstance(parent, ast.If) and isinstance(child, ast.If) and parent.orelse == [child]


def test_depth_of_inheritance():
    classes = {(path.stem, node.name): node for path in sources.files(sources.SHIPPED)
               for node in ast.walk(sources.tree(path)) if isinstance(node, ast.ClassDef)}

    def parents(stem, name):
        for base in classes[stem, name].bases:
            module, _, own = ast.unparse(base).rpartition(".")
            where = [key for key in classes if key[1] == own and key[0] == (module.rpartition(".")[2] or stem)]
            yield from where or [key for key in classes if key[1] == own and not module and key[0] != stem]

    def depth(key):
        """Edges up to the oldest ancestor of ours; what a library's class inherits is not our business."""
        return max([1 + depth(parent) for parent in parents(*key)], default=0)

    deep = ["%s.%s" % key for key in classes if depth(key) > INHERITANCE]
    assert not deep, "inherits more than %d deep: %s" % (INHERITANCE, deep)
