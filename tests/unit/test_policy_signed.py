"""G1: the engine of policies with documents, COSE and ES256 as they are on a device."""

from coap_pair import below
from policy_documents import WALL
from signed import DOCUMENT, ENCLOSED, GROUP_KEY, ROOT, SIGNED, SIGNERS
from torn import Medium

from agent.engine.group_policies import GroupPolicies

NORTH = DOCUMENT[1]


def device(known=True, guard=None, wall=WALL + 60):
    engine = GroupPolicies(Medium(), b"device key", below(), lambda: {"eth": True, "lte": True}, ROOT)
    engine.start([(NORTH, 1, guard)], 0, wall)
    if known:
        assert engine.offer_keys(SIGNERS, "unicast", 0, wall) == (0, None)
    return engine


def test_a_signed_policy_is_obeyed():
    engine = device()
    assert engine.offer(SIGNED, "multicast", 0, WALL + 60) == (2, None)
    ((_, settings, offset),) = engine.take()
    assert settings == DOCUMENT[5] and 0 <= offset < settings[2]
    engine.confirmed(1000)
    assert engine.summary()[0][1] == 7 and engine.summary()[0][3] == "applied"
    assert engine.offer(SIGNED, "mqtt", 2000, WALL + 62) == (3, 0)
    assert engine.offer_keys(SIGNERS, "unicast", 0, WALL) == (3, None)


def test_enclosed_for_its_group():
    engine = device(guard=GROUP_KEY)
    assert engine.offer(SIGNED, "multicast", 0, WALL + 60) is None and engine.counts == {"filtered": 1}
    assert engine.offer(ENCLOSED, "multicast", 0, WALL + 60) == (2, None)
    assert engine.offer(SIGNED, "usb", 0, WALL + 60) == (3, 2)  # the same document


def test_no_signer_no_policy_and_no_root_no_signer():
    engine = device(known=False)
    assert engine.offer(SIGNED, "usb", 0, WALL + 60) is None and engine.counts == {"unknown key": 1}
    assert engine.offer_keys(SIGNED, "usb", 0, WALL) is None and engine.offer(SIGNERS, "usb", 0, WALL) is None
    assert engine.counts == {"unknown key": 1, "malformed": 2}


def test_a_bit_anywhere_makes_it_another_document():
    engine = device(guard=GROUP_KEY)
    for envelope, step in ((SIGNED, 7), (ENCLOSED, 5)):
        for at in range(0, len(envelope), step):
            bent = envelope[:at] + bytes([envelope[at] ^ 1 << at % 8]) + envelope[at + 1 :]
            answer = engine.offer(bent, "usb", 0, WALL + 60)
            assert answer is None or answer[0] in (9, 10) or answer == (5, 67), (at, answer)
    assert engine.summary()[0][1] == 0 and engine.counts["forged"] > 10


def test_a_bit_anywhere_in_the_keys_changes_nothing():
    """With another signature it is the document that we have: nobody needs to vouch for it again."""
    engine = device()
    files = dict(engine.medium.files)
    for at in range(0, len(SIGNERS), 11):
        bent = SIGNERS[:at] + bytes([SIGNERS[at] ^ 1 << at % 8]) + SIGNERS[at + 1 :]
        answer = engine.offer_keys(bent, "usb", 0, WALL)
        assert answer == (3, None) if at >= len(SIGNERS) - 64 else answer is None, at
    assert engine.medium.files == files
