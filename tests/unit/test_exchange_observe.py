"""Being observed: RFC 7641 section 4."""

from coap_pair import A, B, Pair, alone, bytes_of, get, sent

from agent.codec import coap

HOUR = 3600 * 1000
REGISTER = (coap.OBSERVE, b"")
CANCEL = (coap.OBSERVE, b"\x01")


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


def test_register_and_be_told():
    """LightweightM2M-1.1-int-301; RFC 7641 3.1, 4.1, 4.2."""
    pair = Pair(lambda request: (coap.CONTENT, b"20"))
    handle = pair.a.request(B, coap.GET, ("3303", "0"), 0, observe=0)
    pair.transfer()
    [(ident, peer, path)] = pair.b.observed()
    assert (peer, path) == (A, ("3303", "0"))
    for n in range(3):
        assert pair.b.notify(ident, coap.CONTENT, b"%d" % n, 0, pair.now)
        pair.transfer()
    assert [event[1] for event in pair.got] == [handle] * 4
    assert [event[2].payload for event in pair.got] == [b"20", b"0", b"1", b"2"]
    numbers = [event[2].observe for event in pair.got]
    assert numbers == sorted(set(numbers)) and numbers[0] is not None
    assert {m.token for _, m in pair.wire} == {pair.wire[0][1].token}
    assert [m.type for who, m in pair.wire if who == "b"] == [coap.ACK, coap.NON, coap.NON, coap.NON]
    assert pair.a.deadline() is None and pair.b.deadline() is None


def test_a_notification_is_small():
    """A NON with a number below 256 and a value of two digits: 12 bytes."""
    b, ident = observed(token=b"tk")
    b.notify(ident, coap.CONTENT, b"21", 0, 1)
    assert len(b.take()[0][1]) <= 12


def test_a_confirmable_notification_says_that_it_arrived():
    """RFC 7641 4.5."""
    b, ident = observed()
    b.notify(ident, coap.CONTENT, b"1", None, 5, confirmable=True)
    message = sent(b)[0]
    assert message.type == coap.CON
    b.receive(A, bytes_of(coap.ACK, 0, message.mid), 10)
    assert b.events() == [("notified", ident)]
    assert b.deadline() is None
    assert len(b.observed()) == 1


def test_a_reset_ends_the_observation():
    """RFC 7641 3.6: to a CON and to a NON."""
    for confirmable in (True, False):
        b, ident = observed()
        b.notify(ident, coap.CONTENT, b"1", None, 5, confirmable)
        b.receive(A, bytes_of(coap.RST, 0, sent(b)[0].mid), 10)
        assert b.events() == [("unobserved", ident)]
        assert b.observed() == [] and b.deadline() is None
        assert not b.notify(ident, coap.CONTENT, b"2", None, 20)
        assert b.take() == []


def test_a_reset_from_elsewhere_does_not():
    b, ident = observed()
    b.notify(ident, coap.CONTENT, b"1", None, 5)
    mid = sent(b)[0].mid
    b.receive(("eth", "c", 5683), bytes_of(coap.RST, 0, mid), 10)
    b.receive(A, bytes_of(coap.RST, 0, mid + 1 & 0xFFFF), 10)
    assert b.events() == [] and len(b.observed()) == 1


def test_silence_ends_the_observation():
    """RFC 7641 4.5: when a CON times out."""
    b, ident = observed()
    b.notify(ident, coap.CONTENT, b"1", None, 5, confirmable=True)
    while b.deadline() is not None:
        b.poll(b.deadline())
    assert b.events() == [("silent", ident)]


def test_cancelled_by_a_get():
    """RFC 7641 3.6: Observe 1 with the same token; the request is answered all the same."""
    b, ident = observed()
    b.receive(A, get(2, b"t", options=[CANCEL]), 10)
    events = b.events()
    assert events[0] == ("unobserved", ident)
    assert events[1][1].observe == 1
    b.respond(events[1][1], coap.CONTENT, 10, b"1")
    assert sent(b)[0].get(coap.OBSERVE) is None
    assert b.observed() == []


def test_cancelling_takes_token_and_peer():
    b, ident = observed()
    b.receive(A, get(2, b"u", options=[CANCEL]), 10)
    b.receive(("eth", "c", 5683), get(2, b"t", options=[CANCEL]), 10)
    assert [event[0] for event in b.events()] == ["request", "request"]
    assert len(b.observed()) == 1


def test_registering_again_replaces():
    """RFC 7641 4.1: one entry for a token of a peer; the numbers go on."""
    b, ident = observed()
    b.notify(ident, coap.CONTENT, b"1", None, 1)
    before = sent(b)[0].uint(coap.OBSERVE)
    register(b, "x", b"t", 2)
    assert sent(b)[0].uint(coap.OBSERVE) > before
    assert [entry[0] for entry in b.observed()] == [ident]
    register(b, "y", b"t", 3)
    assert b.observed() == [(ident, A, ("y",))]


def test_one_peer_may_observe_twice():
    b, first = observed("x", b"t")
    register(b, "y", b"u", 2)
    assert [path for _, _, path in b.observed()] == [("x",), ("y",)]


