"""G1: what is not genuine, for us, new and in time changes nothing and is not answered; the signature comes last."""

from policy_documents import GROUP, WALL, document, encoded
from policy_world import NORTH, SECOND, SOUTH, World, keys, signed, signer, wrapped

from agent.codec import cbor
from agent.engine import group_policies

GUARD = b"G" * 32


def turned_away(world, data, word, via="multicast"):
    """Nobody hears of it, nothing changed, and it was counted under that word."""
    before = world.engine.counts.get(word, 0), world.engine.summary()
    assert world.offer(data, via) is None, word
    assert (world.engine.counts[word] - 1, world.engine.summary()) == before
    assert world.wait(20).take("ack") == [] and world.take("apply") == []


def test_the_order_of_questions():
    """Each document fails at one question, and no signature is verified before the last one."""
    world = World()
    world.push(5)
    world.wait(20).take()
    world.verified = 0
    good = document(6)
    turned_away(world, b"x" * 1025, "malformed")
    turned_away(world, b"", "malformed")
    turned_away(world, signed(b"\xa0"), "malformed")
    turned_away(world, wrapped(wrapped(signed(good), GUARD), GUARD), "malformed")
    turned_away(world, cbor.encode([17, 4, b"g", encoded(good), b"12345678"]), "malformed")
    turned_away(world, signed(document(6, group=b"others")), "stranger")
    turned_away(world, signed(document(4)), "old")
    turned_away(world, signed(document(6, start=WALL + 9999)), "early")
    turned_away(world, signed(document(6, expiry=WALL)), "expired")
    turned_away(world, signed(good, kid=b"op9"), "unknown key")
    assert world.verified == 0
    turned_away(world, signed(good, key=SECOND), "forged")
    assert world.verified == 1 and world.push(6) == (0, None)


def test_another_document_of_the_same_version_is_a_security_event():
    world = World()
    world.push(5, {1: 60})
    world.wait(5).take()
    for _ in range(3):
        assert world.push(5, {1: 61}) is None and world.push(5, {1: 61}, via="usb") is None
    assert world.take() == [("security", NORTH, 5)] and world.force() == {1: 60} and world.verified == 1


def test_a_signature_is_for_the_group_the_version_and_the_settings():
    world = World()
    envelope = cbor.decode(signed(document(1, {1: 60})))
    for other in (document(1, {1: 61}), document(2, {1: 60}), document(1, {1: 60}, expiry=WALL + 99999)):
        turned_away(world, cbor.encode(envelope[:3] + [encoded(other), envelope[4]]), "forged")


def test_three_verifications_at_once_then_one_in_ten_seconds():
    world = World()
    for version in range(10, 20):
        assert world.offer(signed(document(version), SECOND)) is None
    assert world.verified == 3 and world.engine.counts == {"forged": 3, "throttled": 7}
    assert world.push(1) is None and world.verified == 3  # the price of a flood: repaired later,
    assert world.push(1, via="unicast") == (0, None)  # or at once over the device's own session
    world.wait(9)
    assert world.push(2) is None
    world.wait(1)
    assert world.push(2) == (0, None) and world.push(3) is None
    world.wait(3600)
    assert [world.push(version) for version in range(3, 7)] == [(0, None)] * 3 + [None]


def test_the_last_one_refused_costs_one_verification_in_a_minute():
    world = World()
    forged = signed(document(1), SECOND)
    for _ in range(50):
        assert world.offer(forged) is None
    assert world.verified == 1 and world.push(1) == (0, None)  # the same content, rightly signed
    world = World()
    world.offer(forged)
    world.wait(60).offer(forged)
    assert world.verified == 2


def test_a_signer_keeps_to_its_groups_and_its_time():
    world = World(((NORTH, 1, None), (SOUTH, 2, None)))
    both = signer(groups=(NORTH,)), signer(b"op2", SECOND, (SOUTH,), WALL - 10, WALL + 10)
    assert world.engine.offer_keys(keys(2, *both), "usb", 0, WALL) == (0, None)
    turned_away(world, signed(document(1, group=SOUTH)), "unknown key")
    world = world.restart()
    assert world.offer(signed(document(1, group=SOUTH), SECOND, b"op2")) == (0, None)
    world.wait(10).take()
    turned_away(world, signed(document(2, group=SOUTH), SECOND, b"op2"), "unknown key")
    assert world.offer(signed(document(2))) == (0, None)
    world = world.restart(wall=0)  # without a clock no key is too old
    assert world.offer(signed(document(3, group=SOUTH), SECOND, b"op2")) == (0, 1)


def test_no_keys_no_policy():
    world = World(known=False)
    turned_away(world, signed(document(1)), "unknown key")
    assert world.verified == 0


def test_a_group_with_a_key_of_its_own_wants_it_of_what_comes_to_all():
    world = World(((NORTH, 1, GUARD),))
    turned_away(world, signed(document(1)), "filtered")
    turned_away(world, wrapped(signed(document(1)), b"H" * 32), "filtered")
    turned_away(world, wrapped(signed(document(1)), b"H" * 32), "filtered", "unicast")
    assert world.verified == 0
    assert world.offer(wrapped(signed(document(1)), GUARD)) == (0, None)
    world.wait(5).take()
    turned_away(world, wrapped(signed(document(2), SECOND), GUARD), "forged")  # a member is no operator
    assert world.push(2, via="usb") == (0, None)
    assert World().offer(wrapped(signed(document(1)), GUARD)) == (0, None)  # nobody asked for it


def test_the_same_bytes_by_any_way():
    for via in ("unicast", "usb", "multicast", "mqtt", "sms"):
        world = World()
        assert world.offer(signed(document(1, {1: 60})), via) == (0, None)
        assert [world.offer(signed(document(1, {1: 60})), other) for other in ("mqtt", "usb")] == [(3, 0), (3, 0)]
        assert world.force() == {1: 60} and world.verified == 1


def test_what_a_document_needs_is_let_go_of():
    """On a microcontroller the tables and the questions take memory only while a document is judged."""
    dropped, before = [], group_policies.drop
    group_policies.drop = lambda *names: dropped.append(names)
    try:
        world = World()
        world.offer(b"")
        world.push(1)
    finally:
        group_policies.drop = before
    assert len(dropped) >= 3 and "engine.policy_rules" in dropped[-1] and "engine.policy_gate" in dropped[-1]
    assert world.engine.summary()[0][0] == GROUP
