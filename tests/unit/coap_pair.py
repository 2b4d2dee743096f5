"""Two exchanges joined by a for loop in virtual time, and short words for the messages between them."""

from agent.codec import coap
from agent.engine.exchange import Exchange

A = ("eth", "a", 5683)  # how b knows a
B = ("eth", "b", 5683)  # how a knows b


def below(seed=1):
    """An own xorshift32: both interpreters draw the same."""
    state = [seed * 2654435761 & 0xFFFFFFFF or 1]

    def draw(n):
        x = state[0]
        x ^= x << 13 & 0xFFFFFFFF
        x ^= x >> 17
        x ^= x << 5 & 0xFFFFFFFF
        state[0] = x
        return x % n

    return draw


class Pair:
    """a and b. `serve(request)` answers what reaches either: (code, payload) or None for later."""

    def __init__(self, serve=None, seed=1, a=None, b=None):
        self.now = 0
        self.draw = below(seed)
        self.a = Exchange(below(seed + 1), **(a or {}))
        self.b = Exchange(below(seed + 2), **(b or {}))
        self.serve = serve
        self.got = []  # events, but for the requests that were served
        self.served = []  # requests
        self.wire = []  # every message handed over: (from, Message)
        self.flying = []  # (arrival, from, data) of run()

    def deliver(self, sender, data):
        """One datagram of "a" or "b" arrives at the other."""
        self.wire.append((sender, coap.decode(data)))
        if sender == "a":
            self.b.receive(A, data, self.now)
        else:
            self.a.receive(B, data, self.now)
        self.settle()

    def settle(self):
        for end in (self.a, self.b):
            for event in end.events():
                if event[0] == "request" and self.serve:
                    self.respond(end, event[1])
                else:
                    self.got.append(event)

    def respond(self, end, request):
        self.served.append(request)
        answer = self.serve(request)
        if answer:
            end.respond(request, answer[0], self.now, answer[1], 0)

    def transfer(self, limit=2000):
        """Hands over everything at once, until both are silent."""
        while limit:
            limit -= 1
            moved = [("a", data) for _, data in self.a.take()] + [("b", data) for _, data in self.b.take()]
            if not moved:
                self.settle()
                return
            for sender, data in moved:
                self.deliver(sender, data)
        assert False, "never silent"

    def drop(self, end):
        """Everything `end` wants to send is lost; returns how much that was."""
        return len(end.take())

    def wait(self, ms):
        """Time passes, polled at each deadline; nothing is lost or delayed."""
        end = self.now + ms
        self.transfer()
        while True:
            due = [t for t in (self.a.deadline(), self.b.deadline()) if t is not None]
            if not due or min(due) > end:
                break
            self.now = max(self.now, min(due))
            self.poll()
            self.transfer()
        self.now = end

    def poll(self):
        self.a.poll(self.now)
        self.b.poll(self.now)

    def depart(self, loss, twice, late):
        for sender, exchange in (("a", self.a), ("b", self.b)):
            for _, data in exchange.take():
                if self.draw(100) >= loss:
                    self.flying.append((self.now + 1 + self.draw(late), sender, data))
                if self.draw(100) < twice:
                    self.flying.append((self.now + 1 + self.draw(late), sender, data))

    def run(self, ms, loss=20, twice=10, late=400):
        """Time passes on a bad network: percent lost, percent doubled, up to `late` ms on the way (so reordered)."""
        end = self.now + ms
        steps = 0
        while steps < 20000:
            steps += 1
            self.depart(loss, twice, late)
            times = [t for t in (self.a.deadline(), self.b.deadline()) if t is not None]
            times += [item[0] for item in self.flying]
            if not times or min(times) > end:
                self.now = end
                return
            self.now = max(self.now, min(times))
            for item in [item for item in self.flying if item[0] <= self.now]:
                self.flying.remove(item)
                self.deliver(item[1], item[2])
            self.poll()
            self.settle()
        assert False, "never silent"


def sent(exchange):
    """The messages an exchange wants to send, decoded."""
    return [coap.decode(data) for _, data in exchange.take()]


def bytes_of(type, code, mid, token=b"", options=(), payload=b""):
    return coap.encode(coap.Message(type, code, mid, token, options, payload))


def get(mid, token=b"t", path="x", type=coap.CON, options=()):
    """The bytes of a GET."""
    return bytes_of(type, coap.GET, mid, token, [(coap.URI_PATH, path.encode())] + list(options))


def alone(seed=1, **options):
    """One exchange; the test speaks for its peer."""
    return Exchange(below(seed), **options)
