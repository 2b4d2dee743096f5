"""G1: an operator makes groups and says who is in them with `pointsman group`, by name or by rule."""

import asyncio
import json
import os

import pytest
from fake_device import becomes
from pushed import Member, written

from pointsman.tools import cli, faults
from pointsman.tools.groups.planning import Terms
from pointsman.tools.policies import keys, signing
from pointsman.tools.servers.platform import Platform
from pointsman.tools.servers.storage import Storage

TOKEN = b"0123456789abcdef"


@pytest.fixture
def told(tmp_path, capsys):
    """told(story): story(platform, say); say(*words) runs `pointsman group`: (exit code, its lines, its complaint)."""
    (tmp_path / "token").write_bytes(TOKEN)
    os.chmod(tmp_path / "token", 0o600)
    url = f"sqlite:///{tmp_path}/platform.sqlite"

    def run(story):
        async def whole():
            books = Storage(url)
            platform = Platform(books, port=0)
            await platform.start()
            await platform.offer_rest(TOKEN, "127.0.0.1", 0)
            place = ["--platform", f"http://127.0.0.1:{platform._rest.port}", "--token", str(tmp_path / "token")]

            def say(*words):
                code = cli.main(["group", *words, *place])
                out, err = capsys.readouterr()
                return code, out.splitlines(), err.removeprefix("pointsman: ").strip()
            try:
                await story(platform, lambda *words: asyncio.to_thread(say, *words))
            finally:
                await platform.stop()
                books.close()
        asyncio.run(asyncio.wait_for(whole(), 60))
    return run


def test_groups_by_name_and_by_rule(told, tmp_path):
    (tmp_path / "names").write_text("dev2\n\n dev3 \n")

    async def story(platform, say):
        assert await say("list") == (0, [], "")
        assert await say("create", "meters") == (0, [f"{'meters':32}      0 members"], "")
        assert (await say("device", "dev9", "--capability", "mqtt", "--tag", "area=north"))[0] == 0
        await say("device", "dev8", "--tag", "area=south")
        code, lines, _ = await say("create", "some", "--priority", "7", "--multicast", "239.77.0.1:5685", "--topic",
                                   "p/some", "--capability", "mqtt", "--tag", "area=north,west", "--tag", "kind=meter")
        assert code == 0 and lines[0].split("  ")[-1] == (
            'priority=7 multicast="239.77.0.1:5685" topic="p/some" rule={"capabilities": ["mqtt"], '
            '"tags": {"area": ["north", "west"], "kind": "meter"}}')
        await say("device", "dev9", "--capability", "mqtt", "--tag", "area=north", "--tag", "kind=meter")
        assert (await say("add", "meters", "dev0", "dev1", "--from", str(tmp_path / "names")))[1] == [
            f"{'meters':32}      4 members"]
        assert (await say("remove", "meters", "dev1", "dev3"))[1] == [f"{'meters':32}      2 members"]
        async with Member("dev2") as device:
            await device.register(platform.uri)
            assert (await say("show", "meters"))[1][1:] == [f"       0 {'dev0':32} waiting",
                                                           f"       2 {'dev2':32} unicast"]
            found = json.loads((await say("list", "--json"))[1][0])["groups"]
            assert [(group["name"], group["size"]) for group in found] == [("meters", 2), ("some", 1)]
        assert (await say("show", "some"))[1][1:] == [f"       0 {'dev9':32} waiting"]
    told(story)


def test_a_group_ends(told, tmp_path):
    """Not while a policy is on its way; another of its name begins with nobody and goes on with its versions."""
    key = keys.create(tmp_path / "operator.pem")

    async def story(platform, say):
        await say("create", "meters")
        await say("add", "meters", "dev0")
        async with Member("dev0") as device:
            await platform.pushes.push("meters", signing.sign(written(7), key), Terms())
            code, _, complaint = await say("delete", "meters")
            assert code == faults.USAGE and complaint == ("policy: group meters: version 7 is on its way; abort it "
                                                          "first")
            await device.register(platform.uri)
            await becomes(lambda: platform.pushes.status("meters", 7)["state"] == "complete", 20)
        assert (await say("delete", "meters"))[:2] == (0, [])
        assert (await say("list"))[1] == [] and "no group is called meters" in (await say("show", "meters"))[2]
        await say("create", "meters")

    async def after_a_restart(platform, say):
        assert (await say("show", "meters"))[1] == [f"{'meters':32}      0 members"]
        assert platform.pushes.status("meters", 7)["state"] == "aborted" and platform.pushes.versions("meters") == [7]
        await say("delete", "meters")
    told(story)
    told(after_a_restart)
    told(lambda platform, say: say("list"))


@pytest.mark.parametrize("words, said", [
    (("add", "meters"), "group add: nobody is named; name devices, or --from FILE"),
    (("add", "meters", "--from", "none"), "group: cannot read none: No such file or directory; one name a line"),
    (("add", "valves", "dev0"), "policy: no group is called valves"),
    (("create", "a", "--tag", "north"), "group: --tag 'north' is no NAME=VALUE; as --tag area=north"),
    (("create", "a", "--multicast", "10.0.0.1:5"), "no multicast address"),
    (("device", "dev0", "--tag", "=x"), "group: --tag '=x' is no NAME=VALUE"),
    (("remove", "meters", "dev0"), "policy: group meters has no member dev0"),
])
def test_what_cannot_be_done_says_why(told, words, said):
    async def story(_platform, say):
        await say("create", "meters")
        code, lines, complaint = await say(*words)
        assert code == faults.USAGE and lines == [] and said in complaint
    told(story)
