"""What a rollout knows of each member, and how many members are in which state: the counts always sum to the members.

planned -> sent -> acknowledged | rejected | rolled back; waiting: it is not registered anywhere now; unreachable: it
is, and answers nothing; expired: the document's time is over. What a member says last holds, where it does not say what
was before: datagrams overtake each other. One that has had the document already says how far it has come with it.
"""

from collections import Counter
from dataclasses import dataclass

PLANNED, SENT, ACKNOWLEDGED, REJECTED = "planned", "sent", "acknowledged", "rejected"
ROLLED_BACK, WAITING, UNREACHABLE, EXPIRED = "rolled back", "waiting", "unreachable", "expired"
STATES = (PLANNED, SENT, ACKNOWLEDGED, REJECTED, ROLLED_BACK, WAITING, UNREACHABLE, EXPIRED)
ANSWERED = (ACKNOWLEDGED, REJECTED, ROLLED_BACK)

# The status of an acknowledgement, by number.
MEANINGS = ("applied", "stored until its time", "on trial", "had it already", "has a newer one", "bad value",
            "unsupported setting", "rolled back", "storage error", "not a member", "expired on arrival",
            "local override")
TRIAL, DUPLICATE, _ROLLED_BACK = 2, 3, 7
_COURSE = {1: 0, TRIAL: 1, 0: 2, _ROLLED_BACK: 2}  # how far each is on a document's way
# The same, by what a device says of its policy with a registration.
REPORTED = {"applied": 0, "reverted": 0, "stored": 1, "trial": TRIAL, "rolled": _ROLLED_BACK}


@dataclass
class Record:
    """One member. `stage`: the number of the one it belongs to; `at`: when its state became what it is (ms); `status`,
    `detail`: of its last acknowledgement."""

    index: int
    endpoint: str
    way: tuple  # as planning.py has it
    stage: int
    state: str
    reason: str = ""
    status: int | None = None
    detail: object = None
    at: int = 0

    @property
    def settled(self):
        """Whether it has said how it ended. On trial it has not."""
        return self.state in ANSWERED and self.status != TRIAL


def _before(status, known):
    """Whether a status is one that comes before the known one."""
    return status in _COURSE and known in _COURSE and _COURSE[status] < _COURSE[known]


class Book:
    """Records by index and by endpoint, and `counts` by state."""

    def __init__(self):
        self._changed = set()
        self.counts = Counter(dict.fromkeys(STATES, 0))
        self._by_index, self._by_endpoint = {}, {}

    def __len__(self):
        return len(self._by_index)

    def __iter__(self):
        return iter(self._by_index.values())

    def __getitem__(self, index):
        return self._by_index[index]

    def of(self, endpoint):
        """The record of an endpoint, or None."""
        return self._by_endpoint.get(endpoint)

    def add(self, record):
        """Take up a member that is not here yet."""
        self._by_index[record.index] = self._by_endpoint[record.endpoint] = record
        self.counts[record.state] += 1
        self._changed.add(record.index)

    def drop(self, record):
        """The member has left the group."""
        del self._by_index[record.index], self._by_endpoint[record.endpoint]
        self.counts[record.state] -= 1
        self._changed.discard(record.index)

    def changed(self):
        """The records that have changed since it was asked last, or since the beginning."""
        found, self._changed = [self._by_index[index] for index in sorted(self._changed)], set()
        return found

    def unsaved(self, records):
        """Tell of these again: they could not be kept."""
        self._changed.update(record.index for record in records if record.endpoint in self._by_endpoint)

    def move(self, record, state, now, reason=""):
        """Change its state."""
        self.counts[record.state] -= 1
        self.counts[state] += 1
        record.state, record.reason, record.at = state, reason, now
        self._changed.add(record.index)

    def answer(self, record, status, detail, now):
        """Enter what a member has said; whether that was news."""
        if status == DUPLICATE and detail in _COURSE:
            status, detail = detail, None
        if record.state in ANSWERED and (status in (DUPLICATE, record.status) or _before(status, record.status)):
            return False
        state = ROLLED_BACK if status == _ROLLED_BACK else ACKNOWLEDGED if status <= DUPLICATE else REJECTED
        record.status, record.detail = status, detail
        self.move(record, state, now, MEANINGS[status])
        return True

    @property
    def answered(self):
        """How many members have said anything."""
        return sum(self.counts[state] for state in ANSWERED)

    @property
    def bad(self):
        """How many of them refused it, or took it back."""
        return self.counts[REJECTED] + self.counts[ROLLED_BACK]
