"""Block-wise transfer as a server: RFC 7959."""

from coap_pair import A, alone, bytes_of, get, sent

from agent.codec import coap
from agent.engine import coap_blocks as blocks

LONG = bytes([n * 7 & 0xFF for n in range(5000)])


def block(number, num, more, size):
    return blocks.option(number, num, more, size)


def shape(messages, number):
    """[(block number, more, size)] of the messages that carry the option."""
    return [blocks.read(m, number) for m in messages if m.get(number) is not None]


def put(mid, num, more, size, payload, options=(), path=b"x"):
    """The bytes of a block of a PUT."""
    options = [(coap.URI_PATH, path), block(coap.BLOCK1, num, more, size)] + list(options)
    return bytes_of(coap.CON, coap.PUT, mid, b"t", options, payload)


def fetch(mid, num, size, code=coap.GET):
    options = [(coap.URI_PATH, b"x"), block(coap.BLOCK2, num, 0, size)]
    return bytes_of(coap.CON, code, mid, b"t", options)


def codes(exchange):
    return [m.code for m in sent(exchange)]


def test_early_negotiation_is_obeyed():
    """RFC 7959 2.4, figure 3: the client names the size in its first request."""
    b = alone()
    b.receive(A, fetch(1, 0, 32), 0)
    b.respond(b.events()[0][1], coap.CONTENT, 0, LONG[:100])
    message = sent(b)[0]
    assert shape([message], coap.BLOCK2) == [(0, 1, 32)]
    assert message.payload == LONG[:32]
    assert message.uint(coap.SIZE2) == 100


def test_blocks_that_do_not_follow():
    """RFC 7959 2.9.2: 4.08."""
    b = alone()
    b.receive(A, put(1, 1, 1, 16, bytes(16)), 0)
    assert codes(b) == [coap.INCOMPLETE]
    b.receive(A, put(2, 0, 1, 16, bytes(16)), 0)
    b.receive(A, put(3, 2, 1, 16, bytes(16)), 0)
    assert codes(b) == [coap.CONTINUE, coap.INCOMPLETE]
    b.receive(A, put(4, 1, 0, 16, bytes(16)), 0)
    assert codes(b) == [coap.INCOMPLETE]
    assert b.events() == []


def test_blocks_of_different_formats_do_not_belong_together():
    """RFC 7959 2.3: all blocks of a body have one Content-Format."""
    b = alone()
    b.receive(A, put(1, 0, 1, 16, bytes(16), [(coap.CONTENT_FORMAT, b"p")]), 0)
    b.receive(A, put(2, 1, 0, 16, bytes(16)), 0)
    assert codes(b) == [coap.CONTINUE, coap.INCOMPLETE]


def test_bodies_of_different_paths_and_peers_do_not_mix():
    b = alone()
    other = ("eth", "c", 5683)
    for peer, path, fill in ((A, b"x", b"1"), (A, b"y", b"2"), (other, b"x", b"3")):
        b.receive(peer, put(1 if path == b"x" else 2, 0, 1, 16, fill * 16, path=path), 0)
    for peer, path, fill in ((other, b"x", b"3"), (A, b"y", b"2"), (A, b"x", b"1")):
        b.receive(peer, put(3 if path == b"x" else 4, 1, 0, 16, fill * 3, path=path), 0)
    got = [(request.peer, request.path[0], request.payload) for _, request in b.events()]
    assert got == [(other, "x", b"3" * 19), (A, "y", b"2" * 19), (A, "x", b"1" * 19)]


def test_a_new_first_block_starts_anew():
    """RFC 7959 2.5."""
    b = alone()
    b.receive(A, put(1, 0, 1, 16, b"1" * 16), 0)
    b.receive(A, put(2, 0, 1, 16, b"2" * 16), 0)
    b.receive(A, put(3, 1, 0, 16, b"3"), 0)
    assert b.events()[0][1].payload == b"2" * 16 + b"3"


def test_a_short_block_in_the_middle_is_refused():
    """RFC 7959 2.2: only the last may be short."""
    b = alone()
    b.receive(A, put(1, 0, 1, 16, bytes(15)), 0)
    assert codes(b) == [coap.BAD_REQUEST]
    b.receive(A, put(2, 0, 1, 16, bytes(17)), 0)
    assert codes(b) == [coap.BAD_REQUEST]


def test_the_reserved_size_is_refused():
    """RFC 7959 2.2: SZX 7, 4.00."""
    b = alone()
    for mid, number in ((1, coap.BLOCK1), (2, coap.BLOCK2)):
        b.receive(A, bytes_of(coap.CON, coap.PUT, mid, b"t", [(number, b"\x07")], b"1"), 0)
        message = sent(b)[0]
        assert message.code == coap.BAD_REQUEST and message.payload


