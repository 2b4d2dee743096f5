"""Block-wise transfer between two exchanges, and as a client: RFC 7959."""

from coap_pair import B, Pair, alone, bytes_of, sent

from agent.codec import coap
from agent.engine import coap_blocks as blocks

LONG = bytes([n * 7 & 0xFF for n in range(5000)])


def echo(request):
    return coap.CONTENT, request.payload


def block(number, num, more, size):
    return blocks.option(number, num, more, size)


def shape(messages, number):
    """[(block number, more, size)] of the messages that carry the option."""
    return [blocks.read(m, number) for m in messages if m.get(number) is not None]


def test_the_option_itself():
    """RFC 7959 2.2."""
    assert block(coap.BLOCK1, 0, 0, 16) == (coap.BLOCK1, b"")
    assert block(coap.BLOCK2, 1, True, 1024) == (coap.BLOCK2, b"\x1e")
    assert block(coap.BLOCK2, 4095, 0, 512) == (coap.BLOCK2, b"\xff\xf5")
    message = coap.Message(0, 1, 1, b"", [(coap.BLOCK2, b"\xff\xf5"), (coap.BLOCK1, b"\x0a")])
    assert blocks.read(message, coap.BLOCK2) == (4095, 0, 512)
    assert blocks.read(message, coap.BLOCK1) == (0, 1, 64)


def test_there_and_back_in_blocks():
    """RFC 7959 3.3: Block1 then Block2, one token on all of them."""
    for size in (16, 64, 512, 1024):
        payload = LONG[: size * 4 + 5]
        pair = Pair(echo, a={"block_size": size}, b={"block_size": size})
        handle = pair.a.request(B, coap.POST, ("x",), 0, payload=payload, format=42)
        pair.transfer()
        assert [(request.payload, request.format) for request in pair.served] == [(payload, 42)]
        assert [(event[1], event[2].payload) for event in pair.got] == [(handle, payload)]
        assert len({m.token for _, m in pair.wire}) == 1
        asked = [m for who, m in pair.wire if who == "a"]
        assert shape(asked, coap.BLOCK1) == [(n, int(n < 4), size) for n in range(5)]
        assert shape(asked, coap.BLOCK2) == [(n, 0, size) for n in range(1, 5)]
        assert asked[0].uint(coap.SIZE1) == len(payload)
        assert pair.b._server.bodies == []
        assert pair.a.deadline() is None and pair.b.deadline() is None


def test_two_bodies_for_one_peer_go_one_after_the_other():
    """RFC 7959 2.5: their blocks would be taken for one body; what fits into one message need not wait."""
    pair = Pair(echo)
    for n in range(3):
        pair.a.request(B, coap.POST, ("x",), 0, payload=bytes([n]) * 1400)
    small = pair.a.request(B, coap.POST, ("x",), 0, payload=b"small")
    other = pair.a.request(("eth", "c", 1), coap.POST, ("x",), 0, payload=bytes(1400))
    queued = pair.a._client.asks[1]
    pair.a.receive(B, bytes_of(coap.NON, coap.CONTENT, 1, queued.token), 0)  # guessed: it answers nothing yet
    assert len(pair.a.take()) == 2 and pair.a.events() == []
    pair.a.cancel(other)
    pair.wait(10000)
    assert [request.payload[:5] for request in pair.served] == [b"small", bytes(5), b"\x01" * 5, b"\x02" * 5]
    assert pair.got[0][1] == small
    assert [event[2].payload for event in pair.got[1:]] == [bytes([n]) * 1400 for n in range(3)]
    assert pair.a.deadline() is None


def test_no_block_options_where_none_are_needed():
    pair = Pair(echo)
    pair.a.request(B, coap.POST, ("x",), 0, payload=LONG[:512])
    pair.transfer()
    assert all([m.get(coap.BLOCK1) is None and m.get(coap.BLOCK2) is None for _, m in pair.wire])
    assert len(pair.wire) == 2


def test_exactly_two_blocks():
    pair = Pair(echo)
    pair.a.request(B, coap.POST, ("x",), 0, payload=LONG[:1024])
    pair.transfer()
    assert len(pair.wire) == 6
    assert pair.got[0][2].payload == LONG[:1024]


def test_the_largest_body():
    body = bytes(blocks.BODY_MAX)
    pair = Pair(echo, a={"block_size": 1024}, b={"block_size": 1024})
    pair.a.request(B, coap.POST, ("x",), 0, payload=body)
    pair.transfer()
    assert pair.got[0][2].payload == body


