"""The CoAP message layer: RFC 7252 section 4."""

from coap_pair import A, B, Pair, alone, below, bytes_of, get, sent

from agent.codec import coap
from agent.engine.exchange import Exchange
from agent.errors import LocalError


def transmissions(exchange, peer, until):
    """The times at which datagrams leave while nobody answers."""
    times = [0] * len(exchange.take())
    while exchange.deadline() is not None and exchange.deadline() <= until:
        now = exchange.deadline()
        exchange.poll(now)
        times += [now] * len(exchange.take())
    return times


def test_a_request_is_repeated_exponentially_and_then_given_up():
    """RFC 7252 4.2, 4.8: ACK_TIMEOUT 2 s with jitter to 3 s, doubled, MAX_RETRANSMIT 4."""
    for seed in range(1, 20):
        a = alone(seed)
        handle = a.request(B, coap.GET, ("x",), 0)
        times = transmissions(a, B, 200000)
        assert len(times) == 5
        first = times[1]
        assert 2000 <= first <= 3000
        assert times == [0, first, 3 * first, 7 * first, 15 * first]
        assert a.events() == [("failed", handle, "timeout")]
        assert a.deadline() is None
        assert a.counters["repeated"] == 4


def test_the_jitter_is_drawn():
    firsts = []
    for seed in range(1, 20):
        a = alone(seed)
        a.request(B, coap.GET, ("x",), 0)
        firsts.append(a.deadline())
    assert len(set(firsts)) > 5


def test_every_repetition_is_the_same_datagram():
    a = alone()
    a.request(B, coap.GET, ("x",), 0)
    first = a.take()
    a.poll(a.deadline())
    assert a.take() == first


def test_retransmit_can_be_given_with_a_request():
    a = alone()
    a.request(B, coap.GET, ("x",), 0, retransmit=1)
    times = transmissions(a, B, 200000)
    assert len(times) == 2
    assert a.events()[0][2] == "timeout"


def test_ack_timeout_is_a_setting():
    a = alone(ack_timeout_ms=100, max_retransmit=2)
    a.request(B, coap.GET, ("x",), 0)
    times = transmissions(a, B, 10000)
    assert len(times) == 3
    assert 100 <= times[1] <= 150


def test_an_empty_ack_ends_the_repetition():
    """RFC 7252 5.2.2: then the response is waited for, but not for ever."""
    a = alone()
    handle = a.request(B, coap.GET, ("x",), 0)
    mid = sent(a)[0].mid
    a.receive(B, bytes_of(coap.ACK, 0, mid), 10)
    while a.deadline() is not None:
        now = a.deadline()
        a.poll(now)
    assert a.take() == []
    assert a.events() == [("failed", handle, "timeout")]
    assert 62000 <= now <= 100000


def test_a_reset_fails_the_request():
    """RFC 7252 4.2."""
    a = alone()
    handle = a.request(B, coap.GET, ("x",), 0)
    a.receive(B, bytes_of(coap.RST, 0, sent(a)[0].mid), 10)
    assert a.events() == [("failed", handle, "reset")]
    assert a.deadline() is None


def test_acks_of_others_do_not_count():
    """RFC 7252 4.4: message ids belong to an endpoint."""
    a = alone()
    a.request(B, coap.GET, ("x",), 0)
    mid = sent(a)[0].mid
    a.receive(("eth", "c", 5683), bytes_of(coap.ACK, 0, mid), 10)
    a.receive(("lte", "b", 5683), bytes_of(coap.RST, 0, mid), 10)
    a.receive(B, bytes_of(coap.ACK, 0, mid + 1 & 0xFFFF), 10)
    a.receive(B, bytes_of(coap.ACK, coap.CONTENT, mid, b"zz"), 10)
    assert a.events() == []
    assert a.deadline() > 1000


def test_message_ids_start_anywhere_and_count_up():
    """RFC 7252 4.4: randomised initial value, none used twice within EXCHANGE_LIFETIME."""
    starts = []
    for seed in range(1, 10):
        a = alone(seed)
        for _ in range(3):
            a.request((seed, _), coap.GET, ("x",), 0)
        mids = [message.mid for message in sent(a)]
        assert mids == [mids[0], mids[0] + 1 & 0xFFFF, mids[0] + 2 & 0xFFFF]
        starts.append(mids[0])
    assert len(set(starts)) == 9


