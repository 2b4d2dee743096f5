"""The requesting half of the exchange: requests of ours until their whole response is there.

RFC 7252 section 5 (matching, separate responses), RFC 7959 (both directions), RFC 7641 section 3 (observing).
"""

from ..codec import coap
from ..errors import RemoteError
from ..table import follow
from . import coap_blocks as blocks
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
_FRESH = const(128000)  # ms after which a notification is newer whatever its number


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
        self._size = block_size
        self.asks = []
        self._handle = 0

    def ask(self, peer, code, options, payload, observe, now, left):
        """Starts a request and returns its handle; a refusal comes as ("failed", handle, "busy")."""
        self._handle += 1
        ask = Ask(self._handle, peer, self._token(peer), code, options, payload, self._size, left)
        ask.watching = observe == 0
        self.asks.append(ask)
        self._begin(ask, now)
        return ask.handle

    def cancel(self, handle):
        """Forgets a request or an observation; a notification that still comes is reset (RFC 7641 3.6)."""
        for ask in self.asks[:]:
            if ask.handle == handle:
                self._remove(ask)

    def find(self, peer, token):
        """The request that a response with this token from this peer answers, or None (RFC 7252 5.3.2)."""
        for ask in self.asks:
            if ask.token == token and ask.peer == peer:
                return ask

    def acknowledged(self, ask, now):
        """An empty ACK came: the response will come later, but not for ever."""
        ask.state = follow(_TRANSITIONS, ask.state, "acknowledged")
        # As long as it may take to give up sending (MAX_TRANSMIT_WAIT, RFC 7252 4.8.2).
        ask.due = now + self._wire.timeout * 3 * ((2 << ask.left) - 1) // 2

    def fail(self, ask, reason):
        """Ends a request, with everything under its handle."""
        if ask in self.asks:
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
        """Starts those whose turn may have come, ends those who waited too long."""
        for ask in overdue(self.asks, now):
            if ask.state == "queued":
                self._begin(ask, now)
            else:
                self.fail(ask, "timeout")

    def _token(self, peer):
        # Two random bytes: an attacker off the path must hit them and our port at once, and on an account
        # that is protected the token guards nothing (RFC 7252 5.3.1). More bytes would go over 4G each time.
        number = self._below(0x10000)
        while True:
            token = number.to_bytes(2, "big")
            if not self.find(peer, token):
                return token
            number = number + 1 & 0xFFFF

    def _remove(self, ask):
        self._wire.drop(ask)
        self.asks.remove(ask)
        for other in self.asks:
            if other.state == "queued":
                other.due = 0  # its turn may have come: the next poll looks

    def _begin(self, ask, now):
        """Sends the first message of a request, when its turn has come."""
        if len(self.asks) > _ASKS:
            self.fail(ask, "busy")
            return
        # The blocks of two bodies for one resource would end up in one (RFC 7959 2.5): one after the other.
        ask.due = None
        if len(ask.payload) > ask.size:
            for other in self.asks:
                if other.peer == ask.peer and other.state != "queued" and len(other.payload) > self._size:
                    return
        self._send(ask, "begin", now)

    def _send(self, ask, event, now):
        """Sends the block that is next."""
        ask.state = follow(_TRANSITIONS, ask.state, event)
        options = list(ask.options)
        payload = ask.payload
        if ask.body:
            payload = b""
            options = [item for item in options if item[0] != coap.OBSERVE]  # RFC 7959 2.6
            options.append(blocks.option(coap.BLOCK2, ask.body.length // ask.size, 0, ask.size))
        elif len(payload) > ask.size:
            if not ask.at:
                options.append((coap.SIZE1, coap.uint(len(payload))))
            payload, block = blocks.cut(payload, ask.at, ask.size, coap.BLOCK1)
            options.append(block)
        if not self._wire.send(ask, ask.code, options, payload, now, ask.left):
            self.fail(ask, "busy")

    def _upload(self, ask, message, now):
        """Sends the next block of our body. False: there is none, this is the response. RemoteError: out of step."""
        if ask.body or ask.state == "observing":
            return False
        block = blocks.read(message, coap.BLOCK1)
        code = message.code
        length = len(ask.payload)
        after = ask.at + ask.size
        if code == coap.TOO_LARGE and block and block[2] < min(ask.size, length):
            after = 0  # the server wants smaller blocks (RFC 7959 2.9.3)
        elif code == coap.INCOMPLETE and length > ask.size and ask.restarts:
            after = 0
            block = None
            ask.restarts -= 1
        elif code != coap.CONTINUE and (not block or code >= coap.BAD_REQUEST or after >= length):
            return False
        elif not block or after >= length or block[0] != ask.at // ask.size:
            raise RemoteError("coap: Block1 out of step")
        ask.at = after
        if block:
            ask.size = min(ask.size, block[2])
        self._send(ask, "block", now)
        return True

    def _news(self, ask, message, now):
        """False: an older notification, overtaken on the way. Without Observe the observation ends (RFC 7641 3.2)."""
        number = message.uint(coap.OBSERVE)
        if number is None or message.code >= coap.BAD_REQUEST:
            ask.watching = False
            ask.observe = None
            return True
        if ask.observe is not None and now <= ask.observed_at + _FRESH:
            if not 0 < (number - ask.observe & 0xFFFFFF) < 0x800000:  # RFC 7641 3.4
                return False
        for older in self.asks[:]:
            if older.handle == ask.handle and older is not ask:
                self._remove(older)  # the rest of what is outdated now
        ask.observe = number
        ask.observed_at = now
        return True

    def _download(self, ask, message, now):
        """Asks for the next block of the response. False: this message completes it. RemoteError: out of step."""
        block = blocks.read(message, coap.BLOCK2)
        if not block or message.code >= coap.BAD_REQUEST:
            ask.body = None
            return False
        if not (block[0] or block[1] or ask.body):
            return False
        if ask.watching:
            ask = self._rest(ask)
        self._append(ask, message, block)
        if ask.state == "queued":
            self.asks.append(ask)
            self._begin(ask, now)
        elif block[1]:
            self._send(ask, "block", now)
        return bool(block[1])

    def _rest(self, ask):
        """The request for the rest of a notification. Its token is another one: the observation's stays free for
        the next (RFC 7959 2.6)."""
        ask.state = follow(_TRANSITIONS, ask.state, "notified")
        rest = Ask(ask.handle, ask.peer, self._token(ask.peer), ask.code, ask.options, b"", ask.size, ask.left)
        rest.observe = ask.observe
        return rest

    def _append(self, ask, message, block):
        number, more, size = block
        etag = message.get(coap.ETAG)
        ask.body = body = ask.body or blocks.Body(ask.peer, None, etag)
        whole = len(message.payload) == size or not more
        if number * size != body.length or etag != body.about or not whole:
            raise RemoteError("coap: Block2 out of step")
        body.append(message.payload)
        ask.size = min(size, self._size)

    def _deliver(self, ask, message):
        payload = ask.body.whole() if ask.body else message.payload
        ask.body = None
        if ask.watching:
            ask.state = follow(_TRANSITIONS, ask.state, "notified")
        else:
            self._remove(ask)
        self._events.append(("response", ask.handle, Response(message, payload, ask.observe)))
