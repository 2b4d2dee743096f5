"""A driver that is not ours on `pointsman modem`: the example of tools/modem/README.md, as it stands there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMMAND = """#!%s
import sys
sys.path.insert(0, %r)
import conftest
from pointsman.tools import cli
sys.exit(cli.main(sys.argv[1:]))
"""


def test_the_readmes_pyserial_driver(tmp_path):
    pytest.importorskip("serial", reason="pyserial comes with the test extra: pip install pyserial")
    section = (ROOT / "tools/modem/README.md").read_text("utf-8").partition("## Your own driver")[2]
    example = re.search(r"```python\n(.*?)```", section, re.S)[1]
    command = tmp_path / "pointsman"
    command.write_text(COMMAND % (sys.executable, str(ROOT / "tests")))
    command.chmod(0o755)
    script = tmp_path / "driver.py"
    script.write_text(example)
    path = "%s:%s" % (tmp_path, os.environ["PATH"])
    done = subprocess.run([sys.executable, str(script)], cwd=tmp_path, env={**os.environ, "PATH": path}, timeout=300,
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    assert not (tmp_path / "modem.ctl").exists()  # it went as it came
