"""Resolving host names by asking DNS servers (RFC 1035, RFC 5452), some of them hostile."""

from agent.codec import dns
from agent.engine.resolver import Resolver

FIRST, SECOND = ("192.0.2.53", 53), ("198.51.100.53", 53)
NAME = "gw.example"


class Ids:
    """below(n) whose numbers are known."""

    def __init__(self):
        self.next = 100

    def __call__(self, n):
        self.next += 1
        return self.next % n


def wire(name):
    return b"".join([bytes((len(label),)) + label.encode() for label in name.split(".") if label]) + b"\0"


def record(name, kind, data, ttl=300):
    return wire(name) + bytes((0, kind, 0, 1)) + ttl.to_bytes(4, "big") + len(data).to_bytes(2, "big") + data


def a(name, address, ttl=300):
    return record(name, dns.A, bytes([int(part) for part in address.split(".")]), ttl)


def alias(name, target, ttl=300):
    return record(name, dns.CNAME, wire(target), ttl)


def reply(asked, *records, code=0, cut=False):
    head = asked[:2] + bytes((0x81 | cut << 1, 0x80 | code, 0, 1, 0, len(records), 0, 0, 0, 0))
    return head + asked[12:] + b"".join(records)


def asking(servers=(FIRST,), name=NAME):
    resolver = Resolver(name, list(servers), Ids(), 0)
    return resolver, question(resolver)


def question(resolver, server=FIRST):
    ((what, to, data),) = resolver.take()
    assert what == "ask" and to == server, to
    return data


def test_a_question_and_its_answer():
    resolver, asked = asking()
    assert asked == b"\0\x65\1\0\0\1\0\0\0\0\0\0" + wire(NAME) + b"\0\1\0\1"
    assert resolver.deadline() == 1000 and resolver.state == "asking"
    resolver.receive(FIRST, reply(asked, a(NAME, "203.0.113.7")), 20)
    assert (resolver.state, resolver.address, resolver.ttl_s) == ("found", "203.0.113.7", 300)
    assert resolver.deadline() is None and resolver.take() == []


def test_case_and_the_last_dot_do_not_matter():
    resolver, asked = asking(name="GW.Example.")
    resolver.receive(FIRST, reply(asked, a("gw.eXample", "203.0.113.7")), 20)
    assert resolver.address == "203.0.113.7"
    resolver, asked = asking()
    resolver.receive(FIRST, reply(asked[:13] + b"GW" + asked[15:], a(NAME, "203.0.113.7")), 20)
    assert resolver.address == "203.0.113.7"


def test_the_next_server_and_more_patience():
    """Three rounds: 1, 2 and 4 s; each question has another id."""
    resolver, asked = asking((FIRST, SECOND))
    now, ids = 0, [asked[:2]]
    for server, wait in ((SECOND, 1000), (FIRST, 2000), (SECOND, 2000), (FIRST, 4000), (SECOND, 4000)):
        now = resolver.deadline()
        resolver.poll(now - 1)
        assert resolver.take() == []
        resolver.poll(now)
        ids.append(question(resolver, server)[:2])
        assert resolver.deadline() == now + wait
    resolver.poll(resolver.deadline())
    assert resolver.state == "failed" and resolver.reason == "no DNS server answers" and resolver.take() == []
    assert len(set(ids)) == 6


def test_an_answer_to_an_earlier_question_does_not_count():
    resolver, asked = asking((FIRST, SECOND))
    resolver.poll(1000)
    question(resolver, SECOND)
    resolver.receive(FIRST, reply(asked, a(NAME, "203.0.113.7")), 1100)
    assert resolver.state == "asking"


def test_strangers_are_not_believed():
    """RFC 5452: source, port, id and question have to match."""
    resolver, asked = asking()
    good = reply(asked, a(NAME, "203.0.113.66"))
    other = reply(asked[:12] + wire("xx.example") + asked[-4:], a(NAME, "203.0.113.66"))
    for server, data in (
        (SECOND, good),
        ((FIRST[0], 5353), good),
        (FIRST, bytes((asked[0] ^ 1,)) + good[1:]),
        (FIRST, asked),
        (FIRST, other),
        (FIRST, good[: len(asked) - 2] + b"\0\x1c" + good[len(asked) :]),
        (FIRST, reply(asked)[:4] + bytes(8)),
        (FIRST, b""),
    ):
        resolver.receive(server, data, 10)
        assert resolver.state == "asking" and resolver.take() == [], data
    resolver.receive(FIRST, reply(asked, a(NAME, "203.0.113.7")), 20)
    assert resolver.address == "203.0.113.7"


def test_who_guesses_is_shaken_off():
    """After some wrong answers the question is asked anew, with another id and from another port."""
    resolver, asked = asking()
    for guess in range(15):
        resolver.receive(FIRST, bytes((9, guess)) + reply(asked, a(NAME, "203.0.113.66"))[2:], 10)
    assert resolver.take() == []
    resolver.receive(FIRST, b"xx", 10)
    assert question(resolver)[:2] != asked[:2]


