"""DTLS of the servers, beneath aiocoap: in the server role one socket, many sessions, each a remote of its own that
stays the same where its client's address changes; in the client role (the gateway towards its platform) the agent's own
engine, one session a socket.
"""

import asyncio
import random
import socket
import time

from aiocoap import Message, error
from aiocoap.message import Direction
from aiocoap.transports.udp6 import UDP6EndpointAddress

from ...agent.engine.dtls import Dtls
from .credentials import DTLS, Owner
from .dtls_sessions import Server
from .wire import Interface, address, listen

_LONGEST = 128  # bytes of an identity: as of an endpoint name


class _Place(UDP6EndpointAddress):
    """Where a datagram came from; its text is what a cookie is bound to."""

    def __repr__(self):
        return repr(self.sockaddr[:2])


class SessionAddress(UDP6EndpointAddress):
    """A session as aiocoap's remote; `session` None: one of before our start, which cannot be reached."""

    scheme = "coaps"
    is_multicast = is_multicast_locally = False

    def __init__(self, interface, owner, session, place):
        super().__init__(None, interface)
        self.owner, self.session, self._place = owner, session, place

    sockaddr = property(lambda self: self.session.where.sockaddr if self.session else self._place, lambda *_: None)
    pktinfo = property(lambda self: self.session.where.pktinfo if self.session else None, lambda *_: None)

    def __eq__(self, other):
        return self is other or (self.session is not None and self.session is getattr(other, "session", None))

    def __hash__(self):
        return id(self.session or self)

    def as_response_address(self):
        return self

    @property
    def blockwise_key(self):
        return (self.owner, id(self.session))


class _Guarded(Interface):
    """A socket that lets only what was sealed through to aiocoap."""

    def datagram_msg_received(self, data, ancdata, flags, address):
        pktinfo = next((body for level, kind, body in ancdata
                        if (level, kind) == (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO)), None)
        try:
            self.received(data, _Place(address, self, pktinfo=pktinfo))
        except Exception as problem:
            self.log.warning("datagram from %s dropped: %r", address[:2], problem)

    def up(self, data, remote):
        """To aiocoap with what was in a record."""
        try:
            message = Message.decode(data, remote)
        except error.UnparsableMessage:
            return
        message.direction = Direction.INCOMING
        self._ctx.dispatch_message(message)

    def wire(self, data, where):
        ancdata = [(socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, where.pktinfo)] if where.pktinfo else []
        self.transport.sendmsg(data, ancdata, 0, where.sockaddr)

    def send(self, message):
        if isinstance(message.remote, SessionAddress):
            self.seal(message.encode(), message.remote)
        else:
            super().send(message)


class _Serving(_Guarded):
    server = None  # until the socket is there

    def received(self, data, where):
        if self.server is None:
            return
        for kind, whose, *what in self.server.receive(data, where, time.monotonic()):
            if kind == "udp":
                self.wire(what[0], whose)
            elif kind == "plain":
                self.up(what[0], self._remote(whose))
            elif kind == "closed":
                self._ctx.dispatch_error(error.NetworkError("the DTLS session has ended"), self._remote(whose))

    def _remote(self, session):
        if not hasattr(session, "remote"):
            session.remote = SessionAddress(self, session.owner, session, None)
        return session.remote

    def seal(self, data, remote):
        datagram = remote.session and self.server.seal(remote.session, data)
        if datagram:
            self.wire(datagram, remote)

    async def shutdown(self):
        for where, data in self.server.close():
            self.wire(data, where)
        await super().shutdown()


class Sessions:
    """The server role, as wire.Plain. `secret`: the server's; `gateways`: those with a session for each of their
    devices."""

    scheme = "coaps"

    def __init__(self, secret, gateways=(), limit=20_000):
        self._secret, self._limit = secret, limit
        self._gateways = [name.encode() for name in gateways]

    def site(self, site):
        return site

    async def attach(self, context, sock, reject):
        def refuse(why, where):
            reject(why, address(where))
        server = Server(self._key_of, refuse, self._limit, lambda identity: identity in self._gateways)
        await listen(context, sock, _Serving)
        context.request_interfaces[-1].token_interface.message_interface.server = server

    def remote(self, udp, name):
        """The endpoint of this name, which has to come to us first: its session is not in the books."""
        return SessionAddress(udp.interface, Owner(DTLS, name.encode()), None, udp.sockaddr)

    def reachable(self, remote):
        return remote.session is not None and remote.session in remote.interface.server

    def silent(self, remote):
        pass

    def close(self):
        pass

    def _key_of(self, identity):
        try:
            good = 0 < len(identity) <= _LONGEST and identity.decode().isprintable()
        except UnicodeDecodeError:
            good = False
        return self._secret.dtls_key(identity) if good else None


class _Peer:
    """A server whose client we are."""

    def __init__(self, interface, where, guard):
        self.where, self.guard, self.timer = where, guard, None
        self.remote = SessionAddress(interface, Owner(DTLS, b""), self, None)


class _Asking(_Guarded):
    """`make()`: a new guard."""

    make = None

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self._peers = {}  # where -> _Peer

    def peer(self, where):
        if where not in self._peers:
            self._peers[where] = _Peer(self, where, self.make())
        return self._peers[where]

    def received(self, data, where):
        peer = self._peers.get(where)
        if peer:
            peer.guard.receive(data, _now())
            self._do(peer)

    def seal(self, data, remote):
        remote.session.guard.send(data, _now())
        self._do(remote.session)

    def begin(self, peer):
        """A new session: the server may have forgotten this one."""
        peer.guard.open(_now())
        self._do(peer)

    def _do(self, peer):
        for kind, *what in peer.guard.take():
            if kind == "udp":
                self.wire(what[0], peer.where)
            elif kind == "plain":
                self.up(what[0], peer.remote)
            elif kind in ("refused", "closed"):
                self._ctx.dispatch_error(error.NetworkError(what[0]), peer.remote)
        self._arm(peer)

    def _arm(self, peer):
        if peer.timer:
            peer.timer.cancel()
        due = peer.guard.deadline()
        wait = None if due is None else max(0, due - _now()) / 1000
        peer.timer = None if due is None else asyncio.get_running_loop().call_later(wait, self._poll, peer)

    def _poll(self, peer):
        peer.guard.poll(_now())
        self._do(peer)

    async def shutdown(self):
        for peer in self._peers.values():
            if peer.timer:
                peer.timer.cancel()
            peer.guard.close(_now())
            for kind, *what in peer.guard.take():
                if kind == "udp":
                    self.wire(what[0], peer.where)
        await super().shutdown()


class Client:
    """The client role, as wire.Plain: of the endpoint `name`, whose key the server knows."""

    scheme = "coaps"

    def __init__(self, name, key):
        self._identity, self._key = name.encode(), key

    def site(self, site):
        return site

    async def attach(self, context, sock, reject):
        await listen(context, sock, _Asking)
        interface = context.request_interfaces[-1].token_interface.message_interface
        interface.make = lambda: Dtls(self._identity, self._key, random.SystemRandom().randrange)

    def server(self, udp):
        return udp.interface.peer(udp).remote

    def reachable(self, remote):
        return True

    def silent(self, remote):
        remote.interface.begin(remote.session)

    def close(self):
        pass


def _now():
    return int(time.monotonic() * 1000)
