"""The requesting half of the exchange: requests of ours until their whole response is there.

RFC 7252 section 5 (matching, separate responses), RFC 7959 (both directions), RFC 7641 section 3 (observing).
"""

from ..codec import coap
from ..errors import RemoteError
from . import coap_blocks as blocks

# What a request goes through, besides its end: answered, failed or cancelled it is simply gone.
_TRANSITIONS = (
    # state, event, next state
    ("sending", "acknowledged", "waiting"),  # an empty ACK: the response comes as a message of its own
    ("sending", "block", "sending"),
    ("waiting", "block", "sending"),
    ("sending", "notified", "observing"),
    ("waiting", "notified", "observing"),
    ("observing", "notified", "observing"),
)
_NEXT = {(state, event): after for state, event, after in _TRANSITIONS}

_ASKS = 16  # requests and observations at one time
_RESTARTS = 2  # bodies sent anew because the server had lost the first blocks (4.08)
_FRESH = 128000  # ms after which a notification is newer whatever its number (RFC 7641 3.4)


class Ask:
    """One request. A block-wise one keeps its token on all blocks."""

    def __init__(self, handle, peer, token, code, options, payload):
        self.handle = handle
        self.peer = peer
        self.token = token
        self.code = code
        self.options = options
        self.payload = payload
        self.state = "sending"
        self.at = 0  # first byte of the block of `payload` under way
        self.size = 0  # bytes in a block, either way
        self.body = None  # what has come of a response in blocks
        self.etag = None
        self.watching = False
        self.observe = None  # number of the newest notification, and when it came
        self.observed_at = 0
        self.retransmit = None
        self.due = None  # when to stop waiting for a separate response
        self.restarts = _RESTARTS


class Response:
    """A whole response. `observe` is the notification's number where it is one."""

    def __init__(self, message, payload, observe):
        self._message = message
        self.code = message.code
        self.payload = payload
        self.format = message.uint(coap.CONTENT_FORMAT)
        self.location = tuple([str(value, "utf-8") for value in message.all(coap.LOCATION_PATH)])
        self.observe = observe

    def get(self, option):
        """The first value (bytes) of an option, or None."""
        return self._message.get(option)


def newer(last, last_at, number, now):
    """Whether notification `number`, come at `now` (ms), is newer than `last` come at `last_at` (RFC 7641 3.4)."""
    ahead = number - last & 0xFFFFFF
    return 0 < ahead < 0x800000 or now > last_at + _FRESH


