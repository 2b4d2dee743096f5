"""The agent and Leshan under DTLS with a pre-shared key and under OSCORE, both interpreters: what a right key opens,
what a wrong one does not, and that a change of address costs no handshake (Leshan's own DynamicIP tests are the model).
"""

import pytest
from leshan_servers import KEY, SCHEME, SENML, TEXT, shown, trust

LIFETIME, METER = "/1/0/1", "/3331/0/5700"
HANDSHAKE, CID = 22, 25  # content types of DTLS records; 25: with a Connection ID (RFC 9146)
each = pytest.mark.parametrize("security", ["dtls", "oscore"])


@each
def test_whole_registration(leshan, protected, security):
    """LightweightM2M-1.1-int-401 (PSK), and the same under OSCORE: register, be managed, observed, leave."""
    name = protected.name("managed", security)
    trust(leshan, security, name, KEY)
    agent = protected(security, name, leshan.uris[SCHEME[security]])
    with shown(agent):
        seen = leshan.event("registered", name)
        assert ("psk=" + name if security == "dtls" else "oscore=") in seen["identity"]
        assert leshan.tell("read", name, "/3/0/0") == {"/3/0/0": "pointsman"}
        assert leshan.code("read", name, "/0/0/5") == 401
        with leshan.brings("updated", name, lifetime=90):
            assert leshan.code("replace", name, LIFETIME, value=90, format=TEXT) == 204
        observe(leshan, name)
        with leshan.brings("unregistered", name):
            assert agent.leave() == 0
    assert KEY not in agent.said()


def observe(leshan, name):
    """Leshan takes an observation under OSCORE for a composite one (its outer code is FETCH), so that only a format
    with names can be understood: SenML."""
    values = leshan.tell("observe", name, LIFETIME, format=SENML)
    with leshan.brings("notified", name, values={LIFETIME: values[LIFETIME] + 1}):
        leshan.tell("replace", name, LIFETIME, value=values[LIFETIME] + 1, format=TEXT)


@each
def test_wrong_key(leshan, protected, security):
    """A device with another key is not let in. OSCORE says so; Scandium is silent to a wrong Finished, which counts as
    a refusal when it comes again (docs/decisions), after a minute."""
    name = protected.name("wrong", security)
    trust(leshan, security, name, "ff" * 16)
    agent = protected(security, name, leshan.uris[SCHEME[security]])
    with shown(agent):
        agent.waits_for('"refused"' if security == "oscore" else '"unreachable"')
    assert not leshan.count("registered", name)


@each
def test_address_changes_on_the_way(leshan, protected, router, security):
    """Leshan's DynamicIP: the router gives the device another address. Its Update arrives from there in one exchange,
    and after the next change its reading (and, but for OSCORE, where Leshan cannot, a notification) as well."""
    name = protected.name("nat", security)
    trust(leshan, security, name, KEY)
    way = router(security)
    agent = protected(security, name, way.uri, lifetime_s=10, report_period_s=7, probe_ms=0,
                      ack_timeout_ms=3000)  # fmt: skip - nothing is lost here, so nothing is to be repeated
    with shown(agent):
        before = leshan.event("registered", name)
        leshan.tell("observe", name, "/3331/0", format=SENML)  # which has no reading yet
        way.rebind("127.0.0.9")
        after = leshan.event("updated", name)
        (out, request), (back, answer) = way.first(2)
        assert (out, back) == (True, False) and len(request) <= 100
        way.rebind("127.0.0.10")
        sent = leshan.event("sent", name)
        seen = leshan.event("notified", name) if security == "dtls" else sent
        assert METER in sent["values"] and METER in seen["values"]
        hosts = [one["address"] for one in (before, after, sent, seen)]
        assert hosts == ["127.0.0.1", "127.0.0.9", "127.0.0.10", "127.0.0.10"]
        assert {one["registration"] for one in (before, after, sent)} == {before["registration"]}
        assert leshan.tell("read", name, "/3/0/0") == {"/3/0/0": "pointsman"}
    if security == "dtls":
        assert request[0] == CID and all(data[0] != HANDSHAKE for _, data in [(back, answer), *way.seen])


@each
def test_another_link(leshan, protected, router, security):
    """W3: the path over one link dies in silence; over the other one the device registers without a handshake."""
    name = protected.name("links", security)
    trust(leshan, security, name, KEY)
    way = router(security)
    agent = protected(security, name, way.uri, ("eth=lo@127.0.0.2", "wan=lo@127.0.0.3"), metered="", probe_ms=200,
                  probe_timeout_ms=1000)  # fmt: skip
    with shown(agent):
        leshan.event("registered", name)
        agent.waits_for('"event": "registered"')
        since = len(leshan.events)
        way.swallow("127.0.0.2")
        leshan.event("registered", name, since)
        if security == "dtls":
            assert all(data[0] != HANDSHAKE for _, data in way.seen)
        assert leshan.tell("read", name, "/3/0/0") == {"/3/0/0": "pointsman"}
