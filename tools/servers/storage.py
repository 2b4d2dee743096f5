"""What the servers must not forget, through SQLAlchemy: SQLite in memory or in a file, or another database by
URL.

One thread writes. Jobs that arrive while it is committing share the next transaction (group commit), so a thousand
devices cost few fsyncs; a job's future is done when its commit is durable. Where one fails, each is tried again in a
transaction of its own, so that it takes no other with it: a job may run twice, and only its last run counts.

Rows of `registrations` are never deleted: a record that ends is closed, so who was registered where and when
can be read afterwards. `events` and delivered rows of `relay` keep their newest.
"""

import asyncio
import concurrent.futures
import queue
import threading
import time

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

MAX_EVENTS = 20_000
MAX_DELIVERED = 2_000
MAX_BATCH = 256  # jobs of one transaction
MAX_WAITING = 50_000  # jobs
PRUNE_EVERY = 500  # events

_tables = sa.MetaData()

accounts = sa.Table(
    "accounts", _tables,
    sa.Column("endpoint", sa.String, primary_key=True),
    sa.Column("accounts", sa.JSON, nullable=False),  # server accounts, in order
    sa.Column("settings", sa.JSON, nullable=False),
    sa.Column("prepared_at", sa.Float, nullable=False),
    sa.Column("bootstrapped_at", sa.Float),
)
registrations = sa.Table(
    "registrations", _tables,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("server", sa.String, nullable=False, index=True),
    sa.Column("endpoint", sa.String, nullable=False, index=True),
    sa.Column("location", sa.String, nullable=False),
    sa.Column("epoch", sa.BigInteger),
    sa.Column("via", sa.String),  # the gateway's name; none: directly
    sa.Column("lifetime", sa.Integer, nullable=False),  # s
    sa.Column("binding", sa.String, nullable=False),
    sa.Column("version", sa.String, nullable=False),
    sa.Column("address", sa.String, nullable=False),  # host:port
    sa.Column("links", sa.Text, nullable=False),
    sa.Column("opened_at", sa.Float, nullable=False),  # Unix s
    sa.Column("updated_at", sa.Float, nullable=False),
    sa.Column("closed_at", sa.Float, index=True),
    sa.Column("reason", sa.String),
)
epochs = sa.Table(
    "epochs", _tables,
    sa.Column("server", sa.String, primary_key=True),
    sa.Column("endpoint", sa.String, primary_key=True),
    sa.Column("epoch", sa.BigInteger, nullable=False),  # the highest ever seen
)
readings = sa.Table(
    "readings", _tables,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("endpoint", sa.String, nullable=False),
    sa.Column("sequence", sa.BigInteger),  # none: from a device that does not count
    sa.Column("time", sa.Float),  # the device's clock, where it has one
    sa.Column("path", sa.String, nullable=False),
    sa.Column("value", sa.JSON, nullable=False),
    sa.Column("received_at", sa.Float, nullable=False),
    sa.UniqueConstraint("endpoint", "sequence"),
)
relay = sa.Table(
    "relay", _tables,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("server", sa.String, nullable=False),
    sa.Column("endpoint", sa.String, nullable=False),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Column("format", sa.Integer, nullable=False),
    sa.Column("received_at", sa.Float, nullable=False),
    sa.Column("delivered_at", sa.Float, index=True),
    sa.Column("parked", sa.String),  # why the platform does not want it
)
oscore = sa.Table(
    "oscore", _tables,
    sa.Column("server", sa.String, primary_key=True),
    sa.Column("peer", sa.String, primary_key=True),  # its id, in hex
    sa.Column("next", sa.BigInteger, nullable=False),  # our numbers from here on are unused
    sa.Column("seen", sa.JSON),  # the replay window; none: in use, or not ended cleanly
)
events = sa.Table(
    "events", _tables,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("t", sa.Float, nullable=False),
    sa.Column("actor", sa.String, nullable=False),
    sa.Column("event", sa.String, nullable=False),
    sa.Column("detail", sa.JSON, nullable=False),
)

_EVENT = events.insert()


