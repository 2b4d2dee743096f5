"""DNS messages for service discovery (RFC 1035, RFC 6762, RFC 6763)."""

from agent.codec import dns
from agent.errors import LocalError, RemoteError

SERVICE = "_m2mbs._sub._coap._udp.local"
HEADER = bytes.fromhex("abcd84000000000100000000")  # an answer with one record


def wire(name):
    """A name without compression."""
    return b"".join([bytes((len(label),)) + label.encode() for label in name.split(".")]) + b"\0"


def record(name, kind, data, cls=1):
    return name + bytes((0, kind, cls >> 8, cls & 255, 0, 0, 0, 120)) + len(data).to_bytes(2, "big") + data


def answer(*records, questions=b"", asked=0):
    return (
        b"\xab\xcd\x84\x00\0"
        + bytes((asked, 0, 1, 0, 0, 0, len(records) - 1))
        + questions
        + b"".join(records)
    )


def refused(data):
    try:
        dns.parse(data)
    except RemoteError as error:
        assert str(error).startswith("dns: ")
        return str(error)
    raise AssertionError("accepted " + data.hex())


def full_answer():
    """As a responder answers a legacy querier: question repeated, names compressed, additional records."""
    question = wire(SERVICE) + b"\x00\x0c\x00\x01"
    at = 12 + len(question)
    instance = b"\x04boot" + b"\xc0" + bytes((12 + 12,))  # boot._coap._udp.local: behind _m2mbs._sub
    ptr = record(b"\xc0\x0c", dns.PTR, instance)
    pointer = b"\xc0" + bytes((at + 12,))  # the instance's name, in the data of the first record
    host = b"\x04host\x05local\x00"
    srv = record(pointer, dns.SRV, b"\x00\x00\x00\x00\x16\x33" + host, 0x8001)
    txt = record(pointer, dns.TXT, b"\x08path=/bs\x03v=1\x04flag\x00\x02=x", 0x8001)
    address = record(host, dns.A, b"\xc0\x00\x02\x07", 0x8001)
    return answer(ptr, srv, txt, address, questions=question, asked=1)


def test_bytes_of_a_query():
    assert dns.query([(SERVICE, dns.PTR)], 0x1234).hex() == (
        "123400000001000000000000065f6d326d6273045f737562055f636f6170045f756470056c6f63616c00000c0001"
    )
    two = dns.query([("a.local", dns.SRV), ("a.local.", dns.TXT)])
    assert (
        two
        == b"\0\0\0\0\0\x02"
        + bytes(6)
        + wire("a.local")
        + b"\0\x21\0\x01"
        + wire("a.local")
        + b"\0\x10\0\x01"
    )


def test_full_answer():
    """RFC 6763 12.1: PTR, and SRV, TXT and A as additional records."""
    assert dns.parse(full_answer()) == [
        (SERVICE, dns.PTR, "boot._coap._udp.local"),
        ("boot._coap._udp.local", dns.SRV, (0, 0, 5683, "host.local")),
        ("boot._coap._udp.local", dns.TXT, {"path": b"/bs", "v": b"1", "flag": None}),
        ("host.local", dns.A, "192.0.2.7"),
    ]


def test_every_truncation_is_refused():
    data = full_answer()
    for size in range(len(data)):
        refused(data[:size])


def test_queries_and_failures_are_no_answers():
    for second, third in ((0x00, 0), (0x04, 0), (0x8C, 0), (0x90, 0), (0x84, 3), (0x84, 5)):
        refused(HEADER[:2] + bytes((second, third)) + HEADER[4:] + record(wire("a"), 1, b"\1\2\3\4"))
    refused(dns.query([(SERVICE, dns.PTR)], 1))
    assert dns.parse(HEADER[:2] + b"\x86\x80" + HEADER[4:] + record(wire("a"), 1, b"\1\2\3\4"))


