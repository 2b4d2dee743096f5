"""Finding the configuration server (C2): what is asked when, which answers count, what strangers cannot."""

from agent.codec import coap, dns
from agent.engine.discovery import Discovery
from agent.errors import LocalError

SERVER = "192.0.2.9"
LINKS = b'</bs>;rt="oma.bs"'


def below(n):
    return n // 2


def started(**options):
    """A discovery whose first round is on its way, and what it sent."""
    found = Discovery(below, **options)
    found.start("eth", 1000)
    found.poll(found.deadline())
    return found, found.take()


def question(sent):
    """Our CoAP question among what was sent."""
    return [coap.decode(event[4]) for event in sent if event[2] == "224.0.1.187"][0]


def core_answer(
    sent, payload=LINKS, code=coap.CONTENT, kind=coap.NON, options=((coap.CONTENT_FORMAT, b"\x28"),)
):
    return coap.encode(coap.Message(kind, code, 7, question(sent).token, options, payload))


def wire(name):
    return b"".join([bytes((len(label),)) + label.encode() for label in name.split(".")]) + b"\0"


def dns_answer(
    sent, service="coaps", port=5684, address=b"\xc0\x00\x02\x09", txt=b"\x08path=/bs\x03v=1", flags=0x84
):
    ident = [event[4] for event in sent if event[2] == "224.0.0.251"][0][:2]
    records = [
        ("_m2mbs._sub._%s._udp.local" % service, dns.PTR, wire("Boot._%s._udp.local" % service)),
        ("boot._%s._udp.local" % service, dns.SRV, b"\0\0\0\0" + port.to_bytes(2, "big") + wire("h.local")),
        ("boot._%s._udp.local" % service, dns.TXT, txt),
    ]
    if address:
        records.append(("H.local", dns.A, address))
    out = ident + bytes((flags, 0, 0, 0, 0, len(records), 0, 0, 0, 0))
    for name, kind, data in records:
        out += wire(name) + bytes((0, kind, 0x80, 1, 0, 0, 0, 120)) + len(data).to_bytes(2, "big") + data
    return out


def answered(data, how="core", host=SERVER, port=5683, **options):
    """What is found when the first round is answered with data(sent)."""
    found, sent = started(**options)
    assert found.receive("eth", host, 5353 if how == "dns-sd" else port, data(sent), 2000)
    return [event for event in found.take() if event[0] == "found"]


def core(payload, **more):
    events = answered(lambda sent: core_answer(sent, payload), **more)
    return events[0][2] if events else None


def mdns(**more):
    events = answered(lambda sent: dns_answer(sent, **more), "dns-sd")
    return events[0][2] if events else None


def test_questions_on_the_wire():
    """C2: one multicast by each method."""
    found, sent = started()
    assert [event[:4] for event in sent] == [
        ("send", "eth", "224.0.1.187", 5683),
        ("send", "eth", "224.0.0.251", 5353),
    ]
    asked = question(sent)
    assert (asked.type, asked.code, asked.path(), asked.query()) == (
        coap.NON,
        coap.GET,
        (".well-known", "core"),
        ("rt=oma.bs",),
    )
    assert len(asked.token) == 4 and len(sent[0][4]) == 35
    assert sent[1][4][2:] == dns.query([("_m2mbs._sub._coaps._udp.local", dns.PTR)])[2:]


def test_settings_decide_ports_methods_and_service():
    _, sent = started(coap_port=5693, mdns_port=5363, secure=False)
    assert [event[3] for event in sent] == [5693, 5363]
    assert b"\x06_m2mbs\x04_sub\x05_coap\x04_udp\x05local" in sent[1][4]
    assert [event[2] for event in started(methods=("core",))[1]] == ["224.0.1.187"]
    assert [event[2] for event in started(methods=("dns-sd",))[1]] == ["224.0.0.251"]
    assert started(methods=())[1] == []


def test_answer_by_coap():
    """C2: a relative target means the server that answers."""
    assert answered(lambda sent: core_answer(sent)) == [("found", "eth", "coap://192.0.2.9:5683", "core")]
    assert core(LINKS, port=40001) == "coap://192.0.2.9:40001"
    assert answered(lambda sent: core_answer(sent, options=()))  # a format left out is no harm


def test_answer_by_dns():
    assert answered(lambda sent: dns_answer(sent), "dns-sd") == [
        ("found", "eth", "coaps://192.0.2.9:5684", "dns-sd")
    ]
    found, sent = started(secure=False)
    assert found.receive("eth", SERVER, 5353, dns_answer(sent, service="coap", port=5783), 1500)
    assert found.take() == [("found", "eth", "coap://192.0.2.9:5783", "dns-sd")]


