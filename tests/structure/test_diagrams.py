"""The state diagrams in the documentation are those of the code."""

from sources import ROOT

from pointsman.tools import diagrams


def test_the_page_of_states_is_current():
    assert (ROOT / "docs" / "states.md").read_text() == diagrams.page(), (
        "run: python -m pointsman.tools.diagrams > docs/states.md"
    )


def test_every_engine_with_states_is_on_it():
    text = diagrams.page()
    for name in ("registration", "bootstrap", "modem_ladder", "reports", "discovery"):
        assert "## %s.py" % name in text
    assert "registered --> leaving: leave" in text
