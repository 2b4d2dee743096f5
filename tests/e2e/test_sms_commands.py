"""L1: a device without IP bootstraps and registers by short messages, with commands alone."""

import json
import subprocess
import sys
import time

CONFIGURATION, PLATFORM = "+491700000002", "+491700000001"


def start(*words, log):
    command = [sys.executable, "-m", "pointsman.tools", *words]
    with open(log, "w") as output:
        return subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)


def until(condition, logs):
    end = time.monotonic() + 180
    while not condition():
        assert time.monotonic() < end, "\n".join(log.read_text() for log in logs if log.exists())
        time.sleep(0.05)


def test_bootstraps_and_registers_over_short_messages_by_commands(tmp_path):
    centre, port = str(tmp_path / "centre"), str(tmp_path / "modem")
    accounts = {"accounts": [{"uri": "sms:" + PLATFORM, "ssid": 1, "links": "sms", "lifetime": 3600}]}
    (tmp_path / "devices.json").write_text(json.dumps({"meter-7": accounts}))
    logs = [tmp_path / name for name in ("modem.log", "configuration.log", "platform.log", "agent.log")]
    running = [start("modem", "--link", port, "--number", "+491700000007", "--centre", centre, log=logs[0])]
    try:
        until(lambda: (tmp_path / "modem").exists(), logs)
        own = ["--insecure", "--json", "--centre", centre, "--bind"]
        running.append(start("serve", "configuration", *own, "127.0.0.1:0", "--sms", CONFIGURATION, "--accounts",
                             str(tmp_path / "devices.json"), log=logs[1]))  # fmt: skip
        running.append(start("serve", "platform", *own, "127.0.0.1:0", "--sms", PLATFORM, log=logs[2]))
        until(lambda: all('"started"' in log.read_text() for log in logs[1:3]), logs)
        running.append(start("agent", "--endpoint", "meter-7", "--insecure", "--json", "--store", str(tmp_path / "s"),
                             "--modem", port, "--bootstrap", "sms:" + CONFIGURATION, log=logs[3]))  # fmt: skip
        until(lambda: '"registered"' in logs[2].read_text() and "meter-7" in logs[2].read_text(), logs)
        until(lambda: '"bootstrapped"' in logs[1].read_text(), logs)
    finally:
        for process in reversed(running):
            process.terminate()
        for process in running:
            process.wait(60)
