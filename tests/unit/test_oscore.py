"""OSCORE as an engine: both roles, Observe, blocks, replays, restarts, forgeries (RFC 8613, RFC 9175)."""

from coap_pair import A, B, below
from oscore_pair import answer, contexts, pair, request, taken

from agent.codec import coap
from agent.codec import oscore as codec
from agent.engine.oscore import Context, Oscore
from agent.engine.oscore_context import Window

BODY = bytes([n * 7 & 0xFF for n in range(1500)])


def guards(**options):
    """A client's and a server's guard, never used."""
    client, server = contexts(**options)
    return Oscore(client, below()), Oscore(server, below(2))


def sealed(guard, data, now=0):
    """The one datagram that a plain one became."""
    guard.send(data, now)
    (datagram,) = taken(guard, "udp")
    return datagram


def opened(guard, datagram, now=0):
    """The Messages that came of a datagram."""
    guard.receive(datagram, now)
    return [coap.decode(data) for data in taken(guard, "plain")]


def errors(guard, datagram, now=0):
    """The codes and texts of what is answered at once."""
    guard.receive(datagram, now)
    said = guard.take()
    assert not [kind for kind, _ in said if kind == "plain"]
    answers = [coap.decode(data) for kind, data in said if kind == "udp"]
    return [(message.code, message.payload) for message in answers]


def serve(message):
    """As a device: a body on /large, else an echo."""
    return (coap.CONTENT, BODY) if message.path == ("large",) else (coap.CHANGED, message.payload)


def ask(joined, path, code=coap.POST, **more):
    """The Response, or why there is none."""
    handle = joined.a.request(B, code, (path,), joined.now, **more)
    joined.wait(200000)
    (event,) = [event for event in joined.got if event[1] == handle]
    joined.got.remove(event)
    return event[2]


def test_what_shows_outside():
    """RFC 8613 4.1, 4.2: POST or FETCH outside, host, Observe and OSCORE as the only options; nothing of the rest."""
    client, server = guards()
    options = [(3, b"host"), (coap.ACCEPT, b"\x3c")]
    outer = coap.decode(sealed(client, request(1, code=coap.PUT, options=options, payload=b"secret")))
    assert outer.code == coap.POST and [number for number, _ in outer.options] == [3, 9]
    assert len(outer.payload) == 1 + 2 + 2 + 1 + 6 + 8
    (inner,) = opened(server, coap.encode(outer))
    assert (inner.code, inner.path(), inner.uint(coap.ACCEPT), inner.payload) == (coap.PUT, ("x",), 60, b"secret")
    outer = coap.decode(sealed(server, answer(1, code=coap.CHANGED)))
    assert outer.code == coap.CHANGED and outer.options == [(9, b"")]
    outer = coap.decode(sealed(client, request(2, b"o", options=[(coap.OBSERVE, b"")])))
    assert outer.code == coap.FETCH and [number for number, _ in outer.options] == [6, 9]
    opened(server, coap.encode(outer))
    outer = coap.decode(sealed(server, answer(2, b"o", options=[(coap.OBSERVE, b"\x05")])))
    assert outer.code == coap.CONTENT and outer.options == [(6, b"\x05"), (9, b"\x01\x00")]


def test_requests_blocks_and_separate_responses():
    joined = pair(serve)
    assert ask(joined, "x", payload=b"hello").payload == b"hello"
    assert ask(joined, "x", payload=BODY).payload == BODY
    assert ask(joined, "large", coap.GET).payload == BODY
    joined.serve = lambda message: None
    handle = joined.a.request(B, coap.GET, ("later",), joined.now)
    joined.wait(1500)  # the empty ACK has come
    joined.b.respond(joined.served[-1], coap.CONTENT, joined.now, b"late")
    joined.wait(100)
    assert joined.got[0][:2] == ("response", handle) and joined.got[0][2].payload == b"late"
    counters = [end.guard.counters for end in (joined.a, joined.b)]
    assert not any([count for both in counters for count in both.values()])


def test_a_bad_network():
    """Loss, doubles, disorder: each request is obeyed once and answered, and no nonce ever seals two texts."""
    for seed in (1, 2, 3):
        joined = pair(serve, seed, group=b"group" if seed == 2 else None)
        nonces = [watched(end.context) for end in (joined.a, joined.b)]
        for n in range(12):
            joined.a.request(B, coap.POST, ("x",), joined.now, payload=bytes([n]) * (700 if n == 5 else 3))
            joined.run(30000, loss=15)
        joined.wait(300000)
        answers = [event[2].payload[0] for event in joined.got if event[0] == "response"]
        assert len(set(answers)) == len(answers) > 8, answers
        bodies = [bytes(message.payload[:1]) for message in joined.served]
        assert len(set(bodies)) == len(bodies)
        for texts in nonces:
            assert len(texts) > 8 and not [nonce for nonce in texts if len(texts[nonce]) != 1]


