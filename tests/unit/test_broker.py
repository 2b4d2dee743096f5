"""The subscriber of a broker: what is acknowledged when, silence, refusals, back-off, hostile input."""

from test_mqtt import message

from agent.codec import mqtt
from agent.engine.broker import Broker

ACCEPTED, KEPT = b"\x20\x02\x00\x00", b"\x20\x02\x01\x00"


def granted(number, code=1):
    return b"\x90\x03" + number.to_bytes(2, "big") + bytes([code])


def begun(topics=("g/1",), **more):
    broker = Broker("m1", topics, lambda n: n // 2, **more)
    broker.start(0)
    return broker


def up(**more):
    broker = begun(**more)
    broker.receive(ACCEPTED + granted(1), 100)
    assert broker.state == "listening"
    broker.take()
    return broker


def sent(broker):
    return b"".join([event[1] for event in broker.take() if event[0] == "tcp"])


def test_connects_and_subscribes():
    broker = begun()
    assert broker.take() == [("dial",), ("tcp", mqtt.connect("m1", 240))]
    broker.receive(ACCEPTED, 10)
    assert broker.take() == [("tcp", mqtt.subscribe(1, ["g/1"]))]
    broker.receive(granted(1), 20)
    assert broker.take() == [("up",)] and broker.state == "listening"


def test_a_message_is_acknowledged_when_it_is_safe():
    """4.3.2: no PUBACK before stored(), and one each."""
    broker = up()
    broker.receive(message(b"g/1", b"one", 5) + message(b"g/1", b"two", 6), 200)
    first, second = broker.take()
    assert first == ("message", "g/1", b"one", 1) and second[2] == b"two"
    broker.stored(second[3])
    assert broker.take() == [("tcp", mqtt.puback(6))]
    broker.stored(second[3])
    assert broker.take() == []
    broker.stored(first[3])
    assert broker.take() == [("tcp", mqtt.puback(5))]


def test_what_was_stored_after_the_connection_was_lost_is_not_acknowledged_on_the_next():
    """Its number belongs to another message there."""
    broker = up()
    broker.receive(message(b"g/1", b"one", 5), 200)
    token = broker.take()[0][3]
    broker.lost("reset", 300)
    broker.poll(broker.deadline())
    broker.receive(KEPT, 400)
    broker.receive(message(b"g/1", b"other", 5), 500)
    broker.take()
    broker.stored(token)
    assert broker.take() == []


def test_a_session_that_was_kept_needs_no_subscription():
    broker = up()
    broker.lost("reset", 1000)
    broker.poll(broker.deadline())
    broker.take()
    broker.receive(KEPT, 5000)
    assert broker.take() == [("up",)] and broker.state == "listening"


def test_a_session_that_was_forgotten_is_subscribed_anew():
    broker = up()
    broker.lost("reset", 1000)
    broker.poll(broker.deadline())
    broker.take()
    broker.receive(ACCEPTED, 5000)
    assert sent(broker) == mqtt.subscribe(2, ["g/1"])


def test_a_subscription_that_was_not_confirmed_is_made_again():
    broker = begun()
    broker.receive(ACCEPTED, 10)
    broker.lost("reset", 20)
    broker.poll(broker.deadline())
    broker.take()
    broker.receive(KEPT, 5000)
    assert broker.state == "subscribing"


def test_other_topics():
    """A group is joined: its topic is subscribed; one is left: what still comes is let go by, and never again."""
    broker = up()
    broker.want(["g/2"], 200)
    assert sent(broker) == mqtt.subscribe(2, ["g/2"])
    broker.receive(granted(2), 300)
    broker.take()
    broker.receive(message(b"g/1", b"old", 8), 400)
    assert broker.take() == [("tcp", mqtt.puback(8)), ("tcp", mqtt.unsubscribe(3, "g/1"))]
    broker.want([], 500)
    assert broker.state == "idle" and ("close",) in broker.take()


def test_topics_that_change_while_one_is_being_subscribed():
    broker = begun()
    broker.receive(ACCEPTED, 10)
    broker.want(["g/1", "g/2"], 15)
    broker.take()
    broker.receive(granted(1), 20)
    assert sent(broker) == mqtt.subscribe(2, ["g/1", "g/2"])


def test_silence_is_found_out():
    """3.1.2.10: a ping in time; no answer: the connection is given up."""
    broker = up(keepalive_s=100)
    assert broker.deadline() == 75100
    broker.poll(75100)
    assert broker.take() == [("tcp", mqtt.PINGREQ)]
    broker.receive(b"\xd0\x00", 75200)
    assert broker.deadline() == 150200
    broker.poll(150200)
    broker.take()
    broker.poll(broker.deadline())
    assert broker.take() == [("close",), ("down", "no answer")] and broker.state == "waiting"


def test_a_broker_that_does_not_greet():
    broker = begun()
    broker.poll(broker.deadline())
    assert broker.state == "waiting" and broker.lost_why == "no answer"


def test_tries_are_ever_further_apart():
    broker, now, waits = begun(), 0, []
    for _ in range(12):
        broker.lost("refused", now)
        waits.append(broker.deadline() - now)
        now = broker.deadline()
        broker.poll(now)
    assert waits[:4] == [2000, 4000, 8000, 16000] and waits[-1] == 300000


def test_chance_spreads_them():
    """Five thousand devices lose the same broker at once."""
    waits = set()
    for chance in (0, 500, 1000, 1999):
        broker = Broker("m1", ["g"], lambda n, chance=chance: chance % n)
        broker.start(0)
        broker.lost("reset", 0)
        waits.add(broker.deadline())
    assert waits == {1000, 1500, 2000, 2999}


def test_a_good_connection_begins_the_count_anew():
    broker = up()
    for _ in range(5):
        broker.lost("reset", 200)
        broker.poll(broker.deadline())
    broker.receive(KEPT, 100000)
    broker.lost("reset", 200000)
    assert broker.deadline() == 202000


def test_refusals_say_why():
    """3.2.2.3, 3.9.3: who is not let in does not knock every few seconds."""
    broker = begun()
    broker.receive(b"\x20\x02\x00\x05", 10)
    assert broker.take()[-2:] == [("close",), ("down", "refused: not authorised")]
    assert broker.deadline() == 300010
    broker = begun()
    broker.receive(ACCEPTED + granted(1, 0x80), 10)
    assert broker.lost_why == "refused: topic g/1" and broker.deadline() == 300010


def test_more_than_can_wait_comes_again():
    broker = up()
    for number in range(1, 31):
        broker.receive(message(b"g/1", b"x", number), 200)
    assert len(broker.take()) == 20


def test_a_message_that_is_too_long_is_told_and_done_with():
    broker = up(longest=100)
    broker.receive(message(b"g/1", b"x" * 5000, 4), 200)
    assert broker.take() == [("tcp", mqtt.puback(4))] and broker.counters["too_long"] == 1
    assert broker.state == "listening"


def test_what_no_broker_sends_ends_the_connection():
    for data in (b"\x10\x00", KEPT, granted(9), b"\x34\x06\x00\x01g\x00\x01x", b"\x30\xff\xff\xff\xff"):
        broker = up()
        broker.receive(data, 200)
        assert broker.state == "waiting" and broker.counters["strange"] == 1, data
        broker.receive(message(b"g/1", b"x", 1), 300)  # what was under way counts no more
        assert [event[0] for event in broker.take()] == ["close", "down"]


def test_a_message_before_the_greeting_is_strange():
    broker = begun()
    broker.receive(message(b"g/1", b"x", 1), 10)
    assert broker.state == "waiting"


def test_good_bye():
    broker = up()
    broker.stop()
    assert broker.take() == [("tcp", mqtt.DISCONNECT), ("close",)] and broker.deadline() is None
    broker.start(500)
    assert broker.state == "greeting"
