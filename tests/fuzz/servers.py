"""Targets among the servers: the DTLS server role, spoken to by somebody who has no key."""

from replayed import joined, pieces

from agent.engine.dtls import Dtls
from pointsman.tools.servers.dtls_sessions import Server

WHERE = (("192.0.2.1", 1), ("192.0.2.1", 2), ("192.0.2.2", 1))


def fuzz_dtls_server(data):
    """No session for anybody, and nothing to read."""
    refused = []
    server = Server({b"dev1": b"secretPSK16bytes"}.get, lambda *why: refused.append(why))
    for turn, datagram in enumerate(pieces(data)):
        out = server.receive(datagram, WHERE[turn % 3], turn)
        assert len(out) <= 1 + len(datagram) // 13 and all(what[0] == "udp" for what in out)
        assert sum(len(what[2]) for what in out) <= 3 * len(datagram) + 300
    assert not len(server) and len(server._pending) <= 3 and len(refused) < 2000


def seeds(name):
    """Inputs to begin with that are right."""
    client = Dtls(b"dev1", b"another key 16 b", lambda n: n // 2)
    client.open(0)
    hello = [what for kind, what in client.take() if kind == "udp"]
    return [joined(hello * 3)]
