"""Reports: when to measure, what to send, and that nothing leaves the outbox without an acknowledgement."""

from torn import Medium

from agent.engine.reports import Reports
from agent.journal import Journal


def make(period=1000, batch=4, limit=100):
    return Reports(Journal(Medium(), limit), period, batch)


def sequences(actions):
    return [[reading[0] for reading in action[1]] for action in actions if action[0] == "send"]


def test_nothing_is_due_before_the_start():
    reports = make()
    assert reports.deadline() is None
    reports.poll(10**6)
    assert reports.take() == []


def test_a_reading_is_due_every_period_and_the_first_after_one():
    reports = make()
    reports.start(500)
    assert reports.deadline() == 1500
    reports.poll(1499)
    assert reports.take() == []
    for now in (1500, 2510, 3500):  # a late poll does not shift the rhythm
        reports.poll(now)
        assert reports.take() == [("measure",)]
    assert reports.deadline() == 4500


def test_after_a_long_sleep_there_is_one_reading_and_no_burst():
    reports = make()
    reports.start(0)
    reports.poll(10500)
    assert reports.take() == [("measure",)] and reports.deadline() == 11500


def test_a_new_period_counts_from_the_last_reading():
    reports = make(60000)
    reports.start(0)
    reports.set_period(5000, 2000)
    assert reports.deadline() == 5000
    reports.set_period(1000, 3000)  # already longer ago
    assert reports.deadline() == 3000
    reports.poll(3000)
    assert reports.take() == [("measure",)]
    reports.set_period(60000, 3500)
    assert reports.deadline() == 63000


def test_readings_wait_while_offline_and_go_out_in_batches():
    """DESIGN 3.7: a reading stays until its registrar acknowledged it."""
    reports = make()
    reports.start(0)
    assert [reports.add(i, 1700000000, 0) for i in range(6)] == [1, 2, 3, 4, 5, 6]
    assert reports.take() == []
    reports.online(True, 10)
    actions = reports.take()
    assert sequences(actions) == [[1, 2, 3, 4]] and actions[0][1][0] == (1, 1700000000, 0)
    reports.add(6, 0, 20)  # one batch in flight at most
    assert reports.take() == []
    reports.acknowledged(30)
    assert sequences(reports.take()) == [[5, 6, 7]] and reports.journal.count == 3
    reports.acknowledged(40)
    assert reports.take() == [] and reports.journal.count == 0
    reports.add(7, 0, 50)
    assert sequences(reports.take()) == [[8]]


def test_a_failed_batch_is_repeated_with_a_back_off_up_to_20_s():
    reports = make(10**9)
    reports.start(0)
    reports.online(True, 0)
    reports.add(1, 0, 0)
    now, waits = 0, []
    for _ in range(6):
        assert sequences(reports.take()) == [[1]]
        reports.failed(now)
        reports.add(9, 0, now)  # a new reading does not break the wait
        assert reports.take() == []
        reports.journal.acknowledge(0)
        waits.append(reports.deadline() - now)
        now = reports.deadline()
        reports._batch = 1
        reports.poll(now)
    assert waits == [2000, 4000, 8000, 16000, 20000, 20000]


def test_going_offline_takes_the_batch_back():
    reports = make()
    reports.online(True, 0)
    reports.add(1, 0, 0)
    reports.take()
    reports.online(False, 10)
    reports.acknowledged(20)  # too late: it is sent again, the other side knows its sequence
    assert reports.journal.count == 1 and reports.take() == []
    reports.failed(20)
    assert reports.deadline() is None
    reports.online(True, 30)
    assert sequences(reports.take()) == [[1]]


def test_a_batch_that_nobody_took_is_withdrawn_too():
    reports = make()
    reports.online(True, 0)
    reports.add(1, 0, 0)
    reports.online(False, 0)
    assert reports.take() == []


def test_coming_online_does_not_wait_for_the_back_off():
    reports = make()
    reports.online(True, 0)
    reports.add(1, 0, 0)
    for now in (0, 2000, 6000):
        reports.poll(now)
        reports.take()
        reports.failed(now)
    reports.online(False, 7000)
    reports.online(True, 7001)
    assert sequences(reports.take()) == [[1]]
    reports.failed(7002)
    assert reports.deadline() == 9002


def test_a_batch_holds_consecutive_sequences_only():
    journal = Journal(Medium(), 100)
    for _ in range(7):
        journal.append(0, 1)
    numbers = [1, 2, 5, 6, 7]
    journal.pending = lambda count: [(n, 0, 1) for n in numbers][:count]
    reports = Reports(journal, 1000, 4)
    reports.online(True, 0)
    assert sequences(reports.take()) == [[1, 2]]


def test_a_full_journal_drops_the_oldest_and_goes_on():
    reports = make(limit=3)
    for i in range(5):
        reports.add(i, 0, 0)
    reports.online(True, 0)
    assert sequences(reports.take()) == [[3, 4, 5]] and reports.journal.dropped == 2
    reports.add(5, 0, 0)  # pushes out one of the batch in flight
    reports.acknowledged(0)
    assert sequences(reports.take()) == [[6]]


def test_pending_readings_of_the_last_run_are_sent_first():
    files = {}
    Journal(Medium(files), 100).append(1700000000, 5)
    reports = Reports(Journal(Medium(files), 100), 1000)
    reports.online(True, 0)
    assert reports.take() == [("send", [(1, 1700000000, 5)])]


def test_repeated_inputs_change_nothing():
    reports = make()
    for now in range(3):
        reports.online(True, now)
        reports.acknowledged(now)
        reports.failed(now)
    assert reports.state == "idle" and reports.deadline() is None and reports.take() == []
