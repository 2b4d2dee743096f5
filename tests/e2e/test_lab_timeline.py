"""What a lab run looks like, drawn without a lab."""

import io
import json

from pointsman.tools.lab.acts import ACTS, Broken
from pointsman.tools.lab.timeline import Lines, Timeline
from pointsman.tools.lab.tracks import Place, Tracks


class Screen(io.StringIO):
    """A stream that may claim to be a terminal."""

    def __init__(self, terminal, encoding="utf-8"):
        super().__init__()
        self._terminal, self._encoding = terminal, encoding

    def isatty(self):
        return self._terminal

    @property
    def encoding(self):
        return self._encoding


def test_the_points_are_set_and_set_back():
    tracks = Tracks(1, True)
    rows = [
        tracks.move("m", place)
        for place in (
            Place(),
            Place("eth"),
            Place("eth", cable=False),
            Place("eth", cable=False, bearer=True),
            Place("lte", cable=False, bearer=True),
            Place("lte", bearer=True),
            Place("eth"),
            Place("eth", power=False),
        )
    ]
    assert rows == ["│     ┊", "●     ┊", "╳     ┊", "╳     │", "╰─────●", "│     ●", "●─────╯", "○     ┊"]
    assert tracks.same() == "○     ┊"


def test_a_plain_terminal_gets_plain_tracks():
    tracks = Tracks(1, False)
    rows = [tracks.move("m", place) for place in (Place("eth"), Place("lte", bearer=True), Place("eth"))]
    assert rows == ["O     :", "`-----O", "O-----'"]


def test_many_devices_are_counted():
    tracks = Tracks(3, True)
    tracks.move("a", Place("eth"))
    tracks.move("b", Place("eth"))
    assert tracks.move("c", Place("lte", bearer=True)) == "2     1"
    assert {len(tracks.move(name, Place())) for name in "abc"} == {7}


def test_every_act_can_be_told_and_waited_for():
    screen = Screen(False)
    timeline = Timeline(1, "title", screen)
    for act in ACTS:
        timeline.waits("m", act.name)
        timeline.done("m", act.name, Place("eth"), "detail")
    text = screen.getvalue()
    assert all(act.text in text for act in ACTS) and text.count("detail") == len(ACTS)
    assert "\x1b" not in text and "\r" not in text


def test_the_spinner_and_colours_are_for_a_terminal(monkeypatch):
    for variable, value in (("TERM", "xterm"), ("FORCE_COLOR", "")):
        monkeypatch.setenv(variable, value)
    for no_color, colours in (("", True), ("1", False)):
        monkeypatch.setenv("NO_COLOR", no_color)
        screen = Screen(True)
        timeline = Timeline(1, "title", screen)
        timeline.waits("m", "readings", lambda: "2 so far")
        timeline.tick()
        timeline.close()
        text = screen.getvalue()
        assert "waiting for readings, 2 so far" in text and text.endswith("\r\x1b[K")
        assert ("\x1b[1m" in text) is colours


def test_an_act_of_many_is_told_when_the_last_has_passed_it():
    screen = Screen(False)
    timeline = Timeline(2, "title", screen)
    timeline.done("a", "registered", Place("eth"))
    assert "registered over Ethernet" not in screen.getvalue()
    timeline.done("b", "registered", Place("eth"))
    assert "registered over Ethernet  all 2" in screen.getvalue()


def test_json_is_one_object_a_line_whatever_is_in_it():
    screen = Screen(False)
    lines = Lines(screen)
    lines.event("platform", "registered", endpoint="m", t="not mine", text="two\nlines ●")
    lines.done("m", "direct", Place("lte"), "detail", epoch=2)
    lines.broken("m", Broken("direct", "a registration", "none", 20), ["last words"])
    lines.summary({"ok": False}, {"m": {}})
    rows = [json.loads(line) for line in screen.getvalue().splitlines()]
    assert [row["event"] for row in rows] == ["registered", "act", "broken", "summary"]
    assert isinstance(rows[0]["t"], int) and rows[0]["text"] == "two\nlines ●"
    assert rows[1]["act"] == "direct" and rows[1]["epoch"] == 2 and rows[2]["log"] == ["last words"]


def test_what_is_broken_says_what_was_waited_for_and_what_was_seen():
    assert str(Broken("direct", "a registration", "none", 20)) == (
        "act 'direct': waited 20 s for a registration; seen instead: none"
    )
