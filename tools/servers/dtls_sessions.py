"""A DTLS 1.2 server without its socket: many clients, told apart by Connection ID (RFC 9146) or address.

    server.receive(data, where, now)  -> [("udp", where, bytes) | ("up", session) | ("plain", session, bytes) |
                                          ("closed", session)]
    server.seal(session, data)        -> the datagram
`where` is what a datagram came from, whatever that is; a session follows it to where the newest valid record came from
(RFC 9146 6). Nothing is kept of who has not shown that he is where he says. Both tables are bounded: of handshakes the
oldest gives way, of sessions the one that has been silent longest. `reject(why, where)` hears what was turned away.
"""

import os
from collections import OrderedDict

from ...agent.codec import dtls as codec
from ...agent.errors import RemoteError
from .credentials import DTLS, Owner
from .dtls_handshake import DECRYPT_ERROR, Cookies, Failure, Handshake, client_hello, verify_request

CID_SIZE = 4
_PENDING = 1024
_PENDING_S = 30.0
_PER_IDENTITY = 2  # sessions of one identity: one that was lost, and its successor
_WARNING, _FATAL, _CLOSE_NOTIFY = 1, 2, 0


class Session:
    """A client, from a good ClientHello on; `handshake` is there until its first record after that."""

    def __init__(self, handshake, where, now):
        self.handshake, self.where, self.since = handshake, where, now
        self.cid, self.records, self.owner = handshake.cid, None, None

    @property
    def up(self):
        return self.owner is not None