def test_a_body_that_announces_itself_too_large():
    """RFC 7959 2.9.3: 4.13 at the first block, with the limit in Size1."""
    b = alone()
    b.receive(A, put(1, 0, 1, 16, bytes(16), [(coap.SIZE1, coap.uint(8193))]), 0)
    message = sent(b)[0]
    assert message.code == coap.TOO_LARGE
    assert message.uint(coap.SIZE1) == 8192
    assert b.deadline() is None


def test_a_body_that_grows_too_large():
    b = alone()
    num = 0
    while True:
        b.receive(A, put(num, num, 1, 1024, bytes(1024)), 0)
        answer = sent(b)[0]
        if answer.code != coap.CONTINUE:
            break
        num += 1
    assert (num, answer.code) == (8, coap.TOO_LARGE)
    assert b.deadline() is None


def test_half_a_body_is_dropped_after_a_while():
    b = alone()
    b.receive(A, put(1, 0, 1, 16, bytes(16)), 0)
    assert b.deadline() == 93000
    b.receive(A, put(2, 1, 1, 16, bytes(16)), 50000)
    b.poll(142999)
    assert b.deadline() == 143000
    b.poll(143000)
    assert b.deadline() is None
    b.take()
    b.receive(A, put(3, 2, 0, 16, bytes(16)), 143001)
    assert codes(b) == [coap.INCOMPLETE]


def test_all_bodies_together_have_a_limit():
    b = alone()
    for n in range(50):
        b.receive(("eth", n, 1), put(1, 0, 1, 1024, bytes(1024)), n)
    assert len(b._server.bodies) == 4
    for n in range(3):
        b.receive(("lte", n, 1), get(1), n)
        b.respond(b.events()[0][1], coap.CONTENT, n, bytes(3000))
    assert sum([body.length for body in b._server.bodies]) <= blocks.BODY_MAX
    assert [body.peer[1] for body in b._server.bodies][-2:] == [1, 2]


def test_later_blocks_come_from_the_body_held():
    b = alone()
    b.receive(A, fetch(1, 0, 512), 0)
    b.respond(b.events()[0][1], coap.CONTENT, 0, LONG[:1300], 112)
    b.receive(A, fetch(2, 1, 512), 10)
    b.receive(A, fetch(3, 2, 512), 20)
    messages = sent(b)
    assert b.events() == []
    assert shape(messages, coap.BLOCK2) == [(0, 1, 512), (1, 1, 512), (2, 0, 512)]
    assert b"".join([m.payload for m in messages]) == LONG[:1300]
    assert {m.uint(coap.CONTENT_FORMAT) for m in messages} == {112}
    assert len({m.get(coap.ETAG) for m in messages}) == 1 and messages[0].get(coap.ETAG)
    assert b.deadline() is None


def test_a_get_is_asked_again_for_a_body_no_longer_held():
    b = alone()
    b.receive(A, fetch(1, 1, 512), 0)
    b.respond(b.events()[0][1], coap.CONTENT, 0, LONG[:1300])
    message = sent(b)[0]
    assert message.payload == LONG[512:1024]
    assert shape([message], coap.BLOCK2) == [(1, 1, 512)]
    b.receive(A, fetch(2, 2, 512), 10)
    assert b.events() == []
    again = sent(b)[0]
    assert again.payload == LONG[1024:1300]
    assert again.get(coap.ETAG) == message.get(coap.ETAG)


def test_a_post_is_never_done_twice_for_a_block_of_its_answer():
    b = alone()
    b.receive(A, fetch(1, 1, 512, coap.POST), 0)
    assert codes(b) == [coap.INCOMPLETE]
    assert b.events() == []


def test_a_block_beyond_the_end():
    """RFC 7959 2.4: 4.00."""
    b = alone()
    b.receive(A, fetch(1, 5, 512), 0)
    b.respond(b.events()[0][1], coap.CONTENT, 0, LONG[:1300])
    assert codes(b) == [coap.BAD_REQUEST]


def test_errors_are_not_cut():
    b = alone()
    b.receive(A, fetch(1, 3, 16), 0)
    b.respond(b.events()[0][1], coap.NOT_FOUND, 0, b"there is nothing of that name")
    message = sent(b)[0]
    assert (message.code, message.get(coap.BLOCK2)) == (coap.NOT_FOUND, None)


def test_blocks_larger_than_ours_are_cut_down():
    """A client that insists on 1024 although we said 64."""
    b = alone(block_size=64)
    b.receive(A, fetch(1, 1, 1024), 0)
    b.respond(b.events()[0][1], coap.CONTENT, 0, LONG)
    message = sent(b)[0]
    assert shape([message], coap.BLOCK2) == [(16, 1, 64)]
    assert message.payload == LONG[1024:1088]