def watched(context):
    """nonce -> the set of what was sealed under it, filled from now on."""
    texts, seal = {}, context._seal

    def watch(nonce, text, additional):
        texts.setdefault(nonce, set()).add((text, additional))
        return seal(nonce, text, additional)

    context._seal = watch
    return texts


def test_what_we_repeat_is_the_same():
    """A retransmission is the same message (RFC 7252 4.2); a new one has a new number, with the same words too."""
    client, server = guards()
    first = sealed(client, request(1))
    assert sealed(client, request(1)) == first != sealed(client, request(2, b"u"))
    opened(server, first)
    reply = sealed(server, answer(1))
    assert sealed(server, answer(1)) == reply
    other = coap.decode(sealed(server, answer(1, payload=b"no")))
    assert other.get(codec.OPTION) == b"\x01\x00"


def test_what_the_peer_repeats():
    """It goes up as it came: only an exchange that knows the message id again has an answer to it."""
    joined = pair(serve)
    joined.a.request(B, coap.POST, ("x",), 0, payload=b"once")
    ((_, data),) = joined.a.take()
    for _ in range(3):
        joined.b.receive(A, data, 0)
        joined.settle()
    answers = joined.b.take()
    assert len(joined.served) == 1 and len(answers) == 3 and len(set(answers)) == 1
    assert joined.b.counters["duplicates"] == 2 and joined.b.guard.counters["replayed"] == 0


def test_replays_are_refused():
    """8.2, 7.4: in or below the window, under another message id or after others have come."""
    client, server = guards()
    seen = [sealed(client, request(n, bytes((n,)))) for n in range(40)]
    for data in seen[:1] + seen[2:]:
        assert opened(server, data)
    again = seen[30][:3] + b"\x77" + seen[30][4:]
    refusal = [(coap.UNAUTHORIZED, b"Replay detected")]
    assert errors(server, again) == refusal and errors(server, seen[3]) == refusal
    assert errors(server, seen[1]) == refusal  # never came, but is too old to know
    assert server.counters["replayed"] == 3


def test_window():
    """3.2.2: 32 wide, in any order."""
    window = Window(True)
    for number in (5, 3, 4, 36):
        assert window.fresh(number)
        window.take(number)
        assert not window.fresh(number)
    assert [n for n in range(40) if window.fresh(n)] == list(range(6, 36)) + [37, 38, 39]
    window.take(1000000)
    assert not window.fresh(36) and window.fresh(999999) and not window.fresh(1000000 - 32)


def test_forgeries_are_refused():
    """8.2: another key, another context, another id, no number, not the option's form; nothing goes up."""
    client, server = guards()
    stranger = Oscore(Context(b"another secret..", b"", b"", b"\x01"), below())
    assert errors(server, sealed(stranger, request(1))) == [(coap.BAD_REQUEST, b"Decryption failed")]
    unknown = [(coap.UNAUTHORIZED, b"Security context not found")]
    other = Oscore(Context(b"another secret..", b"", b"\x02", b"\x01"), below())
    assert errors(server, sealed(other, request(1))) == unknown
    grouped = Oscore(contexts(group=b"g")[0], below())
    assert errors(server, sealed(grouped, request(1))) == unknown
    bad = [(coap.BAD_OPTION, b"Failed to decode COSE")]
    for options in ([(9, b"\x08")], [(9, b"\x01\x05")], [(9, b"\xff")], [(9, b"\x09\x05")] * 2,
                    [(9, b"\x09\x05"), (coap.BLOCK1, b"\x08")], [(9, b"\x09\x05"), (2049, b"")]):
        assert errors(server, coap.encode(coap.Message(coap.CON, coap.POST, 7, b"t", options, b"sealed..x"))) == bad
    assert errors(server, coap.encode(coap.Message(coap.CON, coap.POST, 7, b"t", [(9, b"\x09\x05")]))) == bad
    assert errors(server, request(8)) == [(coap.UNAUTHORIZED, b"OSCORE is needed")]
    assert errors(server, request(8, type=coap.NON)) == []
    assert opened(server, sealed(client, request(9)))  # unharmed


def test_forged_responses_change_nothing():
    """8.4: they count as not come; the right one is still taken. Without protection even less is believed."""
    client, server = guards()
    opened(server, sealed(client, request(1)))
    right = sealed(server, answer(1))
    for at in range(4 + 1, len(right)):
        forged = right[:at] + bytes((right[at] ^ 1,)) + right[at + 1 :]
        client.receive(forged, 0)
        assert [data for data in taken(client, "plain") if data != forged] == [], at  # malformed ones go up
    assert opened(client, answer(1)) == [] and client.counters["unprotected"] >= 1
    (message,) = opened(client, right)
    assert (message.code, message.payload) == (coap.CONTENT, b"yes")
    assert opened(client, right) == []  # it is answered
    stray = coap.encode(coap.Message(coap.CON, coap.CHANGED, 5, b"zz", [(9, b"")], b"sealed..x"))
    client.receive(stray, 0)
    assert [coap.header(data) for data in taken(client, "udp")] == [(coap.RST, 0, 5)]