class Server:
    """`key_of(identity)`: its pre-shared key or None; `several(identity)`: whether it may have any number of sessions;
    `limit`: of sessions."""

    def __init__(self, key_of, reject, limit=20_000, several=lambda identity: False):
        self._key_of, self._reject, self._limit, self._several = key_of, reject, limit, several
        self._cookies = Cookies()
        self._pending = OrderedDict()  # where -> Session
        self._sessions = OrderedDict()  # Session -> None, the one heard of last at the end
        self._by_cid, self._by_where, self._by_identity = {}, {}, {}

    def __len__(self):
        return len(self._sessions)

    def __contains__(self, session):
        return session in self._sessions

    def receive(self, data, where, now):
        """What follows from a datagram. Never raises because of the bytes."""
        out = []
        found, rest = codec.records(data, CID_SIZE)
        if rest or not found:
            self._reject("malformed", where)
        for kind, head, cid, body in found:
            try:
                self._record(kind, head, cid, body, where, now, out)
            except RemoteError:
                self._reject("malformed", where)
        return out

    def seal(self, session, data):
        """The datagram, None where there is no such session any more."""
        return session.records.seal(codec.APPLICATION, data) if session in self._sessions else None

    def close(self):
        """What to send at the end, so that nobody talks to us in vain: [(where, bytes)]."""
        notice = bytes((_WARNING, _CLOSE_NOTIFY))
        out = [(session.where, session.records.seal(codec.ALERT, notice)) for session in self._sessions]
        for session in list(self._sessions):
            self._forget(session)
        self._pending.clear()
        return out

    def _record(self, kind, head, cid, body, where, now, out):
        epoch = codec.number(head[2:4])
        if epoch == 0 and kind == codec.HANDSHAKE and head[:2] in (codec.VERSION, codec.OLDER):
            self._plain(head, body, where, now, out)
        elif epoch == 1 and head[:2] == codec.VERSION:
            self._sealed(kind, head, cid, body, where, out)
        elif epoch or kind not in (codec.CHANGE, codec.ALERT):
            self._reject("stray", where)

    def _plain(self, head, body, where, now, out):
        """Handshake messages that anybody may have written."""
        fragments = codec.fragments(body)
        kind, size, number, at, part = fragments[0] if fragments else (None, 0, 0, 0, b"")
        if kind == codec.CLIENT_HELLO:
            if at or len(part) != size:
                raise RemoteError("dtls: ClientHello in fragments, which would have to be kept")
            self._hello(head, number, part, where, now, out)
            return
        session = self._pending.get(where)
        if session:
            self._try(session, lambda: session.handshake.receive(fragments), out)

    def _hello(self, head, number, body, where, now, out):
        hello = client_hello(body)
        if not self._cookies.good(where, hello, now):
            cookie = self._cookies.make(where, hello, now)
            out.append(("udp", where, verify_request(head, number, cookie)))
            return
        session = self._pending.get(where)
        if session is None or session.handshake.hello.random != hello.random:
            session = self._begin(head, number, body, hello, where, now, out)
        if session:
            out.append(("udp", where, session.handshake.datagram()))

    def _begin(self, head, number, body, hello, where, now, out):
        text = codec.message(codec.CLIENT_HELLO, number, body)
        try:
            handshake = Handshake(hello, number, text, head, self._key_of, self._new_cid())
        except Failure as failure:
            alert = bytes((_FATAL, failure.alert))
            out.append(("udp", where, codec.record(codec.ALERT, head, alert)))
            self._reject("refused", where)
            return None
        self._drop_pending(where)
        while self._pending and (len(self._pending) >= _PENDING
                                 or now - next(iter(self._pending.values())).since > _PENDING_S):
            self._drop_pending(next(iter(self._pending)))
        session = self._pending[where] = Session(handshake, where, now)
        if session.cid:
            self._by_cid[session.cid] = session
        return session

    def _drop_pending(self, where):
        session = self._pending.pop(where, None)
        if session and session.cid:
            self._by_cid.pop(session.cid, None)

    def _new_cid(self):
        while True:
            cid = os.urandom(CID_SIZE)
            if cid not in self._by_cid:
                return cid

    def _try(self, session, step, out):
        """A step of a handshake; where it ends it, the client is told why."""
        try:
            step()
        except Failure as failure:
            out.append(("udp", session.where, session.handshake.alert(failure.alert)))
            self._drop_pending(session.where)
            self._reject("refused", session.where)

    def _sealed(self, kind, head, cid, body, where, out):
        if kind == codec.CONNECTED:
            found = [self._by_cid.get(cid)]
        else:
            found = [self._pending.get(where), self._by_where.get(where)]
        found = [one for one in found if one and (one.records or one.handshake.records)
                 and bool(one.cid) == (kind == codec.CONNECTED)]
        replayed = False
        for session in found:
            opened = (session.records or session.handshake.records).open(kind, head, cid, body)
            if opened:
                self._opened(session, *opened, where, out)
                return
            replayed = replayed or opened is False
        self._reject("replayed" if replayed else "forged" if found else "stray", where)
        # OpenSSL says nothing to a wrong key, and leaves its clients in the dark.
        if not replayed and found and not found[0].up:
            out.append(("udp", found[0].where, found[0].handshake.alert(DECRYPT_ERROR)))

    def _opened(self, session, kind, plain, where, out):
        if not session.up:
            if kind == codec.HANDSHAKE and where == session.where:
                self._try(session, lambda: self._finish(session, plain, out), out)
            return
        if session.records.newest:  # only who is known by a Connection ID can be elsewhere
            session.where = where
        self._sessions.move_to_end(session)
        if kind == codec.APPLICATION:
            session.handshake = None  # our Finished came
            out.append(("plain", session, plain))
        elif kind == codec.ALERT:
            self._alert(session, plain, out)
        elif kind == codec.HANDSHAKE and session.handshake:
            out.append(("udp", session.where, session.handshake.datagram()))

    def _finish(self, session, text, out):
        session.handshake.finish(text)
        self._pending.pop(session.where, None)
        session.records = session.handshake.records
        session.owner = Owner(DTLS, session.handshake.identity)
        mine = self._by_identity.setdefault(session.owner, [])
        old = self._by_where.get(session.where)
        if old and not session.cid:
            self._end(old, out)
        if len(mine) >= _PER_IDENTITY and not self._several(session.handshake.identity):
            self._end(mine[0], out)
        if len(self._sessions) >= self._limit:
            self._end(next(iter(self._sessions)), out)
        self._by_identity.setdefault(session.owner, mine).append(session)
        self._sessions[session] = None
        if not session.cid:
            self._by_where[session.where] = session
        out.append(("udp", session.where, session.handshake.datagram()))
        out.append(("up", session))

    def _alert(self, session, plain, out):
        if len(plain) != 2 or (plain[0] != _FATAL and plain[1] != _CLOSE_NOTIFY):
            return
        if plain[1] == _CLOSE_NOTIFY:
            out.append(("udp", session.where, session.records.seal(codec.ALERT, plain)))
        self._end(session, out)

    def _end(self, session, out):
        self._forget(session)
        out.append(("closed", session))

    def _forget(self, session):
        del self._sessions[session]
        if self._by_where.get(session.where) is session:
            del self._by_where[session.where]
        self._by_cid.pop(session.cid, None)
        mine = self._by_identity[session.owner]
        mine.remove(session)
        if not mine:
            del self._by_identity[session.owner]
