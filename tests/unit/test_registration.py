"""W1-W3: registered with one registrar at a time."""

from agent.engine.registration import _TRANSITIONS, Registration
from agent.table import rows

GATEWAY, PLATFORM = ("gateway", "eth"), ("platform", "lte")


def largest(n):
    return n - 1


def make():
    return Registration(largest, retry_max_ms=20000, leave_ms=3000)


def registered(target=GATEWAY, lifetime_ms=60000, now=0):
    r = make()
    r.move_to(target, False, now)
    r.sent(1)
    r.answered(1, "accepted", lifetime_ms, now)
    r.take()
    return r


def test_registers_and_updates_before_the_lifetime_ends():
    r = make()
    r.move_to(GATEWAY, False, 0)
    assert r.take() == [("state", "registering"), ("register", GATEWAY)] and r.registrar is None
    r.sent(1)
    r.answered(1, "accepted", 300000, 50)
    assert r.take() == [("state", "registered")] and r.registrar == GATEWAY
    assert r.deadline() == 50 + 300000 - 93000
    r.poll(r.deadline())
    assert r.take() == [("state", "updating"), ("update", GATEWAY)] and r.registrar == GATEWAY


def test_a_short_lifetime_is_updated_at_half_of_it():
    assert registered(lifetime_ms=60000).deadline() == 30000


def test_moving_waits_for_the_acknowledgement_of_the_old_one():
    r = registered()
    r.move_to(PLATFORM, True, 10)
    assert r.take() == [("state", "leaving"), ("deregister", GATEWAY)] and r.registrar == GATEWAY
    r.sent(2)
    r.answered(2, "accepted", 0, 60)
    assert r.take() == [("state", "registering"), ("register", PLATFORM)] and r.registrar is None


def test_the_wait_for_the_old_one_is_bounded():
    r = registered()
    r.move_to(PLATFORM, True, 10)
    r.take()
    assert r.deadline() == 3010
    r.poll(3010)
    assert r.take() == [("state", "registering"), ("register", PLATFORM)]


def test_an_unreachable_registrar_is_left_without_a_word():
    r = registered()
    r.move_to(PLATFORM, False, 10)
    assert r.take() == [("state", "registering"), ("register", PLATFORM)]


def test_the_link_dies_while_leaving():
    r = registered()
    r.move_to(PLATFORM, True, 10)
    r.take()
    r.move_to(GATEWAY, True, 20)
    assert r.take() == [] and r.state == "leaving"
    r.move_to(PLATFORM, False, 30)
    assert r.take() == [("state", "registering"), ("register", PLATFORM)]


def test_changing_ones_mind_while_leaving_registers_anew():
    r = registered()
    r.move_to(PLATFORM, True, 10)
    r.sent(2)
    r.move_to(GATEWAY, True, 20)
    r.answered(2, "accepted", 0, 30)
    assert r.take()[-1] == ("register", GATEWAY)


def test_a_late_answer_of_the_registrar_left_behind_is_ignored():
    """W2"""
    r = make()
    r.move_to(GATEWAY, False, 0)
    r.sent(1)
    r.move_to(PLATFORM, False, 5)
    r.sent(2)
    r.answered(1, "accepted", 60000, 6)
    assert r.state == "registering" and r.registrar is None
    r.answered(2, "accepted", 60000, 7)
    assert r.registrar == PLATFORM


def test_back_off_is_capped_and_reported():
    r = make()
    r.move_to(GATEWAY, False, 0)
    waits = []
    now = 0
    for n in range(7):
        r.sent(n)
        r.answered(n, "failed", 0, now)
        assert ("unreachable", GATEWAY) in r.take()
        waits.append(r.deadline() - now)
        now = r.deadline()
        r.poll(now)
    assert waits == [2000, 4000, 8000, 16000, 20000, 20000, 20000]


def test_404_on_an_update_registers_at_once():
    """LightweightM2M-1.1-int-105"""
    r = registered()
    r.poll(30000)
    r.sent(3)
    r.answered(3, "gone", 0, 30010)
    assert r.take() == [("state", "updating"), ("update", GATEWAY), ("state", "registering"), ("register", GATEWAY)]


def test_refusal_is_told_apart_from_silence():
    r = make()
    r.move_to(GATEWAY, False, 0)
    r.sent(1)
    r.answered(1, "refused", 0, 5)
    assert ("refused", GATEWAY) in r.take() and r.state == "waiting"


def test_a_conflict_is_retried_at_once_and_then_with_patience():
    """The first 4.09 tells our epoch was too low; a second one means that somebody else uses our name."""
    r = make()
    r.move_to(GATEWAY, False, 0)
    r.sent(1)
    r.answered(1, "conflict", 0, 5)
    assert r.deadline() == 5
    r.poll(5)
    r.sent(2)
    r.answered(2, "conflict", 0, 10)
    assert r.deadline() == 10 + 4000


def test_update_on_request():
    """LightweightM2M-1.1-int-104"""
    r = registered()
    r.update_now(100)
    r.poll(100)
    assert r.take()[-1] == ("update", GATEWAY)


def test_nowhere_to_go():
    r = registered()
    r.move_to(None, True, 1)
    r.sent(9)
    r.answered(9, "accepted", 0, 2)
    assert r.state == "idle" and r.registrar is None and r.deadline() is None


def test_every_state_of_the_table_can_be_left_and_reached():
    table = rows(_TRANSITIONS)
    states = {row[0] for row in table}
    assert states == {row[2] for row in table} and len(table) > 20
    for state in states:
        assert [row for row in table if row[0] == state and row[2] != state]


def test_an_update_that_is_refused_is_followed_by_a_register():
    """1.1 Core 6.2.2: whatever the registrar has against it, it is there; only a Register that is refused counts."""
    for outcome in ("refused", "rejected", "conflict", "version"):
        r = registered()
        r.poll(30000)
        r.sent(3)
        r.answered(3, outcome, 0, 30010)
        assert r.take()[-2:] == [("state", "registering"), ("register", GATEWAY)]


def test_a_register_that_is_rejected_is_tried_again():
    r = make()
    r.move_to(GATEWAY, False, 0)
    r.sent(1)
    r.answered(1, "rejected", 0, 5)
    assert ("unreachable", GATEWAY) in r.take() and r.state == "waiting" and r.tries == 1


def test_another_time_for_the_next_try():
    r = make()
    r.move_to(GATEWAY, False, 0)
    r.sent(1)
    r.retry_in(7, 5)
    assert r.deadline() is None
    r.answered(1, "failed", 0, 5)
    r.retry_in(60000, 5)
    assert r.deadline() == 60005
