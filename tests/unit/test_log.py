"""The log: levels, the kept tail, and no secret in either."""

from agent.log import Log, line


def collecting(**options):
    seen = []
    return seen, Log(lambda *entry: seen.append(entry), **options)


def test_entries_reach_the_sink_and_the_tail():
    seen, log = collecting()
    log.info(1500, "registration", "registered", uri="coap://192.0.2.1", lifetime=300)
    fields = {"uri": "coap://192.0.2.1", "lifetime": 300}
    assert seen == [("info", 1500, "registration", "registered", fields)]
    assert log.tail() == [line(*entry) for entry in seen]


def test_what_is_below_the_level_costs_nothing():
    seen, log = collecting(level="warning")
    log.debug(0, "a", "b")
    log.info(0, "a", "b")
    log.warning(0, "a", "c")
    log.error(0, "a", "d")
    assert [entry[0] for entry in seen] == ["warning", "error"]


def test_the_tail_is_bounded():
    log = Log(keep=3)
    for i in range(10):
        log.info(i, "a", "b")
    assert log.tail() == ["0.007 a b", "0.008 a b", "0.009 a b"]


def test_secrets_are_masked_everywhere():
    seen, log = collecting()
    fields = {"psk": b"1", "device_key": "2", "Password": "3", "client_secret": "4", "uri": "u"}
    log.write("info", 0, "a", "b", fields)
    masked = {"psk": "***", "device_key": "***", "Password": "***", "client_secret": "***", "uri": "u"}
    assert seen[0][4] == masked
    assert log.tail() == ["0.000 a b Password=*** client_secret=*** device_key=*** psk=*** uri=u"]
    assert fields["psk"] == b"1"  # the caller's own map is left alone


def test_a_line_for_people():
    fields = {"uri": "coap://h", "id": b"\x01\xff", "n": 3}
    assert line("info", 12345, "registration", "registered", fields) == (
        "12.345 registration registered id=01ff n=3 uri=coap://h"
    )
    assert line("error", 7, "run", "failed", {}) == "0.007 ERROR run failed"


def test_a_line_stays_a_line():
    """What a peer sent must not forge entries or drive the terminal."""
    assert "\n" not in line("info", 0, "a", "b", {"text": "x\n0.000 forged\x1b[2J"})
