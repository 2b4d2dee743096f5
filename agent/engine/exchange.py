"""CoAP endpoint for many peers, both roles: RFC 7252 with 7959 (block-wise) and 7641 (observe).

Bytes and the time in ms come in, datagrams and events go out; there is no socket and no clock in here. A peer is
a tuple whose first item is the link it is reached over; apart from that nobody here looks into it.

The parts, each in a file that only this one uses:
    coap_transmission   message layer: retransmission, queue per peer, duplicates
    coap_client         requests of ours
    coap_server         requests of peers
and, loaded when first needed, because a device of few words needs none of them:
    coap_following      further blocks and notifications of what we asked
    coap_serving        bodies of requests and answers in blocks
    coap_observers      those who observe us
    coap_blocks         the Block options, bodies in pieces

Every table has a limit. What does not fit is refused ("busy", 4.13, no Observe) or dropped and counted in
`counters`; the peer repeats what was confirmable. `counters["refused"]` are messages that were malformed, answer
nothing that was asked, or have a critical option that we do not know.
"""

from ..codec import coap
from ..errors import LocalError, RemoteError
from .coap_client import Client
from .coap_server import Server
from .coap_transmission import BODY_MAX, ROOM, Transmission, soonest

_EVENTS = 32  # not fetched yet; beyond that nothing more is taken in