def test_links_that_count():
    assert core(b'</x>;rt="a",</bs>;ct=40;rt="foo oma.bs"') == "coap://192.0.2.9:5683"
    assert core(b"</bs>;rt=oma.bs") == "coap://192.0.2.9:5683"
    assert core(b'<coap://192.0.2.77:5783/bs>;rt="oma.bs"') == "coap://192.0.2.77:5783"
    assert core(b'<coap://192.0.2.77/bs>;rt="oma.bs"') == "coap://192.0.2.77:5683"
    assert core(b'<coaps://bs.example.com>;rt="oma.bs"') == "coaps://bs.example.com:5684"
    assert core(b'<http://192.0.2.77/bs>;rt="oma.bs",</bs>;rt="oma.bs"') == "coap://192.0.2.9:5683"


def test_links_that_do_not_count():
    for payload in (
        b"",
        b"</bs>",
        b'</bs>;rt="oma.lwm2m"',
        b'</bs>;rt="xoma.bs"',
        b"</bs>;rt",
        b'</other>;rt="oma.bs"',
        b'<bs>;rt="oma.bs"',
        b'<http://192.0.2.77/bs>;rt="oma.bs"',
        b"garbage",
        b"\xff\xfe",
        b"</bs",
        b'<coap://192.0.2.77:0/bs>;rt="oma.bs"',
        b'<coap://192.0.2.77:65536/bs>;rt="oma.bs"',
        b'<coap://192.0.2.77:/bs>;rt="oma.bs"',
        b'<coap://192.0.2.77:+5/bs>;rt="oma.bs"',
        b'<coap://192.0.2.77:123456789/bs>;rt="oma.bs"',
        b'<coap:///bs>;rt="oma.bs"',
        b'<coap://user@host/bs>;rt="oma.bs"',
        b'<coap://[::1]/bs>;rt="oma.bs"',
        b'<coap://a b/bs>;rt="oma.bs"',
    ):
        assert core(payload) is None, payload


def test_addresses_that_nobody_serves_from():
    for host in (
        b"0.0.0.0",
        b"127.0.0.1",
        b"localhost",
        b"224.0.1.187",
        b"255.255.255.255",
        b"1.2.3",
        b"1.2.3.4.5",
        b"1.2.3.256",
        b"1..2.3",
        b"999",
        b"1.2.3.4444",
    ):
        assert core(b"<coap://" + host + b'/bs>;rt="oma.bs"') is None, host
    # On one machine everything is loopback.
    assert core(b'<coap://127.0.0.5:99/bs>;rt="oma.bs"', host="127.0.0.3") == "coap://127.0.0.5:99"
    assert core(LINKS, host="127.0.0.3") == "coap://127.0.0.3:5683"
    assert (
        mdns(address=b"\x7f\0\0\1") is None
        and mdns(address=b"\xe0\0\0\1") is None
        and mdns(address=bytes(4)) is None
    )


def test_answers_by_dns_that_do_not_count():
    assert mdns(port=0) is None
    assert mdns(txt=b"\x06path=/") is None
    assert mdns(txt=b"\x03v=2") is None
    assert mdns(service="coap") is None
    assert mdns(txt=b"\x00") == "coaps://192.0.2.9:5684"


def test_the_sender_stands_in_for_an_address_left_out():
    assert mdns(address=None) == "coaps://192.0.2.9:5684"


def test_what_belongs_to_somebody_else_is_handed_back():
    found, sent = started()
    asked = question(sent)
    stranger = coap.encode(coap.Message(coap.NON, coap.CONTENT, 1, b"abcd", [], LINKS))
    reply = dns_answer(sent)
    assert not found.receive("eth", SERVER, 5683, stranger, 1500)
    assert not found.receive("lte", SERVER, 5683, core_answer(sent), 1500)
    assert not found.receive("eth", SERVER, 5683, sent[0][4], 1500)  # our own question, looped back
    assert not found.receive("eth", SERVER, 5353, sent[1][4], 1500)
    assert not found.receive("eth", SERVER, 5354, reply, 1500)  # RFC 6762 6: answers come from port 5353
    assert not found.receive("eth", SERVER, 5353, b"\xff\xff" + reply[2:], 1500)
    longer = coap.Message(coap.NON, coap.CONTENT, 1, asked.token + b"x", [], LINKS)
    assert not found.receive("eth", SERVER, 5683, coap.encode(longer), 1500)
    for data in (b"", b"\x00", b"\x40", b"\x51\x45"):
        assert not found.receive("eth", SERVER, 5683, data, 1500) and not found.receive(
            "eth", SERVER, 5353, data, 1500
        )
    assert found.ignored == 0 and found.take() == [] and found.state == "asking"


