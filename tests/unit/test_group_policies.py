"""G1: a group's policy is obeyed once, answered for, tried where it may cut the device off, and undone when it does."""

from policy_documents import ALL, GROUP, WALL, changed, document
from policy_world import FOREVER, NORTH, SOUTH, World, signed
from torn import Medium

from agent.errors import LocalError

RISKY = {1: 60, 5: [1]}


class Full(Medium):
    """A medium that can be read and, while `full`, not written."""

    full = False

    def write(self, name, data):
        if self.full:
            raise OSError(28, "no space")
        Medium.write(self, name, data)


# the twelve answers


def test_0_applied():
    world = World()
    assert world.push(1, {1: 60, 2: 20}) == (0, None) and world.state() == "applied"
    ((_, settings, offset),) = world.take()
    assert settings == {1: 60, 2: 20} and 0 <= offset < 20
    assert world.wait(5).acks() == [(1, 0, None)]
    assert world.take() == [] and world.engine.deadline() is None


def test_0_applied_without_a_clock_says_so():
    world = World(wall=0)
    assert world.push(1, start=WALL, expiry=WALL + 1) == (0, 1)
    assert world.wait(5).acks() == [(1, 0, 1)]


def test_1_stored_until_its_time():
    world = World()
    world.push(1, {1: 60})
    world.take()
    assert world.push(2, {1: 120}, activate=WALL + 100) == (1, None)
    assert world.state() == "stored" and world.take("apply") == [] and world.force() == {1: 60}
    assert world.wait(99).acks() == [(2, 1, None)] and world.force() == {1: 60}
    world.wait(1)
    assert world.take("apply") == [("apply", {1: 120}, 0)] and world.state() == "applied"
    assert world.wait(5).acks() == [(2, 0, None)]


def test_1_stored_while_the_time_is_unknown():
    world = World(wall=0)
    assert world.push(1, {1: 120}, activate=WALL - 100) == (1, 1)
    world.wait(100)
    assert world.force() == {} and world.engine.deadline() is None
    world.engine.clock(world.now, WALL)
    assert world.engine.deadline() <= world.now
    world.wait(0)
    assert world.force() == {1: 120}


def test_2_trial_when_the_way_to_the_registrar_changes():
    for settings in ({5: [1]}, {6: 5}, {7: "iot"}, {10: 60}):
        world = World()
        assert world.push(1, settings) == (2, None) and world.force() == settings
        world.engine.confirmed(world.now)
        assert world.push(2, settings) == (0, None)  # nothing of that changes
        assert world.push(3, {}) == (2, None)  # back to what was before


def test_2_trial_when_the_document_wants_it_and_confirmed():
    world = World()
    assert world.push(1, {1: 60}, trial=30) == (2, None)
    assert world.wait(5).acks() == [(1, 2, None)] and world.state() == "trial"
    world.engine.confirmed(world.now)
    assert world.state() == "applied" and world.wait(60).acks() == [(1, 0, None)]
    assert world.state() == "applied" and world.force() == {1: 60}


def test_3_duplicate_is_acknowledged_again_and_not_applied_again():
    world = World()
    world.push(1, {1: 60})
    assert world.push(1, {1: 60}) == (3, 0) and world.take("apply") == [("apply", {1: 60}, 0)]
    assert world.wait(5).acks() == [(1, 0, None)]  # the first answer was still to go
    assert world.push(1, {1: 60}) == (3, 0)
    assert world.wait(5).acks() == [(1, 3, 0)] and world.take("apply") == []
    assert world.verified == 1


def test_3_duplicate_says_what_became_of_it():
    world = World()
    world.push(1, RISKY)
    assert world.push(1, RISKY) == (3, 2)
    world.wait(300)
    assert world.push(1, RISKY) == (3, 7)
    world.push(2, {}, activate=WALL + 9999)
    assert world.push(2, {}, activate=WALL + 9999) == (3, 1)


def test_4_superseded():
    world = World()
    world.push(5)
    assert world.push(4) is None  # anybody may have kept it: no answer to a stranger
    assert world.push(4, via="unicast") == (4, None) and world.version() == 5
    assert world.verified == 1


def test_5_bad_value_names_the_setting():
    world = World()
    assert world.push(1, {1: 9}) == (5, 1) and world.state() == "none" and world.version() == 0
    assert world.wait(5).acks() == [(1, 5, 1)] and world.force() == {}
    assert world.push(1, {1: 9}) == (5, 1) and world.verified == 1  # remembered
    assert world.wait(5).acks() == [(1, 5, 1)]
    assert world.push(1, {1: 10}) == (0, None)  # the version is not used up


def test_5_what_leaves_no_link():
    world = World()
    world.links = {"lte": True}
    assert world.push(1, {5: [1, 3]}) == (5, 5) and world.push(2, {6: 0}) == (5, 6)


