"""G1: `pointsman policy push`, `status` and `abort` against `pointsman serve platform`: a policy that somebody types in
reaches a device."""

import asyncio
import io
import json
import os
import re
import subprocess
import sys

import pytest
from fake_device import becomes
from pushed import Member, written

from pointsman.tools import cli, faults
from pointsman.tools.policies import keys, progress, signing
from pointsman.tools.policies.asking import Asking

TOKEN = "0123456789abcdef"
COUNTS = {"planned": 0, "sent": 0, "acknowledged": 0, "rejected": 0, "rolled back": 0, "waiting": 0}


@pytest.fixture
def served(tmp_path):
    """A platform in a process: (its CoAP URI, its REST's)."""
    (tmp_path / "token").write_text(TOKEN)
    os.chmod(tmp_path / "token", 0o600)
    words = ["serve", "platform", "--insecure", "--bind", "127.0.0.1:0", "--rest", "127.0.0.1:0", "--rest-token",
             str(tmp_path / "token"), "--json"]
    process = subprocess.Popen([sys.executable, "-m", "pointsman.tools", *words], stdout=subprocess.PIPE, text=True)
    try:
        started, rest = (json.loads(process.stdout.readline()) for _ in range(2))
        assert (started["event"], rest["event"]) == ("started", "rest")
        yield started["uri"], f"http://127.0.0.1:{rest['port']}"
    finally:
        process.kill()
        process.communicate()


def test_what_somebody_types_reaches_a_device(served, tmp_path, capsys):
    uri, rest = served
    key = keys.create(tmp_path / "operator.pem")
    for version in (7, 8):
        (tmp_path / str(version)).write_bytes(signing.sign(written(version), key))
    place = ["--platform", rest, "--token", str(tmp_path / "token")]

    def say(*words):
        code = cli.main(["policy", *words, *place])
        return code, *capsys.readouterr()

    asking = Asking(rest, TOKEN.encode())
    asking.ask("POST", "groups", name="meters")
    assert say("status", "meters")[2] == ("pointsman: policy: nothing has been pushed to meters; "
                                          "pointsman policy push FILE\n")
    asking.ask("POST", "groups", "meters", "members", endpoints=["dev0", "dev1"])

    async def story():
        async with Member("dev0") as device:
            await device.register(uri)
            code, out, _ = await asyncio.to_thread(say, "push", str(tmp_path / "7"), "--dry-run")
            assert code == 0 and re.fullmatch(r"unicast +1 members +1 datagrams +[0-9]+ bytes\n.*\n", out)
            code, out, _ = await asyncio.to_thread(say, "push", str(tmp_path / "7"))
            assert code == 0 and out.splitlines()[-1] == "meters 7: running: 1 acknowledged, 1 waiting"
            await becomes(lambda: device.applied == [7])
    asyncio.run(asyncio.wait_for(story(), 180))
    code, out, _ = say("status", "meters", "--members")
    assert code == 0 and re.search("dev0 +acknowledged +[a-z]+ +applied\n", out) and "not registered" in out
    code, _, err = say("push", str(tmp_path / "8"))
    assert code == faults.USAGE and err.endswith("version 7 is on its way; abort it first\n")
    assert say("pause", "meters")[1].startswith("meters 7: paused: ")
    assert say("resume", "meters")[1].startswith("meters 7: running: ")
    assert say("abort", "meters")[1].startswith("meters 7: aborted (by the operator): ")
    assert say("status", "meters", "--follow")[0] == faults.FAILED
    code, out, _ = say("push", str(tmp_path / "8"), "--no-wait", "--json")
    told = json.loads(out)
    assert code == 0 and (told["version"], told["state"], sum(told["counts"].values())) == (8, "running", 2)


def test_the_platform_is_not_there_or_not_ours(served, tmp_path, capsys):
    _, rest = served
    (tmp_path / "other").write_text(TOKEN[::-1])
    (tmp_path / "short").write_text("abc")
    for name in ("other", "short"):
        os.chmod(tmp_path / name, 0o600)
    for uri, file, code, said in (
            (rest, "other", faults.USAGE, "Authorization: Bearer TOKEN, with the token of --rest-token, is missing"),
            (rest, "short", faults.USAGE, "holds no token of 16 to 128 letters and digits"),
            (rest, "none", faults.USAGE, "there is no"),
            ("http://127.0.0.1:9", "token", faults.HOST, "no platform answers at http://127.0.0.1:9"),
            ("coap://127.0.0.1", "token", faults.USAGE, "is no URI of a platform's REST; as http://")):
        assert cli.main(["policy", "status", "meters", "--platform", uri, "--token", str(tmp_path / file)]) == code
        assert said in capsys.readouterr().err


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_bar_on_a_terminal_and_lines_elsewhere(monkeypatch):
    monkeypatch.setattr(progress, "_EVERY", 0)
    course = [{"group": "meters", "version": 7, "state": "running", "why": "", "members": 4,
               "counts": {**COUNTS, "sent": 4 - done, "acknowledged": done}} for done in (0, 1, 1, 4)]
    for out, said in ((Terminal(), ("\r\x1b[K[....................]   0 %  meters 7: running: 4 sent"
                       "\r\x1b[K[#####...............]  25 %  meters 7: running: 3 sent, 1 acknowledged"
                       "\r\x1b[K[####################] 100 %  meters 7: running: 4 acknowledged\n")),
                      (io.StringIO(), ("meters 7: running: 4 sent\nmeters 7: running: 3 sent, 1 acknowledged\n"
                       "meters 7: running: 4 acknowledged\n"))):
        assert progress.follow(iter(course).__next__, False, out) == course[-1]
        assert out.getvalue() == said


@pytest.mark.parametrize("words, said", [
    (["--rest", "127.0.0.1:0"], "serve: --rest and --rest-token go together"),
    (["--rest", "0.0.0.0:5694", "--rest-token", "x"], "serve: --rest 0.0.0.0:5694 is not this machine alone"),
    (["--rest", "5694", "--rest-token", "x"], "serve: --rest '5694' is no HOST:PORT"),
    (["--rest", "127.0.0.1:0", "--rest-token", "no-such-file"], "policy: there is no no-such-file"),
])
def test_how_it_is_not_served(words, said, capsys):
    assert cli.main(["serve", "platform", "--insecure", *words]) == faults.USAGE
    assert said in capsys.readouterr().err
