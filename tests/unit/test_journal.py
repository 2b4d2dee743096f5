"""The journal: readings survive power cuts at any byte, sequences are never given twice, it stays small."""

from torn import Cut, Medium

from agent.errors import LocalError
from agent.journal import Journal


def open_journal(files, limit=100):
    return Journal(Medium(files), limit)


def refused(journal, value):
    try:
        journal.append(0, value)
    except LocalError:
        return True
    return False


def test_readings_wait_in_order_until_acknowledged():
    files = {}
    journal = open_journal(files)
    assert journal.pending() == [] and journal.next_seq == 1
    values = [0, -5, 1.5, 1 << 62, -(1 << 63), 12345678]
    assert [journal.append(1700000000 + i, v) for i, v in enumerate(values)] == [1, 2, 3, 4, 5, 6]
    expected = [(i + 1, 1700000000 + i, v) for i, v in enumerate(values)]
    assert journal.pending() == expected and open_journal(files).pending() == expected
    assert [type(r[2]) for r in journal.pending(3)] == [int, int, float]
    journal.acknowledge(4)
    assert journal.pending() == expected[4:] and open_journal(files).pending() == expected[4:]
    assert journal.pending(1) == expected[4:5] and journal.count == 2


def test_the_next_sequence_survives_an_empty_journal():
    files = {}
    journal = open_journal(files)
    for _ in range(3):
        journal.append(0, 1)
    journal.acknowledge(99)
    for _ in range(3):  # restarts in a row, nothing in it
        journal = open_journal(files)
        assert journal.count == 0 and journal.next_seq == 4
    assert journal.append(0, 1) == 4


def test_the_oldest_is_dropped_and_counted_when_it_is_full():
    files = {}
    journal = open_journal(files, 5)
    for i in range(8):
        journal.append(0, i)
    assert journal.dropped == 3 and [r[2] for r in journal.pending()] == [3, 4, 5, 6, 7]
    again = open_journal(files, 5)
    assert again.dropped == 3 and again.pending() == journal.pending()
    for i in range(300):  # over many generations
        again.append(0, i)
    assert open_journal(files, 5).dropped == 303


def test_a_smaller_limit_drops_and_counts_once():
    files = {}
    journal = open_journal(files, 10)
    for i in range(10):
        journal.append(0, i)
    for _ in range(2):
        journal = open_journal(files, 4)
        assert journal.dropped == 6 and [r[0] for r in journal.pending()] == [7, 8, 9, 10]
    journal.append(0, 10)
    assert open_journal(files, 50).dropped == 7 and open_journal(files, 50).count == 4


def test_the_files_stay_small():
    medium = Medium()
    journal = Journal(medium, 20)
    for i in range(2000):
        seq = journal.append(0, i)
        journal.acknowledge(seq)
    assert max([len(data) for data in medium.files.values()]) < 21 * 70
    assert medium.cost < 2000 * 2 * 24  # two records a reading, and little else
    for i in range(1000):  # nobody there
        journal.append(0, i)
    assert max([len(data) for data in medium.files.values()]) < 21 * 100


def _story(journal, seen):
    """Appends, acknowledgements and drops over several generations; notes what the journal promised."""
    for i in range(60):
        seen["next"] = journal.append(1700000000, i * 1.5) + 1
        seen["kept"].append(seen["next"] - 1)
        if i % 5 == 4:
            seen["acknowledging"] = seen["kept"][2]
            journal.acknowledge(seen["acknowledging"])
            del seen["kept"][:3]


def _promises(files, seen, limit):
    journal = open_journal(files, limit)
    there = [r[0] for r in journal.pending()]
    kept = seen["kept"][-limit:]
    assert journal.next_seq >= seen["next"], "a sequence would be given twice"
    assert [s for s in there if s in kept] == [s for s in kept if s in there], "order"
    lost = [s for s in kept if s not in there]
    # the cut may have been inside an acknowledgement, or behind an append that already pushed out the oldest
    assert all(s <= seen["acknowledging"] or there[-1] == seen["next"] and s == kept[0] for s in lost), lost
    assert len(set(there)) == len(there) <= limit
    return journal