def test_6_unsupported_names_the_setting_and_applies_nothing():
    world = World()
    assert world.push(1, {1: 60, 42: 1}) == (6, 42) and world.force() == {}
    assert world.offer(changed({10: 1})) == (6, 74)


def test_7_rolled_back_when_nobody_confirms():
    world = World()
    world.push(1, {1: 60})
    world.wait(5).take()
    assert world.push(2, {1: 120, 5: [2]}) == (2, None)
    assert world.take() == [("apply", {1: 120, 5: [2]}, 0)]
    world.wait(299)
    assert world.state() == "trial"
    world.wait(1)
    assert world.state() == "rolled" and world.take("apply") == [("apply", {1: 60}, 0)]
    assert world.wait(5).acks() == [(2, 7, 1)] and world.version() == 2
    assert world.push(1, {1: 60}, via="unicast") == (4, None)  # the version never falls


def test_7_rolled_back_at_the_second_start():
    world = World()
    world.push(1, {1: 60})
    world.push(2, RISKY)
    again = world.restart()
    assert again.state() == "trial" and again.force() == RISKY and again.engine.deadline() == 300000
    third = again.restart()
    assert third.state() == "rolled" and third.take("apply") == [("apply", {1: 60}, 0)]
    assert third.wait(5).acks() == [(2, 7, 2)]
    last = third.restart()
    assert last.state() == "rolled" and last.wait(9).acks() == [] and last.force() == {1: 60}


def test_8_storage_error_changes_nothing():
    world = World(medium=Full(World().medium.files))
    world.push(1, {1: 60})
    world.medium.full = True
    assert world.push(2, {1: 120}) == (8, 28) and world.version() == 1 and world.force() == {1: 60}
    assert world.wait(5).acks() == [(2, 8, 28)]
    world.medium.full = False
    assert world.push(2, {1: 120}) == (0, None)


def test_9_not_a_member_is_said_to_a_known_sender_only():
    world = World()
    strange = document(1, group=b"others")
    assert world.offer(strange) is None and world.offer(strange, "mqtt") is None and world.offer(strange, "sms") is None
    assert world.offer(strange, "unicast") == (9, None) and world.offer(strange, "usb") == (9, None)
    assert world.verified == 0 and world.wait(9).take() == []


def test_10_expired():
    world = World()
    assert world.push(1, expiry=WALL) is None and world.push(1, via="usb", expiry=WALL) == (10, None)
    assert world.push(1, {1: 60}, revert=WALL) == (10, None) and world.wait(5).acks() == [(1, 10, None)]
    assert world.push(1, via="usb", start=WALL + 99) == (5, 67)
    assert world.push(1, start=WALL, expiry=WALL + 6) == (0, None)


def test_11_local_override():
    world = World()
    world.engine.override = True
    assert world.push(1) == (11, None) and world.wait(5).acks() == [(1, 11, None)] and world.version() == 0
    world.engine.override = False
    assert world.push(1) == (0, None)


# several groups


def test_the_group_of_higher_rank_holds_setting_by_setting():
    world = World(((NORTH, 1, None), (SOUTH, 2, None)))
    world.push(1, {1: 60, 2: 30, 3: 5})
    world.push(1, {1: 600, 10: 600}, group=SOUTH)
    assert world.force() == {1: 600, 3: 5, 10: 600}  # jitter goes with its period
    world.wait(20).engine.confirmed(world.now)
    assert world.push(2, {10: 60}) == (0, None)  # has no effect, so nothing is tried
    assert world.push(2, {}, group=SOUTH) == (2, None) and world.force() == {10: 60}
    assert [row[:2] + row[3:] for row in world.engine.summary()] == [(SOUTH, 2, "trial"), (NORTH, 2, "applied")]
    assert all([len(row[2]) == 8 for row in world.engine.summary()])


def test_groups_are_left_and_joined_and_their_versions_stay():
    world = World(((NORTH, 1, None), (SOUTH, 2, None)))
    world.push(7, {1: 60})
    world.push(3, {1: 600}, group=SOUTH)
    world.take()
    world.engine.belong([(NORTH, 1, None)])
    assert world.take() == [("apply", {1: 60}, 0)]
    world.engine.belong([(NORTH, 3, None), (SOUTH, 2, None)])
    assert world.take() == [] and world.push(3, {1: 600}, group=SOUTH) == (3, 0)
    world.engine.belong([])
    assert world.take() == [("apply", {}, 0)]


def test_more_than_eight_groups_are_refused():
    for groups in ([(bytes((n,)), 1, None) for n in range(9)], [(NORTH, 1, None), (NORTH, 2, None)]):
        try:
            World(groups)
            raise AssertionError("taken")
        except LocalError as e:
            assert "8 different ones" in e.args[0]
    assert len(World([(bytes((n,)), 1, None) for n in range(8)]).engine.summary()) == 8


