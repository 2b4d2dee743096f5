"""Observing: RFC 7641 section 3, alone and between two exchanges."""

from coap_pair import A, B, Pair, alone, bytes_of, get, sent

from agent.codec import coap

LONG = bytes([n * 11 & 0xFF for n in range(1300)])
REGISTER = (coap.OBSERVE, b"")


def observed(path="x", token=b"t", mid=1, **options):
    """An exchange that A observes, and the observer's id."""
    b = alone(**options)
    register(b, path, token, mid)
    b.take()
    return b, b.observed()[-1][0]


def register(b, path="x", token=b"t", mid=1, peer=A, now=0, more=()):
    b.receive(peer, get(mid, token, path, options=[REGISTER] + list(more)), now)
    request = b.events()[-1][1]
    assert request.observe == 0
    b.respond(request, coap.CONTENT, now, b"0")


def notification(type, mid, token, number, payload=b"v", options=(), code=coap.CONTENT):
    return bytes_of(type, code, mid, token, [(coap.OBSERVE, coap.uint(number))] + list(options), payload)


def observing(number=5):
    """(an exchange that observes B, its handle, its token) after the first response."""
    a = alone()
    handle = a.request(B, coap.GET, ("x",), 0, observe=0)
    asked = sent(a)[0]
    assert asked.uint(coap.OBSERVE) == 0
    a.receive(B, notification(coap.ACK, asked.mid, asked.token, number, b"first"), 10)
    kind, who, response = a.events()[0]
    assert (kind, who, response.payload, response.observe) == ("response", handle, b"first", number)
    return a, handle, asked.token


def payloads(exchange):
    return [event[2].payload for event in exchange.events()]


def newer(last, last_at, number, now):
    """Whether a notification at `now` counts after one of number `last` at `last_at`."""
    a, _, token = observing(last)
    a.receive(B, notification(coap.NON, 9, token, number), now - last_at + 10)
    return len(a.events()) == 1


def test_large_notifications_travel_in_blocks():
    """RFC 7959 2.6, figure 12: the rest is fetched without Observe, under another token."""
    value = [LONG]
    pair = Pair(lambda request: (coap.CONTENT, value[0]))
    handle = pair.a.request(B, coap.GET, ("x",), 0, observe=0)
    pair.transfer()
    ident = pair.b.observed()[0][0]
    served = len(pair.served)
    value[0] = bytes(reversed(LONG))
    pair.b.notify(ident, coap.CONTENT, value[0], 0, 10)
    pair.transfer()
    assert [(event[1], event[2].payload) for event in pair.got] == [(handle, LONG), (handle, value[0])]
    numbers = [event[2].observe for event in pair.got]
    assert None not in numbers and numbers[0] != numbers[1]
    assert len(pair.served) == served
    token = pair.wire[0][1].token
    rest = [m for who, m in pair.wire if who == "a" and m.code and m.get(coap.BLOCK2) is not None]
    assert rest and all([m.token != token and m.get(coap.OBSERVE) is None for m in rest])
    assert len(pair.a._client.asks) == 1


def test_a_newer_notification_abandons_the_rest_of_an_older_one():
    a, handle, token = observing()
    block = (coap.BLOCK2, b"\x08")  # first of several, 16 bytes
    a.receive(B, notification(coap.NON, 9, token, 6, bytes(16), [block]), 20)
    first = sent(a)[0]
    a.receive(B, notification(coap.NON, 10, token, 7, b"short"), 30)
    assert payloads(a) == [b"short"]
    a.receive(B, bytes_of(coap.ACK, coap.CONTENT, first.mid, first.token, [(coap.BLOCK2, b"\x10")], b"2"), 35)
    assert payloads(a) == []
    a.receive(B, notification(coap.NON, 11, token, 8, b"1" * 16, [block]), 40)
    second = sent(a)
    assert len(second) == 1 and second[0].token not in (token, first.token)
    a.receive(B, bytes_of(coap.ACK, coap.CONTENT, second[0].mid, second[0].token, [(coap.BLOCK2, b"\x10")], b"2"), 50)
    assert payloads(a) == [b"1" * 16 + b"2"]


def test_order():
    """RFC 7641 3.4."""
    assert newer(1, 0, 2, 1)
    assert not newer(2, 0, 1, 1)
    assert not newer(2, 0, 2, 1)
    assert newer(0xFFFFFF, 0, 0, 1)
    assert not newer(0, 0, 0xFFFFFF, 1)
    assert newer(0, 0, 0x7FFFFF, 1)
    assert not newer(0, 0, 0x800000, 1)
    assert newer(2, 0, 1, 128001)
    assert not newer(2, 0, 1, 128000)