def test_only_content_registers():
    b = alone()
    for mid, code in ((1, coap.NOT_FOUND), (2, coap.UNAUTHORIZED), (3, coap.VALID)):
        b.receive(A, get(mid, options=[REGISTER]), 0)
        b.respond(b.events()[0][1], code, 0)
        assert sent(b)[0].get(coap.OBSERVE) is None
    b.receive(A, bytes_of(coap.CON, coap.POST, 4, b"t", [REGISTER]), 0)
    request = b.events()[0][1]
    assert request.observe is None
    b.respond(request, coap.CONTENT, 0)
    assert b.observed() == []


def test_registering_can_be_declined():
    b = alone()
    b.receive(A, get(1, options=[REGISTER]), 0)
    request = b.events()[0][1]
    request.observe = None
    b.respond(request, coap.CONTENT, 0, b"1")
    assert sent(b)[0].get(coap.OBSERVE) is None and b.observed() == []


def test_observers_have_a_limit():
    """RFC 7641 4.1: a server that cannot simply answers without Observe."""
    b = alone()
    for n in range(20):
        register(b, "x", bytes([n]), n)
    messages = sent(b)
    assert [m.get(coap.OBSERVE) is not None for m in messages] == [True] * 16 + [False] * 4
    assert len(b.observed()) == 16


def test_who_is_concerned_by_a_change():
    """LwM2M observes objects, instances and resources; a change below or above concerns them too."""
    b = alone()
    for mid, path in enumerate((("3",), ("3", "0"), ("3", "0", "9"), ("3", "1"), ("33",), ())):
        options = [(coap.URI_PATH, item.encode()) for item in path] + [REGISTER]
        b.receive(A, bytes_of(coap.CON, coap.GET, mid, bytes([mid]), options), 0)
        b.respond(b.events()[0][1], coap.CONTENT, 0, b"1")

    def paths(*path):
        return sorted(["/".join(entry[2]) for entry in b.observed(path)])

    assert paths("3", "0", "9") == ["", "3", "3/0", "3/0/9"]
    assert paths("3", "0") == ["", "3", "3/0", "3/0/9"]
    assert paths("3", "0", "8") == ["", "3", "3/0"]
    assert paths("4") == [""]
    assert len(paths()) == 6


def test_numbers_have_24_bits():
    """RFC 7641 4.4."""
    b, ident = observed()
    b._server.observers[0].number = 0xFFFFFE
    for expected in (0xFFFFFF, 0):
        b.notify(ident, coap.CONTENT, b"1", None, 1)
        assert sent(b)[0].uint(coap.OBSERVE) == expected


def test_a_confirmable_one_at_least_every_day():
    """RFC 7641 4.5: so that an observer who is gone is noticed."""
    b, ident = observed()
    confirmed = [0]
    for hour in range(1, 100):
        b.notify(ident, coap.CONTENT, b"1", None, hour * HOUR)
        message = sent(b)[0]
        if message.type == coap.CON:
            confirmed.append(hour)
            b.receive(A, bytes_of(coap.ACK, 0, message.mid), hour * HOUR + 50)
    gaps = [b - a for a, b in zip(confirmed, confirmed[1:])]
    assert len(gaps) == 4 and max(gaps) <= 24


def test_newer_states_replace_those_that_wait():
    """RFC 7641 4.5.2: behind an unacknowledged one waits at most one, the newest."""
    b, ident = observed()
    for n in range(6):
        assert b.notify(ident, coap.CONTENT, b"%d" % n, None, n, confirmable=n == 0)
    messages = sent(b)
    assert [(m.type, m.payload) for m in messages] == [(coap.CON, b"0")]
    b.receive(A, bytes_of(coap.ACK, 0, messages[0].mid), 100)
    messages = sent(b)
    assert [(m.type, m.payload) for m in messages] == [(coap.CON, b"5")]
    b.receive(A, bytes_of(coap.ACK, 0, messages[0].mid), 200)
    assert b.take() == [] and b.deadline() is None
    assert b.events() == [("notified", ident)] * 2


def test_an_error_ends_it():
    """RFC 7641 4.2: as when an object instance is deleted."""
    pair = Pair(lambda request: (coap.CONTENT, b"20"))
    handle = pair.a.request(B, coap.GET, ("x",), 0, observe=0)
    pair.transfer()
    ident = pair.b.observed()[0][0]
    pair.b.notify(ident, coap.NOT_FOUND, b"", None, 10, confirmable=True)
    assert pair.b.observed() == []
    pair.transfer()
    assert [(event[1], event[2].code, event[2].observe) for event in pair.got[1:2]] == [(handle, coap.NOT_FOUND, None)]
    assert pair.a._client.asks == []


def test_unobserve_drops_the_observers_of_a_peer():
    """As after a de-registration."""
    b, ident = observed()
    other = ("lte", "c", 5683)
    register(b, "x", b"t", 1, other)
    b.notify(ident, coap.CONTENT, b"1", None, 5, confirmable=True)
    b.unobserve(A)
    assert [peer for _, peer, _ in b.observed()] == [other]
    assert b.events() == [] and b.deadline() is None