# time


def test_reverts_to_what_was_before_the_group():
    world = World()
    world.push(1, {1: 60})
    world.push(2, {1: 120}, revert=WALL + 100)
    world.wait(99)
    assert world.force() == {1: 120}
    world.take()
    world.wait(1)
    assert world.take("apply") == [("apply", {}, 0)] and world.state() == "reverted" and world.version() == 2
    assert world.restart().take() == [] and world.push(2, {1: 120}, revert=WALL + 100) == (3, 0)


def test_what_is_stored_survives_the_end_of_what_is_in_force():
    world = World()
    world.push(1, {1: 60}, revert=WALL + 10)
    world.push(2, {1: 120}, activate=WALL + 20, revert=WALL + 30)
    assert world.wait(10).force() == {} and world.state() == "stored"
    assert world.wait(10).force() == {1: 120} and world.wait(10).force() == {}


def test_switched_off_over_all_dates():
    """A device that was off from before activate-at until after revert-at ends where the others are."""
    world = World()
    world.push(1, {1: 120}, activate=WALL + 20, revert=WALL + 30)
    again = world.restart(wall=WALL + 3600).wait(5)
    assert again.state() == "reverted" and again.force() == {}


def test_a_new_way_is_tried_when_its_time_comes():
    world = World()
    world.push(1, RISKY, activate=WALL + 60)
    world.wait(60)
    assert world.state() == "trial" and world.restart().state() == "trial"
    world.wait(300)
    assert world.state() == "rolled" and world.force() == {}


def test_in_trial_only_what_counts_at_once_is_taken():
    """There is room for what is tried and for what held before; the sender comes again."""
    world = World()
    world.push(1, {1: 60})
    world.push(2, RISKY)
    assert world.push(3, {1: 120}, activate=WALL + 99) is None and world.engine.counts == {"busy": 1}
    assert world.wait(10).push(4, {1: 120}) == (0, None) and world.state() == "applied" and world.force() == {1: 120}


def test_what_is_tried_after_what_was_tried_returns_to_what_was_proven():
    world = World()
    world.push(1, {1: 60})
    world.push(2, RISKY)
    assert world.push(3, {1: 90, 5: [1]}) == (2, None)
    assert world.wait(300).force() == {1: 60}


# acknowledgements


def test_acknowledgements_spread_over_the_window():
    """RFC 7252 8.2: every eighth of the window has its share of 160."""
    share = [0] * 8
    world = World()
    for version in range(1, 161):
        world.push(version, via="usb", window=80)
        start = world.now
        world.wait(80).take()
        ((_, _, _, status, _, at),) = [event for event in world.got if event[0] == "ack"]
        assert status == 0
        share[(at - start) // 10000] += 1
    assert sum(share) == 160 and min(share) >= 10 and max(share) <= 32, share


def test_the_window_of_the_sender_counts_and_none_is_none():
    world = World()
    world.push(1, window=0)
    assert world.wait(999).acks() == []
    world.offer(document(2, window=0), window_ms=2000)
    assert world.wait(2).acks() == [(2, 0, None)]
    world.offer(document(3), "unicast")
    assert world.wait(99).acks() == []  # it was the answer


def test_a_summary_survives_and_the_digest_tells_documents_apart():
    world = World()
    assert world.engine.summary() == [(NORTH, 0, b"", "none")]
    world.push(1, ALL)
    one = world.engine.summary()
    assert world.restart().engine.summary() == one and one[0][:2] == (GROUP, 1)
    world.push(2, ALL)
    assert world.engine.summary()[0][2] != one[0][2]


# the medium


def test_a_medium_that_fails_does_not_keep_what_cut_us_off():
    world = World(medium=Full(World().medium.files))
    world.push(1, {1: 60})
    world.push(2, RISKY)
    world.take()
    world.medium.full = True
    world.wait(300)
    assert world.take("apply") == [("apply", {1: 60}, 0)] and world.restart().state() == "trial"
    world.medium.full = False
    world.wait(60)
    assert world.restart().state() == "rolled" and world.engine.deadline() is None


def test_what_cannot_be_read_is_said():
    world = World()
    for version in (1, 2):
        world.push(version)
    for name in world.medium.files:
        world.medium.files[name] = b"PP1s" + bytes(20)
    assert world.restart().take() == [("damaged", NORTH)]


def test_an_envelope_of_1024_bytes_is_the_longest():
    world = World()
    big = document(1, dict([(1, 60)] + [(key, "x" * 46) for key in range(42, 60)]))
    assert 900 < len(signed(big)) <= 1024 and world.offer(big) == (6, 42)
    assert world.offer(document(FOREVER, ALL)) == (2, None)
