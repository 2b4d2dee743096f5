"""Two exchanges with OSCORE between them and the wire, in virtual time; contexts of RFC 8613 Appendix C."""

from coap_pair import Pair, below

from agent.codec import coap
from agent.engine.exchange import Exchange
from agent.engine.oscore import Context, Oscore

SECRET = bytes(range(1, 17))
SALT = b"\x9e\x7c\xa9\x22\x23\x78\x63\x40"


def contexts(group=None, algorithm=10):
    """The client's and the server's."""
    ends = ((b"", b"\x01"), (b"\x01", b""))
    return [Context(SECRET, SALT, sender, recipient, group, algorithm) for sender, recipient in ends]


class Guarded:
    """An exchange whose datagrams are protected: what the agent will do. `said`: all but datagrams, in order."""

    def __init__(self, exchange, context, seed, state=None, step=8):
        self.exchange, self.context, self.step = exchange, context, step
        self.draw = below(seed)
        self.kept, self.said, self.out, self.now = state, [], [], 0
        self.restart()

    def __getattr__(self, name):
        return getattr(self.exchange, name)

    def restart(self, state=None):
        """Only what was kept is left of the guard."""
        self.guard = Oscore(self.context, self.draw, self.kept if state is None else state, self.step)

    def receive(self, peer, data, now):
        self.now = now
        self.guard.receive(data, now)
        self._do(peer)

    def take(self):
        for peer, data in self.exchange.take():
            self.guard.send(data, self.now)
            self._do(peer)
        out, self.out = self.out, []
        return out

    def _do(self, peer):
        for kind, what in self.guard.take():
            if kind == "udp":
                self.out.append((peer, what))
            elif kind == "plain":
                self.exchange.receive(peer, what, self.now)
            else:
                self.said.append((kind, what))
                self.kept = what if kind == "keep" else self.kept


def pair(serve=None, seed=1, a=None, b=None, **options):
    """A Pair; a and b: states to start with."""
    joined = Pair(serve, seed)
    client, server = contexts(**options)
    joined.a = Guarded(Exchange(below(seed + 1)), client, seed + 3, a)
    joined.b = Guarded(Exchange(below(seed + 2)), server, seed + 4, b)
    return joined


def taken(guard, kind):
    """What the guard says of one kind."""
    return [what for said, what in guard.take() if said == kind]


def request(mid, token=b"t", code=coap.GET, type=coap.CON, options=(), payload=b""):
    """The datagram of a plain request to /x."""
    return coap.encode(coap.Message(type, code, mid, token, [(coap.URI_PATH, b"x")] + list(options), payload))


def answer(mid, token=b"t", code=coap.CONTENT, type=coap.ACK, options=(), payload=b"yes"):
    """The datagram of a plain response."""
    return coap.encode(coap.Message(type, code, mid, token, options, payload))
