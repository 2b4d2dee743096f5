"""The DTLS client: handshakes over good and bad lines, sessions over changes of address and power cuts."""

from coap_pair import below
from dtls_server import IDENTITY, KEY, Line, Server

from agent.codec import dtls as codec
from agent.engine.dtls import Dtls
from agent.errors import LocalError

ANSWER = b"\x61\x45\x00\x01\x01"  # CoAP: 2.05
REQUEST = b"\x41\x01\x00\x02\x02"


def tell(line, data=ANSWER):
    """The server sends one record."""
    record = line.server.seal(codec.APPLICATION, data)
    line.client.receive(record, line.now)
    line.run()
    return record


def test_handshake_and_data_both_ways():
    line = Line()
    line.client.send(b"first", 0)
    line.wait()
    assert line.said == [("up",)] and line.client.is_up() and line.client.deadline() is None
    assert line.server.got == [b"first"]
    tell(line)
    assert line.got == [ANSWER]
    line.client.send(b"second", 5)
    line.run()
    assert line.server.got == [b"first", b"second"]
    assert line.sent[-1][0] == codec.CONNECTED and line.sent[-1][11:13] == line.server.cid


def test_bytes_of_a_handshake():
    line = Line(Server(cid=b"12345678", cookie=b"c" * 20)).up()
    assert (len(line.sent), len(line.back)) == (3, 3)
    assert sum([len(data) for data in line.sent + line.back]) <= 570


def test_servers_of_every_habit():
    for options in ({"cid": None}, {"cid": b""}, {"cookie": b""}, {"extended": False}, {"hint": b"hint"},
                    {"piece": 7, "hint": b"h" * 128}, {"cookie": b"c" * 255}):
        line = Line(Server(**options))
        line.up()
        line.client.send(b"data", line.now)
        line.run()
        assert line.server.got == [b"data"], options


def test_any_datagram_may_be_lost():
    for up in (True, False):
        for lost in range(1, 6):
            line = Line(lose=lambda from_client, count, up=up, lost=lost: from_client == up and count == lost)
            line.client.send(b"data", 0)
            line.wait()
            assert line.said == [("up",)], (up, lost, line.said)
            assert line.server.got == [b"data"] or (up and lost > 3)


def test_fragments_in_any_order_and_twice():
    server = Server(piece=20, hint=b"hint of a server")
    line = Line(server)
    line.client.open(0)
    for _ in range(2):
        for event in line.client.take():
            server.receive(event[1])
        flight = server.take()
        for data in reversed(flight + flight):
            line.client.receive(data, 0)
    line.wait()
    assert line.said == [("up",)] and line.client.counters["repeated"] == 0


