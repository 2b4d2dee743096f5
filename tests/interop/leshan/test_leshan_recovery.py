"""What the agent and Leshan have agreed under DTLS and OSCORE, after one of them began anew, both interpreters."""

import pytest
from leshan_servers import KEY, shown, trust

HANDSHAKE = 22  # content type of DTLS records
each = pytest.mark.parametrize("security", ["dtls", "oscore"])


@each
@pytest.mark.parametrize("end", ["leave", "cut"])
def test_restart(leshan, protected, router, security, end):
    """What was agreed is kept, over a power cut too: no handshake, though the address is another. No number of either
    side is taken twice."""
    name = protected.name("again", security, end)
    trust(leshan, security, name, KEY)
    way = router(security)
    agent = protected(security, name, way.uri)
    with shown(agent):
        leshan.event("registered", name)
        assert leshan.code("read", name, "/3/0/0") == 205
        getattr(agent, end)()
    way.rebind()
    since = len(leshan.events)
    agent = protected(security, name, way.uri)
    with shown(agent):
        leshan.event("registered", name, since)
        if security == "dtls":
            assert all(data[0] != HANDSHAKE for _, data in way.seen)
        if security == "oscore":
            # Leshan forgets its numbers with a registration, and begins again at 0 under the same keys: replays to us,
            # until they are beyond all that can have come before.
            codes = [leshan.code("read", name, "/3/0/0") for _ in range(12)]
            assert (codes[0], codes[-1]) == (401, 205) and codes == sorted(codes, reverse=True)
        assert leshan.tell("read", name, "/3/0/0") == {"/3/0/0": "pointsman"}


@each
def test_server_starts_anew(leshan, successor, protected, router, security):
    """A server that has lost its registrations and sessions says nothing, or that it knows nobody: the device is back
    with it after the next Update, under the same keys."""
    name = protected.name("survivor", security)
    for one in (leshan, successor):
        trust(one, security, name, KEY)
    way = router(security)
    agent = protected(security, name, way.uri, lifetime_s=10, probe_ms=0)
    with shown(agent):
        leshan.event("registered", name)
        agent.waits_for('"event": "registered"')
        way.lead(successor.place(security))
        successor.event("registered", name, limit=120)
        assert successor.tell("read", name, "/3/0/0") == {"/3/0/0": "pointsman"}
