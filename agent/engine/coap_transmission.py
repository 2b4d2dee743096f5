"""CoAP message layer (RFC 7252 section 4), a part of the exchange: what is sent again, what was seen before.

A confirmable message is a Flight. Flights towards one peer go one after the other (NSTART = 1, 4.7); the others
wait with `due` None. Every datagram is encoded once and kept as bytes until it is acknowledged.
"""

from ..codec import coap

try:
    from micropython import const
except ImportError:
    const = int

# Bytes of one body, and of all the bodies that are held: whole it must be in one piece, which a heap of
# 128 KiB that has been in use for a while hardly has to give beyond this.
BODY_MAX = 8192
ROOM = const(256)  # bytes: readings, notifications, a registration's links and a whole device object are shorter
_PER_PEER = const(8)  # flights towards one peer, the one under way included
_FLIGHTS = const(24)  # and towards all of them
_SEEN = const(8)  # messages remembered for de-duplication
_SEEN_BYTES = const(768)  # and the answers kept for their duplicates
_OUT = const(64)  # datagrams nobody fetched
_EXCHANGE_LIFETIME = const(247000)  # ms a message id may come again with the same meaning (4.8.2)


def soonest(items):
    """The earliest `due` among flights, requests, bodies: all things here that have a time; or None."""
    times = [item.due for item in items if item.due is not None]
    return min(times) if times else None


def overdue(items, now):
    """Those whose time has come."""
    return [item for item in items if item.due is not None and item.due <= now]


class Flight:
    """A confirmable message of ours until its ACK or RST. `owner`: the Ask, Request or Observer it is from."""

    timeout = 0  # ms until the next transmission; 0: never sent yet
    due = None

    def __init__(self, owner, data, left):
        self.owner = owner
        self.peer = owner.peer
        self.mid = owner.mid
        self.data = data
        self.left = left


class Transmission:
    """Sends, repeats and recognises messages for many peers. Times are ms."""

    def __init__(self, below, ack_timeout_ms, max_retransmit, counters):
        self._below = below
        self.timeout = ack_timeout_ms
        self.slow = {}  # the same for links of another pace
        self.left = max_retransmit
        self._counters = counters
        # 65536 message ids within EXCHANGE_LIFETIME is beyond anything a device sends (4.4).
        self._mid = below(0x10000)
        self.flights = []
        self._seen = []  # [peer, mid, until, answer], oldest first
        self._seen_bytes = 0
        self.out = []

    def put(self, peer, data):
        """Sends a datagram (bytes) once."""
        if len(self.out) < _OUT:
            self.out.append((peer, data))
            self._counters["sent"] += 1
        else:
            self._counters["dropped"] += 1

    def send(self, owner, code, options, payload, now, left):
        """Sends a new message to `owner.peer`, with its token: a NON where `left` is None, else a CON that is repeated
        `left` times, behind others to this peer. Of one owner only the newest waits. False: too many wait already."""
        owner.mid = self._mid = self._mid + 1 & 0xFFFF
        kind = coap.NON if left is None else coap.CON
        data = coap.encode(coap.Message(kind, code, owner.mid, owner.token, options, payload))
        if left is None:
            self.put(owner.peer, data)
            return True
        ahead = 0
        for flight in self.flights:
            if flight.owner is owner and not flight.timeout:
                flight.mid = owner.mid
                flight.data = data
                return True
            ahead += flight.peer == owner.peer
        if ahead >= _PER_PEER or len(self.flights) >= _FLIGHTS:
            self._counters["dropped"] += 1
            return False
        self.flights.append(Flight(owner, data, left))
        if not ahead:
            self._launch(self.flights[-1], now)
        return True

    def of(self, owner):
        """The flights of an owner, the one under way first."""
        return [flight for flight in self.flights if flight.owner is owner]

    def find(self, peer, mid):
        """The flight under way that an ACK or RST from `peer` is about, or None."""
        for flight in self.flights:
            if flight.mid == mid and flight.timeout and flight.peer == peer:
                return flight

    def finish(self, flight):
        """Acknowledged, reset or no longer wanted: the next one towards this peer leaves at the next poll."""
        self.flights.remove(flight)
        for waiting in self.flights:
            if waiting.peer == flight.peer:
                waiting.due = waiting.due or 0
                return

    def drop(self, owner):
        """Stops every flight of `owner`."""
        for flight in self.of(owner):
            self.finish(flight)

    def seen(self, peer, mid, now):
        """Whether this message came before. Then the answer it got, if any, is sent again (4.2, 4.5)."""
        known = self._seen
        for entry in known:
            if entry[1] == mid and entry[0] == peer and entry[2] > now:
                self._counters["duplicates"] += 1
                if entry[3]:
                    self.put(peer, entry[3])
                return True
        while known and (len(known) >= _SEEN or self._seen_bytes > _SEEN_BYTES or known[0][2] <= now):
            self._seen_bytes -= len(known.pop(0)[3])
        known.append([peer, mid, now + _EXCHANGE_LIFETIME, b""])
        return False

    def reply(self, peer, type, mid, code=0, token=b"", options=(), payload=b""):
        """Sends an ACK or RST and keeps it for duplicates of the message that it answers."""
        data = coap.encode(coap.Message(type, code, mid, token, options, payload))
        self.put(peer, data)
        for entry in self._seen:
            if entry[1] == mid and entry[0] == peer:
                self._seen_bytes += len(data) - len(entry[3])
                entry[3] = data

    def poll(self, now):
        """Repeats what is due (4.2). Returns the flights given up."""
        lost = []
        for flight in overdue(self.flights, now):
            if flight.timeout and not flight.left:
                lost.append(flight)
                self.finish(flight)
            else:
                self._launch(flight, now)
        return lost

    def _launch(self, flight, now):
        if flight.timeout:
            flight.timeout *= 2
            flight.left -= 1
            self._counters["repeated"] += 1
        else:
            timeout = self.slow.get(flight.peer[0], self.timeout)
            flight.timeout = timeout + self._below(timeout // 2 + 1)
        flight.due = now + flight.timeout
        self.put(flight.peer, flight.data)
