"""The devices registered with one server: who, where from, until when, and which of two claims is the newer
one.

The table in memory decides, at once and without waiting, so that there is never a moment with two live
records of an endpoint; the storage follows, and an answer is sent only after it has. The rule of the epoch
(DESIGN 3.1): a Register below the highest epoch ever seen of an endpoint is refused with 4.09 and that epoch;
an equal one is the same attempt repeated; one without an epoch, from a standard client, replaces what there
is.
"""

import asyncio
import heapq
import secrets
import time
from dataclasses import dataclass, field

import sqlalchemy as sa
from aiocoap.numbers.codes import Code

from . import storage as books
from .coap import Refusal, address, owner
from .credentials import NONE
from .lwm2m import register_terms, update_terms

_rows = books.registrations
_its_row = _rows.c.key == sa.bindparam("its_key")
_OPEN = _rows.insert()
_UPDATE = _rows.update().where(_its_row).values(
    updated_at=sa.bindparam("at"), lifetime=sa.bindparam("lt"), binding=sa.bindparam("b"),
    links=sa.bindparam("its_links"))
_MOVE = _rows.update().where(_its_row).values(address=sa.bindparam("place"))
_CLOSE = _rows.update().where(_its_row).values(closed_at=sa.bindparam("at"), reason=sa.bindparam("why"))
_ALPHABET = "0123456789abcdefghijkmnpqrstuvwxyz"


@dataclass
class Registration:
    """One record. `address` is host:port; `expires` is in Unix s."""

    key: str
    endpoint: str
    location: str
    epoch: int | None
    via: str | None
    lifetime: int
    binding: str
    version: str
    address: str
    links: str
    opened_at: float
    updated_at: float
    remote: object = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    moved: asyncio.Event = field(default_factory=asyncio.Event)  # it is elsewhere now, or has ended; anew each time

    @property
    def live(self):
        return not self.ended.is_set()

    @property
    def expires(self):
        return self.updated_at + self.lifetime

    def row(self):
        names = [column.name for column in books.registrations.columns]
        return {name: getattr(self, name) for name in names if name not in ("server", "closed_at", "reason")}


