"""What the platform must not forget of its rollouts: the documents, the states, and what each member has said.

A rollout goes on after a restart where it was: who has answered has, and all others are sent the document once more.
They take it once, whatever comes twice.
"""

import time
from dataclasses import asdict

import sqlalchemy as sa

from ...agent.errors import LocalError
from . import rollout as engine
from .planning import Terms

_tables = sa.MetaData()
_rollouts = sa.Table(
    "policy_rollouts", _tables,
    sa.Column("group", sa.String, primary_key=True),
    sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("document", sa.LargeBinary, nullable=False),
    sa.Column("terms", sa.JSON, nullable=False),
    sa.Column("expires", sa.Float, nullable=False),  # Unix s
    sa.Column("activates", sa.Float),
    sa.Column("trial_s", sa.Integer, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("why", sa.String, nullable=False),
    sa.Column("stage", sa.Integer, nullable=False),
    sa.Column("created_at", sa.Float, nullable=False),
)
_outcomes = sa.Table(
    "policy_outcomes", _tables,
    sa.Column("group", sa.String, primary_key=True),
    sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("endpoint", sa.String, primary_key=True),
    sa.Column("stage", sa.Integer, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("way", sa.String, nullable=False),
    sa.Column("status", sa.Integer),
    sa.Column("detail", sa.JSON),
    sa.Column("at", sa.Float, nullable=False),  # Unix s
)
_this = sa.and_(_rollouts.c.group == sa.bindparam("its_group"), _rollouts.c.version == sa.bindparam("its_version"))
_STATE = _rollouts.update().where(_this).values(
    state=sa.bindparam("now_state"), why=sa.bindparam("now_why"), stage=sa.bindparam("now_stage"))
UNFINISHED = (engine.PLANNED, engine.RUNNING, engine.PAUSED, engine.COMPLETE)


class Rollouts:
    """Rollouts in a Storage. `clock`: Unix s; times of the engine are ms of another clock, told as `now`."""

    def __init__(self, storage, clock=time.time):
        self._storage, self._clock = storage, clock
        storage.submit(_tables.create_all).result()
        self._save = storage.upsert(_outcomes, ["group", "version", "endpoint"])

    async def open(self, group, document, version, ways, terms, chance, now, expires, activates=None, trial_s=0):
        """A new Rollout for a Group, kept; times in Unix s. Raises LocalError: the version is not above all before."""
        highest = self._storage.read(sa.select(sa.func.max(_rollouts.c.version).label("version"))
                                     .where(_rollouts.c.group == group.name))[0]["version"]
        if highest is not None and version <= highest:
            raise LocalError("group %s: version %d has been, the next document needs %d" % (
                group.name, highest, highest + 1))
        row = {"group": group.name, "version": version, "document": document, "terms": asdict(terms),
               "expires": expires, "activates": activates, "trial_s": trial_s, "state": engine.PLANNED, "why": "",
               "stage": -1, "created_at": self._clock()}
        made = self._made(row, group, ways, terms, chance, now)
        try:
            await self._storage.execute(_rollouts.insert(), row)
        except sa.exc.IntegrityError as problem:
            raise LocalError("group %s: version %d has just been opened" % (group.name, version)) from problem
        await self.save(made, now)
        return made

    async def save(self, rollout, now):
        """Keep what has changed since the last time. Call it every second or so, and at the end."""
        records = rollout.book.changed()
        rows = [self._outcome(rollout, record, now) for record in records]
        state = {"its_group": rollout.group.name, "its_version": rollout.version, "now_state": rollout.state,
                 "now_why": rollout.why, "now_stage": rollout.stage}

        def job(connection):
            connection.execute(_STATE, state)
            if rows:
                connection.execute(self._save, rows)
        try:
            await self._storage.write(job)
        except Exception:
            rollout.book.unsaved(records)
            raise

    def listed(self, group=None):
        """The rows of all rollouts, or of those of one group by its name, the newest first."""
        query = sa.select(_rollouts).order_by(_rollouts.c.created_at.desc())
        return self._storage.read(query if group is None else query.where(_rollouts.c.group == group))

    def outcomes(self, group, version):
        """The rows of the members of one."""
        mine = sa.and_(_outcomes.c.group == group, _outcomes.c.version == version)
        return self._storage.read(sa.select(_outcomes).where(mine).order_by(_outcomes.c.endpoint))

    def revive(self, row, group, ways, chance, now):
        """The Rollout of a row of listed() whose state is one of UNFINISHED, as it goes on after a restart."""
        terms = Terms(**dict(row["terms"], stages=tuple(row["terms"]["stages"])))
        made = self._made(row, group, ways, terms, chance, now)
        if row["state"] != engine.PLANNED:
            outcomes = {each["endpoint"]: (each["stage"], each["state"], each["reason"], each["status"], each["detail"])
                        for each in self.outcomes(group.name, row["version"])}
            made.revive(row["state"], row["stage"], outcomes, now)
        return made

    def _made(self, row, group, ways, terms, chance, now):
        def there(at):
            """A Unix time on the engine's clock."""
            return None if at is None else round(now + (at - self._clock()) * 1000)
        return engine.Rollout(group, row["document"], row["version"], ways, terms, chance, there(row["expires"]),
                              there(row["activates"]), row["trial_s"] * 1000)

    def _outcome(self, rollout, record, now):
        return {"group": rollout.group.name, "version": rollout.version, "endpoint": record.endpoint,
                "stage": record.stage, "state": record.state, "reason": record.reason,
                "way": record.way[0], "status": record.status, "detail": record.detail,
                "at": self._clock() - (now - record.at) / 1000}
