"""One group's policy, how far it has come, and what of it is kept. Loaded when something changes, and dropped.

What is in force is read from the medium when it is needed. When the medium fails the state goes ahead, and is written
when it works again; only a new document counts from the moment it is written.
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


def recalled(member, medium):
    """Let the member know what is kept of it. -> False: nothing of that can be read. Raises OSError."""
    record = slots.load(medium, file_of(member))
    if record and record.get(slots.GROUP) == member.name:
        _see(member, record)
    return record is not None


def read(member, medium, choose):
    """The document (a map) that slots.in_force, slots.good or slots.newest chooses; {}: none, or it cannot be read."""
    try:
        return slots.plain(choose(_record(member, medium), member.state))
    except OSError:
        return {}


def accept(member, medium, document, body, digest, event):
    """A new document, as `event` says: store, try or apply. It counts once it is written. Raises OSError."""
    back = b"" if event == "apply" else slots.good(_record(member, medium), member.state)
    record = {slots.GROUP: member.name, slots.VERSION: document[2], slots.DIGEST: digest}
    record.update({slots.STATE: _after(member.state, event), slots.BODY: body, slots.GOOD: back})
    record.update({slots.STARTS: 0, slots.DETAIL: 0, slots.WINDOW: document.get(9, _WINDOW_S)})
    slots.save(medium, file_of(member), record)
    member.until = member.retry = None
    _see(member, record)


def enter(member, medium, event, now, detail=0):
    """Go on to the next state. It counts at once, and is written as soon as the medium lets us."""
    member.state, member.detail, member.until = _after(member.state, event), detail, None
    member.starts = member.activate = member.revert = 0
    keep(member, medium, now)


def started(member, medium, now):
    """The device has started. A second start in trial ends it. -> whether it did."""
    if member.state != "trial":
        return False
    member.starts += 1
    if member.starts > 1:
        enter(member, medium, "failed", now, _STARTED_AGAIN)
        return True
    keep(member, medium, now)
    return False


def keep(member, medium, now):
    """Write the state."""
    try:
        record = _record(member, medium)
        record.update({slots.STATE: member.state, slots.DETAIL: member.detail, slots.STARTS: member.starts})
        for part in _GIVEN_UP.get(member.state, ()):
            record[part] = b""
        slots.save(medium, file_of(member), record)
        member.retry = None
        _see(member, record)
    except OSError:
        member.retry = now + _RETRY_MS


def file_of(member):
    return "policy." + hexlify(sha256(member.name).digest()[:4]).decode()


def _after(state, event):
    return (find(_TRANSITIONS, state, event) or find(_TRANSITIONS, "*", event))[0]


def _record(member, medium):
    return slots.load(medium, file_of(member)) or {}


def _see(member, record):
    member.version, member.digest, member.state = [record[n] for n in (slots.VERSION, slots.DIGEST, slots.STATE)]
    member.detail, member.starts, member.window = [record[n] for n in (slots.DETAIL, slots.STARTS, slots.WINDOW)]
    member.revert = slots.plain(slots.in_force(record, member.state)).get(8, 0)
    member.activate = slots.plain(record[slots.BODY]).get(6, 0) if member.state == "stored" else 0
