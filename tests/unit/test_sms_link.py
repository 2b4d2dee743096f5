"""L1: the link that short messages make - budget, parts, rests, and what a stranger's message may cause."""

from agent.codec import sms
from agent.engine.sms import Sms, same_number

DAY, MINUTE = 86400000, 60000
TRIGGER = b"\x40\x02\x00\x01\xb1\x31\x01\x30\x01\x38"
PEER = "+491700000001"


def link(per_day=50, credit=None, up=True):
    made = Sms(lambda n: 0, per_day, credit)
    if up:
        made.change(True, 0)
        assert made.take() == [("link", True)]
    return made


def came(number, data, **more):
    """The PDUs with which a datagram comes: SMS-DELIVER with a time."""
    found = []
    for pdu, _ in sms.encode(number, data, **more):
        first = int(pdu[2:4], 16)
        address = pdu[6 : 10 + (int(pdu[6:8], 16) + 1) // 2 * 2]
        rest = pdu[6 + len(address) :]
        found.append("00%02X" % (4 | first & 0x40) + address + rest[:4] + "62113121436500" + rest[4:])
    return found


def received(made, pdus, now=0):
    for pdu in pdus:
        made.receive(pdu, now)
    return [what[1:] for what in made.take() if what[0] == "datagram"]


def test_a_datagram_goes_and_comes():
    made = link()
    assert made.send(PEER, 0, b"\x40\x01\x00\x01", 0)
    text, keep = made.take()
    got = sms.decode(text[1])
    assert (got["number"], got["data"], got["ports"], got["part"]) == (PEER, b"\x40\x01\x00\x01", None, None)
    assert text[2] == len(text[1]) // 2 - 1 and 300 <= got["validity"] <= 600
    assert keep == ("keep", DAY - DAY // 50) and made.left(0) == 49
    assert received(made, came(PEER, b"\x60\x45\x00\x01")) == [(PEER, b"\x60\x45\x00\x01")]


def test_a_port_where_the_server_wants_one():
    made = link()
    made.send(PEER, 5684, b"x", 0)
    assert sms.decode(made.take()[0][1])["ports"] == (5684, 5683)
    assert received(made, came(PEER, b"y", ports=(5683, 5684))) == [(PEER, b"y")]
    assert received(made, came(PEER, b"z", ports=(2948, 9200))) == []  # WAP push is not for us
    assert made.counters["strange"] == 1


def test_parts_in_any_order_and_twice():
    made, data = link(), bytes(range(250)) * 2
    pdus = came(PEER, data, reference=9)
    assert len(pdus) == 4
    assert received(made, [pdus[2], pdus[0], pdus[2], pdus[3]]) == []
    assert received(made, [pdus[1]]) == [(PEER, data)]
    assert received(made, pdus) == [] and made.counters["repeated"] == 5  # late copies
    assert made.deadline() is None


def test_parts_of_two_senders_do_not_mix():
    made = link()
    one, other = came(PEER, b"a" * 200, reference=1), came("+491700000002", b"b" * 200, reference=1)
    assert received(made, [one[0], other[1]]) == []
    assert received(made, [other[0], one[1]]) == [("+491700000002", b"b" * 200), (PEER, b"a" * 200)]


def test_the_table_of_parts_has_limits():
    made = link()
    for reference in range(6):
        assert received(made, came(PEER, b"a" * 200, reference=reference)[:1]) == []
    assert made.counters["incomplete"] == 2
    assert received(made, came(PEER, b"a" * 200, reference=0)[1:]) == []  # its other part has gone
    assert made.deadline() == 600000
    made.poll(600000)
    assert made.deadline() is None and made.counters["incomplete"] == 7
    assert received(made, came(PEER, bytes(1500))) == [] and made.counters["refused"] == 12
    assert not made.send(PEER, 0, bytes(1500), 0) and made.counters["dropped"] == 1


def test_nonsense_is_counted():
    made = link()
    for pdu in ("", "zz", "00", "0004", "00440B919471700000F1000462113121436500020405", "06" * 50):
        assert received(made, [pdu]) == []
    assert made.counters["refused"] + made.counters["strange"] == 6
    assert received(made, came(PEER, "a text")) == [] and made.counters["received"] == 0
    for number in ("", "a name", "1" * 30):
        assert not made.send(number, 0, b"x", 0)


def test_the_budget_is_a_days():
    made = link(per_day=10)
    for _ in range(10):
        assert made.send(PEER, 0, b"x", 0)
    assert made.take()[-1] == ("link", False) and not made.up
    assert not made.send(PEER, 0, b"x", 0)
    assert made.deadline() == 4 * DAY // 10  # some are worth coming up for, not one
    made.poll(made.deadline() - 1)
    assert made.take() == []
    made.poll(4 * DAY // 10)
    assert made.take() == [("link", True)] and made.left(4 * DAY // 10) == 4
    assert made.left(100 * DAY) == 10


def test_a_restart_does_not_fill_the_budget():
    made = link(per_day=10, credit=DAY // 10, up=False)
    made.change(True, 0)
    assert made.take() == [] and made.deadline() == 3 * DAY // 10
    assert link(per_day=10, credit=-5, up=False).left(0) == 0 and link(per_day=10, credit=DAY * 9).left(0) == 10


def test_a_datagram_beyond_the_budget_is_not_begun():
    made = link(per_day=4)
    assert not made.send(PEER, 0, bytes(700), 0) and made.left(0) == 4
    assert made.send(PEER, 0, bytes(140), 0) and made.left(0) == 3


def test_who_is_not_answered_rests_longer_each_time():
    made, now, rests = link(), 0, []
    for _ in range(9):
        made.failed(now)
        assert made.take() == [("link", False)]
        rests.append((made.deadline() - now) // MINUTE)
        now = made.deadline()
        made.poll(now)
        assert made.take() == [("link", True)]
    assert rests == [5, 10, 20, 40, 80, 160, 320, 360, 360]
    made.answered()
    made.failed(now)
    assert made.deadline() - now == 5 * MINUTE
    made.wake(now)
    assert made.up
    made.change(False, now)
    assert not made.up and made.deadline() is None


def test_a_trigger_counts_once_a_minute_and_ten_times_a_day():
    made = link()
    assert made.hinted(TRIGGER, 0) and not made.hinted(TRIGGER, MINUTE - 1)
    assert made.hinted(b"\x50\x02\x00\x01\xb1\x31\x01\x31\x01\x39", MINUTE)  # NON, /1/1/9
    assert [made.hinted(TRIGGER, minute * MINUTE) for minute in range(2, 12)] == [True] * 8 + [False] * 2
    assert made.hinted(TRIGGER, DAY) and made.counters["triggers"] == 11 and made.counters["too_often"] == 3


def test_nothing_else_is_a_trigger():
    made = link()
    for data in (b"", b"\x40", b"\x40\x01\x00\x01\xb1\x31\x01\x30\x01\x38", b"\x40\x03\x00\x01\xb1\x31\x01\x30\x01\x38",
                 b"\x40\x02\x00\x01\xb1\x33\x01\x30\x01\x34", b"\x40\x02\x00\x01\xb1\x31\x01\x30", b"update now"):
        assert not made.hinted(data, 0), data
    assert made.counters["strange"] == 7 and made.counters["triggers"] == 0


def test_numbers_as_networks_write_them():
    for one, other, same in (("+491701234567", "491701234567", True), ("+491701234567", "01701234567", True),
                             ("+491701234567", "00491701234567", True), ("+491701234567", "+491701234568", False),
                             ("+491701234567", "4567", False), ("4567", "4567", True), ("", "+4917", False),
                             ("+491701234567", "a name", False)):  # fmt: skip
        assert same_number(one, other) == same, (one, other)
