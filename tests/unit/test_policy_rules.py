"""G1: what a policy may say is in one table; whatever it does not allow is refused with what is at fault."""

from policy_documents import ALL, MALFORMED, WRONG, WRONG_MEMBERS, changed, document, encoded, right

from agent import table
from agent.engine import policy_rules
from agent.errors import RemoteError

ETH, BOTH, LTE = {"eth": True}, {"eth": True, "lte": True}, {"lte": True}


def refused(value, links=None):
    """(status, detail, text) of the refusal, or None."""
    try:
        policy_rules.check(value, links)
    except policy_rules.Refused as e:
        return e.status, e.detail, e.args[0]
    return None


def malformed(body):
    try:
        policy_rules.read(body)
    except RemoteError as e:
        return e.args[0]
    return None


def test_what_is_right_is_read_and_obeyed():
    count = 0
    for value in right():
        assert policy_rules.read(encoded(value)) == value
        assert refused(value) is None and refused(value, BOTH) is None, value
        count += 1
    assert count > 14


def test_every_wrong_setting_is_refused_by_its_number():
    for settings, status, detail in WRONG:
        found = refused(document(settings=settings))
        assert found and found[:2] == (status, detail), (settings, found)


def test_every_wrong_member_is_refused_by_its_number_and_64():
    for changes, status, detail in WRONG_MEMBERS:
        found = refused(changed(changes))
        assert found and found[:2] == (status, detail), (changes, found)


def test_a_refusal_names_the_setting_and_what_is_possible():
    assert refused(document(settings={1: 9}))[2] == "policy: report_period_s is 9; 10 to 2678400 are possible"
    assert refused(document(settings={42: 9}))[2] == "policy: 42 is unknown here; leave it out"
    assert "lte is all there is" in refused(document(settings={6: 0}), LTE)[2]


def test_an_order_without_a_link_of_the_device_is_refused():
    assert refused(document(settings={5: [3]}), BOTH)[:2] == (5, 5)
    assert refused(document(settings={5: [3, 2]}), BOTH) is None
    assert refused(document(settings={5: [2]}), {"eth": False, "lte": False}) is None


def test_a_cap_that_takes_the_only_way_is_refused():
    """A cap that forbids LTE while only LTE is up."""
    none = {6: 0}
    assert refused(document(settings=none), BOTH) is None and refused(document(settings=none), ETH) is None
    assert refused(document(settings=none), LTE)[:2] == (5, 6)
    assert refused(document(settings=none), {"eth": False, "lte": True})[:2] == (5, 6)
    assert refused(document(settings={5: [2], 6: 0}), BOTH)[:2] == (5, 6)
    assert refused(document(settings={5: [1], 6: 0}), BOTH) is None
    assert refused(document(settings={6: 1}), LTE) is None


def test_what_lacks_a_member_is_no_document():
    for changes in MALFORMED:
        assert malformed(encoded(changed(changes))), changes


def test_only_the_deterministic_form_is_read():
    """RFC 8949 4.2.1: shortest heads, ascending keys, no indefinite lengths; and nothing behind."""
    body = encoded(document())
    assert not malformed(body)
    assert malformed(body + b"\x00") and malformed(body[:-1]) and malformed(b"") and malformed(b"\xf6")
    assert malformed(b"\xbf" + body[1:] + b"\xff")
    assert malformed(body[:1] + b"\x18\x01" + body[2:])  # 1 in two bytes
    assert malformed(b"\xa5" + body[-4:] + body[1:-4])  # settings first
    assert malformed(b"\xc1" + body) and malformed(b"\x81" + body) and malformed(b"\xa6" + body[1:] + b"\x01\x00")
    assert malformed(b"\x81" * 200 + b"\x00")


def test_each_row_has_a_name_of_its_own_and_bounds():
    for text, width in ((policy_rules.DOCUMENT, 6), (policy_rules.SETTINGS, 6), (policy_rules.COLUMNS, 5)):
        rows = table.rows(text)
        assert all([len(row) == width and int(row[-2]) <= int(row[-1]) for row in rows])
    names = [row[1] for row in table.rows(policy_rules.DOCUMENT) + table.rows(policy_rules.SETTINGS)]
    assert len(set(names)) == len(names) == 19
    assert sorted(ALL) == [int(row[0]) for row in table.rows(policy_rules.SETTINGS)]
