"""Attributes of notification: their syntax, what goes together, where they hold, and the times that follow."""

from agent.engine.attributes import attached, inherited, own, text, without
from agent.engine.notices import Notice
from agent.errors import RemoteError


def refused(words, path=(3303, 0, 5700), kind="float", book=()):
    try:
        attached(dict(book), 1, path, words, kind)
    except RemoteError:
        return True
    return False


def test_what_is_attached_is_kept_and_taken_away():
    """LightweightM2M-1.1 6.3.4"""
    book = attached({}, 1, (3303, 0, 5700), ["pmin=5", "pmax=60", "gt=30.5", "lt=-2", "st=0.5"], "float")
    assert book == {"1 /3303/0/5700": "pmin=5&pmax=60&gt=30.5&lt=-2&st=0.5"}
    assert own(book, 1, (3303, 0, 5700)) == {"pmin": 5, "pmax": 60, "gt": 30.5, "lt": -2, "st": 0.5}
    book = attached(book, 1, (3303, 0, 5700), ["gt", "lt=", "pmin=6"], "float")
    assert text(own(book, 1, (3303, 0, 5700))) == "pmin=6&pmax=60&st=0.5"
    assert attached(book, 1, (3303, 0, 5700), ["pmin=", "pmax=", "st="], "float") == {}


def test_what_is_below_inherits():
    book = {"1 /3303": "pmin=5&pmax=60", "1 /3303/0": "pmax=30", "1 /3303/0/5700": "gt=1", "2 /3303/0/5700": "pmin=1"}
    assert inherited(book, 1, (3303, 0, 5700)) == {"pmin": 5, "pmax": 30, "gt": 1}
    assert inherited(book, 1, (3303, 1)) == {"pmin": 5, "pmax": 60} and inherited(book, 1, (3304,)) == {}
    assert inherited(book, 2, (3303, 0, 5700)) == {"pmin": 1}
    assert without(book, (3303, 0)) == {"1 /3303": "pmin=5&pmax=60"} and without(book, (330,)) == book
    assert without(book, ()) == {}


def test_what_contradicts_itself_is_refused():
    """LightweightM2M-1.1 7.3: pmin over pmax, lt + 2 st not below gt."""
    for words in (["pmin=61", "pmax=60"], ["epmin=2", "epmax=1"], ["gt=1", "lt=1"], ["gt=10", "lt=5", "st=2.5"],
                  ["lt=2", "gt=1"]):  # fmt: skip
        assert refused(words), words
    assert not refused(["pmin=60", "pmax=60"]) and not refused(["gt=10", "lt=4", "st=2.5"])
    assert not refused(["pmin=5", "pmax=0"])  # 0: no longest time
    assert refused(["pmin=61"], book={"1 /3303/0/5700": "pmax=60"})


def test_what_is_no_attribute_is_refused():
    for word in ("", "=", "x=1", "pmin=-1", "pmin=1.5", "pmin=x", "pmin=99999999999", "gt=nan", "gt=1e999", "st=-1",
                 "st=0", "con=2", "gt=" + "1" * 30, "pmin=\xe9"):  # fmt: skip
        assert refused([word]), word
    assert refused(["gt=1"], (3303, 0), None) and refused(["gt=1"], (3303, 0, 5701), "str")
    assert refused(["edge=1"]) and not refused(["edge=1"], (3200, 0, 5500), "bool")
    assert refused(["gt=1"], (3200, 0, 5500), "bool") and not refused(["pmin=1"], (3303,), None)
    assert refused(["pmin=1"], book={"1 /%d" % number: "pmin=1" for number in range(32)})


def test_a_change_is_told_at_once_without_rules():
    notice = Notice({}, 5, 0)
    assert notice.deadline() is None and not notice.due(10**9)
    notice.look(5, 10)
    assert not notice.due(10)
    notice.look(6, 20)
    assert notice.due(20)
    notice.told(6, 20)
    assert not notice.due(20) and notice.deadline() is None


def test_not_before_pmin_and_not_after_pmax():
    notice = Notice({"pmin": 10, "pmax": 30}, 5, 0)
    assert notice.deadline() == 30000
    notice.look(6, 1000)
    assert not notice.due(1000) and not notice.due(9999) and notice.deadline() == 10000 and notice.due(10000)
    notice.told(6, 10000)
    assert notice.deadline() == 40000 and not notice.due(39999) and notice.due(40000)
    notice = Notice({"pmin": 10, "pmax": 5}, 5, 0)  # inherited so: pmax is to be ignored
    assert notice.deadline() is None and not notice.due(20000)


def test_thresholds_are_told_when_crossed_and_steps_when_reached():
    def told(rules, *values):
        notice, found = Notice(rules, values[0], 0), []
        for now, value in enumerate(values[1:]):
            notice.look(value, now)
            if notice.due(now):
                notice.told(value, now)
                found.append(value)
        return found

    assert told({"gt": 10}, 9, 10, 11, 12, 10, 9) == [11, 10]
    assert told({"lt": 0}, 1, 0, -1, -5, 0) == [-1, 0]
    assert told({"st": 2}, 0, 1, 2, 3, 4.5, 3) == [2, 4.5]
    assert told({"gt": 10, "lt": 0, "st": 4}, 5, 8, 9, 11, 12, -1) == [9, 11, -1]
    assert told({"edge": 1}, False, True, True, False, True) == [True, True]
    assert told({"edge": 0}, True, False, True) == [False]
    assert told({"gt": 10}, 1, 1, 2) == []


def test_epmin_and_epmax_say_when_to_look():
    notice = Notice({"epmin": 10, "epmax": 20}, 5, 0)
    assert notice.deadline() == 20000
    notice.look(6, 5000)
    assert not notice.due(5000) and notice.deadline() == 10000
    notice.look(7, 10000)
    assert notice.due(10000)
    notice.told(7, 10000)
    assert notice.deadline() == 30000
