"""G1, G2: `pointsman lab --group`: one signed policy for members on both interpreters that are reached in different
ways, sleep, or come later; and the verdict on it, by records written by hand."""

import io
import json
import os
import subprocess
import sys

import pytest

from pointsman.tools import cli
from pointsman.tools.lab import group_summary
from pointsman.tools.lab.acts import GROUP_ACTS
from pointsman.tools.lab.group_summary import Outcome, at_rate, periods
from pointsman.tools.lab.options import BOTH, Options
from pointsman.tools.lab.timeline import Timeline
from pointsman.tools.lab.tracks import readings

LIMIT_S = 400
PUSHED = 1000.0
OBEYED = Outcome("acknowledged", "applied", "unicast", PUSHED + 0.5)
BEFORE, AFTER = [994, 996, 998, 1000], [1008, 1018]  # readings came at these times
FIGURES = {"readings": 6, "lost": 0, "duplicated": 0, "broken": ""}


def lab(*words, keys="", **more):
    """(exit code, standard output, standard error) of a run."""
    environment = dict(os.environ, NO_COLOR="1", **more)
    ended = subprocess.run([sys.executable, "-m", "pointsman.tools", "lab", *words], env=environment, input=keys,
                           capture_output=True, text=True, timeout=LIMIT_S)
    return ended.returncode, ended.stdout, ended.stderr


def rows_of(out):
    return [json.loads(line) for line in out.splitlines()]


@pytest.mark.long
def test_a_group_obeys_one_policy():
    """Members on both interpreters, on the LAN, over 4G, asleep, not yet bought; one is cut off by another policy."""
    code, out, err = lab("--once", "--group", "--json", "--security", "dtls")
    rows = rows_of(out)
    assert code == 0, (err, [row for row in rows if row["event"] == "broken"], rows[-1:])
    acts = [row["act"] for row in rows if row["event"] == "act" and row["device"] == "meters"]
    assert sorted(acts) == sorted(act.name for act in GROUP_ACTS)
    total = rows[-1]
    assert total["ok"] and total["members"] == total["acknowledged"] == len(total["devices"]) == 6
    assert total["lost"] == total["duplicated"] == 0 and total["all_answered_ms"] > 0
    assert all(own["ok"] and 6 < own["period_s"] < 14 for own in total["devices"].values())


@pytest.mark.long
def test_a_group_that_people_see_and_give_policies():
    keys = "help\npolicy\npolicy colour=1\npolicy report_period_s=20 report_jitter_s=5\nperiod 2 9\nquit\n"
    code, out, err = lab("--group", "4", "--agent", "cpython", keys=keys)
    assert code == 0, (out, err)
    assert "one policy for all" in out and "no setting is called colour" in out and "was not understood" in out
    assert "version 2 complete: 4 acknowledged" in out and "there is no such device; the last one is 4" in out
    told = ("a group of 4 on CPython", "ONE POLICY for all of them", "4 of 4", "lost 0, duplicated 0", "story holds")
    assert all(words in out for words in told), out
    drawn = [line for line in out.splitlines() if "   cpython   " in line]
    assert len(drawn) == 4 and all("│" in line or "|" in line for line in drawn)


@pytest.mark.long
def test_a_story_that_breaks_says_where():
    code, out, _ = lab("--once", "--group", "4", "--agent", "cpython", "--json", POINTSMAN_LAB_FAULT="no-platform")
    rows = rows_of(out)
    assert code == 1 and not rows[-1]["ok"] and rows[-1]["all_answered_ms"] is None
    assert [row["act"] for row in rows if row["event"] == "broken"] == ["relayed"]


def test_groups_that_cannot_be(capsys):
    for words, said in ((("--group", "3"), "3 devices are too few for the story; 4 or more"),
                        (("--group", "--agents", "5"), "--agents and --group do not go together; say --group 5"),
                        (("--group", "x"), "is no number of devices"),
                        (("--group", "--heap", "192K"), "add --agent micropython")):
        code = cli.main(["lab", "--once", *words])
        out, err = capsys.readouterr()
        assert code == 2 and said in err and not out, (words, code, err)


def test_every_other_member_runs_on_the_other_interpreter():
    both = Options(BOTH)
    assert [both.runs_on(number) for number in (1, 2, 3)] == ["cpython", "micropython", "cpython"]
    assert "MicroPython" in both.runtime and Options().runs_on(2) == "cpython"


def test_the_new_rate_is_seen_in_readings_after_the_policy_alone():
    assert at_rate([*BEFORE, *AFTER], OBEYED) and periods([*BEFORE, *AFTER], OBEYED) == [2, 9.0]
    assert not at_rate(BEFORE, OBEYED) and not at_rate([*BEFORE, 1002, 1004, 1006], OBEYED)
    assert not at_rate([980, 990, *BEFORE, 1002], OBEYED) and not at_rate([*BEFORE, *AFTER], None)
    assert periods([], None) == [None, None] and periods([990], OBEYED) == [None, None]


def judged(times=(*BEFORE, *AFTER), outcome=OBEYED, **more):
    return group_summary.device({**FIGURES, **more}, list(times), outcome, PUSHED)


def test_a_member_that_has_obeyed():
    found = judged()
    assert found["ok"] and found["answered_ms"] == 500 and found["way"] == "unicast"
    total = group_summary.summarise({"a": found, "b": judged(outcome=OBEYED._replace(at=1001.0))},
                                    {"unicast": 2, "multicast": 0}, ["a"])
    assert total["ok"] and total["all_answered_ms"] == 500 and total["acknowledged"] == total["members"] == 2
    shown = list(group_summary.rows(total, {}))
    assert shown[0][1] == "2 of 2" and shown[1][1:] == ("500 ms", "messages: 2 unicast")


@pytest.mark.parametrize("found, said", [
    (judged(outcome=None), "it is not known, not acknowledged"),
    (judged(outcome=OBEYED._replace(state="rolled back")), "it is rolled back, not acknowledged"),
    (judged(BEFORE), "its readings come every None s, not every 10"),
    (judged(lost=1), "lost 1, duplicated 0"),
    (judged(duplicated=2), "lost 0, duplicated 2"),
    (judged(broken="act 'asleep': ..."), "act 'asleep': ..."),
])
def test_a_member_that_has_not(found, said):
    assert found["broken"] == said and not found["ok"]
    assert not group_summary.summarise({"a": judged(), "b": found}, {}, ["a"])["ok"]


def test_an_act_of_the_group_is_told_once():
    screen = io.StringIO()
    timeline = Timeline(5, "title", screen)
    for act in GROUP_ACTS:
        timeline.waits("meters", act.name, lambda: "so far")
        timeline.done("meters", act.name, None, "detail")
    text = screen.getvalue()
    assert all(text.count(act.text) == 1 for act in GROUP_ACTS) and "all 1" not in text


def test_readings_are_drawn_a_column_a_second():
    assert readings(PUSHED, [980, *BEFORE, *AFTER, 2000], True) == "··●·●·●·│●·······●·········●"
    assert readings(PUSHED, [], False) == "........|"
