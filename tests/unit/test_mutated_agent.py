"""The agent's part of test_mutated_corpus.py: what its registrar and its bootstrap server may ask, damaged.

Fewer of them: from files, MicroPython loads what answers them again and again.
"""

import fuzzed_agent
from replayed import replay


def test_management():
    assert replay("management", fuzzed_agent.fuzz_management, fuzzed_agent.seeds("management"), 1, 3)


def test_bootstrap():
    assert replay("bootstrap", fuzzed_agent.fuzz_bootstrap, fuzzed_agent.seeds("bootstrap"), 1, 2)
