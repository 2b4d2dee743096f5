"""DTLS 1.2 client (RFC 6347) with a pre-shared key, TLS_PSK_WITH_AES_128_CCM_8 and a Connection ID (RFC 9146).

It stands between the exchange and the wire of one account, as OSCORE does, and has the same verbs:
    guard = Dtls(identity, key, below, state)
    guard.send(data, now)       a datagram of exchange.take() for this server; starts a handshake where it has to
    guard.receive(data, now)    a datagram from this server's address
    guard.poll(now) at guard.deadline(); guard.rebind(now) after our address changed; guard.close(now) at the end
    guard.take()                [("keep", state) | ("udp", bytes) | ("plain", bytes) | ("up",) | ("refused", why) |
                                ("closed", why)], to be done in this order
"plain" goes into exchange.receive(), and nothing else from this server does. "keep" is a session to be written before
what follows it leaves; b"" stands for none. It holds keys, so it is as secret as the account's own and lies beside it.
The next start hands it in and needs no handshake; at a clean end keep state() as well. Who may not keep ignores "keep".
After a power cut (not is_fresh()) a record could repeat one that we forgot: answers go up, as they only fit an open
question, requests are dropped until the owner says by confirm() that such an answer came.

"refused": the server said so by an alert, or it answered all but our Finished, as OpenSSL and GnuTLS do to a wrong key:
it repeats its own flight meanwhile, or was as silent once before. "closed": silence, the end, nothing in common.
The next send() starts anew; so does open(), for a server that lost a session and drops our records in silence. A
session with a Connection ID goes on where nobody says a word to that: then the path is dead, and the server has it.
Before the server's Finished anybody can forge: no alert or malformed message ends a handshake, they explain why nothing
better came until the timer was due. Parts: dtls_handshake with dtls_assembly, loaded for a handshake, and dtls_session.
"""

from ..codec import dtls as codec
from ..errors import LocalError, RemoteError
from .dtls_session import load

try:
    from micropython import const
except ImportError:
    const = int

_FIRST_MS = const(1000)  # until a flight is repeated, doubled each time (RFC 6347 4.2.4.1)
_WAITING = const(4)  # datagrams that wait for the session; CoAP repeats what counts
_PLAIN = const(2048)  # bytes of one
_OUT = const(32)  # events nobody fetched
_WARNING, _FATAL = const(1), const(2)
_CLOSE_NOTIFY, _ILLEGAL, _NO_RENEGOTIATION = const(0), const(47), const(100)


