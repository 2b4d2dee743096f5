"""The answering half of the exchange: requests of peers, and those who observe us.

RFC 7252 section 5.2 (piggybacked and separate responses), RFC 7959 (both directions), RFC 7641 section 4.
"""

import binascii

from ..codec import coap
from ..errors import RemoteError
from ..table import follow
from . import coap_blocks as blocks
from .coap_transmission import overdue

try:
    from micropython import const
except ImportError:
    const = int

# What becomes of a request until it is answered: in the ACK, or after an empty one.
# state event next-state
_TRANSITIONS = """
new delay acknowledged
new answer answered
acknowledged answer answered
"""

_PROCESSING_DELAY = const(1000)  # ms within which a response still travels in the ACK: half of the peer's ACK_TIMEOUT
_UNACKNOWLEDGED = const(8)
_OBSERVERS = const(16)
_BODIES = const(4)
_PATIENCE = const(93000)  # ms between two blocks: MAX_TRANSMIT_WAIT (RFC 7959 2.4 asks for no less than that)
_CONFIRM_EVERY = const(82800000)  # ms; RFC 7641 4.5 wants a CON every 24 h, and the next may be an hour away
_NO_PROXY = const(165)  # 5.05 Proxying Not Supported


class Request:
    """A whole request of a peer. `observe`: 0 to register, 1 to cancel, else None; set it to None to decline."""

    kind = "answer"
    state = "new"
    due = None  # when an empty ACK has to leave
    block1 = block2 = None  # as coap_blocks.read gives them

    def __init__(self, peer, message, multicast):
        self.peer = peer
        self.code = message.code
        self.path = message.path()
        self.query = message.query()
        self.payload = message.payload
        self.format = message.uint(coap.CONTENT_FORMAT)
        self.accept = message.uint(coap.ACCEPT)
        self.observe = message.uint(coap.OBSERVE) if message.code == coap.GET else None
        self.token = message.token
        self.multicast = multicast
        self.mid = message.mid
        self.confirmable = message.type == coap.CON
        # What all blocks of one body have in common (RFC 7959 2.4, 2.5).
        self.key = self.peer, self.code, self.path, self.query, self.accept


class Observer:
    """A peer that wants to hear of a path."""

    kind = "notice"
    mid = None  # of the newest notification

    def __init__(self, ident, number, request, now):
        self.id = ident
        self.number = number
        self.peer = request.peer
        self.token = request.token
        self.path = request.path
        self.key = request.key
        self.block2 = 0, 0, request.block2[2] if request.block2 else 1024
        self.confirmed = now  # when a CON was last sent, or the registration came


