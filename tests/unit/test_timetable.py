"""G2: the times of the day in a policy, against a definition that looks at every second."""

from coap_pair import below
from policy_documents import WALL

from agent.engine.timetable import following, opening

MIDNIGHT = WALL // 86400 * 86400
NIGHT = [[0, 21600, 3600], [72000, 86400, 900]]


def is_due(at, rows, period_s, offset):
    """Whether a report is due in this very second."""
    second = (at - offset) % 86400
    for start, end, period in rows:
        if start <= second < end:
            return (second - start) % period == 0
    return (at - offset) % period_s == 0


def test_what_comes_next():
    hour = MIDNIGHT + 3600
    assert following(hour, NIGHT, 7200, 0) == hour + 3600 and following(hour - 1, NIGHT, 7200, 0) == hour
    assert following(MIDNIGHT + 18000, NIGHT, 7200, 0) == MIDNIGHT + 21600  # outside, at whole periods
    assert following(MIDNIGHT + 71000, NIGHT, 10**6, 0) == MIDNIGHT + 72000  # the row begins before the period is over
    assert following(MIDNIGHT + 86000, NIGHT, 60, 7) == MIDNIGHT + 86400 + 7  # tomorrow's first, later by the offset
    assert following(WALL, (), 600, 45) == (WALL - 45) // 600 * 600 + 645


def test_it_is_the_first_second_in_which_one_is_due():
    rows = [[10, 500, 60], [500, 501, 10], [700, 2000, 400], [86000, 86400, 300]]
    chance = below(7)
    for periods in ((10, 0), (60, 5), (90, 30), (1000, 200), (86400, 10)):
        for _ in range(8):
            wall = MIDNIGHT + 84000 + chance(5000)
            at = wall + 1
            while not is_due(at, rows, *periods):
                at += 1
            assert following(wall, rows, *periods) == at, (wall, periods)


def test_how_long_until_a_window_opens():
    windows = [[7200, 10800], [82800, 86400]]
    for second, wait in ((7200, 0), (10799, 0), (10800, 72000), (82799, 1), (0, 7200), (86399, 0)):
        assert opening(windows, MIDNIGHT + second) == wait
    assert opening([], WALL) == opening((), 0) == 0
    assert opening([[0, 86400]], WALL) == 0
