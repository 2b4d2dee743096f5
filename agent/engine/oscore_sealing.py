"""The sending half of OSCORE: numbers, what answers are bound to, sealing (RFC 8613 8.1, 8.3); one of its parts."""

import hashlib

from ..codec import coap
from ..codec import oscore as codec
from .oscore_context import Window

try:
    from micropython import const
except ImportError:
    const = int

SERVED = 8  # requests of the peer that may still be answered or repeated; as many as the exchange knows again
_ASKED = const(20)  # requests of ours; a few more than the exchange has at a time
_OBSERVED = const(16)  # observations, of either side
_OUT = const(32)
_TAKEN = const(8)  # numbers of the peer's that one "keep" allows for
_NUMBERS = const(0xFFFFFFFFFF)  # a Partial IV has five bytes (7.2.1)


class Bound:
    """A request, and what its answers are bound to."""

    number = None  # Partial IV of the newest answer; -1 for one without
    # Of a request of ours, until it is answered: the datagram. Of a peer's: the hash of what used its nonce, or b"" if
    # an answer had a number of its own; an answer without one would count as older (4.1.3.5.2).
    text = None

    def __init__(self, message, piv, observing):
        self.token, self.mid = message.token, message.mid
        self.piv = piv
        self.observing = observing


class Sealing:
    """The state of a security context, and what goes out under it."""

    def __init__(self, context, state, step):
        self.counters = {"refused": 0, "replayed": 0, "unprotected": 0, "dropped": 0}
        self._context, self._step = context, step
        self._sequence = self._limit = state[0] if state else 0
        known = not state or len(state) == 3
        self._window = Window(known, *(state[1:] if known and state else ()))
        # No number of the peer's above this one was ever taken; it is written ahead as ours are.
        self._highest = state[1] if state and len(state) > 1 else -1 if known else _NUMBERS
        self._asked, self._served = [], []  # by us, by the peer
        self._out = []

    def state(self):
        """What to keep at a clean end. Whatever happens after it says ("keep", ..) again."""
        self._limit = self._sequence
        window = self._window
        return [self._sequence] + ([window.highest, window.seen] if window.known else [self._highest])

    def take(self):
        """What to do, in this order; empties it."""
        out, self._out = self._out, []
        return out

    def send(self, data, now):
        """Seals a datagram of ours."""
        message = coap.decode(data)
        if not message.code:
            self._put("udp", data)  # ACK, RST and ping say nothing (4.2)
        elif message.code < 32:
            self._ask(message, data)
        else:
            self._answer(message, data)

    def _ask(self, message, data):
        observe = message.uint(coap.OBSERVE)
        bound = None
        for known in self._asked:
            if known.text == data:
                bound = known  # the same again
        if not bound:
            piv = self._number()
            if not piv:
                return
            bound = Bound(message, piv, observe == 0)
            bound.text = data
            remember(self._asked, bound, _ASKED)
        context = self._context
        option = codec.encode(bound.piv, context.sender, context.group)
        code = coap.POST if observe is None else coap.FETCH
        nonce = context.nonce(context.sender, bound.piv)
        self._seal(message, data, code, option, nonce, context.sender, bound.piv)

    def _answer(self, message, data):
        observe = message.get(coap.OBSERVE) is not None
        bound = self._answered_by(message, observe)
        if not bound:
            # Forgotten: what is confirmable or observed ends as if the peer had said so. The id of an ACK is not ours.
            self.counters["dropped"] += 1
            if message.type != coap.ACK:
                self._put("plain", empty(coap.RST, message.mid))
            return
        digest = hashlib.sha256(data).digest()[:16]
        piv = b""
        # The request's nonce serves one answer only; a notification has a number of its own (8.3).
        if observe or bound.text not in (None, digest):
            piv = self._number()
            if not piv:
                return
            bound.text = bound.text or b""
        else:
            bound.text = digest
        self._respond(message, data, bound.piv, piv)

    def _respond(self, message, data, request_piv, piv):
        """Seals a response under a Partial IV of ours, or where that is b"" under the request's."""
        context = self._context
        nonce = context.nonce(context.sender, piv) if piv else context.nonce(context.recipient, request_piv)
        code = coap.CHANGED if message.get(coap.OBSERVE) is None else coap.CONTENT
        self._seal(message, data, code, codec.encode(piv), nonce, context.recipient, request_piv)

    def _seal(self, message, data, code, option, nonce, kid, piv):
        outer, text = codec.split(message, data)
        outer.append((codec.OPTION, option))
        sealed = self._context.seal(text, nonce, kid, piv)
        self._put("udp", coap.encode(coap.Message(message.type, code, message.mid, message.token, outer, sealed)))

    def _answered_by(self, message, observe):
        """The request of the peer that a response of ours answers, the newest if in doubt; or None."""
        found = None
        for bound in self._served:
            if bound.token == message.token:
                if message.type == coap.ACK and bound.mid == message.mid:
                    return bound
                if not found or bound.observing == observe:
                    found = bound
        return found

    def _number(self):
        """The next sender sequence number as a Partial IV; b"" when they are used up."""
        if self._sequence > _NUMBERS:
            self._put("closed", "oscore: all sequence numbers used, the account needs new keys")
            return b""
        self._reserve()
        self._sequence += 1
        return coap.uint(self._sequence - 1) or b"\x00"

    def _reserve(self, taken=-1):
        """Writes ahead before a number beyond what is kept is used, or a window that was kept is left (B.1.1), or such
        a number of the peer's is taken."""
        if self._sequence >= self._limit or taken > self._highest:
            self._limit = max(self._limit, self._sequence + self._step)
            if taken > self._highest:
                self._highest = taken + _TAKEN
            self._put("keep", [self._limit, self._highest])

    def _put(self, kind, what):
        if len(self._out) < _OUT or kind == "keep":
            self._out.append((kind, what))
        else:
            self.counters["dropped"] += 1


def remember(table, bound, most):
    """Adds a request; the one with its token goes, and of its kind the oldest when there are too many."""
    alike = [known for known in table if known.observing == bound.observing]
    gone = [known for known in alike if known.token == bound.token]
    if not gone and len(alike) >= (_OBSERVED if bound.observing else most):
        gone = alike[:1]
    for known in gone:
        table.remove(known)
    table.append(bound)


def empty(kind, mid):
    """The datagram of an empty ACK or RST."""
    return coap.encode(coap.Message(kind, 0, mid))
