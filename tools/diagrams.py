"""Draws the state machines of the agent from the very tables that the code follows: `python -m
pointsman.tools.diagrams`.

docs/states.md is its output; a test compares the two, so the page cannot be wrong.
"""

import ast
from pathlib import Path

from .firmware.launch import ROOT

HEAD = """# States

Drawn from the tables in `agent/engine/` by `python -m pointsman.tools.diagrams > docs/states.md`. `*` is any state.
"""


def table(path):
    """[(state, event, next state)] of a file's _TRANSITIONS, or []."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "_TRANSITIONS":
            return [tuple(line.split()) for line in ast.literal_eval(node.value).split("\n") if line]
    return []


def diagram(rows):
    """A Mermaid state diagram."""
    lines = ["stateDiagram-v2", "    [*] --> %s" % rows[0][0].replace("*", "unknown")]
    for state, event, after in rows:
        lines.append("    %s --> %s: %s" % (_node(state), _node(after), event.replace("_", " ")))
    return "\n".join(["```mermaid"] + lines + ["```"])


def _node(state):
    return "any" if state == "*" else state


def page(root=ROOT):
    """The whole of docs/states.md."""
    parts = [HEAD]
    for path in sorted((Path(root) / "agent" / "engine").glob("*.py")):
        rows = table(path)
        if rows:
            summary = ast.get_docstring(ast.parse(path.read_text())).split("\n\n")[0].replace("\n", " ")
            parts.append("## %s\n\n%s\n\n%s\n" % (path.name, summary, diagram(rows)))
    return "\n".join(parts)


if __name__ == "__main__":
    print(page(), end="")