def test_other_types_and_classes_are_passed_over():
    """NSEC and AAAA come with every real answer."""
    data = answer(
        record(wire("a.local"), 28, bytes(16)),
        record(wire("a.local"), 47, b"\xff\xff\xff"),
        record(wire("a.local"), 1, b"\1\2\3\4", 3),
        record(wire("a.local"), 1, b"\1\2\3\4"),
    )
    assert dns.parse(data) == [("a.local", dns.A, "1.2.3.4")]


def test_dots_inside_a_label():
    """RFC 6763 4.3: instance names are for people."""
    name = b"\x09Dr. J\\.S!" + wire("local")
    assert dns.parse(HEADER + record(name, dns.A, b"\1\2\3\4"))[0][0] == "Dr\\. J\\\\\\.S!.local"
    assert dns.query([("Dr\\. J\\\\\\.S!.local", dns.A)])[12:-4] == name


def test_pointers_that_never_end():
    """RFC 1035 4.1.4."""
    for name in (
        b"\xc0\x0c",
        b"\xc0\x0d",
        b"\x01a\xc0\x0c",
        b"\x01a\xc0\x0e",
        b"\xc0\xff",
        b"\xff\xff",
        b"\xc0",
    ):
        refused(HEADER + record(name, dns.A, b"\1\2\3\4"))
    chain = b"\xc0\x0c" * 3
    refused(HEADER + chain + record(b"\xc0\x10", dns.A, b"\1\2\3\4"))


def test_long_names():
    """RFC 1035 2.3.4."""
    good = b"\x3f" + b"a" * 63
    assert (
        len(dns.parse(HEADER + record(good * 3 + b"\x3d" + b"a" * 61 + b"\0", 1, b"\1\2\3\4"))[0][0]) == 253
    )
    refused(HEADER + record(good * 3 + b"\x3e" + b"a" * 62 + b"\0", 1, b"\1\2\3\4"))
    refused(HEADER + record(b"\x40" + b"a" * 64 + b"\0", 1, b"\1\2\3\4"))
    refused(HEADER + record(b"\x80" + b"a" * 128 + b"\0", 1, b"\1\2\3\4"))


def test_records_that_lie_about_their_length():
    for kind, data in (
        (dns.A, b"\1\2\3"),
        (dns.A, b"\1\2\3\4\5"),
        (dns.A, b""),
        (dns.PTR, b"\x01a"),
        (dns.PTR, b""),
        (dns.PTR, b"\x01a\x00\x00"),
        (dns.SRV, b"\0\0\0\0\0\1"),
        (dns.SRV, b"\0\0\0\0\0\1\x01a"),
        (dns.TXT, b"\x05path"),
        (dns.TXT, b"\xff"),
    ):
        refused(HEADER + record(wire("a"), kind, data))


def test_text_records():
    def text(data):
        return dns.parse(HEADER + record(wire("a"), dns.TXT, data))[0][2]

    assert text(b"") == {} and text(b"\x00") == {}
    assert text(b"\x05Path=\x06path=b") == {"path": b""}
    assert text(b"\x04a=b=\x03\xff=x\x02\xff=\x01=") == {"a": b"b="}
    assert text(b"\x04k=\xff\x00") == {"k": b"\xff\x00"}


def test_names_are_utf8():
    refused(HEADER + record(b"\x02\xc3\x28\x00", dns.A, b"\1\2\3\4"))
    assert dns.parse(HEADER + record(b"\x02\xc3\xa9\x00", dns.A, b"\1\2\3\4"))[0][0] == "\u00e9"


def test_records_are_bounded():
    one = record(b"\0", dns.A, b"\1\2\3\4")
    assert len(dns.parse(answer(*[one] * 64))) == 64
    assert "more than 64" in refused(answer(*[one] * 65))
    assert "more than 64" in refused(b"\0\0\x84\0\xff\xff\0\0\0\0\0\0")


def test_what_cannot_be_asked():
    for name in ("a..b", ".a", "a" * 64, ".".join(["abcdefghi"] * 26)):
        try:
            dns.query([(name, dns.A)])
        except LocalError:
            continue
        raise AssertionError("asked " + name)
