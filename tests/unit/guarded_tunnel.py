"""The exchange of a server behind DTLS; for tests only."""

from dtls_server import Server as DtlsServer


class Tunnel:
    """Answers go to where the last datagram came from."""

    def __init__(self, exchange, key, cid=b"\x73"):
        self.exchange, self.dtls, self.now = exchange, DtlsServer(key, cid), 0

    def __getattr__(self, name):
        return getattr(self.exchange, name)

    def receive(self, peer, data, now):
        self.peer = peer
        self.dtls.receive(data)
        got, self.dtls.got = self.dtls.got, []
        for plain in got:
            self.exchange.receive(peer, plain, now)

    def take(self):
        sealed = [(peer, self.dtls.seal(23, data)) for peer, data in self.exchange.take()]
        return [(self.peer, data) for data in self.dtls.take()] + sealed