class Dtls:
    """identity, key: bytes; below(n): randomness; state: as kept, b"" for none; step: numbers between two "keep";
    repeats: of a flight; cid: whether to ask for a Connection ID. LocalError: no such identity or key."""

    def __init__(self, identity, key, below, state=b"", step=64, repeats=4, cid=True):
        if not 0 < len(identity) <= 128 or not 0 < len(key) <= 64:
            raise LocalError("dtls: identity of %d bytes, must be 1 to 128, with a key of %d, must be 1 to 64"
                             % (len(identity), len(key)))
        self._identity, self._key, self._below = identity, key, below
        self._step, self._repeats, self._cid = step, repeats, cid
        self._session = load(state, step) if state else None
        self._handshake = self._former = None
        self._out, self._waiting = [], []
        self._due = self._doubt = None
        self._mute = False  # the last flight of an earlier handshake was not answered
        self._heard = False  # the server repeats its flight although ours went out again
        self.counters = {"handshakes": 0, "repeated": 0, "dropped": 0, "malformed": 0, "forged": 0, "replayed": 0,
                         "stray": 0, "alerts": 0}

    def is_up(self):
        return self._session is not None

    def is_fresh(self):
        return self._session is None or self._session.fresh

    def confirm(self):
        """An answer came to a request that was made since the start: the server is there, and now."""
        if self._session:
            self._session.confirm()

    def lasts(self):
        """Whether a server would know the session again from another port: by its Connection ID (RFC 9146)."""
        return not self._session or bool(self._session.cid)

    def state(self):
        """What to keep at a clean end; nothing may be sent after it."""
        session = self._session or self._former
        return session.last() if session else b""

    def take(self):
        out, self._out = self._out, []
        return out

    def deadline(self):
        return self._due

    def open(self, now):
        """Starts a handshake, whatever there was."""
        from .dtls_handshake import Handshake  # not needed where a session was kept

        if self._session:
            self._former = self._session if self._session.cid and not self._session.used_up() else None
            self._session = None
            if not self._former:
                self._put("keep", b"")
        random = bytes([self._below(256) for _ in range(32)])
        self._handshake = Handshake(self._identity, self._key, random, self._cid, self._step)
        self.counters["handshakes"] += 1
        self._doubt, self._heard, self._left, self._pause = None, False, self._repeats, _FIRST_MS
        self._launch(now)

    def send(self, data, now):
        """Sends one datagram's content, after a handshake where there is no session. LocalError: over 2048 bytes."""
        if len(data) > _PLAIN:
            raise LocalError("dtls: %d bytes in one record, at most %d" % (len(data), _PLAIN))
        if self._session and self._session.used_up():
            self.open(now)
        if self._session:
            self._sealed(codec.APPLICATION, data)
        elif len(self._waiting) < _WAITING:
            if data not in self._waiting:
                self._waiting.append(data)
            if not self._handshake:
                self.open(now)
        else:
            self.counters["dropped"] += 1

    def rebind(self, now):
        """Our address or port is another. True: the session goes on, its next record tells the server."""
        self._resume()
        if self._session and self._session.cid:
            return True
        if self._session or self._handshake:
            self.open(now)
        return False

    def close(self, now):
        """Tells the server that this is the end, and forgets the session."""
        if self._session:
            self._sealed(codec.ALERT, bytes((_WARNING, _CLOSE_NOTIFY)))
        if self._session or self._handshake:
            self._end("closed", "dtls: closed by us")

    def receive(self, data, now):
        """Takes a datagram in. Never raises because of the bytes."""
        found, rest = codec.records(data)
        self.counters["malformed"] += bool(rest)
        for kind, head, _, body in found:
            try:
                self._record(kind, head, body, now)
            except RemoteError as error:
                self.counters["malformed"] += 1
                self._doubt = self._doubt or ("closed", str(error))

    def _record(self, kind, head, body, now):
        epoch = codec.number(head[2:4])
        handshake = self._handshake
        if epoch == 0 and handshake and head[:2] in (codec.VERSION, codec.OLDER):
            if kind == codec.HANDSHAKE:
                self._progress(body, False, now)
            elif kind == codec.ALERT:
                self._suspect(body)
            return
        session = handshake.session if handshake else self._session
        if epoch != 1 or not session or head[:2] != codec.VERSION or kind == codec.CONNECTED:
            self.counters["stray"] += 1
            return
        plain = session.open(kind, head, body)
        if not plain:  # an empty record is legal, and says nothing
            self.counters["replayed" if plain is False else "forged"] += plain != b""
        elif kind == codec.ALERT:
            self._alert(plain)
        elif kind == codec.HANDSHAKE:
            self._progress(plain, True, now)
        elif kind == codec.APPLICATION:
            self._application(plain)

    def _application(self, plain):
        # It overtook the server's Finished, or is a CoAP request that may be an old one.
        if not self._session or (not self._session.fresh and 0 < (plain + b"\0")[1] < 32):
            self.counters["dropped"] += 1
        else:
            self._keep()
            self._put("plain", plain)

    def _progress(self, body, sealed, now):
        """A handshake record."""
        handshake = self._handshake
        if not handshake:
            if body[0] == codec.HELLO_REQUEST:
                self._sealed(codec.ALERT, bytes((_WARNING, _NO_RENEGOTIATION)))
            return
        flight = handshake.receive(body, sealed)
        if flight is None:
            self._heard = self._heard or (handshake.state == "finish" and self._left < self._repeats)
            return
        self._doubt = None
        if handshake.state == "done":
            self._up()
        elif flight:
            self._left, self._pause = self._repeats, _FIRST_MS
            self._launch(now)

    def _up(self):
        self._session, self._handshake, self._due, self._former = self._handshake.session, None, None, None
        self._mute = False
        self._keep()
        self._put("up")
        self._catch_up()

    def _resume(self):
        """Back to the session before, if the server has not said a word to the handshake that was to replace it."""
        if self._former and self._handshake and self._handshake.is_unanswered():
            self._session, self._handshake, self._due, self._former = self._former, None, None, None
            self._catch_up()

    def _catch_up(self):
        while self._waiting:
            self._sealed(codec.APPLICATION, self._waiting.pop(0))

    def _suspect(self, body):
        """An alert that anybody may have written."""
        self.counters["alerts"] += 1
        if len(body) == 2 and (body[0] == _FATAL or (not body[1] and self._handshake.state == "finish")):
            self._doubt = ("refused", "dtls: alert %d of the server" % body[1])

    def _alert(self, plain):
        """An alert of the one who has the key."""
        self.counters["alerts"] += 1
        if len(plain) != 2 or (plain[0] != _FATAL and plain[1]):
            return
        if self._session and not plain[1]:
            self._sealed(codec.ALERT, bytes((_WARNING, _CLOSE_NOTIFY)))
        self._end("refused" if self._handshake else "closed", "dtls: alert %d of the server" % plain[1])

    def poll(self, now):
        """The flight that was not answered goes out again, or the handshake ends."""
        if self._due is None or now < self._due:
            return
        if self._doubt:
            kind, why = self._doubt
            if kind == "closed":
                self._put("udp", self._handshake.record(codec.ALERT, bytes((_FATAL, _ILLEGAL))))
            self._end(kind, why)
        elif self._left:
            self._left -= 1
            self.counters["repeated"] += 1
            self._launch(now)
        elif self._handshake.state != "finish":
            self._resume()
            if self._handshake:
                self._end("closed", "dtls: no answer")
        elif self._heard or self._mute:
            self._end("refused", "dtls: no answer to our Finished: most likely the key or the identity is wrong")
        else:
            self._mute = True
            self._end("closed", "dtls: no answer to our Finished")

    def _launch(self, now):
        self._put("udp", self._handshake.datagram())
        self._due = now + self._pause + self._below(self._pause // 4)
        self._pause *= 2

    def _sealed(self, kind, data):
        self._keep()
        self._put("udp", self._session.seal(kind, data))

    def _keep(self):
        """Numbers are written before they are used."""
        state = self._session.ahead()
        if state:
            self._put("keep", state)

    def _end(self, kind, why):
        if self._session or self._former:
            self._put("keep", b"")
        self.counters["dropped"] += len(self._waiting)
        self._session = self._former = self._handshake = self._due = self._doubt = None
        self._waiting = []
        self._put(kind, why)

    def _put(self, *event):
        """Only datagrams may be lost when nobody fetches."""
        if len(self._out) < _OUT or event[0] not in ("udp", "plain"):
            self._out.append(event)
        else:
            self.counters["dropped"] += 1
