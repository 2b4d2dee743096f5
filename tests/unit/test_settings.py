"""Settings: one table; what is impossible is refused with the name, the value and what is allowed."""

from agent.errors import LocalError
from agent.reference import from_text, rows
from agent.settings import Settings


def refusal(function, *arguments):
    try:
        function(*arguments)
    except LocalError as e:
        return str(e)
    return ""


def test_defaults_are_legal_and_complete():
    settings = Settings()
    names = [row[0] for row in rows()]
    assert len(set(names)) == len(names) > 20
    for name, kind, default, _unit, low, high, _help in rows():
        assert settings.get(name) == default and low <= high
        assert type(default) is {"bool": bool, "int": int, "str": str}[kind]
        settings.set(name, default)


def test_every_setting_has_a_help_where_docstrings_exist():
    helped = [row[0] for row in rows() if row[6]]
    assert helped == [] or len(helped) == len(rows())


def test_values_are_taken_and_read_back():
    settings = Settings({"endpoint": "meter-1", "insecure": True, "report_period_s": 5})
    assert settings.get("endpoint") == "meter-1" and settings.get("insecure") is True
    settings.set("apn", "internet")
    assert settings.get("apn") == "internet" and settings.get("lifetime_s") == 300


def test_a_typo_gets_the_nearest_name():
    assert "did you mean report_period_s?" in refusal(Settings, {"report_periods": 5})
    assert "did you mean lifetime_s?" in refusal(Settings().get, "lifetime")
    assert "did you mean endpoint?" in refusal(from_text, "endpiont", "x")
    assert "did you mean" not in refusal(Settings, {"colour_of_the_box": 5})
    assert "did you mean" not in refusal(Settings, {"x": 5})


def test_impossible_values_are_refused_with_what_is_allowed():
    cases = (
        ("report_period_s", 0, "1 to 86400 s"),
        ("report_period_s", 86401, "1 to 86400 s"),
        ("report_period_s", "60", "whole number"),
        ("report_period_s", 1.5, "whole number"),
        ("report_period_s", True, "whole number"),
        ("insecure", 1, "true or false"),
        ("insecure", None, "true or false"),
        ("standby", "lukewarm", "cold, warm, hot"),
        ("endpoint", "x" * 65, "0 to 64 bytes"),
        ("endpoint", "\u00e9" * 33, "0 to 64 bytes"),
        ("endpoint", "a\nb", "control"),
        ("endpoint", b"a", "text"),
        ("apn", "a b", "letters"),
        ("apn", 'x"', "letters"),
        ("links", "", "1 to 32"),
        ("links", "eth,,lte", "commas"),
        ("links", "eth, lte", "commas"),
    )
    for name, value, allowed in cases:
        text = refusal(Settings, {name: value})
        assert name in text and allowed in text, (name, value, text)


def test_uris():
    for uri in ("", "coap://192.0.2.1", "coaps://host", "coap://host.example:5683", "coap://host:1/"):
        Settings({"server_uri": uri})
    bad = "host", "http://host", "coap://", "coap://:5683", "coap://h:0", "coap://h:65536"
    for uri in bad + ("coap://h:x", "coap://h/path", "coap://a b", "coap://[::1]"):
        assert "coap://HOST:PORT" in refusal(Settings, {"server_uri": uri}), uri


def test_a_refused_value_changes_nothing():
    settings = Settings({"report_period_s": 5})
    assert refusal(settings.set, "report_period_s", -1)
    assert settings.get("report_period_s") == 5


def test_a_long_wrong_value_does_not_flood_the_message():
    assert len(refusal(Settings, {"apn": "x" * 5000})) < 200


def test_from_text():
    assert from_text("report_period_s", "5") == 5
    assert from_text("insecure", "yes") is True and from_text("insecure", "OFF") is False
    assert from_text("endpoint", "5") == "5"
    for name, text in (("report_period_s", "five"), ("report_period_s", "0"), ("insecure", "maybe"), ("standby", "x")):
        assert name in refusal(from_text, name, text)
