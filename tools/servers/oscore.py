"""OSCORE (RFC 8613) of the servers, both roles, by aiocoap's implementation: one security context for each peer, bound
to no address, with its numbers in the storage.

What is added to aiocoap: keys are derived when a peer shows that it has them, an unprotected request and one that
cannot be verified are refused before anything is kept of them, and numbers survive the process. Sequence numbers are
written ahead in steps (Appendix B.1.1). The replay window is written at a clean end; after any other, the first request
of a peer is answered with an Echo (B.1.2).
"""

import asyncio
import secrets
import time

import sqlalchemy as sa
from aiocoap import Message, oscore
from aiocoap.numbers.codes import Code
from aiocoap.numbers.types import Type
from aiocoap.oscore_sitewrapper import OscoreSiteWrapper
from aiocoap.transports.oscore import OSCOREAddress, TransportOSCORE

from . import storage as books
from .credentials import OSCORE, SERVER_ID, Owner, kid
from .wire import address, listen

_WINDOW = 1024  # numbers; many sockets of a gateway share one context, and are read in any order
_STEP = 128  # numbers written ahead
_WRITE_S = 10.0
_CHALLENGE_S = 0.25  # between demands for Echo of old requests: each takes a number, and anybody can replay


class Rejected(Exception):
    """Why a message is turned away (a word), and what its sender is told, unprotected (RFC 8613 8.2)."""

    def __init__(self, why, code=None, text=b""):
        super().__init__(why)
        self.why, self.code, self.text = why, code, text


class Context(oscore.CanProtect, oscore.CanUnprotect, oscore.SecurityContextUtils):
    """What is shared with one peer. `keep(next, window)` writes both, and gives a future; `row` is what was written
    last, None for keys that were never used."""

    alg_aead = oscore.algorithms["AES-CCM-16-64-128"]
    hashfun = oscore.hashfunctions["sha256"]
    id_context = None

    def __init__(self, secret, own, peer, keep, row):
        self.sender_id, self.recipient_id = own, peer
        self.owner = Owner(OSCORE, peer)
        self.derive_keys(b"", secret)
        self.echo_recovery = secrets.token_bytes(8)
        self.recipient_replay_window = oscore.ReplayWindow(_WINDOW, self._taken)
        self.sender_sequence_number = self._ahead = self._durable = row["next"] if row else 0
        if row is None:
            self.recipient_replay_window.initialize_empty()
        elif row["seen"]:
            self.recipient_replay_window.initialize_from_persisted(row["seen"])
        self._keep, self._used = keep, None
        self._challenged, self._doubted = 0.0, -1

    def unprotect(self, protected_message, request_id=None):
        """aiocoap's; what the door has opened already is not opened again."""
        early = protected_message.__dict__.pop("early", None)
        return early or super().unprotect(protected_message, request_id)

    def protect(self, message, request_id=None, **options):
        outer, request_id = super().protect(message, request_id, **options)
        if message.code.is_request():
            outer.bound = (self, request_id)  # so that the door knows whose the answer has to be
        return outer, request_id

    def post_seqnoincrease(self):
        """Numbers are written before they are used."""
        if self.sender_sequence_number > self._durable:
            self._reserve().result(_WRITE_S)
        elif self._ahead - self.sender_sequence_number < _STEP // 2:
            self._reserve()

    async def ready(self):
        """Wait until there are numbers, rather than make everybody wait."""
        if self.sender_sequence_number >= self._durable:
            await asyncio.wrap_future(self._reserve())

    def _reserve(self):
        end = self._ahead = max(self._ahead, self.sender_sequence_number) + _STEP
        return self._keep(end, None, lambda: setattr(self, "_durable", end))

    def _taken(self):
        if self._used is None:  # from now on the window in the books is not the true one
            self._used = self._keep(self._ahead, None)

    async def settled(self):
        """Wait until it is in the books that the peer's numbers are used."""
        if self._used and not self._used.done():
            await asyncio.wrap_future(self._used)

    def end(self):
        """A clean end: nothing may be sent any more."""
        if self._used or self.sender_sequence_number:
            window = self.recipient_replay_window
            self._keep(self.sender_sequence_number, window.persist() if window.is_initialized() else None)

    def doubts(self, number):
        """Whether to demand an Echo of a request: what is really new has the highest number, and so never waits for
        those who replay."""
        now = time.monotonic()
        if number <= self._doubted and now - self._challenged < _CHALLENGE_S:
            return False
        self._challenged, self._doubted = now, max(number, self._doubted)
        return True


