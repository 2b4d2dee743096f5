"""Every case of OMA-ETS-LightweightM2M-V1_1-20190912-D has a test in this folder, or docs/requirements.md says why it
has none."""

import ast
import re
from pathlib import Path

HERE = Path(__file__).resolve().parent
CASES = {
    *range(10), *range(101, 110), 201, 203, 204, 205, 211, 212, 215, *range(220, 238), 241, 256, 257, 260, 261,
    280, 281, *range(301, 312), 401, 950, 951,
}  # fmt: skip


def held():
    """The cases that docstrings of tests begin with."""
    found = set()
    for path in HERE.glob("test_*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                found |= {int(number) for number in re.findall(r"-int-(\d+)", ast.get_docstring(node) or "")}
    return found


def left_out():
    """The cases in the table."""
    text = (HERE.parents[2] / "docs" / "requirements.md").read_text()
    return {int(number) for number in re.findall(r"^\| (\d+) .* \|$", text, re.MULTILINE)}


def test_every_case_is_tested_or_left_out_for_a_reason():
    assert held() | left_out() == CASES
    assert not held() & left_out()