def test_repeats_are_doubled_and_silence_is_not_refusal():
    line = Line(lose=lambda up, count: True)
    line.client.open(0)
    times = [0]
    while line.client.deadline() is not None:
        line.run()
        line.now = line.client.deadline()
        times.append(line.now)
        line.client.poll(line.now - 1)
        line.client.poll(line.now)
    line.run()
    pauses = [after - before for before, after in zip(times, times[1:])]
    assert len(line.sent) == len(pauses) == 5
    assert all([1000 << n <= pause < (1000 << n) * 5 // 4 for n, pause in enumerate(pauses)])
    assert line.said == [("closed", "dtls: no answer")]


def test_silence_to_the_last_flight_in_two_handshakes_is_refusal():
    line = Line(Server(key=b"another key 16 b", mute=True))
    for turn in ("closed", "refused"):
        line.client.send(b"data", line.now)
        line.wait()
        kind, why = line.said.pop()
        assert kind == turn and "Finished" in why and not line.said
    assert "key" in why and line.client.counters["dropped"] == 2 and line.kept == b""


def test_a_server_that_repeats_its_flight_all_the_while_refuses():
    line = Line(Server(key=b"another key 16 b", mute=True))
    line.client.open(0)
    line.run()
    flight = line.back[-1]
    for _ in range(2):
        line.now = line.client.deadline()
        line.client.poll(line.now)
        line.client.receive(flight, line.now)
    line.wait()
    assert [event[0] for event in line.said] == ["refused"]


def test_a_line_that_breaks_in_the_last_flight_is_not_refusal():
    line = Line(lose=lambda up, count: count > 2)
    for _ in range(3):
        line.client.open(line.now)
        line.wait()
    assert [event[0] for event in line.said] == ["closed"] * 3


def test_alert_of_the_server_is_refusal():
    line = Line(Server(key=b"another key 16 b"))
    line.client.open(0)
    line.wait()
    assert line.said == [("refused", "dtls: alert 20 of the server")]
    assert line.now < 2000


def test_forged_alert_ends_nothing():
    line = Line()
    line.client.open(0)
    line.client.receive(codec.record(codec.ALERT, codec.header(0, 0), b"\x02\x28"), 0)
    line.wait()
    assert line.said == [("up",)]
    line.client.receive(codec.record(codec.ALERT, codec.header(0, 1), b"\x02\x28"), 0)
    line.client.receive(codec.record(codec.ALERT, codec.header(1, 9), b"\x02\x28"), 0)
    assert line.client.is_up() and line.client.counters["stray"] == 1 and line.client.counters["forged"] == 1


def test_forged_handshake_messages_do_no_harm():
    line = Line(Server(piece=30))
    client = line.client
    client.open(0)
    for number in range(4):
        for kind, body in ((2, b"bad"), (14, b"x"), (20, bytes(12)), (3, b"\xfe\xfd\x01!"), (12, bytes(200))):
            client.receive(codec.record(22, codec.header(0, 7), codec.message(kind, number, body)), 0)
    line.wait()
    assert line.said == [("up",)] and client.counters["malformed"] > 4


def test_what_was_not_offered_is_not_agreed_to():
    for change in ({"suite": b"\xc0\xa4"}, {"more": b"\0\x01\0\x01\x01"}, {"more": b"\0\x17\0\0"}):
        server = Server()
        for name, value in change.items():
            setattr(server, name, value)
        line = Line(server)
        line.client.open(0)
        line.wait()
        assert [event[0] for event in line.said] == ["closed"] and server.alerts == [b"\x02\x2f"], change


def test_replayed_truncated_and_forged_records():
    line = Line().up()
    records = [line.server.seal(codec.APPLICATION, ANSWER + bytes((n,))) for n in range(70)]
    for record in (records[1], records[0], records[1], records[69], records[2], records[69], records[20]):
        line.client.receive(record, 0)
    line.run()
    assert [data[-1] for data in line.got] == [1, 0, 69, 20]
    counters = line.client.counters
    assert counters["replayed"] == 3
    for at in range(13, len(records[30])):
        broken = bytearray(records[30])
        broken[at] ^= 1
        line.client.receive(bytes(broken), 0)
    assert counters["forged"] == len(records[30]) - 13
    for size in range(len(records[30])):
        line.client.receive(records[30][:size], 0)
    assert counters["malformed"] == len(records[30]) - 1
    line.run()
    assert len(line.got) == 4 and line.client.is_up()


def test_address_change_with_and_without_connection_id():
    line = Line().up()
    assert line.client.rebind(9) is True
    line.client.send(b"data", 9)
    line.run()
    assert line.server.got == [b"data"] and line.client.counters["handshakes"] == 1
    line = Line(Server(cid=b"")).up()
    assert line.client.rebind(9) is False
    line.wait()
    assert line.said == [("up",)] * 2 and line.client.counters["handshakes"] == 2


def test_a_dead_path_does_not_cost_the_session():
    """Nobody answers the handshake that was to replace it: it goes on over another path, and on this one in the end."""
    for move in (True, False):
        line = Line().up()
        kept, line.lose = line.kept, lambda up, count: True
        line.client.open(line.now)
        line.client.send(b"waits", line.now)
        line.run()
        assert line.kept == kept and line.client.state()[1:41] == kept[1:41] and not line.client.is_up()
        if not move:
            line.wait()
        line.lose = lambda up, count: False
        if move:
            assert line.client.rebind(line.now) is True
        line.client.send(b"data", line.now)
        line.run()
        assert line.server.got[-1] == b"data" and line.said == [("up",)] and line.client.counters["handshakes"] == 2
        assert line.client.deadline() is None


def test_a_word_of_the_server_ends_the_session_before():
    line = Line().up()
    line.lose = lambda up, count: not up and count > 4  # its HelloVerifyRequest comes through
    line.client.open(line.now)
    line.wait()
    assert [event[0] for event in line.said] == ["up", "closed"] and line.kept == b"" and not line.client.is_up()


def test_session_goes_on_after_a_power_cut():
    line = Line(step=4).up()
    for _ in range(6):
        line.client.send(b"data", 0)
        line.run()
    old = tell(line)
    sent = len(line.sent)
    line.client = Dtls(IDENTITY, KEY, below(9), line.kept, step=4)
    line.client.send(b"again", 0)
    line.run()
    assert len(line.sent) == sent + 1 and line.server.got[-1] == b"again" and not line.client.is_fresh()
    tell(line, REQUEST)
    assert line.got == [ANSWER] and line.client.counters["dropped"] == 1
    tell(line)
    line.client.confirm()
    assert line.client.is_fresh() and line.got == [ANSWER] * 2
    tell(line, REQUEST)
    line.client.receive(old, 0)
    line.run()
    assert line.got == [ANSWER] * 2 + [REQUEST] and line.client.counters["replayed"] == 1


def test_no_number_is_used_twice_wherever_power_fails():
    line = Line(step=3).up()
    used = []
    for cut in range(40):
        line.client.send(b"data", 0)
        for event in line.client.take():
            if event[0] == "keep":
                line.kept = event[1]
                if cut % 5 == 0:
                    break  # nothing behind it left
            else:
                used.append(event[1][3:11])
        if cut % 2:
            line.client = Dtls(IDENTITY, KEY, below(), line.kept, step=3)
    assert len(used) > 20 and len(set(used)) == len(used)


def test_clean_end_loses_neither_numbers_nor_the_window():
    line = Line().up()
    old = tell(line)
    line.kept = line.client.state()
    line.client = Dtls(IDENTITY, KEY, below(), line.kept)
    assert line.client.is_fresh()
    line.client.receive(old, 0)
    tell(line, REQUEST)
    assert line.got == [ANSWER, REQUEST] and line.client.counters["replayed"] == 1
    assert not Dtls(IDENTITY, KEY, below(), line.kept).is_fresh()  # written again before the request went up


def test_broken_state_means_a_new_handshake():
    for state in (b"", b"\x01", bytes(61), b"\x03" + bytes(70)):
        assert not Dtls(IDENTITY, KEY, below(), state).is_up()


def test_the_end_from_either_side():
    line = Line().up()
    line.client.close(0)
    line.run()
    assert line.server.alerts == [b"\x01\x00"] and line.kept == b"" and not line.client.is_up()
    line = Line().up()
    line.client.receive(line.server.seal(codec.ALERT, b"\x01\x00"), 0)
    line.run()
    assert line.said[1:] == [("closed", "dtls: alert 0 of the server")] and line.server.alerts == [b"\x01\x00"]
    line.client.send(b"again", 0)
    line.wait()
    assert line.said[2:] == [("up",)] and line.server.got == [b"again"]


def test_renegotiation_is_declined():
    line = Line().up()
    line.client.receive(line.server.seal(codec.HANDSHAKE, codec.message(codec.HELLO_REQUEST, 0, b"")), 0)
    line.run()
    assert line.server.alerts == [b"\x01\x64"] and line.client.is_up()


def test_what_waits_is_bounded():
    line = Line()
    for n in range(9):
        line.client.send(bytes((n,)), 0)
    line.wait()
    assert line.server.got == [b"\0", b"\1", b"\2", b"\3"] and line.client.counters["dropped"] == 5
    for n in range(99):
        line.client.receive(line.server.seal(codec.APPLICATION, ANSWER), n)
    assert len(line.client.take()) <= 34


def test_bad_arguments():
    for identity, key in ((b"", KEY), (b"i" * 129, KEY), (IDENTITY, b""), (IDENTITY, bytes(65))):
        try:
            Dtls(identity, key, below())
            raise AssertionError
        except LocalError as error:
            assert "identity" in str(error)
    try:
        Line().client.send(bytes(2049), 0)
        raise AssertionError
    except LocalError as error:
        assert "2049" in str(error)
