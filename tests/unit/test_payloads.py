"""Where payloads are written: one buffer for all of them, and what is longer than it."""

from coap_pair import A, get, sent
from managed import Managed

from agent.codec import cbor, coap, linkformat, lwm2m_cbor, lwm2m_json, senml, tlv
from agent.engine import coap_blocks as blocks
from agent.engine.coap_transmission import ROOM
from agent.north import content

PAIRS = [((33000, 0, 0), "thing"), ((33000, 0, 1), -70000), ((33000, 0, 3, 2), b"\x00\xff"), ((33000, 0, 4), 1.5)]


def _pack(out, records, base="", json=False):
    return senml.pack(records, base, json, out)


def _link(out, links):
    return linkformat.encode(links, out)


def test_every_format_writes_where_something_stands_already():
    """Each adds the bytes that it would give, whatever is before them."""
    records = [("/33000/0/4", 1.5, 1700000000), ("/33000/0/4", 2, 1700000060)]
    links = [("/", [("ct", "112")]), ("/3/0", [])]
    odd = {"b": 1, "a": [1, None], -1: 2, 300: 2.5}
    for write, what, alone in (
        (cbor.write, (odd,), cbor.encode(odd)),
        (lwm2m_cbor.write, (PAIRS,), lwm2m_cbor.pack(PAIRS)),
        (lwm2m_json.write, (PAIRS, (33000, 0)), lwm2m_json.pack(PAIRS, (33000, 0))),
        (tlv.write, (PAIRS, (33000, 0)), tlv.pack(PAIRS, (33000, 0))),
        (_pack, (records,), senml.pack(records)),
        (_pack, (records, "/x", True), senml.pack(records, "/x", True)),
        (_link, (links,), linkformat.encode(links).encode()),
    ):  # fmt: skip
        out = bytearray(b"before")
        assert write(out, *what) is None and bytes(out) == b"before" + alone


def test_the_same_room_for_every_payload():
    net = Managed()
    first = net.b.room()
    first.extend(bytes(ROOM))
    assert net.b.room() is first and not first
    first.extend(bytes(ROOM + 1))
    other = net.b.room()  # the longer one may be on its way still
    assert other is not first and len(first) == ROOM + 1 and not other and net.b.room() is other


def test_a_request_keeps_its_payload():
    """Its blocks, or the whole once more, are asked for after the next payload is written."""
    for body in (b"one", bytes(range(200)), b"long" * 300):
        net = Managed()
        room = net.b.room()
        room.extend(body)
        net.b.request(A, coap.POST, ("dp",), net.now, payload=room, format=0)
        net.b.room().extend(b"another")
        net.transfer()
        assert [event[1].payload for event in net.got if event[0] == "request"] == [body]


def part(net, mid, number, size, path):
    """The answer to a request for one block."""
    net.b.receive(A, get(mid, b"t", path, options=[blocks.option(coap.BLOCK2, number, 0, size)]), net.now)
    net.settle()
    return sent(net.b)[0]


def test_transfers_in_progress_do_not_see_what_else_is_written():
    """RFC 7959 2.4: the blocks are of one body, whatever is read between them. One lies in the room, one outgrew it."""
    for body in (bytes(range(64)), bytes(range(250)) * 12):
        net = Managed()
        net.objects.add(34000, "\n0 R opaque\n", lambda instance, rid, body=body: body)
        options = [(coap.URI_PATH, b"0"), (coap.URI_PATH, b"0")]
        taken, mid, more = b"", 100, True
        while more:
            option = blocks.option(coap.BLOCK2, len(taken) // 32, 0, 32)
            net.b.receive(A, get(mid, b"t", "34000", options=options + [option]), net.now)
            net.settle()
            answer = sent(net.b)[0]
            taken, more = taken + answer.payload, blocks.read(answer, coap.BLOCK2)[1]
            part(net, mid + 1, 0, 16, "33000")  # a transfer of its own begins each time
            mid += 2
        assert taken == content.encode((34000, 0, 0), [((34000, 0, 0), body)], None)[0]


def test_what_is_too_much_is_refused_with_a_reason():
    """5.00 from 8193 bytes on, and the next payload is not troubled by it."""
    net = Managed()
    net.objects.add(34000, "\n0 R opaque\n1 R opaque\n", lambda instance, rid: bytes(5000))
    refused = net.ask(coap.GET, "/34000/0", accept=112)
    assert coap.dotted(refused.code) == "5.00" and b"ask for less" in refused.payload
    assert net.ask(coap.GET, "/3/0/0").payload == b"maker"
    assert len(net.ask(coap.GET, "/34000/0/1", accept=42).payload) == 5000
