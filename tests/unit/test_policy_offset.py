"""G2: ten thousand devices that hear the same at once do not report at once."""

import sys

from policy_world import NORTH, World

from agent.engine.policy_offset import offset

# A tenth under MicroPython, where it takes as long
DEVICES = 10000 if sys.implementation.name == "cpython" else 1000
JITTER = DEVICES // 100
CRITICAL = 148.2 if JITTER == 100 else 27.9  # chi square at p = 0.001 for 99 and for 9 degrees of freedom


def shares(version, seconds=JITTER):
    counts = [0] * seconds
    for number in range(DEVICES):
        counts[offset(b"key of device %05d" % number, NORTH, version, seconds)] += 1
    return counts


def is_even(counts):
    mean = DEVICES / len(counts)
    return sum([(count - mean) ** 2 / mean for count in counts]) < CRITICAL and max(counts) <= 1.5 * mean


def test_no_second_gets_much_more_than_its_share():
    assert is_even(shares(1)) and is_even(shares(2))


def test_those_who_met_are_parted_by_the_next_version():
    together = [n for n in range(DEVICES) if offset(b"key of device %05d" % n, NORTH, 1, JITTER) == 3]
    again = {offset(b"key of device %05d" % n, NORTH, 2, JITTER) for n in together}
    assert len(together) > 50 and len(again) > JITTER // 3


def test_it_is_the_same_after_each_start_and_another_for_each_device_group_and_version():
    assert offset(b"key", NORTH, 1, 100000) == offset(b"key", NORTH, 1, 100000) < 100000
    others = ((b"key", NORTH, 1), (b"kez", NORTH, 1), (b"key", b"n", 1), (b"key", NORTH, 2))
    assert len({offset(key, group, version, 100000) for key, group, version in others}) == 4
    assert offset(b"key", NORTH, 1, 0) == 0 and offset(b"key", NORTH, 1, 1) == 0


def test_the_offset_of_the_period_in_force_is_told():
    world = World()
    world.push(1, {1: 3600, 2: 1800})
    ((_, settings, first),) = world.take("apply")
    assert settings == {1: 3600, 2: 1800} and first == offset(b"device key", NORTH, 1, 1800)
    world.push(2, {1: 3600, 2: 1800})
    ((_, _, second),) = world.take("apply")
    assert second == offset(b"device key", NORTH, 2, 1800) != first
    assert world.restart().take() == [("apply", settings, second)]