def test_the_server_wants_smaller_blocks():
    """RFC 7959 2.5, figure 8: it says so in the answer to the first block."""
    pair = Pair(echo, a={"block_size": 512}, b={"block_size": 64})
    pair.a.request(B, coap.PUT, ("x",), 0, payload=LONG[:1000])
    pair.transfer()
    asked = [m for who, m in pair.wire if who == "a"]
    assert shape(asked, coap.BLOCK1)[:3] == [(0, 1, 512), (8, 1, 64), (9, 1, 64)]
    assert pair.served[0].payload == LONG[:1000]
    assert pair.got[0][2].payload == LONG[:1000]


def test_the_client_wants_smaller_blocks():
    """RFC 7959 2.4: late negotiation, in the request for the next block."""
    pair = Pair(lambda request: (coap.CONTENT, LONG[:1000]), a={"block_size": 64}, b={"block_size": 512})
    pair.a.request(B, coap.GET, ("x",), 0)
    pair.transfer()
    asked = [m for who, m in pair.wire if who == "a"]
    assert shape(asked, coap.BLOCK2)[:2] == [(8, 0, 64), (9, 0, 64)]
    assert pair.got[0][2].payload == LONG[:1000]
    assert len(pair.served) == 1


def test_too_large_with_a_hint_is_tried_again_in_smaller_blocks():
    """RFC 7959 2.9.3: 4.13 with a Block1 of a smaller size."""
    a = alone()
    a.request(B, coap.PUT, ("x",), 0, payload=LONG[:500])
    asked = sent(a)[0]
    assert asked.get(coap.BLOCK1) is None
    a.receive(B, bytes_of(coap.ACK, coap.TOO_LARGE, asked.mid, asked.token, [block(coap.BLOCK1, 0, 0, 128)]), 1)
    asked = sent(a)[0]
    assert shape([asked], coap.BLOCK1) == [(0, 1, 128)]
    assert a.events() == []
    a.receive(B, bytes_of(coap.ACK, coap.TOO_LARGE, asked.mid, asked.token, [block(coap.BLOCK1, 0, 0, 128)]), 2)
    assert a.events()[0][2].code == coap.TOO_LARGE
    assert a.take() == []


def test_a_body_lost_by_the_server_is_sent_anew():
    """RFC 7959 2.9.2: 4.08; but not for ever."""
    a = alone()
    handle = a.request(B, coap.PUT, ("x",), 0, payload=LONG[:1500])
    starts = 0
    while True:
        asked = sent(a)
        if not asked:
            break
        asked = asked[0]
        num = blocks.read(asked, coap.BLOCK1)[0]
        starts += not num
        code = coap.INCOMPLETE if num else coap.CONTINUE
        a.receive(B, bytes_of(coap.ACK, code, asked.mid, asked.token, [block(coap.BLOCK1, num, 1, 512)]), 1)
    assert starts == 3
    kind, who, response = a.events()[0]
    assert (kind, who, response.code) == ("response", handle, coap.INCOMPLETE)


def test_an_error_in_the_middle_of_an_upload_is_the_response():
    a = alone()
    a.request(B, coap.PUT, ("x",), 0, payload=LONG[:1500])
    asked = sent(a)[0]
    a.receive(B, bytes_of(coap.ACK, coap.FORBIDDEN, asked.mid, asked.token), 1)
    assert a.events()[0][2].code == coap.FORBIDDEN
    assert a.take() == []


def test_a_server_that_acts_on_each_block():
    """RFC 7959 2.3: M is 0 in the responses; the client goes on."""
    a = alone()
    a.request(B, coap.PUT, ("x",), 0, payload=LONG[:1500])
    for num in range(3):
        asked = sent(a)[0]
        assert blocks.read(asked, coap.BLOCK1)[0] == num
        a.receive(B, bytes_of(coap.ACK, coap.CHANGED, asked.mid, asked.token, [block(coap.BLOCK1, num, 0, 512)]), 1)
    assert a.events()[0][2].code == coap.CHANGED