def test_message_ids_wrap():
    a = Exchange(lambda n: n - 1)
    for n in range(2):
        a.request((n,), coap.GET, ("x",), 0)
    assert [message.mid for message in sent(a)] == [0, 1]


def test_a_ping_is_reset():
    """RFC 7252 4.3: an Empty CON."""
    b = alone()
    b.receive(A, bytes_of(coap.CON, 0, 77), 0)
    assert b.take() == [(A, bytes_of(coap.RST, 0, 77))]
    assert b.events() == []


def test_a_malformed_confirmable_is_reset_and_counted():
    """RFC 7252 4.2."""
    b = alone()
    for rest in (b"\x01\x12\x34\xff", b"\x20\x12\x34", b"\x01\x12\x34\xd0", b"\x00\x12\x34\x00", b"\x01\x12\x34\xbf"):
        b.receive(A, b"\x40" + rest, 0)
        assert b.take() == [(A, b"\x70\x00\x12\x34")]
    assert b.counters["refused"] == 5
    assert b.events() == []


def test_malformed_others_are_ignored_and_counted():
    """RFC 7252 4.2, 4.3; 3: an unknown version is ignored in silence."""
    b = alone()
    for head, rest in ((b"", b""), (b"\x40", b""), (b"\x50\x01", b"\xff"), (b"\x50\x00", b""), (b"\x61\x00", b""),
                       (b"\x00\x01", b""), (b"\x80\x01", b"")):
        b.receive(A, head + b"\x12\x34"[: len(head)] + rest if len(head) == 2 else head, 0)
    assert b.take() == []
    assert b.counters["refused"] == 7


def test_a_duplicate_request_gets_the_stored_answer():
    """RFC 7252 4.5: processed once, acknowledged each time."""
    b = alone()
    b.receive(A, get(5), 0)
    b.respond(b.events()[0][1], coap.CONTENT, 0, b"21")
    first = b.take()
    for now in (10, 3000, 90000):
        b.receive(A, get(5), now)
        assert b.take() == first
        assert b.events() == []
    assert b.counters["duplicates"] == 3


def test_a_duplicate_before_the_answer_is_silent():
    b = alone()
    b.receive(A, get(5), 0)
    b.receive(A, get(5), 10)
    assert len(b.events()) == 1
    assert b.take() == []


def test_a_duplicate_non_is_ignored():
    """RFC 7252 4.5."""
    b = alone()
    b.receive(A, get(5, type=coap.NON), 0)
    b.respond(b.events()[0][1], coap.CONTENT, 0, b"21")
    assert len(b.take()) == 1
    b.receive(A, get(5, type=coap.NON), 10)
    assert b.take() == [] and b.events() == []


def test_a_message_id_means_something_new_to_another_peer_and_after_its_lifetime():
    """RFC 7252 4.8.2: EXCHANGE_LIFETIME is 247 s."""
    b = alone()
    b.receive(A, get(5), 0)
    b.receive(("eth", "a", 9), get(5), 0)
    b.receive(("lte", "a", 5683), get(5), 0)
    assert len(b.events()) == 3
    b.receive(A, get(5), 246999)
    assert b.events() == []
    b.receive(A, get(5), 247000)
    assert len(b.events()) == 1


def test_what_is_remembered_has_a_limit():
    b = alone()
    for mid in range(300):
        b.receive(A, get(mid), 0)
        b.respond(b.events()[0][1], coap.CONTENT, 0, b"x" * 500)
        b.take()
    assert len(b._wire._seen) <= 24
    assert b._wire._seen_bytes == sum([len(entry[3]) for entry in b._wire._seen]) <= 4096 + 600
    b.receive(A, get(299), 1)
    assert b.events() == [] and len(b.take()) == 1


