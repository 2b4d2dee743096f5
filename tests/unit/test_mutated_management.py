"""Whatever a registrar asks, in thousands of ways, is answered: nothing escapes, nothing grows, and what is refused
changes nothing."""

import sys

from coap_pair import below
from managed import Managed

from agent.codec import cbor, coap, lwm2m_cbor, senml

ROUNDS = 150 if sys.implementation.name == "micropython" else 2500  # there each request loads what it needs anew
CODES = (coap.GET, coap.GET, coap.PUT, coap.PUT, coap.POST, coap.POST, coap.DELETE, coap.FETCH, coap.PATCH, coap.IPATCH)
SEGMENTS = ("33000", "33000", "33000", "3", "0", "0", "5", "1", "2", "4", "9", "99", "65535", "\xb2", "x", "")
FORMATS = (None, None, 0, 40, 42, 60, 110, 112, 112, 11542, 11543, 11544, 9999)
WORDS = ("pmin=1", "pmax=5", "gt=1", "lt=0.5", "st=\xb2", "edge=1", "depth=1", "depth=\xb2", "con=1", "x", "=")
BODIES = [
    b"", b"5", b"1e999", b"nan", b"1_0", b"\xc2\xb2", b"0='x'", b"\xff", b"9" * 400, cbor.encode(float("nan")),
    cbor.encode(1 << 62), cbor.encode("x" * 300), b"\xc1\x01\x07", b"\x03\x07\xc1\x01\x07", b"\x86\x03\x41\x00\x61\x41",
    senml.pack([("/33000/0/4", 2.5, None), ("/33000/5/3/1", "b", None)]), senml.pack([("/33000/0/4", None, None)]),
    senml.pack([("/33000/7/1", 9, None)]), senml.pack([("/33000/0/8", (3, 70000), None)]),
    senml.pack([("/", None, None)]), senml.pack([("/33000/0/4", 2.5, None)], "", True),
    lwm2m_cbor.pack([((33000, 0, 4), 1.5), ((33000, 5, 3, 1), "x")]),
]  # fmt: skip


def damaged(draw, body):
    """One byte another, or an end missing, now and then."""
    if body and not draw(3):
        at = draw(len(body))
        body = body[:at] + bytes([draw(256)]) + body[at + 1 :]
    return body[: draw(len(body) + 1)] if not draw(5) else body


def test_every_request_is_answered():
    draw = below(7)
    net = Managed()
    for _ in range(ROUNDS):
        code, length = CODES[draw(len(CODES))], draw(5)
        if code > coap.DELETE and draw(3):
            length = 0
        path = "/" + "/".join([SEGMENTS[draw(len(SEGMENTS))] for _ in range(length)])
        words = [WORDS[draw(len(WORDS))] for _ in range(max(0, draw(5) - 2))]
        observe = draw(2) if code in (coap.GET, coap.FETCH) and not draw(3) else None
        answer = net.ask(code, path, damaged(draw, BODIES[draw(len(BODIES))]), format=FORMATS[draw(len(FORMATS))],
                         accept=FORMATS[draw(len(FORMATS))], query=words, observe=observe)  # fmt: skip
        assert answer.code >> 5 in (2, 4) or answer.code == coap.INTERNAL, (code, path)
        if observe == 0:
            net.a.cancel(net.handle)
        net.things.there = {one: net.things.there[one] for one in (0, 5) if one in net.things.there}
        if len(net.things.there) < 2:
            net = Managed()
        net.wire[:], net.served[:], net.notices[:], net.things.ran[:] = [], [], [], []
        assert len(net.kept.get("attributes", ())) <= 32 and len(net.b.observed()) <= 16
