"""Refusals: numbers and texts of +CME ERROR and +CMS ERROR, in any maker's spelling."""

from agent.codec import at, at_errors


def test_texts_of_the_equipment():
    for text, number in (
        ("SIM not inserted", 10), ("sim NOT INSERTED", 10), ("simnotinserted", 10), ("SIM PIN required", 11),
        ("PH-SIM PIN required", 5), ("Operation not allowed", 3), ("operationnotsupported", 4),
        ("no network service", 30),
        ("Network not allowed, emergency calls only", 32), ("unknown", 100), ("Incorrect password", 16),
        ("illegal ME", 106),
        ("roaming not allowed in this location area", 113), ("missing or unknown APN", 127), ("PLMN not allowed", 111),
        ("Requested service option not subscribed", 133), ("phone failure", 0), ("SIM not present", 10),
    ):  # fmt: skip
        assert at_errors.equipment(text) == number, text
    for text in ("", "the maker's own", "10", "\n", " "):
        assert at_errors.equipment(text) is None, text


def test_numbers_of_the_equipment():
    assert at_errors.equipment_text(10) == "SIM not inserted"
    assert at_errors.equipment_text(0) == "phone failure"
    assert at_errors.equipment_text(182).startswith("user data")
    assert at_errors.equipment_text(99) == at_errors.equipment_text(1000) == ""


def test_messages():
    assert at_errors.message("SIM not inserted") == 310 and at_errors.message("Memory full") == 322
    assert at_errors.message("invalid memory index") == at_errors.message("Invalid index") == 321
    assert at_errors.message_text(38) == "network out of order" and at_errors.message_text(500) == "unknown error"
    assert at_errors.message("bananas") is None and at_errors.message_text(9) == ""


def test_every_row_is_found_by_its_number_and_text():
    for number in range(600):
        for text, back in ((at_errors.equipment_text(number), at_errors.equipment),
                           (at_errors.message_text(number), at_errors.message)):  # fmt: skip
            assert not text or back(text) == number or text.startswith("information element"), text


def test_why_a_command_was_refused():
    assert at.cause("+CME ERROR: SIM failure") == 13
    assert at.cause("+CME ERROR: Unknown or missing APN") == 127
    assert at.cause("+CME ERROR: raspberry") == "raspberry"