class Client:
    """Asks peers, follows their blocks and notifications. Results go into `events`."""

    def __init__(self, wire, below, events, block_size):
        self._wire = wire
        self._below = below
        self._events = events
        self._block_size = block_size
        self._asks = []
        self._handle = 0

    def ask(self, peer, code, options, payload, observe, now, retransmit):
        """Starts a request and returns its handle; a refusal comes as ("failed", handle, "busy")."""
        self._handle += 1
        ask = Ask(self._handle, peer, self._token(peer), code, options, payload)
        ask.watching = observe == 0
        ask.retransmit = retransmit
        ask.size = self._block_size
        self._begin(ask, now)
        return ask.handle

    def cancel(self, handle):
        """Forgets a request or an observation; a notification that still comes is reset (RFC 7641 3.6)."""
        for ask in [ask for ask in self._asks if ask.handle == handle]:
            self._asks.remove(ask)
            self._wire.drop(ask)

    def find(self, peer, token):
        """The request that a response with this token from this peer answers, or None (RFC 7252 5.3.2)."""
        for ask in self._asks:
            if ask.token == token and ask.peer == peer:
                return ask
        return None

    def acknowledged(self, ask, now):
        """An empty ACK came: the response will come later, but not for ever."""
        self._enter(ask, "acknowledged")
        ask.due = now + self._wire.span(ask.retransmit)

    def fail(self, ask, reason):
        """Ends a request, with everything under its handle."""
        self.cancel(ask.handle)
        self._events.append(("failed", ask.handle, reason))

    def response(self, ask, message, now):
        """A response to this request: goes on with the next block, or delivers it."""
        ask.due = None
        try:
            if self._upload(ask, message, now) or (ask.watching and not self._news(ask, message, now)):
                return
            if not self._download(ask, message, now):
                self._deliver(ask, message)
        except RemoteError:
            self.fail(ask, "block")

    def poll(self, now):
        for ask in [ask for ask in self._asks if ask.due is not None and ask.due <= now]:
            self.fail(ask, "timeout")

    def deadline(self):
        return min([ask.due for ask in self._asks if ask.due is not None], default=None)

    def forget(self, link):
        for ask in [ask for ask in self._asks if ask.peer[0] == link]:
            if ask in self._asks:  # the first of two under one handle takes both
                self.fail(ask, "link")

    def _token(self, peer):
        # Two random bytes: an attacker off the path must hit them and our port at once, and on an account
        # that is protected the token guards nothing (RFC 7252 5.3.1). More bytes would go over 4G each time.
        number = self._below(0x10000)
        while self.find(peer, number.to_bytes(2, "big")):
            number = number + 1 & 0xFFFF
        return number.to_bytes(2, "big")

    def _enter(self, ask, event):
        ask.state = _NEXT[ask.state, event]

    def _begin(self, ask, now):
        self._asks.append(ask)
        if len(self._asks) > _ASKS:
            self.fail(ask, "busy")
        else:
            self._send(ask, now)

    def _send(self, ask, now):
        options = list(ask.options)
        payload = ask.payload
        if ask.body is not None:
            payload = b""
            options.append(blocks.option(coap.BLOCK2, len(ask.body) // ask.size, 0, ask.size))
        elif len(payload) > ask.size:
            if not ask.at:
                options.append((coap.SIZE1, coap.uint(len(payload))))
            payload, block = blocks.cut(payload, ask.at, ask.size, coap.BLOCK1)
            options.append(block)
        mid = self._wire.mid()
        data = coap.encode(coap.Message(coap.CON, ask.code, mid, ask.token, options, payload))
        if not self._wire.start(ask.peer, mid, data, "ask", ask, now, ask.retransmit):
            self.fail(ask, "busy")

    def _next_block(self, ask, now):
        self._enter(ask, "block")
        self._send(ask, now)

    def _news(self, ask, message, now):
        """False: an older notification, overtaken on the way. Without Observe the observation ends (RFC 7641 3.2)."""
        number = message.uint(coap.OBSERVE)
        if number is None or message.code >= coap.BAD_REQUEST:
            ask.watching = False
            ask.observe = None
            return True
        if ask.observe is not None and not newer(ask.observe, ask.observed_at, number, now):
            return False
        ask.observe = number
        ask.observed_at = now
        return True

    def _upload(self, ask, message, now):
        """Sends the next block of our body. False: there is none, this is the response. RemoteError: out of step."""
        if ask.body is not None or ask.state == "observing":
            return False
        block = blocks.read(message, coap.BLOCK1)
        code = message.code
        length = len(ask.payload)
        if code == coap.TOO_LARGE and block and block[2] < min(ask.size, length):
            ask.at = 0  # the server wants smaller blocks (RFC 7959 2.9.3)
            ask.size = block[2]
        elif code == coap.INCOMPLETE and length > ask.size and ask.restarts:
            ask.at = 0
            ask.restarts -= 1
        elif code == coap.CONTINUE or (block and code < coap.BAD_REQUEST and ask.at + ask.size < length):
            self._advance(ask, block)
        else:
            return False
        self._next_block(ask, now)
        return True

    def _advance(self, ask, block):
        after = ask.at + ask.size
        if not block or after >= len(ask.payload) or block[0] != ask.at // ask.size:
            raise RemoteError("coap: Block1 out of step")
        ask.at = after
        ask.size = min(ask.size, block[2])

    def _download(self, ask, message, now):
        """Asks for the next block of the response. False: this message completes it. RemoteError: out of step."""
        block = blocks.read(message, coap.BLOCK2)
        if not block or message.code >= coap.BAD_REQUEST:
            ask.body = None
            return False
        number, more, size = block
        etag = message.get(coap.ETAG)
        if not more and not number and not ask.body:
            return False
        if ask.watching:
            self._fetch_rest(ask, message, size, etag, now)
            return True
        self._append(ask, message, block, etag)
        if more:
            ask.size = min(size, self._block_size)
            self._next_block(ask, now)
        return bool(more)

    def _append(self, ask, message, block, etag):
        number, more, size = block
        body = ask.body
        if body is None:
            body = ask.body = bytearray()
            ask.etag = etag
        whole = len(message.payload) == size or not more
        if number * size != len(body) or etag != ask.etag or not whole:
            raise RemoteError("coap: Block2 out of step")
        body += message.payload
        if len(body) > blocks.BODY_MAX:
            raise RemoteError("coap: body over %d bytes" % blocks.BODY_MAX)

    def _fetch_rest(self, ask, message, size, etag, now):
        """The rest of a notification, by a request of its own: the observation's token stays free for the next."""
        self._enter(ask, "notified")
        for older in [other for other in self._asks if other.handle == ask.handle and other is not ask]:
            self._asks.remove(older)
            self._wire.drop(older)
        options = [item for item in ask.options if item[0] != coap.OBSERVE]
        rest = Ask(ask.handle, ask.peer, self._token(ask.peer), ask.code, options, b"")
        rest.observe = ask.observe
        rest.retransmit = ask.retransmit
        rest.size = min(size, self._block_size)
        self._append(rest, message, blocks.read(message, coap.BLOCK2), etag)
        self._begin(rest, now)

    def _deliver(self, ask, message):
        payload = message.payload
        if ask.body is not None:
            payload = bytes(ask.body)
            ask.body = None
        if ask.watching:
            self._enter(ask, "notified")
        else:
            self._asks.remove(ask)
        self._events.append(("response", ask.handle, Response(message, payload, ask.observe)))