def test_nonsense_in_answer_to_us_is_counted_and_the_search_goes_on():
    found, sent = started()
    for data in (
        core_answer(sent, b"garbage"),
        core_answer(sent, code=coap.NOT_FOUND),
        core_answer(sent)[:-1],
        core_answer(sent, options=((coap.CONTENT_FORMAT, b"\x32"),)),
        core_answer(sent, options=((9, b""),)),
        core_answer(sent, options=())[:8] + b"\xf0",
    ):
        assert found.receive("eth", SERVER, 5683, data, 1500)
    for data in (dns_answer(sent)[:40], dns_answer(sent)[:3], dns_answer(sent)[:-1]):
        assert found.receive("eth", SERVER, 5353, data, 1500)
    assert found.take() == [] and found.ignored == 9
    assert found.receive("eth", SERVER, 5683, core_answer(sent), 1600)
    assert found.take() == [("found", "eth", "coap://192.0.2.9:5683", "core")]


def test_a_confirmable_answer_is_acknowledged():
    """RFC 7252 5.2.3: the server may choose so."""
    found, sent = started()
    for _ in range(2):
        assert found.receive("eth", SERVER, 5683, core_answer(sent, kind=coap.CON), 1500)
        assert found.take()[0] == ("send", "eth", SERVER, 5683, b"\x60\x00\x00\x07")


def test_only_the_first_answer_is_reported():
    found, sent = started()
    assert found.receive("eth", SERVER, 5683, core_answer(sent), 1500)
    assert found.receive("eth", "192.0.2.10", 5683, core_answer(sent), 1501)  # ours, but late
    assert found.receive("eth", SERVER, 5353, dns_answer(sent), 1502)
    assert [event[2] for event in found.take()] == ["coap://192.0.2.9:5683"]
    assert found.state == "found" and found.deadline() is None
    found.poll(10**6)
    assert found.take() == []


def test_rounds_waits_and_pause():
    """RFC 7252 8.2, RFC 6762 5.2: 2, 4, 8 s and a pause of 30 s, each with up to a quarter more."""
    found = Discovery(below, methods=("core",))
    found.start("eth", 0)
    times, mids, nothing = [], [], []
    for _ in range(8):
        now = found.deadline()
        found.poll(now - 1)
        assert found.take() == []
        found.poll(now)
        for event in found.take():
            if event[0] == "send":
                times.append(now)
                mids.append(coap.decode(event[4]).mid)
            else:
                assert event == ("nothing", "eth")
                nothing.append(now)
    assert times == [70, 2320, 6820, 49570, 51820, 56320] and nothing == [15820, 65320]
    assert len(set(mids)) == 6  # or a server takes a question for a duplicate


def test_a_late_answer_counts_in_the_pause():
    found, sent = started()
    while found.state == "asking":
        found.poll(found.deadline())
    assert found.take()[-1] == ("nothing", "eth") and found.state == "paused"
    assert found.receive("eth", SERVER, 5683, core_answer(sent), 20000)
    assert found.take() == [("found", "eth", "coap://192.0.2.9:5683", "core")] and found.deadline() is None


def test_stop():
    found, sent = started()
    found.receive("eth", SERVER, 5683, core_answer(sent), 1500)
    found.stop()
    assert found.take() == [] and found.deadline() is None and found.state == "idle"
    assert not found.receive("eth", SERVER, 5683, core_answer(sent), 1600)
    found.stop()
    found.start("wlan", 5000)
    found.poll(found.deadline())
    assert [event[1] for event in found.take()] == ["wlan", "wlan"]


def test_starting_on_another_link_forgets_the_old_questions():
    numbers = list(range(100))
    found = Discovery(lambda n: numbers.pop() % n)
    found.start("eth", 0)
    found.poll(found.deadline())
    old = found.take()
    found.start("wlan", 500)
    found.poll(found.deadline())
    assert not found.receive("wlan", SERVER, 5683, core_answer(old), 600)
    assert not found.receive("wlan", SERVER, 5353, dns_answer(old), 600)


