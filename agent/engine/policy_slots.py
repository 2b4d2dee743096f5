"""What is kept of one group's policy, or of the signers' keys, on the medium: one record, power-fail-safe.

Two files are written in turn, each with a sequence, a length and a CRC32. The newer one is never touched: should power
fail at any byte of a write, it is still there. A record is complete in itself. It holds the highest version ever taken
up beside what is in force, and what to go back to: none of it can get lost without the others.
"""

from binascii import crc32
from struct import pack, unpack_from

from ..codec import cbor
from ..errors import RemoteError

try:
    from micropython import const
except ImportError:
    const = int

# members of a group's record
GROUP, VERSION, DIGEST, STATE = const(1), const(2), const(3), const(4)
BODY = const(5)  # the document of that version, as it was signed; empty once it is given up
GOOD = const(6)  # the document before it that held, while this one has not proven itself; or empty
STARTS = const(7)  # of the device, since it is in trial
DETAIL = const(8)
WINDOW = const(9)  # s, for acknowledgements

_FORMAT = b"PP1s"  # changes when an older firmware could not read what is written
_HEAD = const(16)


def load(medium, name):
    """The newest sound record (a map), {} when none was ever written, None when what is there cannot be read, which no
    power cut causes. Raises OSError."""
    found, bad = _survey(medium, name)
    return max(found, key=_sequence)[1] if found else None if bad == 2 else {}


def save(medium, name, record):
    """Put a record (a map) in the place of the one before; durable on return. Raises OSError: the one before stays."""
    found, _ = _survey(medium, name)
    sequence, _, suffix = max(found, key=_sequence) if found else (0, None, "b")
    body = cbor.encode(record)
    head = _FORMAT + pack(">II", sequence + 1, len(body))
    medium.write(name + (".b" if suffix == "a" else ".a"), head + pack(">I", crc32(body, crc32(head))) + body)


def in_force(record, state):
    """The document (bytes) that a group in this state obeys; empty: none."""
    return record.get({"applied": BODY, "trial": BODY, "stored": GOOD, "rolled": GOOD}.get(state), b"")


def good(record, state):
    """The document (bytes) that has proven itself, whatever comes next; empty: none."""
    return record.get(BODY if state == "applied" else GOOD, b"")


def newest(record, _state):
    """The document (bytes) of the highest version; empty: it is given up."""
    return record.get(BODY, b"")


def _sequence(found):
    return found[0]


def _survey(medium, name):
    """([(sequence, record, "a" or "b")] of the sound slots, how many there are that are not)."""
    found, bad = [], 0
    for suffix in ("a", "b"):
        data = medium.read(name + "." + suffix)
        if data is not None:
            sequence, record = _open(data)
            if record is None:
                bad += 1
            else:
                found.append((sequence, record, suffix))
    return found, bad


def _open(data):
    if len(data) < _HEAD or data[:4] != _FORMAT:
        return 0, None
    sequence, size, crc = unpack_from(">III", data, 4)
    body = data[_HEAD:]
    if size != len(body) or crc != crc32(body, crc32(data[: _HEAD - 4])):
        return 0, None
    record = plain(body)
    return sequence, record or None


def plain(data):
    """What we, or who signed it, have encoded as a map (bytes) -> dict; {} for anything else."""
    from ..codec.strict import load_all

    try:
        found = load_all(data)
    except RemoteError:
        return {}
    return found if isinstance(found, dict) else {}
