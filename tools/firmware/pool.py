"""Keeps the messages of a file in one string. Only the build uses it.

A string that is no name is an object of its own on a device, and its characters another one: about 70 bytes more than
the text. Few messages are ever said; so all of a file become one string, and each is cut out of it when it is needed.
"""

import ast

from .inline import Edits

SHORTEST = 11  # characters; shorter strings are names
FEWEST = 3  # messages in a file, or it does not pay
NAME = "_T"


def pool(text):
    """The text of a file with its messages in one string `_T`, before the first line; lines stay where they are."""
    tree = ast.parse(text)
    nodes = _messages(tree)
    whole = "".join(sorted({node.value for node in nodes}))
    if len({node.value for node in nodes}) < FEWEST or NAME in text:
        return text
    edits = Edits(text)
    for node in nodes:
        at = whole.index(node.value)
        edits.replace(node, "%s[%d:%d]" % (NAME, at, at + len(node.value)))
    return "%s=%r;%s" % (NAME, whole, edits.text())


def _messages(tree):
    """The strings in functions that people read, as they have spaces; not the documentation."""
    left_out = {id(part) for node in ast.walk(tree) if isinstance(node, ast.Expr | ast.JoinedStr)
                for part in (ast.walk(node) if isinstance(node, ast.JoinedStr) else [node.value])}
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    found = {id(node): node for function in functions for node in ast.walk(function) if _is_message(node)}
    return [node for number, node in found.items() if number not in left_out]


def _is_message(node):
    value = node.value if isinstance(node, ast.Constant) else None
    return isinstance(value, str) and len(value) >= SHORTEST and " " in value and value.isascii()