def test_responses_out_of_step_fail_the_request():
    for code, options, size in (
        (coap.CONTINUE, [block(coap.BLOCK1, 3, 1, 512)], 0),
        (coap.CONTINUE, [], 0),
        (coap.CONTINUE, [(coap.BLOCK1, b"\x0f")], 0),
        (coap.CONTENT, [block(coap.BLOCK2, 1, 1, 64)], 64),
        (coap.CONTENT, [block(coap.BLOCK2, 0, 1, 64)], 63),
        (coap.CONTENT, [block(coap.BLOCK2, 0, 1, 64)], 65),
        (coap.CONTENT, [(coap.BLOCK2, b"\x0f")], 64),
    ):
        a = alone()
        handle = a.request(B, coap.PUT, ("x",), 0, payload=LONG[:1500])
        asked = sent(a)[0]
        a.receive(B, bytes_of(coap.ACK, code, asked.mid, asked.token, options, bytes(size)), 1)
        assert a.events() == [("failed", handle, "block")], (code, options)
        assert a.take() == [] and a.deadline() is None


def test_continue_to_the_last_block_fails_the_request():
    a = alone()
    handle = a.request(B, coap.PUT, ("x",), 0, payload=LONG[:10])
    asked = sent(a)[0]
    a.receive(B, bytes_of(coap.ACK, coap.CONTINUE, asked.mid, asked.token), 1)
    assert a.events() == [("failed", handle, "block")]


def test_a_response_that_changes_on_the_way_fails_the_request():
    """RFC 7959 2.4: blocks with different ETags do not belong together."""
    a = alone()
    handle = a.request(B, coap.GET, ("x",), 0)
    for num, etag in ((0, b"1"), (1, b"2")):
        asked = sent(a)[0]
        options = [(coap.ETAG, etag), block(coap.BLOCK2, num, 1, 16)]
        a.receive(B, bytes_of(coap.ACK, coap.CONTENT, asked.mid, asked.token, options, bytes(16)), 1)
    assert a.events() == [("failed", handle, "block")]


def test_a_response_without_end_fails_the_request():
    """The body has a limit: 8 KiB."""
    a = alone(block_size=1024)
    handle = a.request(B, coap.GET, ("x",), 0)
    rounds = 0
    while True:
        asked = sent(a)
        if not asked:
            break
        options = [block(coap.BLOCK2, rounds, 1, 1024)]
        a.receive(B, bytes_of(coap.ACK, coap.CONTENT, asked[0].mid, asked[0].token, options, bytes(1024)), 1)
        rounds += 1
    assert rounds == 9
    assert a.events() == [("failed", handle, "block")]


def test_an_error_in_the_middle_of_a_download_is_the_response():
    a = alone()
    a.request(B, coap.GET, ("x",), 0)
    asked = sent(a)[0]
    a.receive(B, bytes_of(coap.ACK, coap.CONTENT, asked.mid, asked.token, [block(coap.BLOCK2, 0, 1, 16)], bytes(16)), 1)
    asked = sent(a)[0]
    a.receive(B, bytes_of(coap.ACK, coap.NOT_FOUND, asked.mid, asked.token, (), b"gone"), 1)
    response = a.events()[0][2]
    assert (response.code, response.payload) == (coap.NOT_FOUND, b"gone")


def test_a_lost_block_is_repeated():
    pair = Pair(echo)
    pair.a.request(B, coap.POST, ("x",), 0, payload=LONG[:2000])
    pair.run(200000, loss=20, twice=20, late=1500)
    assert [event[2].payload for event in pair.got] == [LONG[:2000]]
    assert len(pair.served) == 1


def test_separate_responses_in_the_middle():
    """Every 2.31 and every block may come as a message of its own (RFC 7959 3.1, figure 5)."""
    a = alone()
    handle = a.request(B, coap.POST, ("x",), 0, payload=LONG[:1000])
    for num, code, options, payload in (
        (0, coap.CONTINUE, [block(coap.BLOCK1, 0, 1, 512)], b""),
        (1, coap.CHANGED, [block(coap.BLOCK1, 1, 0, 512), block(coap.BLOCK2, 0, 1, 16)], bytes(16)),
        (2, coap.CHANGED, [block(coap.BLOCK2, 1, 0, 16)], b"end"),
    ):
        asked = sent(a)[-1]
        assert asked.type == coap.CON
        a.receive(B, bytes_of(coap.ACK, 0, asked.mid), num * 5000)
        a.receive(B, bytes_of(coap.CON, code, 70 + num, asked.token, options, payload), num * 5000 + 3000)
    assert [(event[1], event[2].payload) for event in a.events()] == [(handle, bytes(16) + b"end")]
    assert a.deadline() is None