class Contexts:
    """The contexts of a server, `name` in the books, or of a client of one. `own`: our id; secret_of(kid): the master
    secret of a peer, None where it cannot be one."""

    scheme = "coap"

    def __init__(self, storage, name, secret_of, own=SERVER_ID):
        self._name, self._own, self._secret_of, self._storage = name, own, secret_of, storage
        self._upsert = storage.upsert(books.oscore, ["server", "peer"])
        rows = storage.read(sa.select(books.oscore).where(books.oscore.c.server == name))
        self._rows = {bytes.fromhex(row["peer"]): row for row in rows}
        self._contexts = {}  # of peers that have shown their key, or are known from the books

    def site(self, site):
        return _Wrapper(site, self)

    async def attach(self, context, sock, reject):
        await listen(context, sock, door=lambda messages: _Door(messages, self, reject))
        context.request_interfaces.insert(0, _Transport(context, context))

    def remote(self, udp, name):
        """The endpoint of this name at this address."""
        return self._protected(udp, kid(name))

    def server(self, udp):
        """The server whose client we are at this address."""
        return self._protected(udp, SERVER_ID)

    def _protected(self, udp, peer):
        return OSCOREAddress(self._kept(peer, self._of(peer)), udp)

    def reachable(self, remote):
        return True

    def silent(self, remote):
        pass

    def close(self):
        """A clean end of all contexts."""
        for context in self._contexts.values():
            context.end()
        self._contexts.clear()

    def open(self, message):
        """(unprotected request, what its answer is bound to), checked and struck out of the window. Raises Rejected,
        or ReplayErrorWithEcho, which has the demand."""
        try:
            header = oscore.verify_start(message)
        except oscore.NotAProtectedMessage as problem:
            raise Rejected("unprotected", Code.UNAUTHORIZED, b"OSCORE is needed") from problem
        except (oscore.DecodeError, IndexError) as problem:
            raise Rejected("malformed", Code.BAD_OPTION, b"Failed to decode COSE") from problem
        if message.opt.uri_path or message.code not in (Code.POST, Code.FETCH):
            raise Rejected("malformed", Code.BAD_OPTION, b"Failed to decode COSE")
        try:
            context = self.find_oscore(header)
        except KeyError as problem:
            raise Rejected("unknown", Code.UNAUTHORIZED, b"Security context not found") from problem
        return self._opened(context, message)

    def _opened(self, context, message):
        try:
            early = context.unprotect(message)
        except oscore.ReplayErrorWithEcho:
            self._kept(context.recipient_id, context)
            raise
        except oscore.ReplayError as problem:
            raise Rejected("replayed", Code.UNAUTHORIZED, b"Replay detected") from problem
        except Exception as problem:  # of its bytes, also where its key holder wrote options that are none
            raise Rejected("forged", Code.BAD_REQUEST, b"Decryption failed") from problem
        if not early[0].code.is_request():
            raise Rejected("malformed", Code.BAD_REQUEST, b"Decryption failed")
        self._kept(context.recipient_id, context)
        return early

    def find_oscore(self, header):
        """aiocoap's name for it. Raises KeyError."""
        peer = header.get(oscore.COSE_KID)
        context = None if oscore.COSE_KID_CONTEXT in header or peer is None else self._of(peer)
        if context is None:
            raise KeyError
        return context

    def _of(self, peer):
        known = self._contexts.get(peer)
        if known is None and (secret := self._secret_of(peer)):
            known = Context(secret, self._own, peer, lambda *values: self._keep(peer, *values), self._rows.get(peer))
        return known

    def _kept(self, peer, context):
        return self._contexts.setdefault(peer, context)

    def _keep(self, peer, number, seen, done=None):
        row = {"server": self._name, "peer": peer.hex(), "next": number, "seen": seen}
        self._rows[peer] = row
        future = self._storage.submit(lambda connection: connection.execute(self._upsert, row).rowcount)
        if done:
            future.add_done_callback(lambda future: future.exception() or done())
        return future


