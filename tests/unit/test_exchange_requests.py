"""CoAP requests and responses: RFC 7252 section 5."""

from coap_pair import A, B, Pair, alone, bytes_of, get, sent

from agent.codec import coap
from agent.errors import LocalError

GROUP = ("eth", "a", 40000)


def answered(code=coap.CONTENT, payload=b"21", **more):
    """(exchange, what it sends) after the answer to a CON GET."""
    b = alone()
    b.receive(A, get(7, b"tk"), 0)
    b.respond(b.events()[0][1], code, 0, payload, **more)
    return b, sent(b)


def test_a_registration_goes_through():
    """LightweightM2M-1.1-int-101: POST /rd, 2.01 with Location-Path."""
    pair = Pair()
    handle = pair.a.request(B, coap.POST, ("rd",), 0, query=("ep=dev1", "b=U"), payload=b"</1/1>", format=40)
    pair.transfer()
    kind, request = pair.got.pop()
    assert kind == "request"
    assert (request.peer, request.code, request.path) == (A, coap.POST, ("rd",))
    assert request.query == ("ep=dev1", "b=U")
    assert (request.payload, request.format, request.accept, request.observe) == (b"</1/1>", 40, None, None)
    pair.b.respond(request, coap.CREATED, 0, options=[(coap.LOCATION_PATH, b"rd"), (coap.LOCATION_PATH, b"5a")])
    pair.transfer()
    kind, who, response = pair.got.pop()
    assert (kind, who, response.code) == ("response", handle, coap.CREATED)
    assert response.location == ("rd", "5a")
    assert (response.payload, response.format, response.observe) == (b"", None, None)
    assert response.get(coap.LOCATION_PATH) == b"rd"
    assert len(pair.wire) == 2
    assert pair.a.deadline() is None and pair.b.deadline() is None


def test_a_registration_is_small():
    """At most 120 bytes with eight objects, and 13 back."""
    a = alone()
    links = b"</1/1>,</3/0>,</4/0>,</3331/0>,</26241/1>,</26242/0>,</5/0>,</9>"
    query = ("ep=pointsman-1", "lt=300", "lwm2m=1.1", "b=U")
    a.request(B, coap.POST, ("rd",), 0, query, links, 40)
    assert len(a.take()[0][1]) <= 120


def test_a_piggybacked_response():
    """RFC 7252 5.2.1."""
    _, messages = answered(format=0)
    assert len(messages) == 1
    message = messages[0]
    assert (message.type, message.mid, message.token) == (coap.ACK, 7, b"tk")
    assert message.options == [(coap.CONTENT_FORMAT, b"")]
    assert message.payload == b"21"


def test_a_late_response_comes_on_its_own():
    """RFC 7252 5.2.2: an empty ACK after a second, the response as a CON."""
    pair = Pair(lambda request: None)
    handle = pair.a.request(B, coap.GET, ("x",), 0)
    pair.transfer()
    assert pair.b.deadline() == 1000
    pair.now = 1000
    pair.poll()
    pair.transfer()
    assert [(who, m.type, m.code) for who, m in pair.wire[1:]] == [("b", coap.ACK, 0)]
    pair.now = 20000
    pair.b.respond(pair.served[0], coap.CONTENT, pair.now, b"late")
    pair.transfer()
    assert [(who, m.type, m.code) for who, m in pair.wire[2:]] == [("b", coap.CON, coap.CONTENT), ("a", coap.ACK, 0)]
    assert pair.wire[2][1].token == pair.wire[0][1].token
    assert pair.got[0][1] == handle and pair.got[0][2].payload == b"late"
    assert pair.a.deadline() is None and pair.b.deadline() is None


def test_a_duplicate_after_the_empty_ack_gets_it_again():
    b = alone()
    b.receive(A, get(7), 0)
    request = b.events()[0][1]
    b.poll(1000)
    acks = b.take()
    b.receive(A, get(7), 1100)
    assert b.take() == acks and b.events() == []
    b.respond(request, coap.CONTENT, 1200, b"1")
    b.take()
    b.receive(A, get(7), 1300)
    assert b.take() == acks