class Exchange:
    """Requests, responses and notifications over datagrams."""

    def __init__(self, below, ack_timeout_ms=2000, max_retransmit=4, block_size=512):
        """`below(n)` gives a random int in [0, n); `block_size` bytes: 16, 32 .. 1024. LocalError: another size."""
        if block_size not in (16, 32, 64, 128, 256, 512, 1024):
            raise LocalError("coap: block size %s, must be a power of two from 16 to 1024" % block_size)
        self.counters = {"sent": 0, "received": 0, "repeated": 0, "duplicates": 0, "refused": 0, "dropped": 0}
        self._room = bytearray(ROOM)
        self._events = []
        self._wire = Transmission(below, ack_timeout_ms, max_retransmit, self.counters)
        self.slow = self._wire.slow  # {link: ack_timeout_ms}, where it is another
        self._client = Client(self._wire, below, self._events, block_size)
        self._server = Server(self._wire, self._events, self.counters, block_size)
        self.piecemeal = self._server.piecemeal  # {path: to whom the blocks sent there go, one by one}

    def request(self, peer, code, path, now, query=(), payload=b"", format=None, accept=None, observe=None,
                options=(), retransmit=None):
        """Sends a confirmable request; returns its handle (int), which the events about it carry.

        `path`, `query`: tuples of str. `observe=0`: responses keep coming until `cancel`. `options`: more
        [(number, bytes)]. `retransmit` overrides max_retransmit. Ends in ("response", handle, Response) or
        ("failed", handle, "timeout" | "reset" | "busy" | "block" | "option" | "link"). LocalError: payload over
        8 KiB.
        """
        options = list(options)
        options += [(coap.URI_PATH, item.encode()) for item in path]
        options += [(coap.URI_QUERY, item.encode()) for item in query]
        _content(options, coap.OBSERVE, observe)
        _content(options, coap.ACCEPT, accept)
        _content(options, coap.CONTENT_FORMAT, format, payload)
        left = self._wire.left if retransmit is None else retransmit
        return self._client.ask(peer, code, options, bytes(payload), observe, now, left)

    def cancel(self, handle):
        """Forgets a request or ends an observation, without an event."""
        self._client.cancel(handle)

    def room(self):
        """The bytearray, empty, into which a payload is written that goes to request(), respond() or notify(): always
        the same one, until a payload was longer than it was made for."""
        if len(self._room) > ROOM:
            self._room = bytearray(ROOM)
        self._room[:] = b""
        return self._room

    def respond(self, request, code, now, payload=b"", format=None, options=()):
        """Answers a Request, at once or later. A 2.05 to a GET or FETCH with observe 0 registers the observer, and its
        id is then in request.observer.

        LocalError: answered already, or payload over 8 KiB.
        """
        options = list(options)
        _content(options, coap.CONTENT_FORMAT, format, payload)
        self._server.answer(request, code, options, payload, now)

    def notify(self, observer, code, payload, format, now, confirmable=False):
        """Tells an observer (id). A CON that arrived gives ("notified", observer), one that nobody answered ("silent",
        observer), and one that is not wanted ("unobserved", observer). A code of 4.00 or more ends the observation.
        -> 2 where it went as a CON, 1 as a NON, False where nothing could be sent."""
        options = []
        _content(options, coap.CONTENT_FORMAT, format, payload)
        from . import coap_observers

        return coap_observers.notify(self._server, observer, code, options, payload, now, confirmable)

    def observed(self, path=()):
        """[(observer id, peer, path)] of the observers that a change at `path` concerns: at, above or below it."""
        if not self._server.observers:
            return []
        from . import coap_observers

        return coap_observers.observed(self._server, path)

    def unobserve(self, peer):
        """Forgets the observers at a peer, without an event: as after a de-registration."""
        for observer in self._server.observers[:]:
            if observer.peer == peer:
                self._wire.drop(observer)
                self._server.observers.remove(observer)

    def receive(self, peer, data, now, multicast=False):
        """Takes a datagram (bytes) in; `multicast`: it was sent to a group. Never raises because of the bytes."""
        if len(self._events) >= _EVENTS:
            self.counters["dropped"] += 1
            return
        self.counters["received"] += 1
        try:
            message = coap.decode(data)
        except RemoteError:
            # RFC 7252 4.2, 4.3: a malformed CON is reset, everything else ignored.
            self.counters["refused"] += 1
            head = coap.header(data)
            if head and head[0] == coap.CON and not multicast:
                self._wire.reply(peer, coap.RST, head[2])
            return
        self._sort(peer, message, now, multicast)
        self.poll(now)

    def _sort(self, peer, message, now, multicast):
        if message.type == coap.ACK or message.type == coap.RST:
            self._concluded(peer, message, now)
        elif multicast and (message.type == coap.CON or message.code >= 32):
            self.counters["refused"] += 1  # RFC 7252 8.1: only NON requests go to groups
        elif not message.code:
            self._wire.reply(peer, coap.RST, message.mid)  # "CoAP ping", 4.3
        elif not self._wire.seen(peer, message.mid, now):
            if message.code < 32:
                self._server.receive(peer, message, now, multicast)
            else:
                self._response(peer, message, now)

    def poll(self, now):
        """Does what is due."""
        for flight in self._wire.poll(now):
            self._lost(flight, "timeout")
        self._client.poll(now)
        self._server.poll(now)

    def deadline(self):
        """When to call poll (ms), or None."""
        server = self._server
        return soonest(self._wire.flights + self._client.asks + server.late + server.bodies)

    def take(self):
        """[(peer, bytes)] to send; empties it."""
        out = self._wire.out[:]
        self._wire.out.clear()
        return out

    def events(self):
        """What happened, oldest first; empties it. ("request", Request) | ("response", handle, Response) |
        ("failed", handle, reason) | ("unobserved" | "silent" | "notified", observer id)."""
        events = self._events[:]
        self._events.clear()
        return events

    def forget(self, link):
        """Drops all that has to do with a link; of it only requests tell: ("failed", handle, "link")."""
        for ask in self._client.asks[:]:
            if ask.peer[0] == link:
                self._client.fail(ask, "link")
        server = self._server
        for table in (self._wire.flights, server.late, server.bodies, server.observers):
            table[:] = [item for item in table if item.peer[0] != link]

    def _concluded(self, peer, message, now):
        """An ACK or a RST."""
        flight = self._wire.find(peer, message.mid)
        if not flight:
            if message.type == coap.RST and self._server.observers:
                from . import coap_observers

                coap_observers.reset(self._server, peer, message.mid)
        elif message.type == coap.RST:
            self._wire.finish(flight)
            self._lost(flight, "reset")
        elif not message.code:
            self._wire.finish(flight)
            if flight.owner.kind == "ask":
                self._client.acknowledged(flight.owner, now)
            elif flight.owner.kind == "notice":
                self._events.append(("notified", flight.owner.id))
        elif flight.owner.kind == "ask" and flight.owner.token == message.token:
            self._wire.finish(flight)
            self._answered(flight.owner, message, now)
        else:
            self.counters["refused"] += 1

    def _lost(self, flight, reason):
        """Given up or reset. A separate response of ours nobody wants needs no event."""
        if flight.owner.kind == "ask":
            self._client.fail(flight.owner, reason)
        elif flight.owner.kind == "notice":
            from . import coap_observers

            coap_observers.lose(self._server, flight.owner, "unobserved" if reason == "reset" else "silent")

    def _response(self, peer, message, now):
        """A response in a message of its own: it acknowledges the request too (RFC 7252 5.2.2, 5.3.2)."""
        ask = self._client.find(peer, message.token)
        if ask and ask.state == "queued":
            ask = None  # it has asked nothing yet
        known = ask and coap.unknown_critical(message) is None
        # A RST to a NON too where it is a notification nobody waits for: it ends the observation (RFC 7641 3.6).
        if message.type == coap.CON or (not known and message.get(coap.OBSERVE) is not None):
            self._wire.reply(peer, coap.ACK if known else coap.RST, message.mid)
        if ask:
            self._wire.drop(ask)
            self._answered(ask, message, now)
        else:
            self.counters["refused"] += 1

    def _answered(self, ask, message, now):
        if coap.unknown_critical(message) is None:
            self._client.response(ask, message, now)
        else:  # RFC 7252 5.4.1: rejected; waiting for another one would be in vain
            self.counters["refused"] += 1
            self._client.fail(ask, "option")


def _content(options, number, value, payload=b""):
    """Adds an option that is a number, unless it is None, and refuses a payload that is too long."""
    if value is not None:
        options.append((number, coap.uint(value)))
    if len(payload) > BODY_MAX:
        raise LocalError("coap: body of %d bytes, at most %d" % (len(payload), BODY_MAX))
