"""The requesting half of the exchange: requests of ours until their whole response is there.

RFC 7252 section 5 (matching, separate responses). What takes more than one response - blocks, notifications - is in
coap_following.py, which is loaded when the first of them comes.
"""

from ..codec import coap
from ..table import follow
from .coap_transmission import overdue

try:
    from micropython import const
except ImportError:
    const = int

# What a request goes through, besides its end: answered, failed or cancelled it is simply gone.
# state event next-state
_TRANSITIONS = """
queued begin sending
sending acknowledged waiting
sending block sending
waiting block sending
observing block sending
sending notified observing
waiting notified observing
observing notified observing
"""

_ASKS = const(16)  # requests and observations at one time


class Ask:
    """One request. A block-wise one keeps its token on all blocks."""

    kind = "ask"
    state = "queued"
    at = 0  # first byte of the block of `payload` under way
    body = None  # what has come of a response in blocks; its `about` is the ETag
    observe = None  # number of the newest notification, and when it came
    observed_at = 0
    due = None  # when to stop waiting: for a separate response, or in the queue
    restarts = 2  # bodies sent anew because the server had lost the first blocks (4.08)

    def __init__(self, handle, peer, token, code, options, payload, size, left):
        self.handle = handle
        self.peer = peer
        self.token = token
        self.code = code
        self.options = options
        self.payload = payload
        self.size = size  # bytes in a block, either way
        self.left = left  # how often to repeat each message
        self.watching = False


class Response:
    """A whole response. `observe` is the notification's number where it is one."""

    def __init__(self, message, payload, observe):
        self.get = message.get  # the first value (bytes) of an option, or None
        self.code = message.code
        self.payload = payload
        self.format = message.uint(coap.CONTENT_FORMAT)
        self.location = tuple([str(value, "utf-8") for value in message.all(coap.LOCATION_PATH)])
        self.observe = observe


class Client:
    """Asks peers, follows their blocks and notifications. Results go into `events`."""

    def __init__(self, wire, below, events, block_size):
        self._wire = wire
        self._below = below
        self._events = events
        self.size = block_size
        self.asks = []
        self._handle = 0

    def ask(self, peer, code, options, payload, observe, now, left):
        """Starts a request and returns its handle; a refusal comes as ("failed", handle, "busy")."""
        self._handle += 1
        ask = Ask(self._handle, peer, self.token(peer), code, options, payload, self.size, left)
        ask.watching = observe == 0
        self.asks.append(ask)
        self.begin(ask, now)
        return ask.handle

    def cancel(self, handle):
        """Forgets a request or an observation; a notification that still comes is reset (RFC 7641 3.6)."""
        for ask in self.asks[:]:
            if ask.handle == handle:
                self.remove(ask)

    def find(self, peer, token):
        """The request that a response with this token from this peer answers, or None (RFC 7252 5.3.2)."""
        for ask in self.asks:
            if ask.token == token and ask.peer == peer:
                return ask

    def acknowledged(self, ask, now):
        """An empty ACK came: the response will come later, but not for ever."""
        ask.state = follow(_TRANSITIONS, ask.state, "acknowledged")
        # As long as it may take to give up sending (MAX_TRANSMIT_WAIT, RFC 7252 4.8.2).
        timeout = self._wire.slow.get(ask.peer[0], self._wire.timeout)
        ask.due = now + timeout * 3 * ((2 << ask.left) - 1) // 2

    def fail(self, ask, reason):
        """Ends a request, with everything under its handle."""
        if ask in self.asks:
            self.cancel(ask.handle)
            self._events.append(("failed", ask.handle, reason))

    def response(self, ask, message, now):
        """A response to this request: goes on with the next block, or delivers it."""
        ask.due = None
        plain = message.get(coap.BLOCK1) is None and message.get(coap.BLOCK2) is None
        plain = plain and message.code not in (coap.CONTINUE, coap.UNAUTHORIZED)
        if plain and not (ask.watching or ask.body or len(ask.payload) > ask.size):
            return self.deliver(ask, message, message.payload)
        from . import coap_following

        coap_following.response(self, ask, message, now)

    def poll(self, now):
        """Starts those whose turn may have come, ends those who waited too long."""
        for ask in overdue(self.asks, now):
            if ask.state == "queued":
                self.begin(ask, now)
            else:
                self.fail(ask, "timeout")

    def token(self, peer):
        """A token that no request to this peer has."""
        # Two random bytes: an attacker off the path must hit them and our port at once, and on an account
        # that is protected the token guards nothing (RFC 7252 5.3.1). More bytes would go over 4G each time.
        number = self._below(0x10000)
        while True:
            token = number.to_bytes(2, "big")
            if not self.find(peer, token):
                return token
            number = number + 1 & 0xFFFF

    def remove(self, ask):
        """Stops everything about a request."""
        self._wire.drop(ask)
        self.asks.remove(ask)
        for other in self.asks:
            if other.state == "queued":
                other.due = 0  # its turn may have come: the next poll looks

    def begin(self, ask, now):
        """Sends the first message of a request, when its turn has come."""
        if len(self.asks) > _ASKS:
            self.fail(ask, "busy")
            return
        # The blocks of two bodies for one resource would end up in one (RFC 7959 2.5): one after the other.
        ask.due = None
        if len(ask.payload) > ask.size:
            for other in self.asks:
                if other.peer == ask.peer and other.state != "queued" and len(other.payload) > self.size:
                    return
        self.send(ask, "begin", now)

    def send(self, ask, event, now):
        """Sends the message that is next: the request, or one of its blocks."""
        ask.state = follow(_TRANSITIONS, ask.state, event)
        options, payload = list(ask.options), ask.payload
        if ask.body or len(payload) > ask.size:
            from . import coap_following

            options, payload = coap_following.block(ask, options, payload)
        if not self._wire.send(ask, ask.code, options, payload, now, ask.left):
            self.fail(ask, "busy")

    def deliver(self, ask, message, payload):
        """The response is whole: it ends the request, or, of an observation, is one of many."""
        ask.body = None
        if ask.watching:
            self.notified(ask)
        else:
            self.remove(ask)
        self._events.append(("response", ask.handle, Response(message, payload, ask.observe)))

    def notified(self, ask):
        """An observation goes on after this notification."""
        ask.state = follow(_TRANSITIONS, ask.state, "notified")
