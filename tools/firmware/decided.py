"""Decides what a device's build knows beforehand: that MicroPython runs it. Only the build uses it.

What is for CPython alone then lies behind a condition that is never true. The compiler leaves that out, and its names.
"""

import ast

from .inline import Edits

_ANSWERS = {"sys.implementation.name == 'micropython'": "True", "sys.implementation.name != 'micropython'": "False"}


def decided(text):
    """The text of a file with these questions answered; lines stay where they are."""
    edits = Edits(text)
    for node in ast.walk(ast.parse(text)):
        answer = _ANSWERS.get(ast.unparse(node)) if isinstance(node, ast.Compare) else None
        if answer:
            edits.replace(node, answer)
    return edits.text()
