"""Key schedule and sealed records against bytes made without our code: Python's hmac, AES-CCM of `cryptography`."""

from dtls_server import IDENTITY, KEY, Server

from agent.codec import dtls as codec
from agent.engine.dtls import Dtls

# Finished of the client and of the server, as whole records; with extended master secret and CID, and without both.
WITH = (
    "19fefd0001000000000000730100290001000000000000170195a3cd8c87c6d5d81eadeb1a5bcaa68bd592d8d26027b44ff72f887df102c1",
    "16fefd000100000000000000280001000000000000c00139e34bc1f8449e7ae2daf7f9fa03f3b7695a8a01b2700682103c0f0705cb",
)
WITHOUT = (
    "16fefd000100000000000000280001000000000000e50b1b21f574dfd5483775a2d428660c4781055e3232bb3fac3d7c1f19369cb8",
    "16fefd000100000000000000280001000000000000bfcc2d1b7023f7c1fed6bb2a66abc7ede74e4f8212a1b30c5ab936b5c25f6e05",
)


def rising():
    """Randomness for a client random of 100, 101, ... 131; no jitter."""
    drawn = [99]

    def draw(n):
        drawn[0] += 1
        return drawn[0] if n == 256 else 0

    return draw


def finished(server):
    """The client's Finished; the client is left waiting for the server's."""
    client = Dtls(IDENTITY, KEY, rising())
    client.open(0)
    for _ in range(2):
        for event in client.take():
            server.receive(event[1])
        for data in server.take():
            client.receive(data, 0)
    ((_, flight),) = client.take()
    records, rest = codec.records(flight, len(server.cid))
    assert not rest and [record[0] for record in records[:2]] == [codec.HANDSHAKE, codec.CHANGE]
    kind, head, cid, body = records[2]
    return client, codec.record(kind, head, body, cid).hex()


def test_extended_master_secret_and_connection_id():
    client, record = finished(Server())
    assert record == WITH[0]
    client.receive(bytes.fromhex(WITH[1]), 0)
    assert ("up",) in client.take()


def test_master_secret_without_extensions():
    client, record = finished(Server(cid=None, extended=False))
    assert record == WITHOUT[0]
    client.receive(bytes.fromhex(WITHOUT[1]), 0)
    assert ("up",) in client.take()


def test_finished_of_another_handshake():
    client, _ = finished(Server())
    client.receive(bytes.fromhex(WITHOUT[1]), 0)
    assert not client.is_up() and client.counters["forged"] == 1
