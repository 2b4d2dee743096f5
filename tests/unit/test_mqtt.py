"""MQTT 3.1.1 packets: bytes as the standard gives them, in pieces, too long, and such that no broker sends."""

from agent.codec import mqtt
from agent.errors import LocalError, RemoteError


def refused(call, *arguments, kind=RemoteError):
    try:
        call(*arguments)
    except kind:
        return True
    return False


def message(topic, payload, number=None):
    body = len(topic).to_bytes(2, "big") + topic + (number.to_bytes(2, "big") if number else b"") + payload
    size, head = len(body), b""
    while size > 127:
        head += bytes([size & 127 | 128])
        size >>= 7
    return bytes([0x32 if number else 0x30]) + head + bytes([size]) + body


def test_what_a_subscriber_says():
    """3.1, 3.8, 3.10, 3.4: the session is kept (clean session 0), QoS 1 is asked for."""
    assert mqtt.connect("m1", 60) == b"\x10\x0e\x00\x04MQTT\x04\x00\x00\x3c\x00\x02m1"
    assert mqtt.connect("m1", 60, "u", b"pw") == b"\x10\x15\x00\x04MQTT\x04\xc0\x00\x3c\x00\x02m1\x00\x01u\x00\x02pw"
    assert mqtt.subscribe(10, ["a/b", "c"]) == b"\x82\x0c\x00\x0a\x00\x03a/b\x01\x00\x01c\x01"
    assert mqtt.unsubscribe(11, "c") == b"\xa2\x05\x00\x0b\x00\x01c"
    assert mqtt.puback(0x1234) == b"\x40\x02\x12\x34"


def test_what_does_not_fit_into_a_packet():
    assert refused(mqtt.connect, "m" * 513, 60, kind=LocalError)
    assert refused(mqtt.connect, "m1", 60, None, b"pw", kind=LocalError)
    assert refused(mqtt.subscribe, 1, ["a\x00b"], kind=LocalError)


def test_packets_in_pieces_of_any_size():
    """2.2: what is cut anywhere comes out the same."""
    stream = b"\x20\x02\x01\x00" + message(b"t", b"x" * 300, 7) + b"\xd0\x00" + b"\x90\x03\x00\x01\x01"
    for size in (1, 2, 3, 7, 100, 400):
        reader, found = mqtt.Reader(512), []
        for at in range(0, len(stream), size):
            found += reader.feed(stream[at : at + size])
        assert [packet[0] for packet in found] == [mqtt.CONNACK, mqtt.PUBLISH, mqtt.PINGRESP, mqtt.SUBACK]
        assert mqtt.connack(found[0][2]) == (True, 0) and mqtt.suback(found[3][2]) == (1, [1])
        assert mqtt.publication(found[1][1], found[1][2]) == ("t", b"x" * 300, 7) and not found[1][3]


def test_a_message_that_is_too_long_goes_by():
    """Its front is kept, for the acknowledgement; at no time more than the limit is held."""
    stream = message(b"topic", b"x" * 20000, 9) + b"\xd0\x00"
    for size in (1, 64, 30000):
        reader, found, held = mqtt.Reader(64), [], 0
        for at in range(0, len(stream), size):
            found += reader.feed(stream[at : at + size])
            held = max(held, len(reader._data))
        assert [packet[0] for packet in found] == [mqtt.PUBLISH, mqtt.PINGRESP] and found[0][3]
        topic, _, number = mqtt.publication(found[0][1], found[0][2])
        assert topic == "topic" and number == 9
        assert held <= 70


def test_what_no_broker_sends():
    for data in (b"\x10\x00", b"\x20\x03\x00\x00\x00", b"\x21\x02\x00\x00", b"\x30\xff\xff\xff\xff\x01",
                 b"\x40\x02\x00\x01", b"\x90\xff\x7f", b"\xd0\x01", b"\x00\x00", b"\xf0\x00"):  # fmt: skip
        assert refused(mqtt.Reader(64).feed, data), data
    assert refused(mqtt.connack, b"\x02\x00") and refused(mqtt.suback, b"\x00\x01")
    for flags, body in ((2, b"\x00\x01t"), (2, b"\x00\x01t\x00\x00"), (4, b"\x00\x01t\x00\x01"), (0, b"\x00\x00"),
                        (0, b"\x00"), (0, b""), (0, b"\x00\x09t"), (0, b"\x00\x01\xff"),
                        (0, b"\x00\x01\x00")):  # fmt: skip
        assert refused(mqtt.publication, flags, body), (flags, body)


def test_what_came_before_it_counts():
    try:
        mqtt.Reader(64).feed(b"\xd0\x00\x10\x00")
        assert False
    except RemoteError as e:
        assert [packet[0] for packet in e.args[1]] == [mqtt.PINGRESP]