class Storage:
    """`url` as SQLAlchemy takes it; default: memory, gone with the process."""

    def __init__(self, url="sqlite://"):
        self.url = sa.engine.make_url(url)
        memory = self.url.get_backend_name() == "sqlite" and self.url.database in (None, "", ":memory:")
        shared = {"poolclass": sa.pool.StaticPool, "connect_args": {"check_same_thread": False}}
        self._engine = sa.create_engine(self.url, **(shared if memory else {}))
        self._lock = threading.RLock()  # in memory everybody shares one connection
        if self.url.get_backend_name() == "sqlite":
            _tune(self._engine)
        _tables.create_all(self._engine)
        self._jobs = queue.Queue(MAX_WAITING)
        self._events = 0  # since the last pruning
        self._pending, self._pending_lock, self._flushed = [], threading.Lock(), None
        self._writer = threading.Thread(target=self._write_all, name="storage", daemon=True)
        self._writer.start()

    def submit(self, job):
        """Queue `job(connection)`; the concurrent future has its result once it is durable."""
        done = concurrent.futures.Future()
        self._jobs.put_nowait((job, done))
        return done

    def write(self, job):
        """The same as an awaitable for the running event loop."""
        done = asyncio.wrap_future(self.submit(job))
        done.add_done_callback(lambda future: future.cancelled() or future.exception())  # nobody need await
        return done

    def execute(self, statement, values=None):
        """`write` of one statement with the values of its parameters. Statements that are made once and for all cost
        a fraction of the time."""
        return self.write(lambda connection: connection.execute(statement, values).rowcount)

    def read(self, statement):
        """The rows of a select as a list of dicts."""
        with self._lock, self._engine.connect() as connection:
            return [dict(row) for row in connection.execute(statement).mappings()]

    def close(self):
        """Write what waits, then close. Calling it again does nothing."""
        if self._writer.is_alive():
            self._jobs.put(None)
            self._writer.join()
            self._engine.dispose()

    def _write_all(self):
        while (first := self._jobs.get()) is not None:
            batch = [first]
            while len(batch) < MAX_BATCH and not self._jobs.empty():
                batch.append(self._jobs.get())
            ending = None in batch
            self._commit([entry for entry in batch if entry])
            if ending:
                return

    def _commit(self, batch):
        """All in one transaction; when that fails, each job in one of its own."""
        try:
            results = self._transact([job for job, _ in batch])
        except Exception as problem:  # a job's own mistake, or disk full, database gone: nothing was promised yet
            if len(batch) > 1:
                for one in batch:
                    self._commit([one])
                return
            results, failed = [None], problem
        else:
            failed = None
        for (_, done), value in zip(batch, results, strict=True):
            if not done.set_running_or_notify_cancel():
                continue
            if failed:
                done.set_exception(failed)
            else:
                done.set_result(value)

    def _transact(self, jobs):
        writer = self._engine.connect().execution_options(writer=True)
        with self._lock, writer as connection, connection.begin():
            return [job(connection) for job in jobs]

    def event(self, t, actor, event, detail):
        """Keep one line of the log; the newest MAX_EVENTS stay. Lines that come together are written together."""
        with self._pending_lock:
            self._pending.append({"t": t, "actor": actor, "event": event, "detail": detail})
            if len(self._pending) == 1:
                self._flushed = self.submit(self._flush)
            return self._flushed

    def _flush(self, connection):
        with self._pending_lock:
            rows, self._pending = self._pending, []
        if rows:  # none: a second try, after the first took them along
            connection.execute(_EVENT, rows)
            self._events += len(rows)
        if self._events >= PRUNE_EVERY:
            self._events = 0
            newest = sa.select(sa.func.max(events.c.id)).scalar_subquery()
            connection.execute(events.delete().where(events.c.id <= newest - MAX_EVENTS))

    def notes(self, actor, log=None):
        """A function note(event, **fields) that keeps the line here and hands it to log(actor, event,
        **fields)."""
        def note(event, **fields):
            self.event(time.time(), actor, event, fields)
            if log:
                log(actor, event, **fields)
        return note

    def registrations(self, server=None, endpoint=None, live=None):
        """Registration rows in the order of their opening."""
        table = registrations
        query = sa.select(table).order_by(table.c.opened_at)
        if server is not None:
            query = query.where(table.c.server == server)
        if endpoint is not None:
            query = query.where(table.c.endpoint == endpoint)
        if live is not None:
            query = query.where(table.c.closed_at.is_(None) if live else table.c.closed_at.is_not(None))
        return self.read(query)

    def readings(self, endpoint=None):
        """Reading rows, of one endpoint or all, in the order of their arrival."""
        query = sa.select(readings).order_by(readings.c.id)
        return self.read(query if endpoint is None else query.where(readings.c.endpoint == endpoint))

    def insert(self, table):
        """The dialect's INSERT, which knows on_conflict_do_nothing and _update (SQLite, PostgreSQL)."""
        return (postgresql if self._engine.dialect.name == "postgresql" else sqlite).insert(table)

    def upsert(self, table, keys):
        """INSERT, or UPDATE of everything else where the columns named in `keys` are taken."""
        statement = self.insert(table)
        values = {column.name: column for column in statement.excluded if column.name not in keys}
        return statement.on_conflict_do_update(index_elements=keys, set_=values)


def _tune(engine):
    """WAL and a full sync for durability; BEGIN by us, because the driver's own breaks savepoints."""

    @sa.event.listens_for(engine, "connect")
    def _(connection, _record):
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000"):
            connection.execute("PRAGMA " + pragma)

    @sa.event.listens_for(engine, "begin")
    def _(connection):
        writer = connection.get_execution_options().get("writer")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writer else "BEGIN")
