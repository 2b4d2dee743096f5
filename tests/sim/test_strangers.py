"""C2 among strangers, on both interpreters, digests equal."""

import pytest
import strangers
from test_sim import Half


@pytest.fixture(scope="module")
def half():
    other = Half("strangers.py")
    yield other
    other.end()


@pytest.mark.parametrize("seed", range(strangers.SEEDS))
def test_own_server_is_found_among_strangers(seed, half):
    """C2: two or more servers that answer first and refuse cost a device seconds, whoever is quicker."""
    first = int(strangers.story(seed).split()[0], 16)
    assert half.digest(seed) == first, "the interpreters differ"
