"""Modem families: what every family's file must have, and how their odder ways of handing over data are read."""

from agent.codec import at


def _read(counted, data, size):
    reader = at.Reader(counted)
    tokens = []
    for start in range(0, len(data), size):
        tokens += reader.feed(data[start : start + size])
    return tokens


def test_data_that_begins_inside_a_line():
    """u-blox +USORF (in quotes) and SIMCom +CARECV (bare), in any chunking, whatever the bytes are."""
    payload = b'\r\nOK\r\n",\x00\xff> "'
    for counted, head, tail in (
        ({"+USORF": (3, b',"')}, b'+USORF: 1,"127.0.0.1",5683,%d' % len(payload), b'"'),
        ({"+CARECV": (0, b",")}, b"+CARECV: %d" % len(payload), b""),
    ):
        gap = counted[head.partition(b":")[0].decode()][1]
        data = b"\r\n" + head + gap + payload + tail + b"\r\n\r\nOK\r\n"
        for size in (1, 2, 3, 7, 16, 1000):
            assert _read(counted, data, size) == [head.decode(), payload, "OK"], size


def test_a_line_without_data_stays_a_line():
    for line in ('+USORF: 1,""', "+USORF: 1,0", '+USORF: 1,"a",2,0,""', '+USORF: 1,"a",2,1501,"x"', "+UUSORF: 1,5"):
        data = line.encode() + b"\r\nOK\r\n"
        for size in (1, 5, 100):
            assert _read({"+USORF": (3, b',"')}, data, size) == [line, "OK"], line


def test_both_prompts():
    for sign in (b">", b"@"):
        reader = at.Reader()
        reader.prompt = True
        assert reader.feed(b"\r\n" + sign + b" ") == [at.PROMPT]
        assert reader.feed(b"\r\nOK\r\n") == ["OK"]
