"""The answering half of the exchange: requests of peers, and those who observe us.

RFC 7252 section 5.2 (piggybacked and separate responses), RFC 7959 (both directions), RFC 7641 section 4.
"""

import binascii

from ..codec import coap
from ..errors import LocalError, RemoteError
from . import coap_blocks as blocks

# What becomes of a request until it is answered.
_TRANSITIONS = (
    # state, event, next state
    ("new", "delay", "acknowledged"),  # an empty ACK has left: the response will be a message of its own
    ("new", "answer", "answered"),
    ("acknowledged", "answer", "answered"),
)
_NEXT = {(state, event): after for state, event, after in _TRANSITIONS}

_PROCESSING_DELAY = 1000  # ms within which a response still travels in the ACK: half of the peer's ACK_TIMEOUT
_UNACKNOWLEDGED = 8
_OBSERVERS = 16
_CONFIRM_EVERY = 23 * 3600 * 1000  # ms; RFC 7641 4.5 wants a CON every 24 h, and the next may be an hour away
_NO_PROXY = 165  # 5.05 Proxying Not Supported
_PROXY = (35, 39)  # Proxy-Uri, Proxy-Scheme


class Request:
    """A whole request of a peer. `observe`: 0 to register, 1 to cancel, else None; set it to None to decline."""

    def __init__(self, peer, message, multicast):
        self.peer = peer
        self.code = message.code
        self.path = message.path()
        self.query = message.query()
        self.payload = message.payload
        self.format = message.uint(coap.CONTENT_FORMAT)
        self.accept = message.uint(coap.ACCEPT)
        self.token = message.token
        self.multicast = multicast
        self.observe = message.uint(coap.OBSERVE) if message.code == coap.GET else None
        self.state = "new"
        self.mid = message.mid
        self.confirmable = message.type == coap.CON
        self.block1 = self.block2 = None

    def key(self, way):
        """What all blocks of one body have in common (RFC 7959 2.4, 2.5); `way` "in" or "out"."""
        return way, self.peer, self.code, self.path, self.query, self.accept


class Observer:
    """A peer that wants to hear of a path."""

    def __init__(self, ident, request):
        self.id = ident
        self.peer = request.peer
        self.token = request.token
        self.path = request.path
        self.key = request.key("out")
        self.size = request.block2[2] if request.block2 else 1024
        self.number = 0
        self.mid = -1  # of the newest notification
        self.confirmed = 0  # when a CON was last sent or a registration received, ms