def _cut_everywhere(limit, step, tear):
    whole = Medium()
    _story(Journal(whole, limit), {"next": 1, "kept": [], "acknowledging": 0})
    for budget in range(0, whole.cost, step):
        files, seen = {}, {"next": 1, "kept": [], "acknowledging": 0}
        try:
            _story(Journal(Medium(files, budget, tear), limit), seen)
            raise AssertionError("no cut")
        except Cut:
            pass
        journal = _promises(files, seen, limit)
        # go on, and be cut again soon: the torn record must not hide what comes behind it
        seen["next"] = journal.append(0, 7) + 1
        seen["kept"] = [r[0] for r in journal.pending()]
        seen["acknowledging"] = 0
        _promises(files, seen, limit)


def test_power_cut_at_every_byte():
    """DESIGN 3.7: nothing lost, nothing given twice, wherever power fails."""
    _cut_everywhere(100, 1, None)


def test_power_cut_with_the_rest_filled():
    _cut_everywhere(100, 3, 255)
    _cut_everywhere(100, 3, 0)


def test_power_cut_while_readings_are_dropped():
    _cut_everywhere(10, 2, None)


def test_power_cut_at_every_byte_of_the_recovery():
    """A cut, and another one while the first append after it writes the new generation."""
    for first in (300, 311, 320):
        files, seen = {}, {"next": 1, "kept": [], "acknowledging": 0}
        try:
            _story(Journal(Medium(files, first), 100), seen)
        except Cut:
            pass
        for budget in range(400):
            again = dict(files)
            try:
                Journal(Medium(again, budget), 100).append(0, 1)
            except Cut:
                pass
            _promises(again, seen, 100)


def test_a_medium_that_fails_keeps_nothing_and_gives_no_sequence_twice():
    class Full(Medium):
        full = False

        def append(self, name, data):
            Medium.append(self, name, data[:9] if self.full else data)
            if self.full:
                raise OSError(28, "no space")

    medium = Full()
    journal = Journal(medium, 100)
    journal.append(0, 1)
    medium.full = True
    for _ in range(3):
        try:
            journal.append(0, 2)
            raise AssertionError("not told")
        except OSError:
            pass
    journal.acknowledge(1)  # says nothing, the worst is a repeated delivery
    medium.full = False
    assert journal.append(0, 3) == 5
    assert journal.pending() == [(5, 0, 3)]
    assert Journal(medium, 100).pending() == [(5, 0, 3)] and Journal(medium, 100).next_seq == 6


def test_a_damaged_record_hides_no_other():
    files = {}
    journal = open_journal(files)
    for i in range(5):
        journal.append(0, i)
    data = files["journal.b"]
    at = 21 * 4 + 7  # head, commit, two readings, then the third one's middle
    files["journal.b"] = data[:at] + b"\xee" + data[at + 1 :]
    again = open_journal(files)
    assert [r[0] for r in again.pending()] == [1, 2, 4, 5] and again.next_seq == 6


def test_only_finite_numbers_are_readings():
    journal = open_journal({})
    infinite = float("inf")
    for value in (infinite, -infinite, infinite - infinite, "1", None, b"1", 1 << 63, -(1 << 63) - 1):
        assert refused(journal, value)
    assert journal.next_seq == 1 and journal.count == 0
    assert journal.append(1 << 32, 1) == 1 and journal.pending() == [(1, 0, 1)]


def test_foreign_bytes_are_an_empty_journal():
    for junk in (b"", b"x" * 100, bytes(100), b"H" * 100):
        journal = open_journal({"journal.a": junk, "journal.b": junk})
        assert journal.count == 0 and journal.append(0, 1) == 1
