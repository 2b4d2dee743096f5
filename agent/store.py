"""The only persistent state: one map of settings and accounts, power-fail-safe.

Two slots are written in turn, each with a version, a length and a CRC32. Power may fail at any byte of a
write: the slot being written is then unreadable and the other one, a version older, still holds the last map
that was complete. Readings waiting to be acknowledged change too often for that; they are in the journal.
A map with keys in it is sealed (sealing.py).
"""

from binascii import crc32
from struct import pack, unpack_from

from .codec import cbor
from .errors import LocalError, RemoteError
from .journal import Journal  # noqa: F401  (callers find all persistent state here)
from .overlay import drop

_SLOTS = ("store.a", "store.b")
_SURELY_READABLE = 512  # bytes; longer ones may break a limit that decoding knows and encoding does not
_FORMAT = b"PM1s"  # changes when an older firmware could not read what is written


def _seal(version, body):
    head = _FORMAT + pack(">II", version, len(body))
    return head + pack(">I", crc32(body, crc32(head))) + body


def _open(data):
    """One slot's bytes -> (version, map), or None for anything torn, damaged or foreign."""
    if data is None or len(data) < 16 or data[:4] != _FORMAT:
        return None
    version, size, crc = unpack_from(">III", data, 4)
    body = data[16:]
    if size != len(body) or crc != crc32(body, crc32(data[:12])):
        return None
    try:
        values = cbor.decode(body)
    except RemoteError:
        return None
    return (version, values) if isinstance(values, dict) else None


def _private(body):
    """Whether there may be something in it that nobody else may read; the bytes are looked at, as that costs no memory.
    Resource 5 is a key where it is a byte string (1 to 255 bytes), every row of objects 21 and 26244
    belongs to one."""
    key = [size for size in range(0x41, 0x59) if bytes((5, size)) in body]
    return key or b"\x84\x15" in body or b"\x84\x19\x66\x84" in body or b"fguards" in body or b"cpin" in body


class Store:
    """The map, read once at start. `damaged`: both slots are there and neither can be read, which a power cut
    cannot cause; the map is then empty. `note`: "" or what could not be read or written, and why. `writes` counts the
    writes since start (flash wears out). settings: Settings, or None for a store that is only looked at."""

    def __init__(self, medium, settings=None):
        self.writes, self.behind, self.note = 0, False, ""
        self._medium, self._settings = medium, settings
        self._version, self._slot, self._values = 0, 1, {}
        bad = 0
        for slot in (0, 1):
            data = medium.read(_SLOTS[slot])
            found = _open(data)
            bad += data is not None and found is None
            if found and found[0] > self._version:
                self._version, self._values = found
                self._slot = slot
        self.damaged = bad == 2
        if self.damaged:
            self.note = "both copies of the state are unreadable; starting as new"
        if "secret" in self._values or "gone" in self._values:
            from .sealing import opened

            self.note = opened(self._values, medium, _SLOTS[1 - self._slot])
        drop("codec.cbor_reading")

    def get(self, key, default=None):
        """The value last put under `key` (a copy is not made: treat it as read-only), or `default`."""
        return self._values.get(key, default)

    def put(self, changes):
        """Change several keys at once, all or none; None removes a key. Durable on return.

        Raises LocalError for a value that CBOR cannot hold and OSError when the medium fails, or what is secret cannot
        be sealed; the old map then stays.
        """
        values = dict(self._values)
        for key in changes:
            values[key] = changes[key]
            if changes[key] is None:
                del values[key]
        if "config" in changes:
            values.pop("secret", None)  # what could not be opened
        self._pending = values
        body = cbor.encode(values)
        if _private(body):
            from .sealing import closed

            body = closed(values, self._version + 1, self._medium, self._settings)
        data = _seal(self._version + 1, body)
        if len(data) > _SURELY_READABLE and _open(data) is None:
            raise LocalError("store: too much in it to be read again")
        self._medium.write(_SLOTS[1 - self._slot], data)
        self._version += 1
        self._slot = 1 - self._slot
        self._values, self._pending = values, None
        self.behind = False
        self.writes += 1

    def keep(self, changes):
        """As put(), but a medium that fails (full, worn out) costs no more than durability: the change counts until
        the next start, and is written with the next one. `behind` says that something is not written. -> whether all
        is written."""
        try:
            self.put(changes)
        except OSError as e:
            self.note = e.args[-1]
            self._values, self._pending = self._pending, None
            self.behind = True
        return not self.behind
