"""CoAP message layer (RFC 7252 section 4), a part of the exchange: what is sent again, what was seen before.

A confirmable message is a Flight. Flights towards one peer go one after the other (NSTART = 1, 4.7); the others
wait with `due` None. Every datagram is encoded once and kept as bytes until it is acknowledged.
"""

from ..codec import coap

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


_PER_PEER = const(8)  # flights towards one peer, the one under way included
_FLIGHTS = const(24)  # and towards all of them
_SEEN = const(24)  # messages remembered for de-duplication
_SEEN_BYTES = const(4096)  # and the answers kept for their duplicates
_OUT = const(64)  # datagrams nobody fetched
_EXCHANGE_LIFETIME = const(247000)  # ms a message id may come again with the same meaning (4.8.2)


class Flight:
    """A confirmable message of ours until its ACK or RST. `kind`, `owner`: whose it is."""

    def __init__(self, peer, mid, data, kind, owner, left):
        self.peer = peer
        self.mid = mid
        self.data = data
        self.kind = kind
        self.owner = owner
        self.left = left
        self.timeout = 0  # ms until the next transmission; 0: never sent yet
        self.due = None


class Transmission:
    """Sends, repeats and recognises messages for many peers. Times are ms."""

    def __init__(self, below, ack_timeout_ms, max_retransmit, counters):
        self._below = below
        self._ack_timeout = ack_timeout_ms
        self._max_retransmit = max_retransmit
        self._counters = counters
        self._mid = below(0x10000)
        self._flights = []
        self._seen = []  # [peer, mid, until, answer], oldest first
        self._seen_bytes = 0
        self.out = []

    def mid(self):
        """A fresh message id: 65536 of them within EXCHANGE_LIFETIME is beyond anything a device sends."""
        self._mid = self._mid + 1 & 0xFFFF
        return self._mid

    def span(self, retransmit):
        """The longest time in ms from a first transmission to giving up (4.8.2, MAX_TRANSMIT_WAIT)."""
        left = self._max_retransmit if retransmit is None else retransmit
        return self._ack_timeout * 3 * ((2 << left) - 1) // 2

    def put(self, peer, data):
        """Sends a datagram (bytes) once."""
        if len(self.out) < _OUT:
            self.out.append((peer, data))
            self._counters["sent"] += 1
        else:
            self._counters["dropped"] += 1

    def start(self, peer, mid, data, kind, owner, now, retransmit=None):
        """Sends a confirmable message, or queues it behind others to this peer. False: too many wait already."""
        ahead = len([flight for flight in self._flights if flight.peer == peer])
        if ahead >= _PER_PEER or len(self._flights) >= _FLIGHTS:
            self._counters["dropped"] += 1
            return False
        left = self._max_retransmit if retransmit is None else retransmit
        flight = Flight(peer, mid, data, kind, owner, left)
        self._flights.append(flight)
        if not ahead:
            self._launch(flight, now)
        return True

    def replace(self, owner, mid, data):
        """Puts newer bytes into the flight of `owner` that has not left yet. False: there is none."""
        for flight in self._flights:
            if flight.owner is owner and not flight.timeout:
                flight.mid = mid
                flight.data = data
                return True
        return False

    def find(self, peer, mid):
        """The flight under way that an ACK or RST from `peer` is about, or None."""
        for flight in self._flights:
            if flight.mid == mid and flight.timeout and flight.peer == peer:
                return flight
        return None

    def busy(self, owner):
        """Whether a flight of `owner` is not acknowledged yet."""
        return any([flight.owner is owner for flight in self._flights])

    def finish(self, flight, now):
        """Acknowledged, reset or given up: the next one towards this peer leaves."""
        self._flights.remove(flight)
        for waiting in self._flights:
            if waiting.peer == flight.peer:
                if waiting.due is None:
                    self._launch(waiting, now)
                return

    def drop(self, owner):
        """Stops every flight of `owner`; whatever waited behind it leaves at the next poll."""
        for flight in [flight for flight in self._flights if flight.owner is owner]:
            self._flights.remove(flight)
            for waiting in self._flights:
                if waiting.peer == flight.peer:
                    waiting.due = waiting.due or 0
                    break

    def seen(self, peer, mid, now):
        """Whether this message came before. Then the answer it got, if any, is sent again (4.2, 4.5)."""
        for entry in self._seen:
            if entry[1] == mid and entry[0] == peer and entry[2] > now:
                self._counters["duplicates"] += 1
                if entry[3]:
                    self.put(peer, entry[3])
                return True
        self._seen.append([peer, mid, now + _EXCHANGE_LIFETIME, b""])
        self._trim(now)
        return False

    def reply(self, peer, message, now):
        """Sends an ACK or RST and keeps it for duplicates of what it answers."""
        data = coap.encode(message)
        self.put(peer, data)
        for entry in self._seen:
            if entry[1] == message.mid and entry[0] == peer:
                self._seen_bytes += len(data) - len(entry[3])
                entry[3] = data
        self._trim(now)

    def poll(self, now):
        """Repeats what is due (4.2). Returns the flights given up."""
        lost = []
        for flight in [f for f in self._flights if f.due is not None and f.due <= now]:
            if flight.timeout and not flight.left:
                lost.append(flight)
                self.finish(flight, now)
            else:
                self._launch(flight, now)
        return lost

    def deadline(self):
        """When to poll, or None."""
        return min([flight.due for flight in self._flights if flight.due is not None], default=None)

    def forget(self, link):
        """Drops everything towards and from the peers of a link."""
        self._flights[:] = [flight for flight in self._flights if flight.peer[0] != link]
        self._seen[:] = [entry for entry in self._seen if entry[0][0] != link]
        self._seen_bytes = sum([len(entry[3]) for entry in self._seen])
        self.out[:] = [item for item in self.out if item[0][0] != link]

    def _launch(self, flight, now):
        if flight.timeout:
            flight.timeout *= 2
            flight.left -= 1
            self._counters["repeated"] += 1
        else:
            flight.timeout = self._ack_timeout + self._below(self._ack_timeout // 2 + 1)
        flight.due = now + flight.timeout
        self.put(flight.peer, flight.data)

    def _trim(self, now):
        seen = self._seen
        # The last entry stays whatever it weighs: it is the one being answered.
        while len(seen) > 1 and (
            len(seen) > _SEEN or self._seen_bytes > _SEEN_BYTES or seen[0][2] <= now
        ):
            self._seen_bytes -= len(seen.pop(0)[3])
