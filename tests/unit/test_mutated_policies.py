"""Policies damaged in thousands of ways, by strangers and by an operator gone mad: no exception, no growth, and nothing
is obeyed that was not signed, or that the table does not allow."""

from policy_documents import ALL, GROUP, WALL, document, encoded
from policy_world import NORTH, ROOT, SOUTH, World, keys, signed, signer, wrapped
from test_mutated import Chance, mutated

from agent.engine import policy_member, policy_rules
from agent.engine.policy_slots import in_force

GUARD = b"G" * 32
VIAS = ("multicast", "mqtt", "sms", "usb", "unicast")
DOCUMENTS = [
    document(1, ALL),
    document(2, {1: 60, 2: 30}, start=WALL - 5, activate=WALL + 50, revert=WALL + 99, window=3),
    document(3, {5: [2, 1], 7: "iot"}, trial=60, group=SOUTH),
    document(4, {}, expiry=WALL + 5),
]
WORDS = (
    "malformed stranger old other duplicate early expired filtered throttled forged refused busy over storage override"
).split() + ["unknown key"]


def world():
    return World(((NORTH, 1, None), (SOUTH, 2, GUARD)))


def whole(device):
    """What must be so whatever came in."""
    assert len(device.engine._out) <= 12 and len(device.engine.summary()) == 2
    assert not [word for word in device.engine.counts if word not in WORDS], device.engine.counts
    assert len(device.medium.files) <= 6
    for settings in [policy_member.read(one, device.medium, in_force).get(5, {}) for one in device.engine.members]:
        policy_rules.check(document(1, settings), device.links)


def test_what_strangers_send():
    """10,000 damaged envelopes: what is obeyed afterwards is nothing, or a whole document that was signed."""
    corpus = [signed(value) for value in DOCUMENTS]
    corpus += [wrapped(corpus[0], GUARD), wrapped(corpus[2], GUARD), keys(2), signed(document(9), b"X" * 64)]
    chance, device = Chance(11), world()
    genuine = [value[5] for value in DOCUMENTS] + [{}]
    for turn in range(10000):
        data = mutated(corpus[turn % len(corpus)], corpus[chance.below(len(corpus))], chance)
        device.now += 400
        answer = device.offer(data, VIAS[chance.below(5)])
        assert answer is None or 0 <= answer[0] <= 11
        device.engine.offer_keys(data, VIAS[chance.below(5)], device.now, WALL)
        if not turn % 50:
            device.engine.poll(device.now)
            whole(device)
            device.take()
    for member in device.engine.members:
        assert policy_member.read(member, device.medium, in_force).get(5, {}) in genuine
    assert device.engine.counts["malformed"] > 1000 and device.engine.counts["forged"] > 20


def test_what_an_operator_gone_mad_signs():
    """1000 damaged documents with a right signature: refused, or obeyed as the table allows; versions only rise."""
    corpus = [encoded(value) for value in DOCUMENTS]
    chance, device, answers = Chance(12), world(), set()
    for turn in range(1000):
        body = mutated(corpus[turn % len(corpus)], corpus[chance.below(len(corpus))], chance)
        before = [row[1] for row in device.engine.summary()]
        answer = device.offer(signed(body), "usb")
        answers.add(answer and answer[0])
        assert all([new[1] >= old for old, new in zip(before, device.engine.summary())])
        if not turn % 20:
            whole(device)
            device = device.restart() if turn % 200 else world()
    assert answers >= {None, 0, 1, 2, 4, 5, 9}, answers


def test_what_a_root_gone_mad_signs():
    right = {1: 2, 2: [signer(), signer(b"op2")]}
    chance, device = Chance(13), world()
    for _ in range(300):
        data = signed(mutated(encoded(right), GROUP, chance), ROOT, b"root", b"pointsman-keys-v1")
        answer = device.engine.offer_keys(data, "usb", 0, WALL)
        assert answer is None or answer[0] in (0, 3, 4, 5)
        device.push(1)
    whole(device)