def test_an_answer_may_come_after_starting_again():
    """RFC 7252 8.2: a server takes its leisure, longer than a refusal by another one and its back-off may last."""
    found, sent = started()
    found.start("eth", 2000)
    assert found.receive("eth", SERVER, 5683, core_answer(sent), 2100)
    assert found.take() == [("found", "eth", "coap://192.0.2.9:5683", "core")]


def test_a_hint_that_was_no_good_lets_others_go_first():
    """A stranger who answers first must not be the only one ever heard."""
    found, sent = started()
    found.receive("eth", SERVER, 5683, core_answer(sent), 1500)
    found.start("eth", 9000)
    found.poll(found.deadline())
    sent = found.take()
    assert found.receive("eth", SERVER, 5683, core_answer(sent), 9500) and found.take() == []
    assert found.receive("eth", "192.0.2.10", 5683, core_answer(sent), 9501)
    assert found.take() == [("found", "eth", "coap://192.0.2.10:5683", "core")]


def test_a_refused_hint_is_not_given_again():
    """C2: what one may not use must not hide what one may."""
    found, sent = started()
    found.receive("eth", SERVER, 5683, core_answer(sent), 1500)
    assert len(found.take()) == 1
    found.refuse(1500)
    assert found.state == "asking" and found.deadline() == 1500 + 2250
    assert found.receive("eth", SERVER, 5683, core_answer(sent), 1600) and found.take() == []
    assert found.receive("eth", SERVER, 5353, dns_answer(sent), 1700)
    assert found.take() == [("found", "eth", "coaps://192.0.2.9:5684", "dns-sd")]
    found.refuse(1700)
    while found.state == "asking":
        found.poll(found.deadline())
        found.receive("eth", SERVER, 5683, core_answer(sent), 1800)
    assert [event[0] for event in found.take()] == ["send"] * 4 + ["nothing"]


def test_many_useless_servers_take_no_heap():
    found, sent = started()
    for _ in range(3):
        for number in range(30):
            found.receive("eth", "192.0.2.%d" % (number + 1), 5683, core_answer(sent), 1500)
            if number % 2:
                found.refuse(1500)
        assert len(found._hints) <= 4 and len(found._given) <= 8 and len(found._before) <= 8
        found.start("eth", 5000)
        assert found._hints == []


def hosts(found):
    return [event[2].split(":")[1].split(".")[-1] for event in found.take() if event[0] == "found"]


def test_the_other_hints_of_a_round_wait_for_their_turn():
    """C2: any number of strangers may answer; each is given once, the next one as soon as the last was no good."""
    found, sent = started()
    for last in (1, 2, 1, 3, 4, 5, 6, 3):
        found.receive("eth", "192.0.2.%d" % last, 5683, core_answer(sent), 1500)
    seen = hosts(found)
    while found.state == "found":
        found.refuse(1600)
        seen += hosts(found)
    assert seen[0] == "1" and sorted(seen) == ["1", "3", "4", "5", "6"]  # 2 was one too many
    found.receive("eth", "192.0.2.2", 5683, core_answer(sent), 1700)
    assert hosts(found) == ["2"] and found.deadline() is None


def test_what_was_no_good_in_an_earlier_search_comes_last():
    found, sent = started()
    for last in (1, 2):
        found.receive("eth", "192.0.2.%d" % last, 5683, core_answer(sent), 1500)
        found.refuse(1500)
    assert hosts(found) == ["1", "2"]
    found.start("eth", 5000)
    for seen in (["3"], ["1", "4", "2"]):
        found.poll(found.deadline())
        for last in (1, 2, int(seen[1] if len(seen) > 1 else 3)):
            found.receive("eth", "192.0.2.%d" % last, 5683, core_answer(sent), 5500)
        while found.state == "found":
            assert hosts(found) == [seen.pop(0)]
            found.refuse(5600)
        assert seen == []


def test_the_only_server_is_found_again_in_the_second_round():
    found, sent = started()
    found.receive("eth", SERVER, 5683, core_answer(sent), 1500)
    found.start("eth", 9000)
    for _ in range(2):
        found.poll(found.deadline())
        sent = found.take()
        found.receive("eth", SERVER, 5683, core_answer(sent), 9500)
    assert found.take() == [("found", "eth", "coap://192.0.2.9:5683", "core")]


def test_the_table_of_states_is_enforced():
    found = Discovery(below)
    assert found.state == "idle" and found.deadline() is None
    found.poll(5)
    assert found.take() == []
    try:
        found._enter("answered")
    except LocalError:
        return
    raise AssertionError("answered while idle")
