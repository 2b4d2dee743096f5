"""The exchange on a bad network and among bad peers: nothing raises, nothing grows, nothing happens twice."""

from coap_pair import A, B, Pair, alone, below, bytes_of, get

from agent.codec import coap

# One of each kind, to be mutated.
SAMPLES = (
    get(1, b"tk", options=[(coap.OBSERVE, b""), (coap.URI_QUERY, b"pmin=1"), (coap.ACCEPT, b"p")]),
    bytes_of(coap.CON, coap.PUT, 2, b"tk", [(coap.URI_PATH, b"x"), (coap.BLOCK1, b"\x0a")], bytes(64)),
    bytes_of(coap.NON, coap.POST, 3, b"", [(coap.URI_PATH, b"bs")], b"hello"),
    bytes_of(coap.CON, coap.GET, 4, b"tk", [(coap.URI_PATH, b"x"), (coap.BLOCK2, b"\x1a")]),
    bytes_of(coap.ACK, coap.CONTENT, 5, b"\x01\x02", [(coap.BLOCK2, b"\x0a"), (coap.ETAG, b"e")], bytes(64)),
    bytes_of(coap.CON, coap.CREATED, 6, b"\x01\x02", [(coap.LOCATION_PATH, b"rd")]),
    bytes_of(coap.NON, coap.CONTENT, 7, b"\x01\x02", [(coap.OBSERVE, b"\x05")], b"21"),
    bytes_of(coap.NON, coap.CONTENT, 12, b"\x01\x02", [(coap.BLOCK2, b"\x0a")], bytes(64)),
    bytes_of(coap.CON, coap.CONTENT, 13, b"\x01\x02", [(coap.OBSERVE, b"\x07"), (coap.BLOCK2, b"\x0a")], bytes(64)),
    bytes_of(coap.CON, coap.INCOMPLETE, 14, b"\x01\x02"),
    bytes_of(coap.ACK, coap.TOO_LARGE, 15, b"\x01\x02", [(coap.BLOCK1, b"\x01")]),
    bytes_of(coap.ACK, coap.CONTINUE, 8, b"\x01\x02", [(coap.BLOCK1, b"\x0a")]),
    bytes_of(coap.ACK, 0, 9),
    bytes_of(coap.RST, 0, 10),
    bytes_of(coap.CON, 0, 11),
)


def mutate(data, draw):
    data = bytearray(data)
    for _ in range(1 + draw(4)):
        what = draw(4)
        at = draw(len(data)) if data else 0
        if what == 0 and data:
            data[at] = draw(256)
        elif what == 1 and data:
            data[at] ^= 1 << draw(8)
        elif what == 2:
            data = data[:at]
        else:
            data = data[:at] + bytes([draw(256)]) + data[at:]
    return bytes(data)


def weight(exchange):
    """How much of everything the exchange holds."""
    return (len(exchange._wire.flights), len(exchange._wire._seen), len(exchange._client.asks),
            len(exchange._server.late), len(exchange._server.observers), len(exchange._server.bodies),
            sum([body.length for body in exchange._server.bodies]))


LIMITS = (24, 24, 17, 8, 16, 4, 8192)


def keep_busy(a, draw, now):
    """Requests of all kinds under way, and whatever came is answered or not."""
    if draw(3) == 0:
        observe = 0 if draw(2) else None
        payload = bytes(draw(3) * 700)
        peer = draw(2) and "eth" or "lte", draw(3), 1
        handle = a.request(peer, 1 + draw(4), ("x",), now, (), payload, 0, observe=observe)
        if draw(4) == 0:
            a.cancel(handle)
    for ident, _, _ in a.observed():
        if draw(3) == 0:
            a.notify(ident, coap.CONTENT, bytes(draw(2) * 900), 0, now, draw(2))
    if draw(200) == 0:
        a.forget("eth")


def serve(a, draw, now):
    for event in a.events():
        if event[0] == "request" and draw(4):
            code = (coap.CONTENT, coap.CHANGED, coap.NOT_FOUND)[draw(3)]
            a.respond(event[1], code, now, bytes(draw(3) * 600), 0)


def aimed(data, messages, draw):
    """(peer, the datagram with the message id and token of something the exchange has sent there): those go
    deepest."""
    if not messages or len(data) < 4 or draw(4) == 0:
        return (draw(2) and "eth" or "lte", draw(3), 1), data
    peer, message = messages[draw(len(messages))]
    mid = message.mid if data[0] & 0x20 else draw(0x10000)  # that of an ACK or RST must fit, others must be new
    data = data[:2] + mid.to_bytes(2, "big") + data[4:]
    if len(message.token) == 2 and data[0] & 15 == 2:
        data = data[:4] + message.token + data[6:]
    return peer, data