def test_overtaken_notifications_are_not_delivered():
    """RFC 7641 3.4; a CON one is acknowledged nevertheless."""
    a, handle, token = observing(5)
    for mid, number in ((1, 7), (2, 6), (3, 8)):
        a.receive(B, notification(coap.CON, mid, token, number, b"%d" % number), 100 + mid)
    assert payloads(a) == [b"7", b"8"]
    assert [(m.type, m.mid) for m in sent(a)] == [(coap.ACK, 1), (coap.ACK, 2), (coap.ACK, 3)]


def test_duplicated_notifications_are_delivered_once():
    a, handle, token = observing(5)
    data = notification(coap.CON, 1, token, 6)
    a.receive(B, data, 100)
    a.receive(B, data, 200)
    assert len(a.events()) == 1
    assert len(a.take()) == 2


def test_the_first_notification_may_overtake_the_response():
    """RFC 7641 3.4, and 7252 5.3.2."""
    a = alone()
    handle = a.request(B, coap.GET, ("x",), 0, observe=0)
    asked = sent(a)[0]
    a.receive(B, notification(coap.NON, 9, asked.token, 6, b"new"), 10)
    a.receive(B, notification(coap.ACK, asked.mid, asked.token, 5, b"old"), 11)
    assert payloads(a) == [b"new"]
    assert a.deadline() is None
    a.receive(B, notification(coap.NON, 10, asked.token, 7, b"newer"), 12)
    assert [(event[1], event[2].payload) for event in a.events()] == [(handle, b"newer")]


def test_a_response_without_observe_is_an_ordinary_one():
    """RFC 7641 3.1: the server cannot or will not."""
    a = alone()
    a.request(B, coap.GET, ("x",), 0, observe=0)
    asked = sent(a)[0]
    a.receive(B, bytes_of(coap.ACK, coap.CONTENT, asked.mid, asked.token, (), b"1"), 1)
    assert a.events()[0][2].observe is None
    assert a._client.asks == []


def test_an_observation_may_end_in_blocks():
    """RFC 7641 3.2: without Observe it is the last one; the rest of it is fetched as of any response."""
    for first in (True, False):
        a = alone()
        a.request(B, coap.GET, ("x",), 0, observe=0)
        asked = sent(a)[0]
        mid = asked.mid
        if not first:
            a.receive(B, notification(coap.ACK, mid, asked.token, 5, b"first"), 10)
            a.events()
            mid = mid + 1 & 0xFFFF
        kind = coap.ACK if first else coap.CON
        a.receive(B, bytes_of(kind, coap.CONTENT, mid, asked.token, [(coap.BLOCK2, b"\x08")], bytes(16)), 20)
        more = sent(a)[-1]
        assert (more.token, more.uint(coap.BLOCK2), more.get(coap.OBSERVE)) == (asked.token, 0x10, None)
        a.receive(B, bytes_of(coap.ACK, coap.CONTENT, more.mid, more.token, [(coap.BLOCK2, b"\x10")], b"end"), 30)
        assert [(event[2].payload, event[2].observe) for event in a.events()] == [(bytes(16) + b"end", None)]
        assert a._client.asks == []


def test_cancelled_notifications_are_reset():
    """RFC 7641 3.6: the client forgets, and rejects the next one, CON or NON."""
    for kind in (coap.CON, coap.NON):
        a, handle, token = observing()
        a.cancel(handle)
        a.receive(B, notification(kind, 9, token, 6), 20)
        assert [(m.type, m.code, m.mid) for m in sent(a)] == [(coap.RST, 0, 9)]
        assert a.events() == []


def test_cancelling_reaches_the_server():
    pair = Pair(lambda request: (coap.CONTENT, b"20"))
    handle = pair.a.request(B, coap.GET, ("x",), 0, observe=0)
    pair.transfer()
    ident = pair.b.observed()[0][0]
    pair.a.cancel(handle)
    pair.b.notify(ident, coap.CONTENT, b"1", None, 1)
    pair.transfer()
    assert pair.got[-1] == ("unobserved", ident)
    assert pair.b.observed() == []


def test_observing_on_a_bad_network():
    """The last state arrives, in order, whatever is lost, doubled or late (eventual consistency, RFC 7641 1.3)."""
    for seed in range(1, 6):
        pair = Pair(lambda request: (coap.CONTENT, b"0"), seed)
        pair.a.request(B, coap.GET, ("x",), 0, observe=0)
        pair.run(100000)
        ident = pair.b.observed()[0][0]
        for n in range(1, 40):
            pair.b.notify(ident, coap.CONTENT, b"%d" % n, None, pair.now, confirmable=n % 13 == 0)
            pair.run(300)
        pair.run(100000)
        values = [int(event[2].payload) for event in pair.got if event[0] == "response"]
        assert values == sorted(set(values))
        assert values[-1] == 39
