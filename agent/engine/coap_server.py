"""The answering half of the exchange: requests of peers (RFC 7252 section 5.2, piggybacked and separate responses).

Bodies in blocks are in coap_serving.py, those who observe us in coap_observers.py: a device that needs neither does not
load them.
"""

from ..codec import coap
from ..table import follow
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
_NO_PROXY = const(165)  # 5.05 Proxying Not Supported


class Request:
    """A whole request of a peer. `observe`: 0 to register, 1 to cancel, else None; set it to None to decline."""

    kind = "answer"
    state = "new"
    due = None  # when an empty ACK has to leave
    observer = None  # its id, once the answer has made one of its sender
    block1 = block2 = None  # as coap_blocks.read gives them: (number, more, size)

    def __init__(self, peer, message, multicast):
        self.peer = peer
        self.code = message.code
        self.path = message.path()
        self.query = message.query()
        self.payload = message.payload
        self.format = message.uint(coap.CONTENT_FORMAT)
        self.accept = message.uint(coap.ACCEPT)
        self.observe = message.uint(coap.OBSERVE) if message.code in (coap.GET, coap.FETCH) else None
        self.token = message.token
        self.multicast = multicast
        self.mid = message.mid
        self.confirmable = message.type == coap.CON
        # What all blocks of one body have in common (RFC 7959 2.4, 2.5).
        self.key = self.peer, self.code, self.path, self.query, self.accept


class Server:
    """Takes requests apart, puts responses together. Requests go into `events`."""

    def __init__(self, wire, events, counters, block_size):
        self.wire = wire
        self.events = events
        self.size = block_size
        self.piecemeal = {}  # paths whose blocks are delivered one by one: the whole would be too much
        self.bodies = []  # half received or half fetched, the one least recently used first
        self.observers = []
        self.registered = 0  # how many observers there have been: the newest one's id
        self._counters = counters
        self.late = []  # requests whose ACK has not left

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
        if message.get(coap.BLOCK1) is not None or message.get(coap.BLOCK2) is not None:
            from . import coap_serving

            if not coap_serving.whole(self, request, message, now):
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
            from . import coap_serving

            options.append(coap_serving.received(self, request, code))
        if request.observe == 0 and code == coap.CONTENT:
            from . import coap_observers

            coap_observers.register(self, request, options, now)
        code, payload = self.cut(request, code, options, payload, now)
        if piggyback:
            self.wire.reply(request.peer, coap.ACK, request.mid, code, request.token, options, payload)
        else:
            left = self.wire.left if request.confirmable else None
            self.wire.send(request, code, options, payload, now, left)

    def cut(self, to, code, options, payload, now):
        """(code, as much of the response body as goes into the message that `to` waits for)."""
        number, _, asked = to.block2 or (0, 0, self.size)
        if code >= coap.BAD_REQUEST or (not number and len(payload) <= min(asked, self.size)):
            return code, payload
        from . import coap_serving

        return coap_serving.cut(self, to, code, options, payload, now)

    def poll(self, now):
        """Sends the ACKs and drops the bodies whose time has come."""
        for request in overdue(self.late, now):
            self._acknowledge(request)
        for body in overdue(self.bodies, now):
            self.bodies.remove(body)

    def _deliver(self, request, now):
        if request.observe:
            if request.observe == 1 and self.observers:
                from . import coap_observers

                coap_observers.cancel(self, request)
            elif request.observe != 1:
                request.observe = None
        if request.confirmable:
            request.due = now + _PROCESSING_DELAY
            self.late.append(request)
            if len(self.late) > _UNACKNOWLEDGED:
                self._acknowledge(self.late[0])
        self.events.append(("request", request))

    def _acknowledge(self, request):
        request.state = follow(_TRANSITIONS, request.state, "delay")
        self.late.remove(request)
        self.wire.reply(request.peer, coap.ACK, request.mid)
