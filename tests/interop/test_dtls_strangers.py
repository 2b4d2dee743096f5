"""The DTLS server role and datagrams of nobody: no state before a cookie came back, no answer longer than what came."""

import os

from agent.codec import dtls as codec
from agent.engine.dtls import Dtls
from pointsman.tools.servers.dtls_sessions import Server

KEY = b"secretPSK16bytes"


def server():
    refused = []
    return Server({b"dev1": KEY}.get, lambda why, where: refused.append(why)), refused


def hello(cookie_of=None):
    client = Dtls(b"dev1", KEY, lambda n: int.from_bytes(os.urandom(4), "big") % n)
    client.open(0)
    return client, [what for kind, what in client.take() if kind == "udp"]


def test_a_hello_without_a_cookie_leaves_nothing_behind():
    ours, _ = server()
    firsts = [hello()[1][0] for _ in range(50)]
    for number in range(3000):
        first = firsts[number % 50]
        (answer,) = ours.receive(first, ("192.0.2.%d" % (number % 250), number), number)
        assert len(answer[2]) < len(first)
    assert not ours._pending and not ours._by_where and not ours._by_cid and not len(ours)


def test_a_cookie_counts_for_the_address_that_it_was_given_to():
    ours, _ = server()
    client, (first,) = hello()
    (answer,) = ours.receive(first, ("192.0.2.1", 1), 0)
    client.receive(answer[2], 1)
    (second,) = [what for kind, what in client.take() if kind == "udp"]
    for port in range(2, 300):
        (answer,) = ours.receive(second, ("192.0.2.1", port), 2)
        assert len(answer[2]) < len(second) and not ours._pending
    assert ours.receive(second, ("192.0.2.1", 1), 2) and len(ours._pending) == 1


def test_sealed_records_of_nobody_have_no_answer():
    ours, refused = server()
    for number in range(2000):
        junk = codec.record(codec.APPLICATION, codec.header(1, number), os.urandom(40))
        assert ours.receive(junk, ("192.0.2.3", 7), number) == []
    assert len(refused) == 2000 and not ours._pending and not ours._by_where