def test_an_unprotected_refusal_is_told():
    """8.3: the server does not know us (any more); the request ends, and not with the refusal itself."""
    client, _ = guards()
    sealed(client, request(1))
    client.receive(answer(1, code=coap.UNAUTHORIZED, payload=b"Security\ncontext\xff not found"), 0)
    refused, plain = client.take()
    assert refused == ("refused", "oscore: unprotected answer 4.01 Securitycontext not found")
    assert coap.decode(plain[1]).code == 162
    client.receive(answer(1, code=coap.UNAUTHORIZED), 0)
    assert client.take() == []


def test_confirmable_responses_are_acknowledged_again():
    """A separate response whose ACK was lost comes again, when its request is gone."""
    client, server = guards()
    opened(server, sealed(client, request(1)))
    data = sealed(server, answer(77, type=coap.CON))
    assert opened(client, data)
    client.receive(data, 0)
    assert [coap.header(datagram) for datagram in taken(client, "udp")] == [(coap.ACK, 0, 77)]


def test_observe():
    """4.1.3.5: notifications have numbers of their own, and so an order that nobody outside can change."""
    client, server = guards()
    opened(server, sealed(client, request(1, options=[(coap.OBSERVE, b"")])))
    notices = [sealed(server, answer(n, type=coap.NON, options=[(coap.OBSERVE, bytes((n,)))], payload=b"%d" % n))
               for n in range(1, 6)]
    got = [opened(client, notices[at]) for at in (0, 1, 3, 2, 3, 4)]
    assert [len(messages) for messages in got] == [1, 1, 1, 0, 0, 1]
    numbers = [messages[0].uint(coap.OBSERVE) for messages in got if messages]
    assert numbers == sorted(set(numbers)) and got[5][0].payload == b"5"
    assert client.counters["replayed"] == 2
    (message,) = opened(client, sealed(server, answer(9, code=coap.NOT_FOUND, type=coap.CON)))
    assert message.code == coap.NOT_FOUND and opened(client, notices[4]) == []


def test_observe_through_the_exchange():
    joined = pair(lambda message: (coap.CONTENT, b"0"))
    handle = joined.a.request(B, coap.GET, ("x",), 0, observe=0)
    joined.transfer()
    for n in range(1, 6):
        ((observer, _, _),) = joined.b.observed(("x",))
        assert joined.b.notify(observer, coap.CONTENT, b"%d" % n, 0, joined.now, n == 3)
        joined.wait(1000)
    assert [event[2].payload for event in joined.got if event[0] == "response"] == [b"0", b"1", b"2", b"3", b"4", b"5"]
    joined.a.cancel(handle)
    joined.b.notify(observer, coap.CONTENT, b"6", 0, joined.now)
    joined.wait(1000)
    assert joined.got[-1] == ("unobserved", observer)


def test_a_forgotten_observer_ends():
    """After an unclean start nothing is left to bind a notification to."""
    joined = pair(lambda message: (coap.CONTENT, b"0"))
    joined.a.request(B, coap.GET, ("x",), 0, observe=0)
    joined.transfer()
    ((observer, _, _),) = joined.b.observed(("x",))
    joined.b.restart()
    joined.b.notify(observer, coap.CONTENT, b"1", 0, joined.now)
    joined.wait(1000)
    assert ("unobserved", observer) in joined.got and joined.b.observed(("x",)) == []


def test_a_forgotten_request_gets_nothing():
    """What cannot be bound is not sent; and an ACK's id is the peer's, it ends nothing of ours."""
    _, server = guards()
    for kind, plain in ((coap.ACK, []), (coap.CON, [(coap.RST, 0, 5)]), (coap.NON, [(coap.RST, 0, 5)])):
        server.send(answer(5, type=kind), 0)
        said = server.take()
        assert [coap.header(data) for _, data in said] == plain and not [1 for what, _ in said if what == "udp"]
    assert server.counters["dropped"] == 3


def test_echo_after_an_unclean_start():
    """B.1.2, RFC 9175 2.3: the first request has to prove that it is new; what was answered before is not obeyed."""
    joined = pair(serve)
    joined.a.request(B, coap.POST, ("x",), 0, payload=b"old")
    ((_, old),) = joined.a.take()
    joined.deliver("a", old)
    joined.transfer()
    joined.b.restart()
    joined.b.receive(A, old[:3] + b"\x99" + old[4:], 0)
    ((_, data),) = joined.b.take()
    assert coap.decode(data).get(codec.OPTION)  # never under the old request's nonce
    joined.now += 300000
    assert ask(joined, "x", payload=b"new").payload == b"new"
    assert [message.payload for message in joined.served] == [b"old", b"new"]
    before = joined.b.guard.counters["replayed"]
    joined.b.receive(A, old[:3] + b"\x98" + old[4:], joined.now)
    assert joined.b.guard.counters["replayed"] == before + 1 and len(joined.served) == 2
    assert len([m for sender, m in joined.wire if sender == "a"]) == 1 + 2