class Server:
    """Takes requests apart, puts responses together. Requests go into `events`."""

    def __init__(self, wire, events, counters, block_size):
        self._wire = wire
        self._events = events
        self._counters = counters
        self._block_size = block_size
        self._bodies = blocks.Bodies()
        self._late = []  # (when to send an empty ACK, request)
        self._observers = []
        self._ident = 0

    def receive(self, peer, message, now, multicast):
        """A request that did not come before: delivered, or answered here."""
        request = Request(peer, message, multicast)
        if not self._acceptable(request, message, now):
            return
        try:
            request.block1 = blocks.read(message, coap.BLOCK1)
            request.block2 = blocks.read(message, coap.BLOCK2)
        except RemoteError as error:
            self.answer(request, coap.BAD_REQUEST, (), str(error).encode(), now)
            return
        if request.block1 and not self._assemble(request, message, now):
            return
        if request.block2 and request.block2[0] and self._continued(request, now):
            return
        self._deliver(request, now)

    def answer(self, request, code, options, payload, now):
        """Sends the response: in the ACK while there is time, else as a message of its own."""
        after = _NEXT.get((request.state, "answer"))
        if not after:
            raise LocalError("coap: request already answered")
        piggyback = request.confirmable and request.state == "new"
        request.state = after
        self._late[:] = [item for item in self._late if item[1] is not request]
        if request.multicast and code >= coap.BAD_REQUEST:
            return  # RFC 7252 8.2: to a group only those answer who have something to say
        options = list(options)
        if request.block1 and code != coap.TOO_LARGE:  # there it would ask for smaller blocks
            block, _, size = request.block1
            options.append(blocks.option(coap.BLOCK1, block, code == coap.CONTINUE, min(size, self._block_size)))
        if request.observe == 0 and code == coap.CONTENT:
            self._register(request, options, now)
        asked = request.block2 or (0, 0, self._block_size)
        key = request.key("out")
        code, payload = self._cut(key, asked, code, options, payload, now)
        self._send(request, piggyback, code, options, payload, now)

    def notify(self, ident, code, options, payload, now, confirmable):
        """Tells one observer. False: it is none any more, or too much waits for its peer already."""
        found = [observer for observer in self._observers if observer.id == ident]
        if not found:
            return False
        observer = found[0]
        options = list(options)
        if code < coap.BAD_REQUEST:
            observer.number = observer.number + 1 & 0xFFFFFF
            options.append((coap.OBSERVE, coap.uint(observer.number)))
        else:
            self._observers.remove(observer)  # RFC 7641 4.2: an error ends it
        code, payload = self._cut(observer.key, (0, 0, observer.size), code, options, payload, now)
        # While a confirmable one is under way, the newest waits for its end (RFC 7641 4.5.2).
        if not confirmable and now - observer.confirmed < _CONFIRM_EVERY and not self._wire.busy(observer):
            kind = coap.NON
        else:
            kind = coap.CON
        return self._tell(observer, kind, code, options, payload, now)

    def observed(self, path):
        """[(observer id, peer, path)] of those at, above or below `path`."""
        return [
            (observer.id, observer.peer, observer.path)
            for observer in self._observers
            if all([a == b for a, b in zip(observer.path, path)])
        ]

    def reset(self, peer, mid):
        """A RST: when it is about a notification, its observer wants no more (RFC 7641 3.6)."""
        for observer in self._observers:
            if observer.mid == mid and observer.peer == peer:
                self.lose(observer)
                return

    def lose(self, observer):
        """Removes an observer who said so or does not answer."""
        self._wire.drop(observer)
        if observer in self._observers:
            self._observers.remove(observer)
            self._events.append(("unobserved", observer.id))

    def poll(self, now):
        self._bodies.poll(now)
        while self._late and self._late[0][0] <= now:
            self._acknowledge(now)

    def deadline(self):
        held = self._bodies.deadline()
        late = self._late[0][0] if self._late else None
        return held if late is None else late if held is None else min(late, held)

    def unobserve(self, peer):
        """Drops the observers at a peer without a word."""
        for observer in [observer for observer in self._observers if observer.peer == peer]:
            self._wire.drop(observer)
            self._observers.remove(observer)

    def forget(self, link):
        self._bodies.forget(link)
        self._late[:] = [item for item in self._late if item[1].peer[0] != link]
        self._observers[:] = [observer for observer in self._observers if observer.peer[0] != link]

    def _acceptable(self, request, message, now):
        critical = coap.unknown_critical(message)
        if critical is None:
            return True
        self._counters["refused"] += 1
        if request.confirmable:  # RFC 7252 5.4.1: a NON is rejected in silence
            code = _NO_PROXY if critical in _PROXY else coap.BAD_OPTION
            self.answer(request, code, (), b"option %d" % critical, now)
        return False

    def _deliver(self, request, now):
        if request.block2 and request.block2[0]:
            request.observe = None  # RFC 7959 2.6: later blocks do not register
        if request.observe is not None and request.observe > 1:
            request.observe = None
        if request.observe == 1:
            for observer in self._of(request):
                self.lose(observer)
        if request.confirmable:
            self._late.append((now + _PROCESSING_DELAY, request))
            if len(self._late) > _UNACKNOWLEDGED:
                self._acknowledge(now)
        self._events.append(("request", request))

    def _acknowledge(self, now):
        request = self._late.pop(0)[1]
        request.state = _NEXT[request.state, "delay"]
        self._wire.reply(request.peer, coap.Message(coap.ACK, 0, request.mid), now)

    def _send(self, request, piggyback, code, options, payload, now):
        message = coap.Message(coap.ACK, code, request.mid, request.token, options, payload)
        if piggyback:
            self._wire.reply(request.peer, message, now)
            return
        message.mid = self._wire.mid()
        message.type = coap.CON if request.confirmable else coap.NON
        data = coap.encode(message)
        if request.confirmable:
            self._wire.start(request.peer, message.mid, data, "answer", None, now)
        else:
            self._wire.put(request.peer, data)

    # Blocks

    def _assemble(self, request, message, now):
        """Adds a block to its body. True: the request is whole. Otherwise it has been answered."""
        block, more, size = request.block1
        key = request.key("in")
        if not block:
            self._bodies.hold(key, bytearray(), request.format, now)
        held = self._bodies.get(key, now)
        chunk = request.payload
        options = ()
        if not held or held[3] != request.format or block * size != len(held[2]):
            code = coap.INCOMPLETE
        elif more and len(chunk) != size:
            code = coap.BAD_REQUEST
        elif max(len(held[2]) + len(chunk), message.uint(coap.SIZE1) or 0) > blocks.BODY_MAX:
            code = coap.TOO_LARGE
            options = ((coap.SIZE1, coap.uint(blocks.BODY_MAX)),)
        else:
            held[2].extend(chunk)
            self._bodies.trim()
            code = coap.CONTINUE
        if more or code != coap.CONTINUE:
            if code != coap.CONTINUE:
                self._bodies.drop(key)
            self.answer(request, code, options, b"", now)
            return False
        self._bodies.drop(key)
        request.payload = bytes(held[2])
        return True

    def _continued(self, request, now):
        """Answers a request for a later block from the body held. False: the request has to be asked again."""
        held = self._bodies.get(request.key("out"), now)
        if held:
            self.answer(request, held[3][0], held[3][1], held[2], now)
        elif request.code == coap.GET or request.code == coap.FETCH:
            return False
        else:  # nothing that changes the world is done twice for a block of its answer
            self.answer(request, coap.INCOMPLETE, (), b"", now)
        return True

    def _cut(self, key, asked, code, options, payload, now):
        """(code, the block asked for) of a response body; the rest is held, its Block2 option added."""
        size = min(asked[2], self._block_size)
        at = asked[0] * asked[2]
        if (len(payload) <= size and not at) or code >= coap.BAD_REQUEST:
            return code, payload
        if at >= len(payload):
            del options[:]
            return coap.BAD_REQUEST, b""
        if not any([number == coap.ETAG for number, _ in options]):
            options.append((coap.ETAG, binascii.crc32(payload).to_bytes(4, "big")))
        if at + size >= len(payload):
            self._bodies.drop(key)
        elif not at or not self._bodies.get(key, now):
            about = [item for item in options if item[0] not in (coap.OBSERVE, coap.BLOCK1)]
            self._bodies.hold(key, payload, (code, about), now)
        if not at:
            options.append((coap.SIZE2, coap.uint(len(payload))))
        chunk, block = blocks.cut(payload, at, size, coap.BLOCK2)
        options.append(block)
        return code, chunk

    # Observers

    def _of(self, request):
        """The observers that this peer registered with this token: one or none."""
        return [o for o in self._observers if o.token == request.token and o.peer == request.peer]

    def _register(self, request, options, now):
        """Adds or renews an observer, and the Observe option; when there are too many, neither (RFC 7641 4.1)."""
        before = self._of(request)
        if before:
            observer = Observer(before[0].id, request)
            observer.number = before[0].number + 1 & 0xFFFFFF
            self._observers.remove(before[0])
        elif len(self._observers) < _OBSERVERS:
            self._ident += 1
            observer = Observer(self._ident, request)
        else:
            return
        observer.confirmed = now
        self._observers.append(observer)
        options.append((coap.OBSERVE, coap.uint(observer.number)))

    def _tell(self, observer, kind, code, options, payload, now):
        observer.mid = mid = self._wire.mid()
        data = coap.encode(coap.Message(kind, code, mid, observer.token, options, payload))
        if kind == coap.NON:
            self._wire.put(observer.peer, data)
            return True
        observer.confirmed = now
        wire = self._wire
        return wire.replace(observer, mid, data) or wire.start(observer.peer, mid, data, "notice", observer, now)
