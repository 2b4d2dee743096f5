"""Data between CONNECT and a pattern: any chunking, any bytes, bounds (HL78xx AT Commands Guide, +KPATTERN)."""

from agent.codec import at
from agent.codec.at_pattern import Reader

END = b"0123456789abcdef"


def _read(data, size, prompt=False):
    reader, tokens = Reader({"CONNECT": END}), []
    reader.prompt = prompt
    for start in range(0, len(data), size):
        tokens += reader.feed(data[start : start + size])
    return tokens, reader


def test_whatever_the_bytes_and_the_chunks():
    for payload in (b"", b"x", b"\r\nOK\r\n> ", b"\n\n", b"\r", bytes(range(256)), END[:-1] + b"!" + END[:4]):
        said = b"\r\nCONNECT\r\n" + payload + END + b"\r\nOK\r\n\r\n+KUDP_RCV: 1\r\n"
        for size in (1, 2, 3, 7, 16, 1000):
            assert _read(said, size)[0] == [payload, "OK", "+KUDP_RCV: 1"], (payload, size)


def test_a_connect_that_asks_for_data():
    for size in (1, 4, 100):
        assert _read(b"\r\nCONNECT\r\n\r\nOK\r\n", size, prompt=True)[0] == [at.PROMPT, "OK"]


def test_other_lines_stay_lines():
    said = b"\r\nCONNECT 115200\r\n\r\nCONNECTION\r\n\r\n+KSUP: 0\r\n"
    assert _read(said, 5)[0] == ["CONNECT 115200", "CONNECTION", "+KSUP: 0"]
    reader = Reader()
    assert reader.feed(b"\r\nCONNECT\r\n") == ["CONNECT"]  # nobody reads data: a data call


def test_no_end_in_sight():
    """What is longer than a datagram can be is dropped; then lines are lines again."""
    tokens, reader = _read(b"\r\nCONNECT\r\n" + b"x" * 1516, 100)
    assert tokens == [] and reader.dropped == 1
    assert reader.feed(b"\r\nOK\r\n") == ["OK"]
    tokens, reader = _read(b"\r\nCONNECT\r\nabc", 100)
    reader.reset()
    assert reader.feed(b"\r\nOK\r\n") == ["OK"] and reader.dropped == 0


def test_the_longest_datagram():
    said = b"\r\nCONNECT\r\n" + b"x" * 1460 + END + b"\r\nOK\r\n"
    for size in (64, 2000):
        assert _read(said, size)[0] == [b"x" * 1460, "OK"]
