"""G1: docs/policy.cddl against the table that the device obeys, through pycddl, which is not ours.

It is a second opinion on form and ranges; what CDDL cannot say (windows that ascend, jitter of half a period) is left
to the table.
"""

import cbor2
import pytest
from policy_documents import MALFORMED, WALL, WRONG, WRONG_MEMBERS, changed, document, right

from agent.engine import policy_rules
from agent.errors import RemoteError

pycddl = pytest.importorskip("pycddl", reason="pycddl has no wheel for this Python or machine")
from sources import ROOT  # noqa: E402

TEXT = (ROOT / "docs" / "policy.cddl").read_text("utf-8")
# What only the table refuses: cross checks, which CDDL has no words for ...
BEYOND = [{2: 10}, {1: 60, 2: 31}, {1: 900, 2: 100, 4: [[0, 60, 60]]}, {4: [[60, 60, 60]]}, {5: [1, 1]}, {7: "a b"},
          {4: [[0, 100, 60], [99, 200, 60]]}, {7: "\u00b2"}, {8: [[0, 5, 5, 0]]}, {8: [[0, 5, 9, 5]]},
          {8: [[0, 1, 9, 0], [0, 2, 8, 0]]}, {9: [[5, 4]]}, {8: [[0, 1, 1 << 31, 0]]},
          {4: 100, 3: 100}, {6: WALL, 8: WALL}]
# ... and what pycddl 0.6 does not look at: too many rows of rows, bytes for text, a map with nothing but unknown keys.
UNSEEN = [{4: [[0, 60, 60]] * 9}, {9: [[0, 1]] * 5}, {7: b"iot"}, {1: "text"}, {11: 1}, {0: 1}, {5: {"period": 60}},
          {5: {-1: 60}}, {5: dict.fromkeys(range(100, 140), 0)}]


def schema(rule):
    """The first rule of a file is what is validated."""
    return pycddl.Schema("root = %s\n%s" % (rule, TEXT))


POLICY, KEYS, ACK = [schema(name) for name in ("policy", "keys", "acknowledgement")]


def fits(rules, value):
    try:
        rules.validate_cbor(cbor2.dumps(value, canonical=True))
    except pycddl.ValidationError:
        return False
    return True


def obeyed(value):
    try:
        policy_rules.check(policy_rules.read(cbor2.dumps(value, canonical=True)))
    except RemoteError:
        return False
    return True


def test_both_take_what_is_right():
    for value in right():
        assert fits(POLICY, value) and obeyed(value), value


@pytest.mark.parametrize("settings", [row[0] for row in WRONG if row[0] not in UNSEEN], ids=str)
def test_both_refuse_a_wrong_setting(settings):
    value = document(settings=settings)
    assert not obeyed(value)
    assert fits(POLICY, value) == (settings in BEYOND)


@pytest.mark.parametrize("changes", [row for row in [one[0] for one in WRONG_MEMBERS] + MALFORMED if row not in UNSEEN],
                         ids=str)
def test_both_refuse_a_wrong_member(changes):
    value = changed(changes)
    assert not obeyed(value)
    assert fits(POLICY, value) == (changes in BEYOND)


def test_bounds_are_the_same():
    """Each number of the table at its bounds, and one beyond."""
    for key, low, high in ((1, 10, 2678400), (3, 1, 2678400), (6, 0, 1 << 40), (10, 60, 31536000)):
        for value, right_one in ((low - 1, False), (low, True), (high, True), (high + 1, False)):
            one = document(settings={key: value})
            assert fits(POLICY, one) == obeyed(one) == right_one, (key, value)


def test_keys_and_acknowledgements_have_a_schema():
    entry = [b"op1", b"k" * 64, [b"meters"], 0, 4294967295]
    assert fits(KEYS, {1: 1, 2: [entry]}) and fits(KEYS, {1: 2, 2: [entry, [b"op2"] + entry[1:]]})
    assert not fits(KEYS, {1: 1, 2: []})
    assert not fits(KEYS, {1: 1, 2: [[b"op1", b"k" * 63] + entry[2:]]})
    assert fits(ACK, [b"meter-1", b"meters", 7, 0]) and fits(ACK, [b"meter-1", b"meters", 7, 5, 2])
    assert not fits(ACK, [b"meter-1", b"meters", 7, 12])
