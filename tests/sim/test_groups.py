"""Groups, their rules and plans, and what goes over the wire to them. G1."""

import asyncio
import random

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as some

from agent.codec import coap
from agent.errors import LocalError, RemoteError
from agent.north import pushing
from pointsman.tools.groups import planning, wire
from pointsman.tools.groups.members import Group, Groups, Member
from pointsman.tools.groups.planning import MULTICAST, TOPIC, UNICAST, WAITING, Reach, Terms
from pointsman.tools.servers.storage import Storage

DOCUMENT = b"\xd2" + bytes(146)
NORTH = {"capabilities": ["multicast"], "tags": {"site": ["north", "west"]}}


def test_an_index_is_given_once_and_outlives_a_restart(tmp_path):
    url = f"sqlite:///{tmp_path / 'groups.sqlite'}"

    async def first(groups):
        await groups.create(Group("north", 10, ("239.77.0.1", 5685), "policies/north"))
        assert await groups.include("north", ["a", "b", "c", "a"]) == [0, 1, 2]
        await groups.exclude("north", "b")
        assert await groups.include("north", ["d", "b"]) == [3, 1]
        await groups.exclude("north", "c")

    _with_storage(url, first)

    async def second(groups):
        group = groups.of("north")
        assert (group.priority, group.multicast, group.topic) == (10, ("239.77.0.1", 5685), "policies/north")
        assert group.members == [Member(0, "a"), Member(1, "b"), Member(3, "d")] and group.index("c") is None
        assert await groups.include("north", ["e", "c"]) == [4, 2]

    _with_storage(url, second)


def _with_storage(url, use):
    storage = Storage(url)
    try:
        asyncio.run(use(Groups(storage)))
    finally:
        storage.close()


def test_a_rule_takes_in_who_fits_and_later_joiners_and_lets_go():
    changes = []

    async def story(groups):
        groups._joined = lambda group, member: changes.append(("in", group.name, member.endpoint))
        groups._left = lambda group, member: changes.append(("out", group.name, member.endpoint))
        await groups.device("a", ["multicast", "eth"], {"site": "north"})
        await groups.create(Group("meters", rule=NORTH))
        await groups.device("b", ["multicast"], {"site": "west"})
        await groups.device("c", ["multicast"], {"site": "south"})
        await groups.device("d", [], {"site": "north"})
        assert [each.endpoint for each in groups.of("meters").members] == ["a", "b"]
        await groups.device("a", ["multicast"], {"site": "south"})
        await groups.include("meters", ["b"])
        await groups.device("b", [], {})  # somebody has named it
        await groups.include("meters", ["c"])
        await groups.exclude("meters", "c")
        await groups.device("a", ["multicast"], {"site": "north"})
        await groups.exclude("meters", "a")  # the rule still fits
        assert groups.of("meters").members == [Member(0, "a"), Member(1, "b")]

    _with_storage("sqlite://", story)
    assert changes == [("in", "meters", "a"), ("in", "meters", "b"), ("out", "meters", "a"), ("in", "meters", "c"),
                       ("out", "meters", "c"), ("in", "meters", "a")]


def test_the_weightiest_membership_comes_first():
    async def story(groups):
        for name, priority in (("all", 0), ("vip", 9), ("other", 5)):
            await groups.create(Group(name, priority))
            await groups.include(name, ["a"] if name != "other" else ["b"])
        assert [group.name for group in groups.memberships("a")] == ["vip", "all"]

    _with_storage("sqlite://", story)


