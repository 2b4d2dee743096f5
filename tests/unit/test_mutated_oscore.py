"""Protected messages damaged in thousands of ways: no exception, no growth, and nothing goes up that was not said."""

from coap_pair import below
from oscore_pair import answer, contexts, request, taken
from test_mutated import Chance, mutated

from agent.codec import coap
from agent.codec import oscore as codec
from agent.engine.oscore import Oscore
from agent.engine.oscore_context import Window
from agent.errors import RemoteError

ROUNDS = 250
OBSERVE = [(coap.OBSERVE, b"")]


def said(data):
    """What is protected of a plain datagram; None of an empty or malformed one, which says nothing."""
    try:
        message = coap.decode(data)
    except RemoteError:
        return None
    options = [item for item in message.options if item[0] != coap.OBSERVE]
    return (message.code, tuple(options), message.payload) if message.code else None


def corpora():
    """Protected requests and responses, plain ones beside each."""
    client, server = [Oscore(context, below(), None, 1000) for context in contexts(b"group")]
    requests, responses, plain = [], [], []
    for n, options in enumerate(([], OBSERVE, [(3, b"host")], [(coap.CONTENT_FORMAT, b"\x3c")])):
        token = bytes((n, n))
        text = request(n, token, coap.POST if n == 3 else coap.GET, coap.CON, options, b"reading %d" % n)
        client.send(text, 0)
        requests += taken(client, "udp")
        server.receive(requests[-1], 0)
        (text,) = taken(server, "plain")
        plain.append(said(text))
        text = answer(n, token, options=options if n == 1 else [], payload=b"answer %d" % n)
        server.send(text, 0)
        responses += taken(server, "udp")
        plain.append(said(text))
    return client, server, requests, responses, plain


def hammer(guard, corpus, plain, seed, renew):
    """How many damaged messages were taken all the same: id, token and type are nobody's secret (RFC 8613 4.2)."""
    chance, taken_up = Chance(seed), 0
    for data in corpus:
        for turn in range(ROUNDS):
            renew(guard)
            bad = mutated(data, corpus[chance.below(len(corpus))], chance)
            guard.receive(bad, turn)
            for text in taken(guard, "plain"):
                message = said(text)
                if message and message[0] != 162:
                    assert message in plain, bad
                    taken_up += 1
    return taken_up


def test_damaged_requests():
    _, server, requests, _, plain = corpora()

    def renew(guard):
        guard._window = Window(True)

    assert 0 < hammer(server, requests, plain, 88172645, renew) < ROUNDS
    assert len(server._served) <= 24 and server.counters["refused"] > ROUNDS


def test_damaged_responses():
    client, _, _, responses, plain = corpora()
    asked = client._asked[:]

    def renew(guard):
        guard._asked = asked[:]
        for bound in asked:
            bound.number = None

    assert 0 < hammer(client, responses, plain, 123456789, renew) < ROUNDS
    assert client.counters["refused"] > 100 and len(client._repeated) <= 8


def test_damaged_options():
    """What is read is written the same."""
    chance, read = Chance(362436069), 0
    corpus = [codec.encode(b"\x05", b"kid", b"group"), codec.encode(b"\x01\x00", b""), codec.encode(b"\x07")]
    for turn in range(3 * ROUNDS):
        bad = mutated(corpus[turn % 3], corpus[chance.below(3)], chance)
        try:
            assert codec.encode(*codec.decode(bad)) == bad
            read += 1
        except RemoteError:
            pass
    assert 0 < read < 3 * ROUNDS