def test_hostile_datagrams_never_raise_and_nothing_grows():
    """RFC 7252 11.1; every queue and table has a limit."""
    for seed in range(1, 5):
        draw = below(seed)
        a = alone(seed, block_size=64)
        now = 0
        messages = []
        for _ in range(1500):
            now += draw(400)
            keep_busy(a, draw, now)
            peer, data = aimed(SAMPLES[draw(len(SAMPLES))], messages, draw)
            if draw(3) == 0:
                data = mutate(data, draw)
            a.receive(peer, data, now, draw(10) == 0)
            serve(a, draw, now)
            messages = (messages + [(peer, coap.decode(data)) for peer, data in a.take()])[-12:]
            if a.deadline() is not None and a.deadline() <= now:
                a.poll(now)
            assert all([have <= limit for have, limit in zip(weight(a), LIMITS)]), weight(a)
        assert a.counters["received"] == 1500
        assert a.counters["refused"] > 100
        while a.deadline() is not None:
            assert a.deadline() <= now + 2000000
            a.poll(a.deadline())
            a.take()
            a.events()
        assert weight(a)[0] == 0 and weight(a)[3] == 0 and weight(a)[5] == 0


def test_many_peers_cannot_fill_it():
    b = alone()
    for n in range(200):
        b.receive(("eth", n, 1), SAMPLES[1], n)
        b.receive(("eth", n, 1), get(5, options=[(coap.OBSERVE, b"")]), n)
        for event in b.events():
            b.respond(event[1], coap.CONTENT, n, bytes(5000))
        b.take()
    assert all([have <= limit for have, limit in zip(weight(b), LIMITS)]), weight(b)


def counting(done):
    def serve(request):
        done[request.payload[:4]] = done.get(request.payload[:4], 0) + 1
        return coap.CHANGED, request.payload

    return serve


def test_each_request_happens_once_on_a_bad_network():
    """RFC 7252 4.5: at-most-once by de-duplication, at-least-once by retransmission."""
    for seed in range(1, 9):
        done = {}
        pair = Pair(counting(done), seed)
        handles = {}
        for n in range(8):
            payload = b"%04d" % n + bytes(n % 3 * 600)
            handles[pair.a.request(B, coap.POST, ("x",), pair.now, payload=payload)] = payload
            pair.run(3000)
        pair.run(400000)
        outcome = {event[1]: event for event in pair.got}
        assert len(outcome) == len(pair.got) == 8
        assert max(done.values()) == 1
        for handle, payload in handles.items():
            event = outcome[handle]
            if event[0] == "response":
                assert event[2].payload == payload and done[payload[:4]] == 1
            else:
                assert event[2] == "timeout"
        assert pair.a.deadline() is None and pair.b.deadline() is None


def test_both_ways_at_once_on_a_bad_network():
    for seed in range(1, 5):
        pair = Pair(lambda request: (coap.CONTENT, request.payload + b"!"), seed)
        asked = []
        for n in range(6):
            asked.append(pair.a.request(B, coap.POST, ("x",), pair.now, payload=bytes(n * 150)))
            asked.append(pair.b.request(A, coap.POST, ("y",), pair.now, payload=bytes(n * 150)))
        pair.run(600000, loss=10)
        assert len(pair.got) == 12
        assert len([event for event in pair.got if event[0] == "response"]) >= 10


def test_a_dead_peer_costs_a_bounded_number_of_datagrams():
    a = alone()
    for _ in range(30):
        a.request(B, coap.POST, ("x",), 0, payload=bytes(2000))
    count = 0
    while a.deadline() is not None:
        a.poll(a.deadline())
        count += len(a.take())
    assert count <= 16 * 5
    assert len(a.events()) == 30


def test_the_same_seed_gives_the_same_datagrams():
    """On both interpreters: no order of a dict, no clock, no randomness but below()."""
    digest = 0
    pair = Pair(lambda request: (coap.CONTENT, request.payload), 7)
    for n in range(6):
        pair.a.request(B, coap.POST, ("x",), pair.now, payload=b"%04d" % n + bytes(n * 300))
        pair.run(5000)
    pair.run(400000)
    for _, message in pair.wire:
        for byte in coap.encode(message):
            digest = (digest ^ byte) * 16777619 & 0xFFFFFFFF
    # Another figure after a change of bytes or timing is no fault, as long as both interpreters give it.
    assert (digest, len(pair.wire)) == (2070146242, 47)