@pytest.mark.parametrize("wrong, says", [
    (lambda: Group("x" * 33), "1 to 32 printable bytes"), (lambda: Group("a\n"), "printable"),
    (lambda: Group("a", 256), "0 to 255"), (lambda: Group("a", True), "0 to 255"),
    (lambda: Group("a", multicast=("10.0.0.1", 5685)), "no multicast address"),
    (lambda: Group("a", multicast=("meters.example", 5685)), "no multicast address"),
    (lambda: Group("a", multicast=("239.77.0.1", 0)), "no multicast address"),
    (lambda: Group("a", topic="policies/#"), "without + and #"),
    (lambda: Group("a", rule={"capability": []}), "a rule"),
    (lambda: Group("a", rule={"tags": {"site": [7]}}), "words"), (lambda: Group("a", rule=["x"]), "a rule"),
    (lambda: Terms(stages=(10, 5, 100)), "rising"), (lambda: Terms(stages=(10,)), "end with 100"),
    (lambda: Terms(rate=0), "acknowledgements a second"), (lambda: Terms(bad_percent=0), "more than 0 %")])
def test_what_makes_no_group_and_no_terms(wrong, says):
    with pytest.raises(LocalError, match=says.replace("+", "[+]")):
        wrong()


def test_refused_where_it_is_asked_and_nothing_has_changed():
    async def story(groups):
        await groups.create(Group("a"))
        for wrong in (groups.create(Group("a")), groups.include("b", ["x"]), groups.include("a", ["x", ""]),
                      groups.exclude("a", "x"), groups.device("x", ["c" * 65]), groups.device("x", [], {"t": 5})):
            with pytest.raises(LocalError):
                await wrong
        assert groups.of("a").members == []

    _with_storage("sqlite://", story)


REACHES = {"lan": Reach(True, "gw-1", (MULTICAST,)), "deaf": Reach(True, "gw-1"),
           "lte": Reach(True, None, (MULTICAST,)),
           "broker": Reach(True, None, ("mqtt",)), "away": Reach(False, "gw-1", (MULTICAST, "mqtt"))}


@pytest.mark.parametrize("name, ways", [
    ("lan", [(MULTICAST, "gw-1"), (UNICAST, None)]), ("deaf", [(UNICAST, None)] * 2), ("lte", [(UNICAST, None)] * 2),
    ("broker", [(TOPIC, "t"), (UNICAST, None)]), ("away", [(WAITING, None)] * 2)])
def test_the_way_is_what_it_can_and_where_it_is(name, ways):
    groups = (Group("a", multicast=("ff15::77", 5685), topic="t"), Group("a"))
    assert [planning.way(group, REACHES[name]) for group in groups] == ways


def test_a_dry_run_says_who_by_which_way_and_how_many_datagrams():
    group = Group("a", multicast=("239.77.0.1", 5685), topic="t")
    reaches = {"m%d" % k: REACHES["away" if k < 100 else "broker" if k < 300 else "lte" if k < 500 else "lan"]
               for k in range(2000)}
    group.rows = {endpoint: [k, True, True] for k, endpoint in enumerate(reaches)}
    ways = planning.ways(group, reaches.get)
    parts = planning.dry_run(ways, Terms(stages=(10, 100)), random.Random(1), DOCUMENT)
    assert sum(part.members for part in parts) == 2000
    assert sum(part.members for part in parts if part.stage == 0) == 190
    assert {part.way for part in parts if part.stage == 0} == {MULTICAST, UNICAST}
    canary, = [part for part in parts if part.stage == 0 and part.way == MULTICAST]
    assert canary.datagrams == 2  # 1,500 indexes, two bitmaps
    rest = {part.way: part for part in parts if part.stage == 1}
    assert rest[MULTICAST].datagrams == rest[TOPIC].datagrams == 1 and rest[MULTICAST].bytes <= 300
    assert rest[UNICAST].datagrams == rest[UNICAST].members
    assert planning.totals(parts)[WAITING][:2] == (100, 100)


