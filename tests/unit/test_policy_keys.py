"""G1: who may sign policies changes only by what the root has signed, by unicast or bootstrap, and never backwards."""

from policy_documents import WALL, document
from policy_world import KEYS, NORTH, OPERATOR, ROOT, SECOND, World, keys, signed, signer
from torn import Cut, Medium

from agent.engine import policy_keys

WRONG = [
    [],
    [signer()] * 2,
    [signer(b"1"), signer(b"2"), signer(b"3")],
    [signer()[:4]],
    [signer(kid=b"")],
    [signer(kid=b"123456789")],
    [signer(key=b"k" * 63)],
    [signer(groups=())],
    [signer(groups=(b"g",) * 17)],
    [signer(groups=(b"",))],
    [signer(groups=("text",))],
    [signer(begins=5, ends=5)],
    [signer(begins=-1)],
    [signer(ends=1 << 32)],
    [{}],
    {},
    7,
]


def offer(world, data, via="unicast"):
    return world.engine.offer_keys(data, via, world.now, WALL)


def test_one_key_follows_the_other():
    """Two at a time: the new one is known before the old one goes."""
    world = World()
    assert offer(world, keys(2, signer(), signer(b"op2", SECOND))) == (0, None)
    assert world.push(1) == (0, None) and world.offer(signed(document(2), SECOND, b"op2")) == (0, None)
    assert offer(world, keys(3, signer(b"op2", SECOND)), "usb") == (0, None)
    again = world.restart()
    assert again.push(3) is None and again.engine.counts == {"unknown key": 1}
    assert again.offer(signed(document(3), SECOND, b"op2")) == (0, None)


def test_only_the_root_says_so_and_only_to_us():
    world = World()
    for key in (OPERATOR, SECOND):
        assert offer(world, keys(2, signer(b"op2", SECOND), key=key)) is None
    assert world.engine.counts == {"forged": 2}
    right = keys(2, signer(b"op2", SECOND))
    for via in ("multicast", "mqtt", "sms"):
        assert offer(world, right, via) is None
    assert world.engine.counts["stranger"] == 3 and world.verified == 2
    assert policy_keys.find(world.engine, b"op2", NORTH, WALL) is None
    assert policy_keys.find(world.engine, b"op1", NORTH, WALL) == OPERATOR


def test_a_policy_is_no_keys_document_and_the_other_way_round():
    world = World()
    policy = signed(document(2))
    assert offer(world, policy) is None and world.offer(keys(3)) is None
    assert world.offer(signed({1: 2, 2: [signer()]}, ROOT, b"root", KEYS)) is None and world.version() == 0


def test_versions_only_rise():
    world = World()
    assert offer(world, keys(1)) == (3, None)
    assert offer(world, keys(1, signer(b"op2", SECOND))) is None and world.engine.counts["other"] == 1
    assert [offer(world, keys(version)) for version in (5, 4, 5)] == [(0, None), (4, None), (3, None)]
    assert policy_keys.find(world.engine, b"op1", NORTH, 0) == OPERATOR


def test_a_wrong_list_changes_nothing():
    world = World()
    for wrong in WRONG:
        assert offer(world, signed({1: 2, 2: wrong}, ROOT, b"root", KEYS)) == (5, 2), wrong
    assert offer(world, signed({1: 2, 2: [signer()], 3: 0}, ROOT, b"root", KEYS)) == (5, 2)
    for wrong in ({2: [signer()]}, {1: 0, 2: [signer()]}, {1: "x", 2: []}, {1: True}, [], 1):
        assert offer(world, signed(wrong, ROOT, b"root", KEYS)) is None, wrong
    assert world.push(1) == (0, None)


def test_without_a_root_there_are_no_keys():
    world = World(known=False)
    world.engine.root = None
    assert offer(world, keys()) is None and world.engine.counts == {"forged": 1}


def test_power_cut_at_every_byte_leaves_old_or_new_keys():
    whole = World()
    before, cost = dict(whole.medium.files), whole.medium.cost
    offer(whole, keys(2, signer(b"op2", SECOND)))
    for budget in range(whole.medium.cost - cost):
        world = World(medium=Medium(dict(before), budget, budget % 2 * 255))
        try:
            offer(world, keys(2, signer(b"op2", SECOND)))
            raise AssertionError("no cut")
        except Cut:
            pass
        after = World(medium=Medium(world.medium.files)).engine
        found = [policy_keys.find(after, kid, NORTH, WALL) for kid in (b"op1", b"op2")]
        assert found in ([OPERATOR, None], [None, SECOND])


def test_a_medium_that_fails_is_said():
    class Full(Medium):
        def write(self, name, data):
            raise OSError(28, "no space")

    assert offer(World(medium=Full()), keys()) == (8, 28)
