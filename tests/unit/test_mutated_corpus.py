"""What coverage-guided fuzzing found worth keeping (tests/fuzz/corpus), as it is and damaged, under both Pythons: each
target takes it, or refuses it by RemoteError or LocalError."""

import fuzzed
from test_mutated import Chance, mutated

from agent.errors import LocalError, RemoteError

PLACE = __file__.rpartition("/")[0] + "/../fuzz/corpus/%s.hex"
ROUNDS = 6  # damaged copies of each input


def replay(name, target, begin, rounds=ROUNDS, step=1):
    """-> how many inputs the target took; all that it does not may only be refused. step: one of so many is tried."""
    corpus, taken = begin + kept(name)[::step], 0
    chance = Chance(20261121)
    for data in corpus:
        tried = [data] + [mutated(data, corpus[chance.below(len(corpus))] or b"\0", chance) for _ in range(rounds)]
        for bad in tried:
            try:
                target(bad)
                taken += 1
            except (RemoteError, LocalError):
                pass
            except Exception as e:
                raise AssertionError("%s: %s of %s" % (name, repr(e), bad.hex()))
    return taken


def kept(name):
    """The corpus of a target; a new target has none yet."""
    try:
        with open(PLACE % name) as file:
            return [bytes.fromhex(line.strip()) for line in file]
    except OSError:
        return []


def all_of(names):
    found = dict(fuzzed.targets())
    for name in names.split():
        assert kept(name) and replay(name, found.pop(name), fuzzed.seeds(name)), name


CODECS = "cbor coap cose senml_cbor senml_json lwm2m_cbor lwm2m_json tlv linkformat dns sms alphabet frames at_lines"
ENGINES = "dtls_messages dtls_handshake dtls_records oscore oscore_option exchange discovery modem policies broker"


def test_codecs():
    all_of(CODECS)


def test_engines():
    all_of(ENGINES)


def test_no_target_is_forgotten():
    assert sorted((CODECS + " " + ENGINES).split()) == sorted([name for name, _ in fuzzed.targets()])
