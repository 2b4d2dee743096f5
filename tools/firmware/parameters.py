"""Gives parameters one-letter names. Only the build uses it.

MicroPython keeps the names of a function's parameters, for callers that pass them by name; of other variables it
keeps none. So a parameter that nobody passes by name is called `a`, `b`, ... in the order of the parameters: the same
few names serve all functions.

Left alone is every name that some call passes, that a string mentions, or that is bound inside the function otherwise.
"""

import ast
import re
import string

from .scopes import COMPREHENSIONS, FUNCTIONS


def shorten(texts):
    """{path: text} that does the same. texts: {path: text} of all files that will be loaded together."""
    trees = {path: ast.parse(text) for path, text in texts.items()}
    kept = set().union(*map(_kept, trees.values()))
    for tree in trees.values():
        for node in ast.walk(tree):
            if isinstance(node, FUNCTIONS):
                _rename(node, kept)
    return {path: ast.unparse(tree) + "\n" for path, tree in trees.items()}


def _kept(tree):
    """Names that something outside of the function may say."""
    found = {"self"}
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg:
            found.add(node.arg)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            found.update(re.findall(r"\w+", node.value))
        elif isinstance(node, ast.Global | ast.Nonlocal):
            found.update(node.names)
    return found


def _rename(function, kept):
    if any(isinstance(node, ast.ClassDef) for node in ast.walk(function)):
        return
    every = function.args.posonlyargs + function.args.args
    taken = {getattr(node, field, None) for node in ast.walk(function) for field in ("id", "arg", "name")}
    letters = [letter for letter in string.ascii_lowercase if letter not in taken | kept]  # kept: a key of **fields
    inner = _bound_inside(function)
    for argument in every:
        if argument.arg not in kept | inner and len(argument.arg) > 1 and letters:
            _replace(function, argument, letters.pop(0))


def _bound_inside(function):
    """Names that functions and comprehensions inside this one bind, and those that it binds by other means."""
    found = set()
    for node in ast.walk(function):
        if isinstance(node, ast.ExceptHandler | ast.alias):
            found |= {node.name, getattr(node, "asname", None)}
        if isinstance(node, FUNCTIONS) and node is not function:
            found.update(part.arg for part in ast.walk(node.args) if isinstance(part, ast.arg))
            found.update(_stored(node))
        elif isinstance(node, COMPREHENSIONS):
            found.update(_stored(node))
    return found


def _stored(node):
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and not isinstance(part.ctx, ast.Load)}


def _replace(function, argument, letter):
    inside = function.body if isinstance(function.body, list) else [function.body]
    for node in [part for statement in inside for part in ast.walk(statement)]:
        if isinstance(node, ast.Name) and node.id == argument.arg:
            node.id = letter
    argument.arg = letter
