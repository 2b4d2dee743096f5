"""`pointsman bench`: stable names, exact keys, and the search for the smallest heap. Nothing is measured here."""

import json
import sys

import heap  # tests/bench
import pytest

from pointsman.tools import cli, faults
from pointsman.tools.commands import bench


@pytest.fixture
def figures(monkeypatch, tmp_path):
    """Three figures of our own: one with a peer, one without, one that cannot be measured."""
    (tmp_path / "made_up.py").write_text(
        "from pointsman.tools.faults import Fault\n"
        "def measure(quick, peer=None, fault=None):\n"
        "    if fault: raise Fault('no such thing here', 'get one', 7)\n"
        "    row = {'value': 5 if quick else 50.0, 'interpreter': 'cpython', 'n': 3}\n"
        "    return [dict(row, peer=peer, peer_value=2) if peer else row]\n")
    rows = (("a.one", "one", "s", "less", "made_up", {}),
            ("a.two", "two", "1/s", "more", "made_up", {"peer": "aiocoap"}),
            ("a.three", "three", "s", "less", "made_up", {"fault": True}))
    monkeypatch.setattr(bench, "FIGURES", rows)
    monkeypatch.setattr(bench, "NAMES", [row[0] for row in rows])
    monkeypatch.setattr(bench, "FOLDER", tmp_path)
    yield
    sys.modules.pop("made_up", None)


def test_one_object_a_line_with_exactly_these_keys(figures, capsys):
    assert cli.main(["bench", "a.two", "a.one", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [list(row) for row in rows] == [["name", "value", "unit", "interpreter", "n", "peer", "peer_value"]] * 2
    assert rows[0] == {"name": "a.one", "value": 50.0, "unit": "s", "interpreter": "cpython", "n": 3, "peer": None,
                       "peer_value": None}
    assert (rows[1]["peer"], rows[1]["peer_value"]) == ("aiocoap", 2)


def test_a_person_sees_the_peer_below(figures, capsys):
    assert cli.main(["bench", "a.two", "--quick"]) == 0
    ours, peer = capsys.readouterr().out.splitlines()
    assert ours.split() == ["a.two", "5", "1/s", "cpython,", "n=3"] and peer.split() == ["2", "1/s", "aiocoap"]


def test_a_figure_that_cannot_be_measured_does_not_hide_the_others(figures, capsys):
    assert cli.main(["bench", "a.three", "a.one", "--json"]) == faults.PROGRAM
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 1 and said.err == "pointsman: a.three: no such thing here; get one\n"


def test_from_an_installed_package_it_says_where_the_benchmarks_are(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(bench, "FOLDER", tmp_path / "tests" / "bench")
    assert cli.main(["bench"]) == faults.FAILED
    assert "source checkout" in capsys.readouterr().err


def test_every_figure_is_listed(capsys):
    assert cli.main(["bench", "--list", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["name"] for row in rows] == bench.NAMES
    assert all((bench.FOLDER / (figure[4] + ".py")).exists() for figure in bench.FIGURES)


@pytest.mark.parametrize("needed", [40, 96, 100, 255])
def test_bisection_finds_the_smallest_heap(needed):
    tried = []

    def passes(kib):
        tried.append(kib)
        return kib >= needed, "too small"

    found = heap.bisect(passes, 4)
    assert needed <= found < needed + 4 and len(tried) <= 9


def test_bisection_does_not_take_a_lucky_run():
    lucky = [True]

    def passes(kib):
        return kib >= 100 or (kib == 96 and lucky and lucky.pop()), "too small"

    assert heap.bisect(passes, 4) == 100


def test_a_story_that_always_fails_is_not_called_a_heap_too_small():
    with pytest.raises(faults.Fault, match="even with a heap of 256 KiB, no lab"):
        heap.bisect(lambda kib: (False, "no lab"), 4)
