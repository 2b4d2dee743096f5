"""A storage medium whose power can fail in the middle of any write."""


class PowerCut(BaseException):
    """The device is dead from here on. Not an Exception: no code of the device may survive it by catching
    errors."""


class Flash:
    """The medium port of agent/store.py: read, write (replace), append, remove.

    `cut_in(n, how)` lets the n-th next change (1 = the very next) fail: what it had to write ends up not at
    all (0), half (1), empty (2) or whole (3) on the medium, and the device is dead before it learns which.
    """

    def __init__(self):
        self.files = {}
        self.changes = 0
        self.was_full = False
        self.full = False  # no write succeeds, as on a full or worn-out medium
        self._cut = 0
        self._how = 0
        self._only = ""

    def cut_in(self, changes, how, only=""):
        self._cut, self._how, self._only = changes, how, only

    @property
    def cutting(self):
        return self._cut > 0

    def copy(self):
        """The same bytes, no cut pending: what a reader of the dead device would find."""
        other = Flash()
        for name in self.files:
            other.files[name] = self.files[name]
        return other

    def secret(self, what):
        return b"machine key of 32 secret bytes.."

    def read(self, name):
        return self.files.get(name)

    def write(self, name, data):
        data = bytes(data)
        self._change(name, self.files.get(name), data, data[: len(data) // 2], b"")

    def append(self, name, data):
        old = self.files.get(name)
        base, data = old or b"", bytes(data)
        self._change(name, old, base + data, base + data[: len(data) // 2], base)

    def remove(self, name):
        self._change(name, self.files.get(name), None, None, None)

    def _change(self, name, old, new, half, empty):
        """The four things that a medium may hold after its power failed during this change."""
        self.changes += 1
        if self.full:
            self.was_full = True
            raise OSError(28, "no space left on the medium")
        if not self._cut or not name.startswith(self._only):
            return self._set(name, new)
        self._cut -= 1
        if self._cut:
            return self._set(name, new)
        self._set(name, (old, half, empty, new)[self._how])
        raise PowerCut(name)

    def _set(self, name, data):
        if data is None:
            self.files.pop(name, None)
        else:
            self.files[name] = data
