"""The servers' books as the lab reads them: straight from their SQLite files, beside the servers, without asking them.

A connection of its own for each file, so that reading never waits for a server's writer (WAL). Everything that the
story waits for and every figure of the summary comes from here.
"""

import json
import sqlite3
import time
from pathlib import Path

from .group_summary import Outcome
from .summary import Reading, Registration

_FRESH_S = 0.008  # many devices ask at once; they may share an answer this old
_REGISTRATIONS = "SELECT server, endpoint, epoch, via, opened_at, closed_at FROM registrations ORDER BY opened_at"
_READINGS = "SELECT id, endpoint, sequence, value, received_at, time FROM readings WHERE id > ? ORDER BY id"
_OUTCOMES = 'SELECT endpoint, state, reason, way, at FROM policy_outcomes WHERE "group" = ? AND version = ?'
_EVENTS = "SELECT id, t, actor, event, detail FROM events WHERE id > ? ORDER BY id"


def _connect(file):
    return sqlite3.connect("%s?mode=ro" % Path(file).as_uri(), uri=True, isolation_level=None)


class Books:
    """The files of the three servers in one folder."""

    def __init__(self, directory):
        self._files = {
            name: _connect(directory / ("%s.sqlite" % name)) for name in ("configuration", "gateway", "platform")
        }
        self._registrations = []
        self._readings = {}  # endpoint -> [Reading]
        self._events = {name: [] for name in self._files}
        self._last_id = dict.fromkeys((*self._files, "readings"), 0)
        self._looked = 0.0

    def close(self):
        for file in self._files.values():
            file.close()

    def registrations(self, endpoint=None):
        """All records of both registrars, open and closed, oldest first."""
        self._look()
        return [r for r in self._registrations if endpoint in (None, r.endpoint)]

    def live(self, server, endpoint, via=None):
        """The open record of this server, or None; via=True: made by a gateway, False: by the device itself."""
        for r in reversed(self.registrations(endpoint)):
            if r.server == server and r.closed_at is None and via in (None, r.via is not None):
                return r
        return None

    def readings(self, endpoint):
        self._look()
        return self._readings.get(endpoint, [])

    def count(self, endpoint):
        return len(self.readings(endpoint))

    def last(self, endpoint):
        """The highest sequence in the platform's books; 0 when there is none (devices count from 1)."""
        return max((r.sequence for r in self.readings(endpoint)), default=0)

    def lost(self, endpoint):
        """How many of the sequences 1 to `last` are not there."""
        return self.last(endpoint) - len({r.sequence for r in self.readings(endpoint)})

    def outcomes(self, group, version):
        """{endpoint: Outcome} of what the members have made of a policy."""
        rows = self._files["platform"].execute(_OUTCOMES, (group, version))
        return {row[0]: Outcome(*row[1:]) for row in rows}

    def keys_told(self):
        """{endpoint: what it has said to the keys of those who sign policies}."""
        return dict(self._files["platform"].execute("SELECT endpoint, said FROM policy_keys_told"))

    def events(self, server, event, **fields):
        """The server's log as it keeps it: (t, fields) of every such event with these fields, oldest first."""
        self._look()
        return [
            (t, detail)
            for t, name, detail in self._events[server]
            if name == event and all(detail.get(key) == value for key, value in fields.items())
        ]

    def exchange_ms(self, endpoint):
        """One gateway-platform exchange as the platform's log timed it (ms): its word that the device is elsewhere,
        from the registration that caused it to the gateway's 2.04. The longest of this device; None without one."""
        opened = [t for t, _ in self.events("platform", "registered", endpoint=endpoint, via=None)]
        told = [t for t, _ in self.events("platform", "superseded_told", endpoint=endpoint)]
        taken = [t - max(o for o in opened if o <= t) for t in told if any(o <= t for o in opened)]
        return max(taken) * 1000 if taken else None

    def _look(self):
        if time.monotonic() - self._looked < _FRESH_S:
            return
        rows = [
            Registration(*row) for name in ("gateway", "platform") for row in self._files[name].execute(_REGISTRATIONS)
        ]
        self._registrations = sorted(rows, key=lambda r: r.opened_at)
        for row in self._new("platform", _READINGS, "readings"):
            self._readings.setdefault(row[1], []).append(Reading(row[1], row[2], float(row[3]), *row[4:]))
        for name in self._files:
            self._events[name] += [
                (t, event, json.loads(detail)) for _, t, _, event, detail in self._new(name, _EVENTS, name)
            ]
        self._looked = time.monotonic()

    def _new(self, file, query, mark):
        """The rows that were added since they were last asked for."""
        rows = self._files[file].execute(query, (self._last_id[mark],)).fetchall()
        if rows:
            self._last_id[mark] = rows[-1][0]
        return rows