def test_every_truncation_and_every_broken_byte_is_survived():
    resolver, asked = asking()
    whole = reply(asked, alias(NAME, "b.example"), a("b.example", "203.0.113.7"))
    for size in range(len(whole)):
        resolver, asked = asking()
        resolver.receive(FIRST, whole[:size], 10)
        assert resolver.address is None
    for at in range(len(whole)):
        for value in (0, 0xC0, 0xFF):
            resolver, asked = asking()
            resolver.receive(FIRST, whole[:at] + bytes((value,)) + whole[at + 1 :], 10)
            assert resolver.state in ("asking", "found", "failed")


def test_aliases_are_followed_within_an_answer():
    resolver, asked = asking()
    records = (a("c.example", "203.0.113.7", 90), alias("b.example", "c.example"), alias(NAME, "b.example", 70))
    resolver.receive(FIRST, reply(asked, *records), 10)
    assert resolver.address == "203.0.113.7" and resolver.ttl_s == 70


def test_aliases_are_asked_for():
    resolver, asked = asking()
    resolver.receive(FIRST, reply(asked, alias(NAME, "b.example"), a("unasked.example", "203.0.113.66")), 10)
    again = question(resolver)
    assert again[12:] == wire("b.example") + b"\0\1\0\1"
    resolver.receive(FIRST, reply(again, a("b.example", "203.0.113.7")), 20)
    assert resolver.address == "203.0.113.7"


def test_aliases_in_a_circle_end():
    resolver, asked = asking()
    resolver.receive(FIRST, reply(asked, alias(NAME, "b.example"), alias("b.example", NAME)), 10)
    assert resolver.state == "failed" and resolver.reason == "aliases without end"
    resolver, asked = asking(name="0.example")
    for step in range(8):
        resolver.receive(FIRST, reply(asked, alias("%d.example" % step, "%d.example" % (step + 1))), 10)
        asked = question(resolver)
    resolver.receive(FIRST, reply(asked, alias("8.example", "9.example")), 10)
    assert resolver.state == "failed" and resolver.reason == "aliases without end"


def test_there_is_no_such_host():
    """RFC 2308: the name does not exist, or has no address: no other server is asked."""
    for code, reason in ((3, "there is no such host"), (0, "it has no IPv4 address")):
        resolver, asked = asking((FIRST, SECOND))
        resolver.receive(FIRST, reply(asked, code=code), 10)
        assert resolver.state == "failed" and resolver.reason == reason and resolver.take() == []


def test_a_server_that_fails_or_refuses_is_passed_over():
    for code in (1, 2, 4, 5):
        resolver, asked = asking((FIRST, SECOND))
        resolver.receive(FIRST, reply(asked, code=code), 10)
        asked = question(resolver, SECOND)
        resolver.receive(SECOND, reply(asked, a(NAME, "203.0.113.7")), 20)
        assert resolver.address == "203.0.113.7"


def test_an_answer_that_did_not_fit():
    """Cut off: an address that is in it will do, else the next server is asked."""
    resolver, asked = asking()
    resolver.receive(FIRST, reply(asked, a(NAME, "203.0.113.7"), cut=True), 10)
    assert resolver.address == "203.0.113.7"
    resolver, asked = asking((FIRST, SECOND))
    resolver.receive(FIRST, reply(asked, cut=True), 10)
    question(resolver, SECOND)
    assert resolver.state == "asking"


def test_how_long_an_answer_counts_is_bounded():
    for ttl, counts in ((0, 60), (61, 61), (86400, 3600), (0x80000000, 60), (0xFFFFFFFF, 60)):
        resolver, asked = asking()
        resolver.receive(FIRST, reply(asked, a(NAME, "203.0.113.7", ttl)), 10)
        assert resolver.ttl_s == counts


def test_only_hosts_can_be_an_answer():
    for address in ("0.0.0.0", "224.0.1.187", "255.255.255.255"):
        resolver, asked = asking()
        resolver.receive(FIRST, reply(asked, a(NAME, address)), 10)
        assert resolver.state == "failed"


def test_a_question_that_cannot_be_sent():
    resolver, _ = asking((FIRST, SECOND))
    for _ in range(5):
        resolver.unsent(10)
        assert len(resolver.take()) == 1
    resolver.unsent(10)
    assert resolver.state == "failed"


def test_what_cannot_be_asked():
    assert Resolver(NAME, [], Ids(), 0).reason == "no DNS server is known for this link"
    for name in ("a" * 64, "a..b", "."):
        resolver = Resolver(name, [FIRST], Ids(), 0)
        assert (resolver.state, resolver.deadline()) == ("failed", None) and resolver.take() == []


def test_no_more_than_four_servers():
    servers = [("192.0.2.%d" % number, 53) for number in range(9)]
    resolver, asked = Resolver(NAME, servers, Ids(), 0), []
    while resolver.state == "asking":
        asked += [server for _, server, _ in resolver.take()]
        resolver.poll(resolver.deadline())
    assert len(asked) == 12 and len(set(asked)) == 4
