"""Multiplexer frames and the engine that keeps several channels open over one serial port (3GPP TS 27.010)."""

from agent.codec import cmux as codec
from agent.codec.cmux import DISC, DM, POLL, SABM, UA, UIH, Reader, encode
from agent.engine.cmux import Cmux
from agent.errors import LocalError

SABM0, UA0 = bytes([0xF9, 3, 0x3F, 1, 0x1C, 0xF9]), bytes([0xF9, 3, 0x73, 1, 0xD7, 0xF9])
SABM1, UA1 = bytes([0xF9, 7, 0x3F, 1, 0xDE, 0xF9]), bytes([0xF9, 7, 0x73, 1, 0x15, 0xF9])
DISC1 = bytes([0xF9, 7, 0x53, 1, 0x3F, 0xF9])
DATA1 = b"\xf9\x07\xef\x07AT\r\xd3\xf9"
CLD = bytes([0xF9, 3, 0xEF, 5, 0xC3, 1, 0xF2, 0xF9])
MSC1 = bytes([0xF9, 3, 0xEF, 9, 0xE3, 5, 7, 0x0D, 0xFB, 0xF9])


def serial(mux):
    """What it wants to send, and the rest of what it says."""
    said = mux.take()
    return b"".join([item[1] for item in said if item[0] == "serial"]), [item for item in said if item[0] != "serial"]


def answered(mux, data, now=0):
    mux.receive(data, now)
    return serial(mux)


def opened(*channels, **known):
    """A multiplexer with these channels open, nothing left to say."""
    mux = Cmux(**known)
    for channel in channels:
        mux.open(channel, 0)
    mux.receive(encode(0, UA | POLL), 0)
    for channel in channels:
        mux.receive(encode(channel, UA | POLL), 0)
        assert mux.state(channel) == "open"
    mux.take()
    return mux


def test_frames_of_the_specification():
    """27.010 5.2: byte for byte what other multiplexers send."""
    assert encode(0, SABM | POLL) == SABM0 and encode(0, UA | POLL) == UA0
    assert encode(1, SABM | POLL) == SABM1 and encode(1, UA | POLL) == UA1
    assert encode(1, DISC | POLL) == DISC1
    assert encode(1, UIH, b"AT\r") == DATA1
    assert encode(0, UIH, b"\xc3\x01") == CLD
    assert encode(0, UIH, b"\xe3\x05\x07\x0d") == MSC1


def test_frames_are_read_in_any_pieces():
    stream = SABM0 + UA1 + DATA1 + CLD
    wanted = [(0, SABM | POLL, b""), (1, UA | POLL, b""), (1, UIH, b"AT\r"), (0, UIH, b"\xc3\x01")]
    for size in range(1, len(stream) + 1):
        reader, found = Reader(), []
        for at in range(0, len(stream), size):
            found += reader.feed(stream[at : at + size])
        assert found == wanted and reader.bad == 0


def test_one_flag_may_end_a_frame_and_open_the_next():
    reader = Reader()
    assert reader.feed(SABM0[:-1] + DATA1) == [(0, SABM | POLL, b""), (1, UIH, b"AT\r")]


def test_lengths_of_one_and_two_bytes():
    for size in (0, 1, 126, 127, 128, 129, 255, 256, 1500):
        data = bytes([at & 255 for at in range(size)])
        raw = encode(2, UIH, data)
        assert len(raw) == size + (6 if size < 128 else 7)
        assert Reader().feed(raw) == [(2, UIH, data)]


def test_garbage_is_skipped_up_to_the_next_flag():
    for junk in (b"\0\0", b"AT\r\r\nOK\r\n", b"\xf9", b"\xf9\xf9\xf9", b"\xf9\x07\xef", b"\xf9\x02\xef\x01",
                 b"\xf9\x07\xef\x03x\0\xf9"):  # fmt: skip
        reader = Reader(limit=31)
        found = reader.feed(junk + DATA1 + DATA1)
        assert found[-1] == (1, UIH, b"AT\r"), junk


def test_a_damaged_frame_is_dropped_and_what_follows_is_not():
    for at in range(1, len(DATA1) - 1):
        raw = bytearray(DATA1)
        raw[at] ^= 0x10
        reader = Reader()
        found = reader.feed(bytes(raw) + DATA1 + DATA1 + DATA1)
        assert (1, UIH, b"AT\r") in found
        assert all([item[2] == b"AT\r" and item[0] == 1 or at in (4, 5, 6) for item in found]), at


def test_a_frame_that_claims_to_be_huge_is_refused():
    reader = Reader(limit=64)
    assert reader.feed(b"\xf9\x07\xef\x00\xff" + DATA1) == [(1, UIH, b"AT\r")]
    assert reader.bad == 1


def test_any_bytes_are_survived():
    state, reader = 1, Reader(limit=128)
    for _ in range(300):
        junk = []
        for _ in range(37):
            state = state * 1103515245 + 12345 & 0x7FFFFFFF
            junk.append((0xF9, 0x07, 0xEF, state >> 8 & 255)[state >> 16 & 3])
        reader.feed(bytes(junk))
        assert len(reader._buffer) < 200
    reader.feed(b"\xf9" * 200)
    assert reader.feed(DATA1)[-1] == (1, UIH, b"AT\r")