def test_a_separate_response_is_repeated_until_acknowledged():
    b = alone()
    b.receive(A, get(7), 0)
    b.poll(1000)
    b.take()
    b.respond(b.events()[0][1], coap.CONTENT, 5000, b"1")
    first = b.take()
    b.poll(b.deadline())
    assert b.take() == first
    b.receive(A, bytes_of(coap.ACK, 0, coap.decode(first[0][1]).mid), 9000)
    assert b.deadline() is None
    assert b.events() == []


def test_a_separate_response_nobody_takes_is_given_up_in_silence():
    for kind in (coap.RST, None):
        b = alone()
        b.receive(A, get(7), 0)
        b.poll(1000)
        b.respond(b.events()[0][1], coap.CONTENT, 5000, b"1")
        mid = sent(b)[-1].mid
        if kind is not None:
            b.receive(A, bytes_of(kind, 0, mid), 6000)
        while b.deadline() is not None:
            b.poll(b.deadline())
        assert b.events() == []


def test_the_response_can_overtake_the_ack():
    """RFC 7252 5.3.2: it acknowledges the request by itself."""
    a = alone()
    handle = a.request(B, coap.GET, ("x",), 0)
    asked = sent(a)[0]
    a.receive(B, bytes_of(coap.CON, coap.CONTENT, 9, asked.token, (), b"1"), 100)
    assert [(m.type, m.code, m.mid) for m in sent(a)] == [(coap.ACK, 0, 9)]
    assert a.events()[0][1] == handle
    a.receive(B, bytes_of(coap.ACK, 0, asked.mid), 200)
    assert a.deadline() is None and a.take() == [] and a.events() == []


def test_a_separate_non_response():
    a = alone()
    a.request(B, coap.GET, ("x",), 0)
    asked = sent(a)[0]
    a.receive(B, bytes_of(coap.ACK, 0, asked.mid), 100)
    a.receive(B, bytes_of(coap.NON, coap.CONTENT, 9, asked.token, (), b"1"), 200)
    assert a.events()[0][2].payload == b"1"
    assert a.take() == []


def test_a_repeated_separate_response_is_acknowledged_again():
    a = alone()
    a.request(B, coap.GET, ("x",), 0)
    response = bytes_of(coap.CON, coap.CONTENT, 9, sent(a)[0].token, (), b"1")
    a.receive(B, response, 100)
    first = a.take()
    a.receive(B, response, 4000)
    assert a.take() == first
    assert len(a.events()) == 1


def test_unknown_tokens_are_rejected():
    """RFC 7252 4.2, 4.3, 5.3.2: a CON response is reset, a NON one ignored."""
    a = alone()
    a.request(B, coap.GET, ("x",), 0)
    token = sent(a)[0].token
    a.receive(B, bytes_of(coap.CON, coap.CONTENT, 9, b"no"), 1)
    a.receive(B, bytes_of(coap.NON, coap.CONTENT, 10, b"no"), 1)
    a.receive(("eth", "c", 5683), bytes_of(coap.CON, coap.CONTENT, 11, token), 1)
    assert [(m.type, m.mid) for m in sent(a)] == [(coap.RST, 9), (coap.RST, 11)]
    assert a.events() == []
    assert a.counters["refused"] == 3


def test_tokens_are_drawn_and_short():
    """RFC 7252 5.3.1."""
    a = alone()
    tokens = set()
    for n in range(12):
        a.request(("eth", n, 1), coap.GET, ("x",), 0)
        tokens.add(sent(a)[0].token)
    assert len(tokens) == 12
    assert {len(token) for token in tokens} == {2}


def test_tokens_in_use_are_not_drawn_again():
    a = alone()
    a._client._below = lambda n: n - 1
    for _ in range(3):
        a.request(B, coap.GET, ("x",), 0)
    assert [ask.token for ask in a._client.asks] == [b"\xff\xff", b"\x00\x00", b"\x00\x01"]