def test_a_peer_without_echo_is_obeyed_again():
    """B.1.2 without Echo: what is beyond all that can have been taken before the power cut needs no other proof."""
    client, server = guards()
    kept, old = None, []
    for n in range(20):
        old.append(sealed(client, request(n, bytes((n,)))))
        server.receive(old[-1], 0)
        for kind, what in server.take():
            kept = what if kind == "keep" else kept
    assert 19 <= kept[1] < 40 and len(kept) == 2
    server = Oscore(contexts()[1], below(2), kept)
    for data in old:
        server.receive(data, 1000)
    taken = [n for n in range(20, 60) if _is_taken(server, sealed(client, request(n, bytes((n,)))), 2000 + n * 300)]
    assert taken == list(range(kept[1] + 1, 60)), (taken, kept)
    counted = server.counters["replayed"]
    server.receive(old[0], 99999)
    assert server.counters["replayed"] == counted + 1


def _is_taken(server, data, now):
    server.receive(data, now)
    return "plain" in [kind for kind, _ in server.take()]


def test_demands_for_echo_are_few():
    """Who replays what was recorded cannot have our numbers used up, nor the medium worn out."""
    client, server = contexts()
    client = Oscore(client, below())
    recorded = [sealed(client, request(n, bytes((n,)))) for n in range(50)]
    server = Oscore(server, below(2), [64])
    answers = [errors(server, data, 1000 + n * 10) for n, data in enumerate(recorded[::-1])]
    assert len([codes for codes in answers if codes]) == 2 and server.counters["dropped"] == 48
    assert errors(server, sealed(client, request(77)), 1490)  # a new one is asked at once


def test_numbers_are_written_ahead():
    """B.1.1: "keep" comes before the first datagram beyond it; after any crash no number comes again."""
    context = contexts()[0]
    kept, used = None, []
    for life in range(6):
        guard = Oscore(context, below(), kept, 4)
        for n in range(life * 2):
            guard.send(request(n, bytes((life, n))), 0)
            for kind, what in guard.take():
                if kind == "keep":
                    kept = what
                else:
                    piv, _, _ = codec.decode(coap.decode(what).get(codec.OPTION))
                    used.append(int.from_bytes(piv, "big"))
                    assert used[-1] < kept[0]
    assert used == sorted(set(used)) and len(used) == 30 and kept[0] < 60


def test_a_clean_end():
    """The window is kept then: no Echo at the next start, yet no replay; no number is lost."""
    client, server = guards()
    data = sealed(client, request(1))
    opened(server, data)
    sealed(server, answer(1))
    state = server.state()
    server = Oscore(contexts()[1], below(), state)
    assert errors(server, data) == [(coap.UNAUTHORIZED, b"Replay detected")]
    assert server.take() == []
    server.receive(sealed(client, request(2, b"u")), 0)
    kinds = [kind for kind, _ in server.take()]
    assert kinds == ["keep", "plain"]  # from here on a crash has to cost the window


def test_numbers_are_used_up():
    """7.2.1: at the last of 2^40 numbers it is over."""
    guard = Oscore(contexts()[0], below(), [0xFFFFFFFFFF])
    assert coap.decode(sealed(guard, request(1))).get(codec.OPTION)[:6] == b"\x0d" + b"\xff" * 5
    guard.send(request(2), 0)
    ((kind, why),) = guard.take()
    assert kind == "closed" and "new keys" in why


def test_bounded():
    """Any number of requests, observations and strangers leave tables of the same size behind."""
    client, server = guards()
    for n in range(100):
        token = bytes((n,))
        data = sealed(client, request(n, token, options=[(coap.OBSERVE, b"")] if n & 1 else ()))
        assert opened(server, data)
        errors(server, data[:3] + b"\xee" + data[4:])
    assert len(client._asked) == 36 and len(server._served) == 24
    for _ in range(100):
        server.receive(request(1), 0)
    assert len(server.take()) == 32 and server.counters["dropped"] == 68


def test_other_algorithms():
    """RFC 9053 4.2: AES-256, and tags of 16 bytes."""
    for algorithm in (11, 30, 31):
        client, server = guards(algorithm=algorithm)
        data = sealed(client, request(1))
        assert opened(server, data) and len(coap.decode(data).payload) == 3 + (8 if algorithm == 11 else 16)
