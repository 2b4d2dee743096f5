"""Protected accounts: a guard for each (engine/oscore.py or engine/dtls.py) between the exchange and the wire.

Loaded only when an account is protected. A guard belongs to the server and not to a link: a session survives the move
to another one. What a guard wants kept is kept before anything sealed after it leaves; where the medium takes no writes
nothing leaves, as a number used twice would give the keys' work away (RFC 8613 7.2.1).
"""

from . import credentials
from .errors import LocalError

_MUTE = 3  # messages in a row that a DTLS server did not answer; it may have lost the session, and drops records then
_HINTS = 3  # unprotected refusals in a row that count as one (anybody may say such a thing once)
_STATES = 8  # of keys that were in use; numbers of keys that come back must go on where they ended


class Guard:
    """One server's: `mark` tells its keys from others, `peer` is where the server was asked last. Not `wanted`: of a
    server that has no account any more, and may still be told that a bootstrap is over."""

    peer, wanted = None, True
    unanswered = hints = 0

    def __init__(self, places, mark, engine, dtls):
        self.places, self.mark, self.engine, self.dtls = places, mark, engine, dtls


class Guards:
    """below(n): randomness; states: [[mark, state]] as kept, newest last."""

    def __init__(self, below, states):
        self._below, self._states = below, [list(item) for item in states or ()]
        self._guards, self._out = [], []
        self.durable = True  # nothing that had to be kept is not

    def renew(self, tree, accounts):
        """Guards for these accounts; others go when there is a registration. Where the keys stay the same the session
        goes on."""
        for guard in self._guards:
            guard.wanted = False
        for account in accounts:
            self.add(tree, account)

    def add(self, tree, account):
        """A guard for this account, if it is protected."""
        places = [(account.host, account.port)] + ([(account.number, 0)] if account.number else [])
        found = credentials.of(tree, account.security)
        # A session is with one server; OSCORE's numbers belong to the keys, wherever their server is.
        mark = credentials.mark(found + tuple(places if found[0] == "dtls" else ())) if found else None
        same = [guard for guard in self._guards if guard.mark == mark and guard.places == places]
        self._guards = [guard for guard in self._guards if guard.places != places] + same
        if found and not same:
            state = ([state for known, state in self._states if known == mark] or [None])[0]
            self._guards.append(Guard(places, mark, _engine(found, self._below, state), found[0] == "dtls"))
        for guard in same:
            guard.wanted = True

    # datagrams

    def send(self, peer, data, now):
        """A datagram of ours. -> whether its server is protected, so that it is taken care of."""
        guard = self._of(peer)
        if not guard:
            return False
        if guard.dtls:
            self._prepare(guard, peer, data, now)
        guard.peer = peer
        if not self.durable:
            self._out.append(("keep", self._states))
        guard.engine.send(data, now)
        self._drain(guard, peer)
        return True

    def _prepare(self, guard, peer, data, now):
        """A session moves with us, or is made anew when its server seems to have lost it."""
        engine = guard.engine
        if not guard.peer or guard.peer[0] != peer[0]:
            engine.rebind(now)
            guard.unanswered = 0  # that was the other path's silence
        guard.unanswered += not data[0] & 0x30  # a confirmable one
        if guard.unanswered > _MUTE and engine.is_up():
            guard.unanswered = 0
            engine.open(now)

    def receive(self, peer, data, now):
        """A datagram came. -> whether it is from a protected server, and so nobody else's business."""
        guard = self._of(peer)
        if guard:
            guard.engine.receive(data, now)
            self._drain(guard, peer)
        return bool(guard)

    def _of(self, peer):
        for guard in self._guards:
            if peer[1:] in guard.places:
                return guard
        return None

    def _drain(self, guard, peer):
        for kind, *what in guard.engine.take():
            if kind == "udp":
                self._out.append(("send",) + peer + (what[0],))
            elif kind == "plain":
                guard.unanswered = 0
                self._out.append(("plain", peer, what[0]))
            elif kind == "keep":
                self._remember(guard.mark, what[0])
                self._out.append(("keep", self._states))
            elif kind != "up":
                self._ended(guard, peer, kind, what[0])

    def _remember(self, mark, state):
        self._states = [item for item in self._states if item[0] != mark][1 - _STATES :] + [[mark, state]]

    def _ended(self, guard, peer, kind, why):
        """refused by somebody, or closed. Keys whose numbers are used up are no good any more either."""
        guard.hints += not guard.dtls
        final = kind == "refused" and (guard.dtls or guard.hints >= _HINTS) or kind == "closed" and not guard.dtls
        self._out.append(("refused" if final else "told", peer, why))
        if final:
            guard.hints = 0

    # time, and what else happens

    def poll(self, now):
        for guard in self._guards:
            if guard.dtls and guard.peer:
                guard.engine.poll(now)
                self._drain(guard, guard.peer)

    def deadline(self):
        due = [guard.engine.deadline() for guard in self._guards if guard.dtls]
        due = [at for at in due if at is not None]
        return min(due) if due else None

    def take(self):
        """-> [("keep", states) | ("send", link, host, port, bytes) | ("plain", peer, bytes) | ("refused", peer, why) |
        ("told", peer, why)], to be done in this order."""
        out, self._out = self._out, []
        return out

    def moved(self, link, now):
        """Our address on this link is another: a session without Connection ID ends."""
        for guard in self._guards:
            if guard.dtls and guard.peer and guard.peer[0] == link:
                guard.engine.rebind(now)
                self._drain(guard, guard.peer)

    def may_ask(self, peer):
        """Whether a ping would leave the server's idea of where we are as it is: a record over another link moves a
        session there (RFC 9146 6)."""
        guard = self._of(peer)
        return not (guard and guard.dtls and guard.peer) or guard.peer[0] == peer[0]

    def confirm(self, peer):
        """The registrar at this peer has just answered what was asked since the start. Who has no account any more is
        done with, and found as it is when it is asked again."""
        for guard in self._guards:
            state = not guard.wanted and guard.engine.state()
            if state:
                self._remember(guard.mark, state)
        self._guards = [guard for guard in self._guards if guard.wanted]
        self.prove(peer)

    def prove(self, peer):
        """The server at this peer has just answered what was asked since the start, so it is there, and now."""
        guard = self._of(peer)
        if guard:
            guard.hints = 0
            if guard.dtls:
                guard.engine.confirm()

    def states(self):
        """What to keep at a clean end."""
        for guard in self._guards:
            state = guard.engine.state()
            if state:
                self._remember(guard.mark, state)
        return self._states

    # what the agent does about what take() gives (see _PLOT), and at its end

    def leave(self, agent, now):
        """A clean end: keeps what has to be, and closes what cannot be kept (RFC 5246 7.2.1)."""
        for guard in self._guards:
            if guard.dtls and guard.peer and not guard.engine.lasts():
                guard.engine.close(now)
                self._drain(guard, guard.peer)
        agent.store.keep({"guards": self.states()})
        for event in self.take():
            if event[0] == "send":
                self.let_out(agent, now, *event[1:])

    def kept(self, agent, now, states):
        self.durable = agent.store.keep({"guards": states})
        if not self.durable:
            agent.log.error(now, "guards", "unwritten", text="nothing protected is sent: " + agent.store.note)

    def let_out(self, agent, now, link, host, port, data):
        if self.durable:
            agent._route(now, link, host, port, data)

    def opened(self, agent, now, peer, data):
        agent._hear(now, peer, data)

    def refused(self, agent, now, peer, why):
        """The server does not know us, or our keys: as if it had said so to what waits for its answer."""
        agent.log.warning(now, "guards", "refused", server="%s:%d" % (peer[1], peer[2]), why=why)
        target, bootstrap = agent.registration.target, agent.bootstrap
        if target and target[0].peer(target[1]) == peer:
            agent.exchange.cancel(agent._attempt)
            agent.registration.answered(agent._attempt, "refused", 0, now)
        if bootstrap and bootstrap.peer == peer:
            agent.exchange.cancel(bootstrap.handle)
            bootstrap.answered(bootstrap.handle, "refused", now)

    def told(self, agent, now, peer, why):
        agent.log.info(now, "guards", "told", server="%s:%d" % (peer[1], peer[2]), why=why)


def renew(agent, account, tree):
    """Guards for the agent's accounts, and for that of a configuration server in a `tree` of its own."""
    if not agent.guards:
        agent.guards = Guards(agent._below, agent.store.get("guards"))
    agent.guards.renew(agent.configuration.tree, agent.configuration.accounts)
    if account:
        agent.guards.add(tree, account)


def check(tree, account):
    """LocalError unless this account's protection can be made here and fits its address. -> what tells its keys from
    others, for OSCORE, or None."""
    try:
        found = credentials.of(tree, account.security)
        kind = found[0] if found else "NoSec"
        if (kind == "dtls") != (account.scheme == "coaps"):
            raise LocalError("%s does not go with %s://" % (kind, account.scheme))
        _engine(found, None, None)
        return credentials.mark(found) if kind == "oscore" else None
    except LocalError as e:
        raise LocalError("%s: %s" % (account.uri, e.args[0]))


def _engine(found, below, state):
    """What does it, of credentials.of(). LocalError where it cannot be made of these keys, or not here."""
    if found[0] == "dtls":
        from .engine.dtls import Dtls

        return Dtls(found[1], found[2], below, state or b"")
    from .engine.oscore import Context, Oscore

    return Oscore(Context(*found[1:]), below, state or None)
