"""OSCORE (RFC 8613), client and server role: CoAP datagrams sealed one by one; no handshake, bound to no address.

It stands between the exchange and the wire of one account, as DTLS does, and has the same verbs:
    guard = Oscore(Context(secret, salt, sender, recipient), below, state)
    guard.send(data, now)       a datagram of exchange.take() for this peer
    guard.receive(data, now)    a datagram from this peer
    guard.take()                [("keep", state) | ("udp", bytes) | ("plain", bytes) | ("refused", why) |
                                ("closed", why)], to be done in this order
"plain" goes into exchange.receive(), and nothing else from this peer does. "keep" has to be on the medium before what
follows it leaves (Appendix B.1.1): `state` is a list of int that the next start hands in, kept beside the keys and
replaced together with them. None stands for keys that were never used: never for used ones, their nonces would come
again. At a clean end keep state() as well, which spares the next start numbers and an Echo (or, of a peer that knows no
Echo, a few refused requests: how far its numbers can have come is written ahead too). "refused": somebody
answered a request of ours unprotected (8.3), most likely the server, that it does not know us or our keys; as anybody
can say so, it ends the request as 5.02 and no more. "closed": the numbers are used up, new keys are needed. There is no
timer and no deadline.

What the exchange repeats is sealed to the same bytes again, and never is a nonce used for others. What the peer repeats
goes up as it came: the exchange repeats its answer, and were it not to remember, would refuse what it does not know.
Block-wise is the exchange's, inside; so is answering an Echo (RFC 9175). The Echo that we demand after an unclean start
(B.1.2) is made here. The parts: oscore_sealing, which sends, and oscore_context, the keys and the replay window.

To be wired: one Oscore for each account whose security is OSCORE, made when the account is first used, from object 21
(secret /0, salt /5, our id /1, the server's id /2, ID context /6, algorithm /3); a session survives a change of address
and of link, so it belongs to the account and not to the peer of the exchange.
"""

from ..codec import coap
from ..codec import oscore as codec
from ..crypto.hashes import same
from ..errors import RemoteError
from .oscore_context import Context as Context  # for those who make one
from .oscore_sealing import SERVED, Bound, Sealing, empty, remember

try:
    from micropython import const
except ImportError:
    const = int

_CHALLENGE_MS = const(250)  # between two demands for Echo of old requests: each takes a number, and anybody can replay
_BAD_GATEWAY = const(162)