def test_channel_0_is_opened_first_then_the_others():
    mux = Cmux()
    mux.open(1, 0)
    mux.open(2, 0)
    assert serial(mux) == (SABM0, [])
    assert answered(mux, UA0) == (SABM1 + encode(2, SABM | POLL), [("up", 0)])
    assert answered(mux, UA1) == (MSC1, [("up", 1)])
    assert answered(mux, encode(2, UA | POLL)) == (encode(0, UIH, b"\xe3\x05\x0b\x0d"), [("up", 2)])
    assert mux.deadline() is None


def test_data_both_ways():
    mux = opened(1, 2, size=4)
    assert mux.write(1, b"AT+CSQ\r") == 7
    assert serial(mux)[0] == encode(1, UIH, b"AT+C") + encode(1, UIH, b"SQ\r")
    assert answered(mux, b"\xf9\x09\xef\x05hi" + bytes([0xFF - codec.checksum(b"\x09\xef\x05")]) + b"\xf9") == (
        b"", [("channel", 2, b"hi")])


def test_a_modem_status_is_answered_and_holds_back_a_channel():
    mux = opened(1, 2)
    assert answered(mux, encode(0, UIH, b"\xe3\x05\x0b\x0f"))[0] == encode(0, UIH, b"\xe1\x05\x0b\x0f")
    assert mux.write(2, b"x" * 5000) == 4096
    assert mux.write(1, b"y") == 1
    assert serial(mux)[0] == encode(1, UIH, b"y")
    sent = answered(mux, encode(0, UIH, b"\xe3\x05\x0b\x0d"))[0]
    assert sum([len(item[2]) for item in Reader().feed(sent) if item[0] == 2]) == 4096


def test_the_whole_port_may_be_held_back():
    mux = opened(1)
    assert answered(mux, encode(0, UIH, b"\x63\x01"))[0] == encode(0, UIH, b"\x61\x01")
    mux.write(1, b"z")
    assert serial(mux)[0] == b""
    assert encode(1, UIH, b"z") in answered(mux, encode(0, UIH, b"\xa3\x01"))[0]


def test_tests_are_echoed_and_unknown_messages_named():
    mux = opened(1)
    assert answered(mux, encode(0, UIH, b"\x23\x05ab"))[0] == encode(0, UIH, b"\x21\x05ab")
    assert answered(mux, encode(0, UIH, b"\x93\x03\x07"))[0] == encode(0, UIH, b"\x11\x03\x93")
    assert answered(mux, encode(0, UIH, b"\x23\x09ab")) == (b"", [])  # a length that is not true


def test_requests_are_repeated_then_given_up():
    mux = Cmux(t1_ms=100, tries=3)
    mux.open(1, 0)
    sent, now = serial(mux)[0], 0
    while mux.deadline() is not None:
        now = mux.deadline()
        mux.poll(now)
        data, said = serial(mux)
        sent += data
    assert now == 300 and sent == SABM0 * 3
    assert said == [("closed", 0, "no answer"), ("closed", 1, "no answer")]


def test_a_refused_channel():
    mux = Cmux()
    mux.open(3, 0)
    mux.receive(UA0, 0)
    mux.take()
    assert answered(mux, encode(3, DM | POLL)) == (b"", [("closed", 3, "refused")])
    mux.open(3, 0)  # may be asked again


def test_a_channel_is_closed_by_either_side():
    mux = opened(1, 2)
    mux.close(1, 0)
    assert serial(mux)[0] == DISC1
    assert answered(mux, UA1) == (b"", [("closed", 1, "closed")])
    assert mux.write(1, b"x") == 0
    assert answered(mux, encode(2, DISC | POLL)) == (encode(2, UA | POLL, b"", False), [("closed", 2, "modem")])
    assert answered(mux, encode(2, DISC | POLL)) == (encode(2, DM | POLL, b"", False), [])


def test_closing_down():
    mux = opened(1, 2)
    mux.close(0, 0)
    assert serial(mux)[0] == CLD
    assert answered(mux, encode(0, UIH, b"\xc1\x01"))[1] == [
        ("closed", 0, "closed"), ("closed", 1, "closed"), ("closed", 2, "closed")]
    mux = opened(1)
    data, said = answered(mux, CLD)  # the modem does it
    assert data == encode(0, UIH, b"\xc1\x01") and said == [("closed", 0, "modem"), ("closed", 1, "modem")]


def test_a_modem_that_does_not_answer_the_close_down_is_left_anyway():
    mux = opened(1, t1_ms=100, tries=2)
    mux.close(0, 0)
    mux.poll(100)
    mux.poll(200)
    assert mux.state(0) == "closed" and mux.deadline() is None


def test_data_on_a_closed_channel_is_refused():
    mux = opened(1)
    assert answered(mux, encode(2, UIH, b"x")) == (encode(2, DM | POLL, b"", False), [])
    assert answered(mux, encode(40, SABM | POLL)) == (encode(40, DM | POLL, b"", False), [])


def test_misuse_is_told():
    mux = opened(1)
    for channel in (0, 1, 5, -1):
        try:
            mux.open(channel, 0)
            assert False, channel
        except LocalError:
            pass