class Server:
    """Takes requests apart, puts responses together. Requests go into `events`."""

    def __init__(self, wire, events, counters, block_size):
        self._wire = wire
        self._events = events
        self._counters = counters
        self._size = block_size
        self.bodies = []  # half received or half fetched, the one least recently used first
        self.late = []  # requests whose ACK has not left
        self.observers = []
        self._ident = 0

    def receive(self, peer, message, now, multicast):
        """A request that did not come before: delivered, or answered here."""
        request = Request(peer, message, multicast)
        critical = coap.unknown_critical(message)
        if critical is not None:
            self._counters["refused"] += 1
            if request.confirmable:  # RFC 7252 5.4.1: a NON is rejected in silence
                code = _NO_PROXY if critical in (35, 39) else coap.BAD_OPTION  # Proxy-Uri, Proxy-Scheme
                self.answer(request, code, (), b"option %d" % critical, now)
            return
        try:
            request.block1 = blocks.read(message, coap.BLOCK1)
            request.block2 = blocks.read(message, coap.BLOCK2)
        except RemoteError as error:
            self.answer(request, coap.BAD_REQUEST, (), str(error).encode(), now)
            return
        if request.block1 and not self._assemble(request, message, now):
            return
        if request.block2 and request.block2[0]:
            request.observe = None  # RFC 7959 2.6: later blocks do not register
            if self._continued(request, now):
                return
        self._deliver(request, now)

    def answer(self, request, code, options, payload, now):
        """Sends the response: in the ACK while there is time, else as a message of its own."""
        piggyback = request.confirmable and request.state == "new"
        request.state = follow(_TRANSITIONS, request.state, "answer")
        if request in self.late:
            self.late.remove(request)
        if request.multicast and code >= coap.BAD_REQUEST:
            return  # RFC 7252 8.2: to a group only those answer who have something to say
        options = list(options)
        if request.block1 and code != coap.TOO_LARGE:  # there it would ask for smaller blocks
            number, _, size = request.block1
            options.append(blocks.option(coap.BLOCK1, number, code == coap.CONTINUE, min(size, self._size)))
        if request.observe == 0 and code == coap.CONTENT:
            self._register(request, options, now)
        code, payload = self._cut(request, request.key, code, options, payload, now)
        if piggyback:
            self._wire.reply(request.peer, coap.ACK, request.mid, code, request.token, options, payload)
        else:
            left = self._wire.left if request.confirmable else None
            self._wire.send(request, code, options, payload, now, left)

    def notify(self, ident, code, options, payload, now, confirmable):
        """Tells one observer. False: it is none any more, or too much waits for its peer already."""
        for observer in self.observers:
            if observer.id == ident:
                break
        else:
            return False
        if code < coap.BAD_REQUEST:
            observer.number = observer.number + 1 & 0xFFFFFF
            options.append((coap.OBSERVE, coap.uint(observer.number)))
        else:
            self.observers.remove(observer)  # RFC 7641 4.2: an error ends it
        code, payload = self._cut(observer, observer.key, code, options, payload, now)
        # While a confirmable one is under way, the newest waits for its end (RFC 7641 4.5.2).
        left = None
        if confirmable or self._wire.of(observer) or now - observer.confirmed >= _CONFIRM_EVERY:
            observer.confirmed = now
            left = self._wire.left
        return self._wire.send(observer, code, options, payload, now, left)

    def observed(self, path):
        """[(observer id, peer, path)] of those at, above or below `path`."""
        return [
            (observer.id, observer.peer, observer.path)
            for observer in self.observers
            if all([a == b for a, b in zip(observer.path, path)])
        ]

    def reset(self, peer, mid):
        """A RST: when it is about a notification, its observer wants no more (RFC 7641 3.6)."""
        for observer in self.observers:
            if observer.mid == mid and observer.peer == peer:
                self.lose(observer)
                return

    def lose(self, observer):
        """Removes an observer who said so or does not answer."""
        self._wire.drop(observer)
        if observer in self.observers:
            self.observers.remove(observer)
            self._events.append(("unobserved", observer.id))

    def poll(self, now):
        """Sends the ACKs and drops the bodies whose time has come."""
        for request in overdue(self.late, now):
            self._acknowledge(request)
        for body in overdue(self.bodies, now):
            self.bodies.remove(body)

    def _deliver(self, request, now):
        if request.observe == 1:
            for observer in self._of(request):
                self.lose(observer)
        elif request.observe:
            request.observe = None
        if request.confirmable:
            request.due = now + _PROCESSING_DELAY
            self.late.append(request)
            if len(self.late) > _UNACKNOWLEDGED:
                self._acknowledge(self.late[0])
        self._events.append(("request", request))

    def _acknowledge(self, request):
        request.state = follow(_TRANSITIONS, request.state, "delay")
        self.late.remove(request)
        self._wire.reply(request.peer, coap.ACK, request.mid)

    # Blocks

    def _assemble(self, request, message, now):
        """Adds a block to its body. True: the request is whole. Otherwise it has been answered."""
        number, more, size = request.block1
        key = ("in", request.key)
        if not number:
            self._hold(blocks.Body(request.peer, key, request.format), now)
        body = self._held(key)
        options = ()
        code = coap.CONTINUE
        if not body or body.about != request.format or number * size != body.length:
            code = coap.INCOMPLETE
        elif more and len(request.payload) != size:
            code = coap.BAD_REQUEST
        elif (message.uint(coap.SIZE1) or 0) > blocks.BODY_MAX or not self._grow(request, body, now):
            code = coap.TOO_LARGE
            options = ((coap.SIZE1, coap.uint(blocks.BODY_MAX)),)
        if more and code == coap.CONTINUE:
            self.answer(request, code, options, b"", now)
            return False
        if body:
            self.bodies.remove(body)
        if code != coap.CONTINUE:
            self.answer(request, code, options, b"", now)
        return code == coap.CONTINUE

    def _grow(self, request, body, now):
        """Adds the payload to the body; after the last block the payload is the body. False: too large."""
        try:
            body.append(request.payload)
            self._hold(body, now)
            if not request.block1[1]:
                request.payload = body.whole()
        except RemoteError:
            return False
        return True

    def _continued(self, request, now):
        """Answers a request for a later block from the body held. False: the request has to be asked again."""
        body = self._held(request.key)
        if body:
            self.answer(request, body.about[0], body.about[1], body.whole(), now)
        elif request.code == coap.GET or request.code == coap.FETCH:
            return False
        else:  # nothing that changes the world is done twice for a block of its answer
            self.answer(request, coap.INCOMPLETE, (), b"", now)
        return True

    def _cut(self, to, key, code, options, payload, now):
        """(code, the block of the response body that `to` asked for); adds its options, holds the rest."""
        number, _, asked = to.block2 or (0, 0, self._size)
        size = min(asked, self._size)
        at = number * asked
        if (len(payload) <= size and not at) or code >= coap.BAD_REQUEST:
            return code, payload
        if at >= len(payload):
            del options[:]
            return coap.BAD_REQUEST, b""
        if not any([item[0] == coap.ETAG for item in options]):
            options.append((coap.ETAG, binascii.crc32(payload).to_bytes(4, "big")))
        body = self._held(key)
        if at and body:
            self._hold(body, now) if at + size < len(payload) else self.bodies.remove(body)
        elif at + size < len(payload):
            about = [item for item in options if item[0] not in (coap.OBSERVE, coap.BLOCK1)]
            self._hold(blocks.Body(to.peer, key, (code, about), payload), now)
        if not at:
            options.append((coap.SIZE2, coap.uint(len(payload))))
        payload, block = blocks.cut(payload, at, size, coap.BLOCK2)
        options.append(block)
        return code, payload

    def _held(self, key):
        for body in self.bodies:
            if body.key == key:
                return body

    def _hold(self, body, now):
        """Keeps a body, in place of an earlier one of the same key. What does not fit beside it goes."""
        before = self._held(body.key)
        if before:
            self.bodies.remove(before)
        body.due = now + _PATIENCE
        self.bodies.append(body)
        while len(self.bodies) > _BODIES or sum([one.length for one in self.bodies]) > blocks.BODY_MAX:
            self.bodies.pop(0)

    # Observers

    def _of(self, request):
        """The observers that this peer registered with this token: one or none."""
        return [o for o in self.observers if o.token == request.token and o.peer == request.peer]

    def _register(self, request, options, now):
        """Adds or renews an observer, and the Observe option; when there are too many, neither (RFC 7641 4.1)."""
        before = self._of(request)
        number = 0
        if before:
            ident = before[0].id
            number = before[0].number + 1 & 0xFFFFFF
            self.observers.remove(before[0])
        elif len(self.observers) < _OBSERVERS:
            ident = self._ident = self._ident + 1
        else:
            return
        self.observers.append(Observer(ident, number, request, now))
        options.append((coap.OBSERVE, coap.uint(number)))
