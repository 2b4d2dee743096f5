"""How long, deep and inherited code may get. The figures are those of the best code bases that we looked at."""

import ast

import pytest
import sources

FILE_LINES = 350
FUNCTION_LINES = 60
NESTING = 3
INHERITANCE = 2

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)
every_file = pytest.mark.parametrize("path", sources.files(sources.ALL), ids=sources.relative)


@every_file
def test_length_of_a_file(path):
    lines = len(path.read_text("utf-8").splitlines())
    assert lines <= FILE_LINES, "%s has %d lines; split it" % (sources.relative(path), lines)


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
            assert depth <= NESTING, "%s:%d %s nests %d deep" % (sources.relative(path), line, node.name, depth)


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
    bases = {}
    for path in sources.files(sources.SHIPPED):
        for node in ast.walk(sources.tree(path)):
            if isinstance(node, ast.ClassDef):
                bases[node.name] = [ast.unparse(base).rpartition(".")[2] for base in node.bases]

    def depth(name):
        return 1 + max(map(depth, bases[name]), default=0) if name in bases else 0

    deep = [name for name in bases if depth(name) > INHERITANCE]
    assert not deep, "inherits more than %d deep: %s" % (INHERITANCE, deep)
