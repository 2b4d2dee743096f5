"""A few envelopes that nobody signed (tests/interop has ten thousand tried): none is believed."""

from forging import hammer


def test_damaged_and_forged_envelopes():
    malformed, unsigned = hammer(35, 20261121)
    assert malformed > 7 and unsigned > 15