class Oscore(Sealing):
    """One security context at work. `below(n)`: randomness; `state`: as kept; `step`: numbers between two "keep"."""

    def __init__(self, context, below, state=None, step=64):
        Sealing.__init__(self, context, state, step)
        self._below = below
        self._echo, self._challenged, self._doubted = b"", 0, -1
        self._repeated = []  # message ids of the newest confirmable responses, should they come again

    def receive(self, data, now):
        """Takes a datagram of the peer's in. Never raises because of the bytes."""
        try:
            message = coap.decode(data)
        except RemoteError:
            return self._put("plain", data)  # whether to reset it is the exchange's matter
        if not message.code:
            self._put("plain", data)
        elif not message.all(codec.OPTION):
            self._unprotected(message)
        elif message.code < 32:
            self._request(message, data, now)
        else:
            self._response(message)

    def _request(self, message, data, now):
        """RFC 8613 8.2, and its errors."""
        context = self._context
        try:
            piv, kid, group = codec.decode(codec.value(message))
            if not piv or kid is None:
                raise RemoteError("oscore: request without number or key id")
        except RemoteError:
            return self._refuse(message, coap.BAD_OPTION, b"Failed to decode COSE")
        if kid != context.recipient or group not in (None, context.group):
            return self._refuse(message, coap.UNAUTHORIZED, b"Security context not found")
        number = int.from_bytes(piv, "big")
        fresh = self._window.fresh(number)
        if not fresh and not self._repetition(message, piv):
            self.counters["replayed"] += 1
            return self._refuse(message, coap.UNAUTHORIZED, b"Replay detected")
        text = context.open(message.payload, context.nonce(kid, piv), kid, piv)
        try:
            inner, plain = codec.join(message, text)
        except RemoteError:
            return self._refuse(message, coap.BAD_REQUEST, b"Decryption failed")
        if not fresh:
            self._put("plain", data)
        elif self._window.known or self._proved(inner, piv, now):
            self._reserve(number)
            self._window.take(number)
            bound = Bound(message, piv, inner.code in (coap.GET, coap.FETCH) and inner.uint(coap.OBSERVE) == 0)
            remember(self._served, bound, SERVED)
            self._put("plain", plain)

    def _repetition(self, message, piv):
        """Whether this is a request that the message layer repeats, and no replay."""
        return [b for b in self._served if b.piv == piv and b.mid == message.mid and b.token == message.token]

    def _proved(self, inner, piv, now):
        """Whether the request is newer than our start: by a number beyond all that can have come before, or by an Echo;
        demands that otherwise (B.1.2). Peers that know no Echo are obeyed again after a few refusals."""
        echo, number = inner.get(coap.ECHO), int.from_bytes(piv, "big")
        if number > self._highest or (echo and self._echo and same(echo, self._echo)):
            self._window.start(number)
            self._highest = min(self._highest, number - 1)
            return True
        # What is really new has the highest number, and so never waits for those who replay.
        if number <= self._doubted and now - self._challenged < _CHALLENGE_MS:
            self.counters["dropped"] += 1
            return False
        self._challenged, self._doubted = now, max(number, self._doubted)
        self._echo = self._echo or bytes([self._below(256) for _ in range(8)])
        kind, mid = (coap.ACK, inner.mid) if inner.type == coap.CON else (coap.NON, inner.mid ^ 0x8000)
        own = self._number()  # always: the request may be one that was answered before our start
        if own:
            demand = coap.Message(kind, coap.UNAUTHORIZED, mid, inner.token, [(coap.ECHO, self._echo)])
            self._respond(demand, coap.encode(demand), piv, own)
        return False

    def _response(self, message):
        """RFC 8613 8.4: what cannot be verified is as if it had not come."""
        context, known = self._context, False
        try:
            piv, kid, _ = codec.decode(codec.value(message))
        except RemoteError:
            return self._stray(message, True)
        for bound in self._asked:
            if bound.token != message.token or kid not in (None, context.recipient):
                continue
            known = True
            nonce = context.nonce(context.recipient, piv) if piv else context.nonce(context.sender, bound.piv)
            text = context.open(message.payload, nonce, context.sender, bound.piv)
            if text is not None:
                return self._opened(bound, message, piv, text)
        self._stray(message, known)

    def _opened(self, bound, message, piv, text):
        number = int.from_bytes(piv, "big") if piv else -1
        try:
            inner, plain = codec.join(message, text)
        except RemoteError:
            return self._stray(message, True)
        if message.type == coap.CON:
            self._repeated = self._repeated[-7:] + [message.mid]
        if bound.number is not None and number <= bound.number:
            self.counters["replayed"] += 1  # or overtaken on the way: no news (4.1.3.5.2)
            return self._stray(message, True)
        bound.number, bound.text = number, None
        observe = inner.get(coap.OBSERVE) is not None
        more = observe and bound.observing and inner.code < coap.BAD_REQUEST
        if not more:
            self._asked.remove(bound)
        if observe:
            # Outside, anybody may have changed the order; the Partial IV is the peer's own.
            order = [(coap.OBSERVE, coap.uint(number + 1 & 0xFFFFFF))] if more else []
            inner.options = [item for item in inner.options if item[0] != coap.OBSERVE] + order
            plain = coap.encode(inner)
        self._put("plain", plain)

    def _stray(self, message, known):
        """A response that does not go up: acknowledged if it did before, reset if nothing of ours has its token."""
        if message.type == coap.CON and message.mid in self._repeated:
            return self._put("udp", empty(coap.ACK, message.mid))
        self.counters["refused"] += 1
        if not known and (message.type == coap.CON or message.get(coap.OBSERVE) is not None):
            self._put("udp", empty(coap.RST, message.mid))

    def _unprotected(self, message):
        """Nobody is obeyed or believed without protection; that a request of ours was refused is told."""
        self.counters["unprotected"] += 1
        if message.code < 32:
            return self._refuse(message, coap.UNAUTHORIZED, b"OSCORE is needed")
        for bound in self._asked:
            if bound.token == message.token and bound.number is None and message.code >= coap.BAD_REQUEST:
                self._asked.remove(bound)
                why = "".join([chr(c) for c in message.payload[:40] if 32 <= c < 127])
                self._put("refused", "oscore: unprotected answer %s %s" % (coap.dotted(message.code), why))
                return self._put("plain", coap.encode(
                    coap.Message(message.type, _BAD_GATEWAY, message.mid, message.token)))
        self._stray(message, bool([b for b in self._asked if b.token == message.token]))

    def _refuse(self, message, code, text):
        """The errors of 8.2 are unprotected and not cached; nobody answers a NON that is not the peer's."""
        self.counters["refused"] += 1
        if message.type == coap.CON:
            options = [(coap.MAX_AGE, b"")]
            self._put("udp", coap.encode(coap.Message(coap.ACK, code, message.mid, message.token, options, text)))