def test_a_non_request_gets_a_non_response():
    """RFC 7252 5.2.3."""
    b = alone()
    b.receive(A, get(7, b"tk", type=coap.NON), 0)
    b.respond(b.events()[0][1], coap.NOT_FOUND, 9000, b"")
    message = sent(b)[0]
    assert (message.type, message.token, message.code) == (coap.NON, b"tk", coap.NOT_FOUND)
    assert b.deadline() is None


def test_an_unknown_critical_option_in_a_con_request():
    """RFC 7252 5.4.1: 4.02, with a diagnostic payload (5.5.2)."""
    b = alone()
    b.receive(A, get(7, b"tk", options=[(9, b"oscore")]), 0)
    message = sent(b)[0]
    assert (message.type, message.code, message.token) == (coap.ACK, coap.BAD_OPTION, b"tk")
    assert message.payload == b"option 9"
    assert b.events() == [] and b.counters["refused"] == 1 and b.deadline() is None


def test_critical_options_are_checked_as_the_rfc_says():
    """RFC 7252 5.4.1, 5.4.3, 5.4.5: unknown, too long, twice."""
    for options in ([(2049, b"")], [(coap.ACCEPT, b"\x00\x00\x01")], [(coap.ACCEPT, b"\x01"), (coap.ACCEPT, b"\x02")],
                    [(1, b"etag")], [(5, b"")], [(coap.BLOCK1, b"\x00\x00\x00\x08")]):
        b = alone()
        b.receive(A, get(7, options=options), 0)
        assert [m.code for m in sent(b)] == [coap.BAD_OPTION], options


def test_unknown_elective_options_are_ignored():
    """RFC 7252 5.4.1; No-Response (258), Size1 of an odd length, Request-Tag (292)."""
    b = alone()
    b.receive(A, get(7, options=[(258, b"\x02"), (292, b"x"), (3, b"device.local"), (7, b"\x16\x33")]), 0)
    assert b.events()[0][0] == "request"
    assert b.counters["refused"] == 0


def test_a_non_request_with_an_unknown_critical_option_is_ignored():
    b = alone()
    b.receive(A, get(7, type=coap.NON, options=[(9, b"")]), 0)
    assert b.take() == [] and b.events() == [] and b.counters["refused"] == 1


def test_no_proxy():
    """RFC 7252 5.10.2: 5.05."""
    for number in (35, 39):
        b = alone()
        b.receive(A, get(7, options=[(number, b"coap://x")]), 0)
        assert coap.dotted(sent(b)[0].code) == "5.05"


def test_an_unknown_critical_option_in_a_response():
    """RFC 7252 5.4.1: rejected - a CON reset, and the request has failed."""
    for kind in (coap.ACK, coap.CON, coap.NON):
        a = alone()
        handle = a.request(B, coap.GET, ("x",), 0)
        asked = sent(a)[0]
        mid = asked.mid if kind == coap.ACK else 9
        a.receive(B, bytes_of(kind, coap.CONTENT, mid, asked.token, [(9, b"")], b"1"), 1)
        assert [m.type for m in sent(a)] == ([coap.RST] if kind == coap.CON else [])
        assert a.events() == [("failed", handle, "option")]
        assert a.counters["refused"] == 1 and a.deadline() is None


def test_answers_only_once():
    b, _ = answered()
    b.receive(A, get(8), 0)
    request = b.events()[0][1]
    b.respond(request, coap.CONTENT, 0)
    try:
        b.respond(request, coap.CONTENT, 0)
    except LocalError:
        return
    assert False


