"""DTLS datagrams damaged in thousands of ways: no exception, no growth, and nothing goes up that was not said."""

from coap_pair import below
from dtls_server import IDENTITY, KEY, Line
from test_mutated import Chance, mutated

from agent.codec import dtls as codec
from agent.engine.dtls import Dtls
from agent.errors import RemoteError

ROUNDS = 250
HANDSHAKES = 60


def test_damaged_records():
    line = Line().up()
    plain = [b"\x61\x45\x00" + bytes((n,)) * n for n in range(1, 9)]
    corpus = [line.server.seal(codec.APPLICATION, data) for data in plain]
    corpus.append(corpus[0] + corpus[1])
    chance, went_up, client = Chance(88172645), 0, line.client
    for data in corpus:
        for turn in range(ROUNDS):
            client._session.highest, client._session._seen = 0, 1  # or the window alone would refuse them
            client.receive(mutated(data, corpus[chance.below(len(corpus))], chance), turn)
            for event in client.take():
                assert event[0] == "plain" and event[1] in plain, event
                went_up += 1
    assert client.is_up() and 0 < went_up < ROUNDS * len(corpus)
    assert client.counters["forged"] > ROUNDS and client.counters["malformed"] > ROUNDS


def test_damaged_handshakes():
    """Damaged datagrams before each right one; with the same randomness the server says the same again."""
    corpus = Line().up().back
    chance, ups = Chance(123456789), 0
    for _ in range(HANDSHAKES):
        client = Dtls(IDENTITY, KEY, below())
        client.open(0)
        for data in corpus:
            for _ in range(chance.below(4)):
                client.receive(mutated(data, corpus[chance.below(len(corpus))], chance), 0)
            client.receive(data, 0)
        kinds = [event[0] for event in client.take()]
        assert "plain" not in kinds and len(kinds) <= 8
        assert client.is_up() == ("up" in kinds)
        if client._handshake:
            assert len(client._handshake._assembly._held) <= 4 and len(client._handshake._transcript) < 2048
        while client.deadline() is not None:
            client.poll(client.deadline())
        ups += "up" in kinds
    assert HANDSHAKES // 4 < ups < HANDSHAKES


def test_damaged_messages():
    """What a codec makes of a body: a value or RemoteError."""
    hello = codec.VERSION + bytes(32) + b"\0" + codec.SUITE + b"\0\0\x0b\0\x17\0\0\0\x36\0\x03\x02\x73\x01"
    chance, read = Chance(362436069), 0
    corpus = ((codec.server_hello, hello), (codec.verify_request, codec.OLDER + b"\x06cookie"),
              (codec.fragments, codec.message(codec.SERVER_KEY, 2, b"\0\x04hint")))
    for parse, body in corpus:
        for _ in range(2 * ROUNDS):
            try:
                parse(mutated(body, hello, chance))
                read += 1
            except RemoteError:
                pass
    assert 0 < read < 3 * ROUNDS