def test_one_outstanding_request_per_peer():
    """RFC 7252 4.7: NSTART 1; the others wait, in order."""
    pair = Pair(lambda request: (coap.CONTENT, request.path[0].encode()))
    handles = [pair.a.request(B, coap.GET, (name,), 0) for name in ("one", "two", "three")]
    assert len(pair.a.take()) == 1
    pair.now = pair.a.deadline()
    pair.poll()
    pair.transfer()
    assert [(event[1], event[2].payload) for event in pair.got] == list(zip(handles, (b"one", b"two", b"three")))


def test_peers_do_not_wait_for_each_other():
    a = alone()
    for name in ("b", "c", "d"):
        a.request(("eth", name, 5683), coap.GET, ("x",), 0)
    assert len(a.take()) == 3


def test_a_queue_that_is_full_says_busy():
    a = alone()
    for _ in range(8):
        a.request(B, coap.GET, ("x",), 0)
    assert a.events() == []
    handle = a.request(B, coap.GET, ("x",), 0)
    assert a.events() == [("failed", handle, "busy")]
    assert a.counters["dropped"] == 1
    a.request(("eth", "c", 5683), coap.GET, ("x",), 0)
    assert a.events() == []


def test_the_number_of_requests_is_limited():
    a = alone()
    for n in range(16):
        a.request(("eth", n, 5683), coap.GET, ("x",), 0)
    handle = a.request(B, coap.GET, ("x",), 0)
    assert a.events() == [("failed", handle, "busy")]


def test_the_next_leaves_when_the_one_before_fails():
    a = alone()
    first = a.request(B, coap.GET, ("x",), 0, retransmit=0)
    a.request(B, coap.GET, ("y",), 0)
    a.take()
    a.poll(a.deadline())
    assert a.events() == [("failed", first, "timeout")]
    a.poll(a.deadline())
    assert [message.path() for message in sent(a)] == [("y",)]


def test_a_cancelled_request_lets_the_next_one_leave():
    a = alone()
    first = a.request(B, coap.GET, ("x",), 0)
    a.request(B, coap.GET, ("y",), 0)
    a.take()
    a.cancel(first)
    a.poll(a.deadline())
    assert [message.path() for message in sent(a)] == [("y",)]
    a.cancel(first)
    a.cancel(99)
    assert a.events() == []


def test_a_cancelled_one_that_waited_never_leaves():
    a = alone()
    a.request(B, coap.GET, ("x",), 0)
    second = a.request(B, coap.GET, ("y",), 0)
    mid = sent(a)[0].mid
    a.cancel(second)
    a.receive(B, bytes_of(coap.ACK, 0, mid), 10)
    a.poll(5000)
    assert a.take() == []


def test_what_nobody_fetches_is_limited():
    b = alone()
    for mid in range(500):
        b.receive(A, bytes_of(coap.CON, 0, mid), 0)
    assert len(b.take()) == 64
    for mid in range(500):
        b.receive(A, get(mid), 0)
    assert len(b.events()) == 32
    assert b.counters["dropped"] == 500 - 64 + 500 - 32


def test_forget_drops_everything_of_a_link():
    a = alone()
    lte = ("lte", "b", 5683)
    kept = a.request(lte, coap.GET, ("x",), 0)
    gone = [a.request(B, coap.GET, ("x",), 0), a.request(B, coap.GET, ("y",), 0)]
    a.receive(B, get(1, options=[(coap.OBSERVE, b"")]), 0)
    a.respond(a.events()[0][1], coap.CONTENT, 0, b"1")
    a.receive(B, get(2), 0)
    late = a.events()[0][1]
    assert [peer for peer, _ in a.take()] == [lte, B, B]
    a.forget("eth")
    assert a.events() == [("failed", handle, "link") for handle in gone]
    a.respond(late, coap.CONTENT, 0)
    a.take()
    assert a.observed() == []
    times = transmissions(a, lte, 10**6)
    assert len(times) == 4
    assert a.events() == [("failed", kept, "timeout")]


def test_block_sizes_are_checked():
    for size in (0, 8, 100, 2048, -1):
        try:
            Exchange(below(), block_size=size)
        except LocalError as error:
            assert str(size) in str(error)
        else:
            assert False, size
