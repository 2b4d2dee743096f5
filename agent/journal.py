"""The outbox on flash: every reading until its registrar has acknowledged it.

A file is a sequence of records of 21 bytes, each with a CRC32:

    H  next sequence, dropped count, generation+limit    head: the state in which the file was begun
    I  sequence, time, value                             a reading, integer (F: float)
    A  sequence                                          acknowledged up to and including this sequence
    C  generation                                        commit: everything before it is complete

Appending costs one record. Now and then the live readings are written to the other of two files, under the
next generation; that file counts once its commit record is there, until then the old one does. Power may
fail at any byte: a record cut short is skipped at the next start, and nothing is ever appended behind it (the
next append begins a new generation), so it cannot hide later ones. A reading whose sequence was handed out is
never lost and no sequence is handed out twice. When `limit` readings wait, the oldest is dropped and counted.
"""

from binascii import crc32
from struct import pack, unpack_from

from .errors import LocalError

FILES = ("journal.a", "journal.b")
_HEAD, _INT, _FLOAT, _ACK, _COMMIT = b"HIFAC"
_SIZE = 21
_BLOCK = 16 * _SIZE  # readings wait in small blocks: a small heap rarely has one large piece


def _record(kind, seq=0, wall=0, value=0):
    body = pack(">BIId" if kind == _FLOAT else ">BIIq", kind, seq, wall, value)
    return body + pack(">I", crc32(body))


def _unpack(data, at):
    kind, seq, wall, value = unpack_from(">BIIq", data, at)
    return kind, seq, wall, unpack_from(">d", data, at + 9)[0] if kind == _FLOAT else value


def _records(data):
    """The offsets of the sound records; a last -1 when anything between or behind them was not."""
    at, sound = 0, True
    while at + _SIZE <= len(data):
        # the kind first: most wrong offsets need no CRC
        if data[at] in b"HIFAC" and unpack_from(">I", data, at + 17)[0] == crc32(data[at : at + 17]):
            yield at
            at += _SIZE
        else:
            at, sound = at + 1, False
    if at < len(data) or not sound:
        yield -1


class Journal:
    """Readings as (sequence, wall, value): wall is Unix seconds (0 = unknown), value an int (64 bit) or a
    float.

    `count` readings are pending, `dropped` were dropped since the beginning, `next_seq` is the next to be
    given. """

    def __init__(self, medium, limit):
        if not 0 < limit < 1 << 16:
            raise LocalError("journal: limit is %r; 1 to 65535 readings are possible" % (limit,))
        self._medium, self._limit = medium, limit
        self._blocks, self._first = [], 0  # packed readings; _first: bytes of block 0 that are gone
        self.count = self.dropped = 0
        self.next_seq = 1
        self._file = self._generation = self._lines = 0
        self._fresh = False  # may the current file be appended to?
        self._load()

    def append(self, wall, value):
        """Keep a reading; durable when it returns its sequence. Raises LocalError for a value that is no
        finite number and OSError when the medium fails (nothing was kept then)."""
        kind = _kind(value)
        if not 0 <= wall < 1 << 32:
            wall = 0
        record = _record(kind, self.next_seq, wall, value)
        self.next_seq += 1  # even if the medium fails: it may be on it all the same
        self._append(record)
        self._add(record, self._limit)
        return self.next_seq - 1

    def acknowledge(self, seq):
        """Forget everything up to and including `seq`. Should the medium fail, the worst is a repeated
        delivery."""
        before = self.count
        self._forget(seq)
        if self.count != before:
            try:
                self._append(_record(_ACK, min(seq, self.next_seq - 1)))
            except OSError:
                pass  # the next append starts a new generation and reports the medium

    def pending(self, count=None):
        """The oldest `count` readings that wait (all by default), oldest first."""
        out, at = [], self._first
        for block in self._blocks:
            while at < len(block) and (count is None or len(out) < count):
                out.append(_unpack(block, at)[1:])
                at += _SIZE
            at = 0
        return out

    def _add(self, record, limit):
        if not self._blocks or len(self._blocks[-1]) >= _BLOCK:
            self._blocks.append(bytearray())
        self._blocks[-1].extend(record)
        self.count += 1
        self._drop(limit)

    def _drop(self, limit):
        while self.count > limit:
            self._pop()
            self.dropped += 1

    def _pop(self):
        self._first += _SIZE
        self.count -= 1
        if self._first >= len(self._blocks[0]):
            self._blocks.pop(0)
            self._first = 0

    def _forget(self, seq):
        while self.count and unpack_from(">I", self._blocks[0], self._first + 1)[0] <= seq:
            self._pop()

    def _append(self, record):
        if not self._fresh or self._lines > self.count + max(64, self.count // 2):
            self._compact()
        self._fresh = False  # until it is known to be whole
        self._medium.append(FILES[self._file], record)
        self._fresh = True
        self._lines += 1

    def _compact(self):
        """Write what lives into the other file, in small pieces, the commit last."""
        self._fresh = False
        name, generation = FILES[1 - self._file], self._generation + 1
        head = _record(_HEAD, self.next_seq, self.dropped, generation << 16 | self._limit)
        self._medium.write(name, head)
        at = self._first
        for block in self._blocks:
            self._medium.append(name, bytes(block[at:]))
            at = 0
        self._medium.append(name, _record(_COMMIT, 0, 0, generation))
        self._file, self._generation, self._lines, self._fresh = 1 - self._file, generation, self.count, True

    def _load(self):
        for file in (0, 1):
            generation = self._survey(self._medium.read(FILES[file]) or b"")
            if generation > self._generation:
                self._file, self._generation = file, generation
        if self._generation:
            self._replay(self._medium.read(FILES[self._file]) or b"")

    def _survey(self, data):
        """The generation of a committed file, else 0. Sequences seen anywhere are never given again."""
        head = generation = 0
        for at in _records(data):
            if at < 0:
                continue
            kind, seq, _wall, value = _unpack(data, at)
            if kind == _HEAD:
                head = value >> 16
                self.next_seq = max(self.next_seq, seq)
            elif kind != _COMMIT:
                self.next_seq = max(self.next_seq, seq + 1)
            elif value == head:
                generation = head
        return generation

    def _replay(self, data):
        """Do again what was done, with the limit of that time; a changed limit applies from here on."""
        limit, self._fresh = self._limit, True
        for at in _records(data):
            if at < 0:
                self._fresh = False
                continue
            self._lines += 1
            kind, seq, wall, value = _unpack(data, at)
            if kind == _HEAD:
                self.dropped, limit = wall, value & 0xFFFF
            elif kind == _ACK:
                self._forget(seq)
            elif kind != _COMMIT:
                self._add(data[at : at + _SIZE], limit)
        if limit != self._limit:
            self._fresh = False
            self._drop(self._limit)


def _kind(value):
    """Integer or float; LocalError for what no registrar could take."""
    if isinstance(value, int) and -(1 << 63) <= value < 1 << 63:
        return _INT
    if isinstance(value, float) and value - value == 0:  # neither NaN nor infinite
        return _FLOAT
    raise LocalError("journal: a reading of %r; a finite number of 64 bits is needed" % (value,))