def test_too_many_unanswered_requests_are_acknowledged_early():
    """The table of those waiting for a piggybacked response is short; none is lost."""
    b = alone()
    for mid in range(10):
        b.receive(A, get(mid), 0)
    assert [(m.type, m.code, m.mid) for m in sent(b)] == [(coap.ACK, 0, 0), (coap.ACK, 0, 1)]
    requests = [event[1] for event in b.events()]
    b.respond(requests[0], coap.CONTENT, 5, b"0")
    b.respond(requests[9], coap.CONTENT, 5, b"9")
    assert [(m.type, m.payload) for m in sent(b)] == [(coap.CON, b"0"), (coap.ACK, b"9")]


def test_a_request_to_a_group():
    """RFC 7252 8.1, 8.2: only NON, and never answered with an error."""
    b = alone()
    for n, kind in enumerate((coap.NON, coap.CON)):
        b.receive(GROUP, get(n, type=kind), 0, multicast=True)
    events = b.events()
    assert len(events) == 1 and events[0][1].multicast
    b.respond(events[0][1], coap.NOT_FOUND, 0, b"no such thing")
    b.receive(GROUP, get(3, type=coap.NON, options=[(9, b"")]), 0, multicast=True)
    b.receive(GROUP, get(4, type=coap.NON, options=[(coap.BLOCK1, b"\x07")]), 0, multicast=True)
    b.receive(GROUP, get(5, type=coap.NON, options=[(coap.BLOCK1, b"\x18")]), 0, multicast=True)
    b.receive(GROUP, bytes_of(coap.CON, 0, 6), 0, multicast=True)
    b.receive(GROUP, b"\x40\x01\x12\x34\xff", 0, multicast=True)
    b.receive(GROUP, bytes_of(coap.NON, coap.CONTENT, 8), 0, multicast=True)
    assert b.take() == []
    b.receive(GROUP, get(9, type=coap.NON), 0, multicast=True)
    b.respond(b.events()[0][1], coap.CONTENT, 0, b"1")
    assert [m.type for m in sent(b)] == [coap.NON]


def test_both_sides_ask_at_once():
    """A read that comes while our registration is under way (LwM2M servers do that)."""
    pair = Pair(lambda request: (coap.CONTENT, request.path[0].encode()))
    first = pair.a.request(B, coap.GET, ("b",), 0)
    second = pair.b.request(A, coap.GET, ("a",), 0)
    pair.transfer()
    assert sorted([(event[1], event[2].payload) for event in pair.got]) == sorted([(first, b"b"), (second, b"a")])


def test_bodies_of_ours_have_a_limit():
    a = alone()
    try:
        a.request(B, coap.POST, ("x",), 0, payload=bytes(8193))
    except LocalError as error:
        assert "8192" in str(error)
        return
    assert False


def test_options_of_the_caller_are_kept():
    """As an Echo taken from a 4.01 (RFC 9175 2.3)."""
    a = alone()
    a.request(B, coap.GET, ("x", "y"), 0, query=("q",), accept=112, options=[(coap.ECHO, b"12345678")])
    message = sent(a)[0]
    assert message.options == [(coap.URI_PATH, b"x"), (coap.URI_PATH, b"y"), (coap.URI_QUERY, b"q"),
                               (coap.ACCEPT, b"p"), (coap.ECHO, b"12345678")]


def test_an_echo_is_given_back_once():
    """RFC 9175 2.3: a server that doubts whether a request is new asks so; whoever goes on doubting has refused."""
    pair = Pair()
    handle = pair.a.request(B, coap.POST, ("rd",), 0, payload=b"new")
    for _ in range(2):
        pair.transfer()
        pair.b.respond(pair.got.pop()[1], coap.UNAUTHORIZED, 0, options=[(coap.ECHO, b"fresh?")])
    pair.transfer()
    first, second = [message for sender, message in pair.wire if sender == "a"]
    assert first.get(coap.ECHO) is None and second.get(coap.ECHO) == b"fresh?"
    assert first.mid != second.mid and second.payload == b"new"
    ((kind, who, response),) = pair.got
    assert (kind, who, response.code) == ("response", handle, coap.UNAUTHORIZED)
