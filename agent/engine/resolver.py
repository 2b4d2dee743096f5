"""Finds the IPv4 address of a host name by asking DNS servers (RFC 1035, RFC 1123 6.1.3).

One server is asked at a time, the next one when it is silent or of no use; three rounds, each more patient. Every
question has a new id and is to leave by a new port, and only what comes back from there and repeats the question is
looked at (RFC 5452). Aliases are followed, a few. What a server says counts for a bounded time.
"""

from ..codec import dns
from ..errors import LocalError, RemoteError
from ..table import follow

# state event next-state
_TRANSITIONS = """
idle ask asking
idle give-up failed
asking ask asking
asking alias asking
asking answered found
asking give-up failed
"""
_ROUNDS, _WAIT_MS = 3, 1000  # the wait doubles with each round
_SERVERS = 4
_ALIASES = 8
_STRANGERS = 16  # answers to something else after which a question is asked anew, from another port
_SHORTEST_S, _LONGEST_S = 60, 3600  # what an answer counts for
_RECURSIVE = 0x0100
_NO_SUCH_NAME = 3


class Resolver:
    """servers: [(ip, port)]; below(n): randomness. `state` is found or failed in the end; then `address` counts for
    `ttl_s`, or `reason` says why there is none."""

    def __init__(self, name, servers, below, now):
        self.state, self.address, self.reason, self.ttl_s = "idle", None, "", _LONGEST_S
        self._name, self._servers, self._below = name, servers[:_SERVERS], below
        self._aliases = self._tries = self._strange = 0
        self._asked, self._due = b"", None
        self._out = []
        if not servers:
            self._give_up("no DNS server is known for this link")
        else:
            self._next(now)

    def receive(self, server, data, now):
        """A datagram came from `server` (ip, port) to the port of the last question."""
        if self.state != "asking":
            return
        try:
            answer = dns.reply(data, self._asked) if server == self._server() else None
        except RemoteError:
            answer = None
        if answer is None:
            self._strange += 1
            if self._strange >= _STRANGERS:  # somebody guesses
                self._next(now)
            return
        code, cut, records = answer
        if code == _NO_SUCH_NAME:
            self._give_up("there is no such host")
        elif code:
            self._next(now)
        else:
            self._take_in(records, cut, now)

    def unsent(self, now):
        """The question could not be sent."""
        self._next(now)

    def poll(self, now):
        """Let time pass."""
        if self._due is not None and now >= self._due:
            self._next(now)

    def deadline(self):
        """When poll() is due (ms), or None."""
        return self._due

    def take(self):
        """-> [("ask", (ip, port), bytes)], to be sent from a port that was not used before; what comes to an
        earlier one does not count any more."""
        out, self._out = self._out, []
        return out

    def _server(self):
        return self._servers[(self._tries - 1) % len(self._servers)]

    def _next(self, now):
        """The next server, if there is another try."""
        if self._tries >= _ROUNDS * len(self._servers):
            return self._give_up("no DNS server answers")
        self._tries += 1
        self._do("ask")
        self._ask(now)

    def _ask(self, now):
        try:
            self._asked = dns.query([(self._name, dns.A)], self._below(0x10000), _RECURSIVE)
        except LocalError:
            return self._give_up("it is no host name")
        self._strange = 0
        self._due = now + (_WAIT_MS << (self._tries - 1) // len(self._servers))
        self._out = [("ask", self._server(), self._asked)]

    def _take_in(self, records, cut, now):
        before = self._aliases
        addresses = self._follow(records)
        if addresses:
            self._do("answered")
            self._due, self.address = None, addresses[0]
        elif self._aliases > _ALIASES:
            self._give_up("aliases without end")
        elif cut:  # the rest would take TCP
            self._next(now)
        elif self._aliases > before:
            self._do("alias")
            self._ask(now)
        else:
            self._give_up("it has no IPv4 address")

    def _follow(self, records):
        """-> the addresses that the name, or what it is an alias of, has in this answer."""
        while True:
            own = [record for record in records if record[0].lower() == self._name.rstrip(".").lower()]
            addresses = [record for record in own if record[1] == dns.A and _unicast(record[2])]
            aliases = [record for record in own if record[1] == dns.CNAME]
            for record in (addresses or aliases)[:1]:
                ttl = 0 if record[3] >> 31 else record[3]  # RFC 2181 8
                self.ttl_s = max(_SHORTEST_S, min(self.ttl_s, ttl))
            if addresses or not aliases or self._aliases > _ALIASES:
                return [record[2] for record in addresses]
            self._name = aliases[0][2]
            self._aliases += 1

    def _give_up(self, reason):
        self._do("give-up")
        self._due, self.reason, self.ttl_s = None, reason, 0

    def _do(self, event):
        self.state = follow(_TRANSITIONS, self.state, event)


def _unicast(address):
    return 0 < int(address.split(".")[0]) < 224
