"""Policy documents for the tests: right ones, and each way in which one can be wrong."""

from agent.codec import cbor

GROUP = b"meters-north-01"
WALL = 1700000000  # the time of day in the tests, Unix s

ALL = {
    1: 900, 2: 300, 3: 60, 4: [[0, 21600, 3600], [21600, 86400, 900]], 5: [1, 2], 6: 50000000, 7: "iot.example-1",
    8: [[0, -40, 85, 2], [1, 0, 100, 0]], 9: [[7200, 10800]], 10: 86400,
}  # fmt: skip

# settings that are refused: (settings, status, detail)
WRONG = [
    ({1: 9}, 5, 1), ({1: 2678401}, 5, 1), ({1: True}, 5, 1), ({1: 60.5}, 5, 1), ({1: "60"}, 5, 1), ({1: None}, 5, 1),
    ({2: 10}, 5, 2), ({1: 60, 2: 31}, 5, 2), ({1: 900, 2: 100, 4: [[0, 60, 60]]}, 5, 2),
    ({3: 0}, 5, 3), ({4: []}, 5, 4), ({4: [[0, 60, 60]] * 9}, 5, 4), ({4: [[60, 60, 60]]}, 5, 4),
    ({4: [[0, 60]]}, 5, 4), ({4: [[0, 60, 9]]}, 5, 4), ({4: [[0, 100, 60], [99, 200, 60]]}, 5, 4), ({4: [7]}, 5, 4),
    ({4: [[0, 86401, 60]]}, 5, 4), ({4: {}}, 5, 4), ({5: []}, 5, 5), ({5: [1, 1]}, 5, 5), ({5: [4]}, 5, 5),
    ({5: [0]}, 5, 5), ({5: [True]}, 5, 5), ({5: [1, 2, 3, 1]}, 5, 5), ({6: -1}, 5, 6), ({6: 1 << 41}, 5, 6),
    ({7: "a" * 64}, 5, 7), ({7: "a b"}, 5, 7), ({7: "\u00b2"}, 5, 7), ({7: b"iot"}, 5, 7), ({8: [[0, 5, 5, 0]]}, 5, 8),
    ({8: [[0, 5, 9, 5]]}, 5, 8), ({8: [[0, 1, 9, 0], [0, 2, 8, 0]]}, 5, 8), ({8: [[0, 1, 1 << 31, 0]]}, 5, 8),
    ({8: [[0, 1, 9, -1]]}, 5, 8), ({8: [[70000, 1, 9, 0]]}, 5, 8), ({9: [[5, 4]]}, 5, 9), ({9: [[0, 1]] * 5}, 5, 9),
    ({9: [[0, 1, 2]]}, 5, 9), ({10: 59}, 5, 10), ({10: 31536001}, 5, 10), ({11: 1}, 6, 11), ({0: 1}, 6, 0),
    ({1: 60, 4294967295: 1}, 6, 4294967295),
]  # fmt: skip

# members of the document itself
WRONG_MEMBERS = [
    ({4: 100, 3: 100}, 5, 68), ({7: 29}, 5, 71), ({7: 65536}, 5, 71), ({6: 0}, 5, 70), ({8: 0}, 5, 72),
    ({6: WALL, 8: WALL}, 5, 72), ({9: 65536}, 5, 73), ({9: -1}, 5, 73), ({10: 1}, 6, 74), ({6: "now"}, 5, 70),
]  # fmt: skip

# what is not taken for a document at all: changes to its members, None takes one away
MALFORMED = [
    {1: None}, {1: b""}, {1: b"g" * 33}, {1: "text"}, {2: None}, {2: 0}, {2: -5}, {2: 1 << 32}, {2: True}, {3: None},
    {3: -1}, {4: None}, {4: 0}, {5: None}, {5: []}, {5: {"period": 60}}, {"x": 1}, {-1: 1}, {5: {-1: 60}},
    {5: dict.fromkeys(range(100, 140), 0)},
]  # fmt: skip


def document(version=1, settings=None, group=GROUP, **more):
    """A document as a map; members by name: start, expiry, activate, trial, revert, window."""
    value = {1: group, 2: version, 3: 0, 4: WALL + 86400, 5: {1: 60} if settings is None else settings}
    for name in more:
        value[{"start": 3, "expiry": 4, "activate": 6, "trial": 7, "revert": 8, "window": 9}[name]] = more[name]
    return value


def changed(changes):
    """A right document (map) with these members in place of its own."""
    value = document()
    for key in changes:
        value[key] = changes[key]
        if changes[key] is None:
            del value[key]
    return value


def right():
    """Documents as maps, all of which can be obeyed."""
    single = [{key: ALL[key]} for key in sorted(ALL) if key != 2]
    for settings in [{}, ALL, {1: 20, 2: 10}, {5: [3, 1, 2]}, {7: ""}] + single:
        yield document(settings=settings)
    yield document(4294967295, start=5, activate=WALL, trial=300, revert=WALL + 1, window=0, group=b"g")
    yield document(settings={4: [[0, 86400, 10]], 9: []}, window=65535, trial=30)


def encoded(value):
    return cbor.encode(value)