class Registrations:
    """`opened(new, old)`, `closed(record, reason)` and `moved(record)` are called in the moment of the change, before
    storage. `gateways`: the names of those whose credentials are good for any endpoint."""

    def __init__(self, server, storage, note, limit, opened=None, closed=None, moved=None, gateways=()):
        self.server, self.limit, self._gateways = server, limit, gateways
        self._moved = moved or (lambda record: None)
        self._storage, self._note = storage, note
        self._opened = opened or (lambda new, old: None)
        self._closed = closed or (lambda record, reason: None)
        self._by_endpoint, self._by_location, self._by_peer = {}, {}, {}
        self._epochs = {}
        self._raise = storage.upsert(books.epochs, ["server", "endpoint"])
        self._ends = []  # heap of (Unix s, key, record)
        self._timer = None

    def __len__(self):
        return len(self._by_endpoint)

    def __iter__(self):
        return iter(list(self._by_endpoint.values()))

    def of(self, endpoint):
        return self._by_endpoint.get(endpoint)

    def at(self, remote):
        """The live record of the device that sends from here, or None."""
        record = self._by_peer.get(self._peer(remote))
        if record:
            self._follow(record, remote)
        return record

    def gateway(self, remote):
        """The name of the gateway whose credentials these are, or None."""
        who = owner(remote)
        return next((name for name in self._gateways if who.security != NONE and who.fits(name)), None)

    def _peer(self, remote):
        """Whose messages these are: with credentials of its own an endpoint may be anywhere; without, and for the
        endpoints of a gateway, the address tells them apart."""
        who = owner(remote)
        anywhere = who.security != NONE and self.gateway(remote) is None
        return (who, None) if anywhere else (who, address(remote))

    def _follow(self, record, remote):
        """It is there now: what came from there was new, and had its key."""
        place = address(remote)
        if place != record.address:
            self._note("moved", endpoint=record.endpoint, address=place, before=record.address)
            record.address = place
            self._storage.execute(_MOVE, {"its_key": record.key, "place": place})
        if record.remote != remote:  # a DTLS session stays the same wherever it is
            record.remote = remote
            moved, record.moved = record.moved, asyncio.Event()
            moved.set()
            self._moved(record)

    def epoch(self, endpoint):
        """The highest epoch seen of this endpoint, or None."""
        return self._epochs.get(endpoint)

    def restore(self, coap):
        """Take up what was live when the server ended; what has expired since is closed as of its end."""
        table = books.epochs
        known = self._storage.read(sa.select(table).where(table.c.server == self.server))
        self._epochs = {row["endpoint"]: row["epoch"] for row in known}
        for row in self._storage.registrations(self.server, live=True):
            fields = {name: row[name] for name in Registration.__dataclass_fields__ if name in row}
            record = Registration(**fields, remote=coap.remote(row["address"], row["via"] or row["endpoint"]))
            self._insert(record)
        self._ends = [(record.expires, record.key, record) for record in self]
        heapq.heapify(self._ends)
        self._expire()

    def stop(self):
        if self._timer:
            self._timer.cancel()
            self._timer = None

    async def register(self, request):
        """A Register: the new record, durable. Raises Refusal: 4.00, 4.03 (another's name), 4.09 (older epoch), 4.12,
        4.15 or 5.03."""
        endpoint, terms = register_terms(request)
        self._check(request.remote, endpoint, terms)
        old, highest = self.of(endpoint), self._epochs.get(endpoint)
        if terms.epoch is not None and highest is not None and terms.epoch < highest:
            self._note("refused", endpoint=endpoint, epoch=terms.epoch, highest=highest,
                       address=address(request.remote))
            raise Refusal(Code.CONFLICT, str(highest))
        if old is None and len(self) >= self.limit:
            raise Refusal(Code.SERVICE_UNAVAILABLE, f"{self.limit} devices are registered, no more fit")
        now = time.time()
        new = Registration(key=secrets.token_hex(16), endpoint=endpoint, location=self._location(),
                           address=address(request.remote), remote=request.remote, opened_at=now,
                           updated_at=now, **vars(terms))
        saved = self._replace(old, new)
        self._opened(new, old)
        await saved
        return new

    def _check(self, remote, endpoint, terms):
        """Nobody speaks for another, but a gateway for its devices."""
        who, gateway = owner(remote), self.gateway(remote)
        if gateway and not who.fits(endpoint):
            terms.via = terms.via or gateway
        if (gateway and terms.via in (None, gateway)) or who.security == NONE:
            return
        if terms.via or not who.fits(endpoint):
            self._note("refused", endpoint=endpoint, why="these credentials are another's", address=address(remote))
            raise Refusal(Code.FORBIDDEN, "these credentials belong to another endpoint")

    def _replace(self, old, new):
        work = []
        stranger = self._by_peer.get(self._peer(new.remote))
        if stranger and stranger is not old:  # the same socket under another name
            self.close(stranger, "replaced")
        if old:
            self._remove(old)
            reason = "replaced" if old.via == new.via else "superseded"
            work.append((_CLOSE, {"its_key": old.key, "at": new.opened_at, "why": reason}))
        if new.epoch is not None:
            work.append((self._raise, self._raised(new.endpoint, new.epoch)))
        work.append((_OPEN, {"server": self.server, **new.row()}))
        self._insert(new)
        self._watch(new)
        self._note("registered", endpoint=new.endpoint, epoch=new.epoch, via=new.via, address=new.address,
                   lifetime=new.lifetime, replaces=old.address if old else None)

        def job(connection):
            for statement, values in work:
                connection.execute(statement, values)
        return self._storage.write(job)

    async def update(self, location, request):
        """An Update: (record, whether its terms changed). 4.04 sends the device back to Register: an unknown
        location, or another's (without security a new address means a new registration)."""
        record = self._owned(location, request.remote)
        terms = update_terms(request)
        before, end = (record.lifetime, record.binding, record.links), record.expires
        record.lifetime = terms.lifetime or record.lifetime
        record.binding = terms.binding or record.binding
        record.links = record.links if terms.links is None else terms.links
        changed = before != (record.lifetime, record.binding, record.links)
        record.updated_at = time.time()
        if record.expires < end:
            self._watch(record)
        saved = self._storage.execute(_UPDATE, {"its_key": record.key, "at": record.updated_at, "lt": record.lifetime,
                                                "b": record.binding, "its_links": record.links})
        self._note("updated", endpoint=record.endpoint, lifetime=record.lifetime)
        if changed:  # a lost time of update costs the device one Register; lost terms would go unnoticed
            await saved
        return record, changed

    async def deregister(self, location, request):
        record = self._owned(location, request.remote)
        await self.close(record, "deregistered")
        return record

    def close(self, record, reason, at=None):
        """End a record now; the awaitable is done when that is durable."""
        at = at or time.time()
        self._remove(record)
        self._note(reason, endpoint=record.endpoint, epoch=record.epoch, via=record.via,
                   address=record.address)
        saved = self._storage.execute(_CLOSE, {"its_key": record.key, "at": at, "why": reason})
        self._closed(record, reason)
        return saved

    def learn(self, endpoint, epoch):
        """A higher epoch was seen elsewhere; the awaitable is done when that is durable."""
        if epoch <= self._epochs.get(endpoint, -1):
            return asyncio.sleep(0)
        return self._storage.execute(self._raise, self._raised(endpoint, epoch))

    def _raised(self, endpoint, epoch):
        self._epochs[endpoint] = epoch
        return {"server": self.server, "endpoint": endpoint, "epoch": epoch}

    def _owned(self, location, remote):
        record = self._by_location.get(location)
        if record is None or self._peer(record.remote) != self._peer(remote):
            raise Refusal(Code.NOT_FOUND, "not registered")
        self._follow(record, remote)
        return record

    def _insert(self, record):
        self._by_endpoint[record.endpoint] = record
        self._by_location[record.location] = record
        self._by_peer[self._peer(record.remote)] = record

    def _remove(self, record):
        record.ended.set()
        record.moved.set()
        for table, key in ((self._by_endpoint, record.endpoint), (self._by_location, record.location),
                           (self._by_peer, self._peer(record.remote))):
            if table.get(key) is record:
                del table[key]

    def _location(self):
        """Short, because every Update carries it; random, so that one from before a restart is not
        somebody's."""
        while True:
            found = "".join(secrets.choice(_ALPHABET) for _ in range(4))
            if found not in self._by_location:
                return found

    def _watch(self, record):
        """One timer for all: a heap of ends, looked at again when the first is due. Updates that only move an
        end away leave the heap alone."""
        if len(self._ends) > 2 * len(self) + 64:
            self._ends = [(one.expires, one.key, one) for one in self]
            heapq.heapify(self._ends)
        heapq.heappush(self._ends, (record.expires, record.key, record))
        self._arm()

    def _arm(self):
        if self._timer:
            if self._ends and self._timer.when() <= self._due(self._ends[0][0]):
                return
            self.stop()
        if self._ends:
            self._timer = asyncio.get_running_loop().call_at(self._due(self._ends[0][0]), self._expire)

    def _due(self, end):
        return asyncio.get_running_loop().time() + max(0.01, end - time.time())

    def _expire(self):
        self._timer = None
        now = time.time()
        while self._ends and self._ends[0][0] <= now:
            record = heapq.heappop(self._ends)[2]
            if record.live and record.expires <= now:
                self.close(record, "expired", at=record.expires)
            elif record.live:
                heapq.heappush(self._ends, (record.expires, record.key, record))
        self._arm()
