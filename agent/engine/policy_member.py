"""The device as a member of one group: what its policy is, how far it has come, and what of it is kept.

What is in force is read from the medium when it is needed. When the medium fails the state here goes ahead, and is
written when it works again; only a new document counts from the moment it is written.
"""

from binascii import hexlify
from hashlib import sha256

from ..table import find
from . import policy_slots as slots

# state event next-state
_TRANSITIONS = """
* store stored
* try trial
* apply applied
trial confirmed applied
trial failed rolled
stored revert stored
* revert reverted
"""
_GIVEN_UP = {  # the documents that nobody comes back to, once in this state
    "applied": (slots.GOOD,),
    "stored": (slots.GOOD,),
    "rolled": (slots.BODY,),
    "reverted": (slots.BODY, slots.GOOD),
}
_STARTED_AGAIN = 2
_RETRY_MS = 60000  # until what could not be written is tried again
_WINDOW_S = 5  # for an acknowledgement, where the document names none (RFC 7252 8.2: DEFAULT_LEISURE)


class Member:
    """name: the group (bytes); rank: of two groups that set the same the higher one wins; guard: the key of what is
    sent to all (bytes), or None. Raises OSError."""

    version, digest, state, detail, starts, window = 0, b"", "none", 0, 0, _WINDOW_S
    activate = revert = 0  # Unix s, 0: never
    until = None  # ms: the end of the trial
    retry = None  # ms: to be written again
    ack = None  # (version, status, detail, ms)

    def __init__(self, medium, name, rank, guard):
        self.name, self.rank, self.guard, self._medium = name, rank, guard, medium
        record = slots.load(medium, self._file())
        self.damaged = record is None
        if record and record.get(slots.GROUP) == name:
            self._see(record)

    def document(self):
        """The document (a map) that is in force; {}: none, or none that can be read."""
        return self._read(slots.in_force)

    def proven(self):
        """The document (a map) that holds unless the present one proves itself; {}: none."""
        return self._read(slots.good)

    def newest(self):
        """The document (a map) of the version that it has, in force or not; {}: it is given up."""
        return self._read(slots.newest)

    def accept(self, document, body, digest, event):
        """A new document, as `event` says: store, try or apply. It counts once it is written. Raises OSError."""
        record, state = self._record(), self._after(event)
        back = b"" if event == "apply" else slots.good(record, self.state)
        record = {slots.GROUP: self.name, slots.VERSION: document[2], slots.DIGEST: digest, slots.STATE: state}
        record.update({slots.BODY: body, slots.GOOD: back, slots.STARTS: 0, slots.DETAIL: 0})
        record[slots.WINDOW] = document.get(9, _WINDOW_S)
        slots.save(self._medium, self._file(), record)
        self.until = self.retry = None
        self._see(record)

    def enter(self, event, now, detail=0):
        """Go on to the next state. It counts at once, and is written as soon as the medium lets us."""
        self.state, self.detail, self.until = self._after(event), detail, None
        self.starts = 0
        self.activate = self.revert = 0
        self.keep(now)

    def started(self, now):
        """The device has started. A second start in trial ends it. -> whether it did."""
        if self.state != "trial":
            return False
        self.starts += 1
        if self.starts > 1:
            self.enter("failed", now, _STARTED_AGAIN)
            return True
        self.keep(now)
        return False

    def keep(self, now):
        """Write the state."""
        try:
            record = self._record()
            record.update({slots.STATE: self.state, slots.DETAIL: self.detail, slots.STARTS: self.starts})
            for part in _GIVEN_UP.get(self.state, ()):
                record[part] = b""
            slots.save(self._medium, self._file(), record)
            self.retry = None
            self._see(record)
        except OSError:
            self.retry = now + _RETRY_MS

    def _after(self, event):
        return (find(_TRANSITIONS, self.state, event) or find(_TRANSITIONS, "*", event))[0]

    def _see(self, record):
        self.version, self.digest = record[slots.VERSION], record[slots.DIGEST]
        self.state, self.detail, self.starts = record[slots.STATE], record[slots.DETAIL], record[slots.STARTS]
        self.window = record[slots.WINDOW]
        self.revert = slots.plain(slots.in_force(record, self.state)).get(8, 0)
        self.activate = slots.plain(record[slots.BODY]).get(6, 0) if self.state == "stored" else 0

    def _read(self, choose):
        try:
            return slots.plain(choose(self._record(), self.state))
        except OSError:
            return {}

    def _record(self):
        return slots.load(self._medium, self._file()) or {}

    def _file(self):
        return "policy." + hexlify(sha256(self.name).digest()[:4]).decode()
