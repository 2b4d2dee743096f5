"""G1, G2: the walk of README's section on groups, played as it stands there, on ports of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from free_ports import free_port

ROOT = Path(__file__).resolve().parents[2]
START = """\
set -e
trap 'kill $(jobs -p); wait' EXIT
said() { for try in $(seq 600); do grep -q "$2" $1 2>/dev/null && return; sleep 0.1; done; cat $1 >&2; exit 1; }
"""
PROGRAM = f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m pointsman.tools "$@"\n'


@pytest.mark.long
def test_a_policy_by_hand(tmp_path):
    text = (ROOT / "README.md").read_text("utf-8")
    section = text.partition("\n## One policy for a group\n")[2].partition("\n## ")[0]
    walk, said = section.split("```\n")[1:4:2]
    platform = free_port(3)
    rest, configuration = platform + 1, platform + 2
    for theirs, ours in (("127.0.0.1:5693", f"127.0.0.1:{platform}"), ("127.0.0.1:5694", f"127.0.0.1:{rest}"),
                         ("127.0.0.1:5783", f"127.0.0.1:{configuration}"),
                         ("serve platform", f"serve platform --bind 127.0.0.1:{platform}"),
                         ("serve configuration", f"serve configuration --bind 127.0.0.1:{configuration}"),
                         (" --token", f" --platform http://127.0.0.1:{rest} --token")):
        assert theirs in walk
        walk = walk.replace(theirs, ours)
    servers, agent, rest = walk.partition("pointsman agent")
    assert servers.count(" &\n") == 2
    servers += "said platform.log ' rest ' && said configuration.log ' started '\n"
    rest = rest.replace(" &\n", " &\nsaid platform.log ' registered '\n", 1)
    (tmp_path / "pointsman").write_text(PROGRAM)
    (tmp_path / "pointsman").chmod(0o755)
    done = subprocess.run(["bash", "-c", START + servers + agent + rest], capture_output=True, text=True, cwd=tmp_path,
                          timeout=600, env=dict(os.environ, PATH=f"{tmp_path}:{os.environ['PATH']}"))
    assert (done.returncode, done.stderr) == (0, "") and done.stdout.endswith(said)
