"""What coverage-guided fuzzing found worth keeping (tests/fuzz/corpus), as it is and damaged, under both Pythons: each
target takes it, or refuses it by RemoteError or LocalError."""

import fuzzed
from replayed import kept, replay


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