@given(some.sets(some.integers(0, wire.MAX_INDEX), max_size=50) | some.sets(some.integers(0, 5000), max_size=500))
def test_bitmaps_speak_to_exactly_those(indexes):
    blocks = wire.blocks(indexes)
    spoken = set()
    for base, bitmap in blocks:
        payload = wire.announcement(DOCUMENT, 5000, base, bitmap)
        told = wire.read_announcement(payload)
        assert (told.base, told.bitmap, told.document) == (base, bitmap, DOCUMENT)
        spoken |= {base + k for k in range(8 * len(bitmap)) if wire.speaks_to(told, base + k)}
        assert not wire.speaks_to(told, base + 8 * len(bitmap)) and not wire.speaks_to(told, base - 1)
    assert spoken == indexes and len(blocks) <= (max(indexes, default=0)) // wire.BLOCK + 1


def test_the_announcement_as_another_library_reads_it():
    """RFC 8949, RFC 7252 8.2: 167 bytes of UDP payload for a document of 147."""
    datagram = wire.push(wire.announcement(DOCUMENT, 5000), 0x1234, b"\xff\x01")
    assert datagram[:4] == b"\x52\x02\x12\x34" and len(datagram) == 167
    message = coap.decode(datagram)
    assert wire.is_push(message) and message.path() == ("policy",)
    assert cbor2.loads(message.payload[:-len(DOCUMENT)]) == [5000, 0, None] and message.payload.endswith(DOCUMENT)


def test_the_answer_piggybacks_on_a_confirmable_push_and_is_a_message_of_its_own_otherwise():
    told = wire.acknowledgement(b"meter-7", b"north", 7, 5, 3)
    assert cbor2.loads(told) == [b"meter-7", b"north", 7, 5, 3]
    for confirmable, kind, mid in ((True, coap.ACK, 9), (False, coap.NON, 44)):
        push = coap.decode(wire.push(DOCUMENT, 9, b"\x01\x02", confirmable))
        answer = coap.decode(wire.answer(push, told, 44))
        assert (answer.type, answer.code, answer.mid, answer.token) == (kind, coap.CHANGED, mid, b"\x01\x02")
        assert wire.read_acknowledgement(answer.payload) == (b"meter-7", b"north", 7, 5, 3)


@pytest.mark.parametrize("head", [
    [5000, 0], [5000, 0, None, 1], {}, [-1, 0, None], [600_001, 0, None], [True, 0, None], [5000, -1, None],
    [5000, 1 << 24, None], [5000, 0, b""], [5000, 0, bytes(129)], [5000, 0, "a"], [5000.0, 0, None]])
def test_no_announcement(head):
    with pytest.raises(RemoteError):
        wire.read_announcement(cbor2.dumps(head) + DOCUMENT)


@pytest.mark.parametrize("told", [
    [], [b"m", b"g", 7], [b"m", b"g", 7, 0, 1, 1], ["m", b"g", 7, 0], [b"", b"g", 7, 0], [b"m", bytes(33), 7, 0],
    [bytes(65), b"g", 7, 0], [b"m", b"g", -1, 0], [b"m", b"g", 1 << 32, 0], [b"m", b"g", 7, 12], [b"m", b"g", 7, False],
    [b"m", b"g", 7, 0, "x" * 65], [b"m", b"g", 7, 0, -1], [b"m", b"g", 7, 0, []], 7])
def test_no_acknowledgement(told):
    with pytest.raises(RemoteError):
        wire.read_acknowledgement(cbor2.dumps(told))


@given(some.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data):
    for read in (wire.read_announcement, wire.read_acknowledgement):
        try:
            read(data)
        except RemoteError:
            pass


@pytest.mark.parametrize("size", [0, 1025])
def test_a_document_fits_one_datagram(size):
    with pytest.raises(LocalError, match="1 to 1024"):
        wire.announcement(bytes(size), 5000)


@pytest.mark.parametrize("detail", [None, 0, 66, 70000, "storage"])
def test_a_device_acknowledges_in_the_same_bytes(detail):
    told = (b"meter-1", b"north", 7, 5, detail)
    assert pushing.acknowledgement(*told) == wire.acknowledgement(*told)