class _Door:
    """In front of aiocoap's message layer: only what a peer with its key wrote, and now, goes in."""

    def __init__(self, messages, contexts, reject):
        self._messages, self._contexts, self._reject = messages, contexts, reject

    def dispatch_error(self, error, remote):
        self._messages.dispatch_error(error, remote)

    def dispatch_message(self, message):
        """What aiocoap remembers by its message id, it answers as before; all else is looked at first."""
        if message.code.is_request():
            known = (message.remote, message.mid) in self._messages._recent_messages
            good = known or self._request(message)
        else:
            good = not message.code.is_response() or self._response(message)
        if good:
            self._messages.dispatch_message(message)

    def _request(self, message):
        try:
            message.early = self._contexts.open(message)
        except oscore.ReplayErrorWithEcho as doubt:
            self._reject("doubted", address(message.remote))
            if doubt.secctx.doubts(int.from_bytes(doubt.request_id.partial_iv, "big")):
                self._answer(message, doubt.to_message())
            return False
        except Rejected as problem:
            self._reject(problem.why, address(message.remote))
            if message.mtype is Type.CON:
                self._answer(message, Message(code=problem.code, payload=problem.text, max_age=0))
            return False
        return True

    def _answer(self, request, answer):
        con = request.mtype is Type.CON
        answer.mtype, answer.mid = (Type.ACK, request.mid) if con else (Type.NON, request.mid ^ 0x8000)
        answer.token, answer.remote = request.token, request.remote.as_response_address()
        self._messages.message_interface.send(answer)

    def _response(self, message):
        """Whether this may be the answer to a request of ours: sealed by whom we asked, and newer than the last."""
        pipe = self._messages.token_manager.outgoing_requests.get((message.token, message.remote))
        bound = pipe and getattr(pipe.request, "bound", None)
        if not bound:
            return message.opt.oscore is not None  # nobody asked, or in blocks that aiocoap made; it sees to both
        context, request_id = bound
        try:
            piv = oscore.verify_start(message).get(oscore.COSE_PIV)
            context.unprotect(message, request_id)
        except Exception:
            self._reject("forged", address(message.remote))
            return False
        number, newest = int.from_bytes(piv, "big") if piv else -1, getattr(pipe.request, "newest", -2)
        if number <= newest:
            self._reject("replayed", address(message.remote))
            self._acknowledge(message)
            return False
        pipe.request.newest = number
        return True

    def _acknowledge(self, message):
        if message.mtype is Type.CON:
            self._messages._send_empty_ack(message.remote, message.mid, "it came before")


class _Wrapper(OscoreSiteWrapper):
    async def render_to_pipe(self, pipe):
        early = pipe.request.__dict__.get("early")
        if early is None:  # a repetition that the message layer let through
            return
        await self.server_credentials.find_oscore(oscore.verify_start(pipe.request)).settled()
        await super().render_to_pipe(pipe)


class _Transport(TransportOSCORE):
    """aiocoap's never ends a request that nobody waits for any more, an observation above all."""

    async def fill_or_recognize_remote(self, message):
        return isinstance(message.remote, OSCOREAddress)

    def request(self, request):
        task = self.loop.create_task(self._ask(request))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        request.on_interest_end(task.cancel)

    async def _ask(self, request):
        try:
            await request.request.remote.security_context.ready()
            await self._request(request)
        except Exception as problem:
            request.add_exception(problem)


def client_of(storage, name, key):
    """The Contexts of the endpoint `name` towards its server, whose key for it is given."""
    return Contexts(storage, name + " upstream", {SERVER_ID: key}.get, kid(name))
