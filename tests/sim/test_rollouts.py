"""What of a rollout outlives a restart of the platform. G2."""

import asyncio
import random

import pytest

from agent.errors import LocalError
from pointsman.tools.groups import rollout, states, wire
from pointsman.tools.groups.members import Group
from pointsman.tools.groups.planning import UNICAST, WAITING, Terms
from pointsman.tools.groups.rollouts import UNFINISHED, Rollouts
from pointsman.tools.servers.storage import Storage

DOCUMENT = b"\xd2" + bytes(100)
START = 1_800_000_000  # Unix s
TERMS = Terms(stages=(50, 100), rate=100, soak_ms=1000)


def group(size=6):
    made = Group("north")
    made.rows = {"m%d" % index: [index, True, True] for index in range(size)}
    return made


def ways(made, away=()):
    return {index: (WAITING if endpoint in away else UNICAST, None) for index, endpoint in made.members}


def answer(made, endpoint, status, now):
    made.acknowledged(endpoint, wire.Acknowledgement(endpoint.encode(), b"north", made.version, status, None), now)


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'platform.sqlite'}"


def kept(url, use, clock=START):
    storage = Storage(url)
    try:
        return asyncio.run(use(Rollouts(storage, lambda: clock)))
    finally:
        storage.close()


async def _half(rollouts):
    """The first stage is out, one of three has refused; then the platform ends. -> the endpoints of that stage"""
    north = group(7)
    made = await rollouts.open(north, DOCUMENT, 7, ways(north, ["m6"]), TERMS, random.Random(1), 5000, START + 3600,
                               trial_s=60)
    made.start(5000)
    made.poll(5600)
    first = [what[1] for what in made.take() if what[0] == "unicast"]
    answer(made, first[0], 5, 5700)
    answer(made, first[1], 2, 5800)
    await rollouts.save(made, 6000)
    assert made.book.changed() == []
    return first


def test_a_restart_goes_on_where_it_was(url):
    first = kept(url, _half)

    async def second(rollouts):
        row, = rollouts.listed("north")
        assert row["state"] in UNFINISHED and (row["version"], row["stage"]) == (7, 0)
        north = group(8)  # somebody has joined meanwhile
        made = rollouts.revive(row, north, ways(north), random.Random(2), 100)
        now = {record.endpoint: (record.state, record.status, record.stage) for record in made.records}
        assert now[first[0]] == (states.REJECTED, 5, 0) and now[first[1]] == (states.ACKNOWLEDGED, states.TRIAL, 0)
        assert now["m7"] == (states.PLANNED, None, 1) and made.expires == 100 + (3600 - 60) * 1000
        made.poll(1000)
        assert [what[1] for what in made.take() if what[0] == "unicast"] == first[2:]
        answer(made, first[2], 0, 1100)
        made.poll(2500)
        assert made.stage == 0  # for one is still on trial
        answer(made, first[1], 0, 2600)
        made.poll(3600)
        made.poll(4000)
        later = {what[1] for what in made.take() if what[0] == "unicast"}
        assert made.stage == 1 and later == set(now) - set(first)
        for endpoint in later:
            answer(made, endpoint, 0, 4100)
        await rollouts.save(made, 4200)
        assert made.state == rollout.COMPLETE

    kept(url, second, START + 60)

    async def third(rollouts):
        assert rollouts.listed()[0]["state"] == rollout.COMPLETE
        rows = {row["endpoint"]: (row["state"], row["reason"]) for row in rollouts.outcomes("north", 7)}
        assert rows.pop(first[0]) == (states.REJECTED, "bad value")
        assert set(rows.values()) == {(states.ACKNOWLEDGED, "applied")} and len(rows) == 7

    kept(url, third)


def test_what_was_paused_stays_paused(url):
    async def first(rollouts):
        north = group()
        made = await rollouts.open(north, DOCUMENT, 7, ways(north), TERMS, random.Random(1), 0, START + 3600)
        made.start(0)
        made.pause(10)
        await rollouts.save(made, 10)

    kept(url, first)

    async def second(rollouts):
        north = group()
        made = rollouts.revive(rollouts.listed()[0], north, ways(north), random.Random(1), 0)
        made.poll(5000)
        assert made.state == rollout.PAUSED and [what[0] for what in made.take()] == ["tell"]
        made.resume(5000)
        made.poll(6000)
        assert sum(what[0] == "unicast" for what in made.take()) == 3

    kept(url, second)


def test_versions_only_rise():
    async def story(rollouts):
        north = group()
        for version, fine in ((7, True), (7, False), (6, False), (8, True)):
            opened = rollouts.open(north, DOCUMENT, version, ways(north), TERMS, random.Random(1), 0, START + 3600)
            if fine:
                await opened
            else:
                with pytest.raises(LocalError, match="needs 8"):
                    await opened
        assert [row["version"] for row in rollouts.listed("north")] in ([7, 8], [8, 7])
        assert rollouts.listed("south") == []

    kept("sqlite://", story)


def test_what_could_not_be_kept_is_kept_the_next_time(url):
    async def story(rollouts):
        north = group()
        made = await rollouts.open(north, DOCUMENT, 7, ways(north), TERMS, random.Random(1), 0, START + 3600)
        answer(made, "m0", 0, 10)
        write = rollouts._storage.write

        def full(job):
            raise OSError(28, "no space left")

        rollouts._storage.write = full
        with pytest.raises(OSError):
            await rollouts.save(made, 20)
        rollouts._storage.write = write
        await rollouts.save(made, 30)
        assert rollouts.outcomes("north", 7)[0]["state"] == states.ACKNOWLEDGED

    kept(url, story)
