"""A medium whose power fails at a chosen byte, for the tests of the store and the journal."""


class Cut(Exception):
    """The power failed."""


class Medium:
    """Files in memory. After `budget` bytes (None: never) the power fails. `tear` says what is left of the write:
    None: what came before; a number: that, filled up with it (flash that was erased, or was never written)."""

    def __init__(self, files=None, budget=None, tear=None):
        self.files, self.budget, self.tear, self.cost = files if files is not None else {}, budget, tear, 0

    def secret(self, what):
        return b"machine key of 32 secret bytes.."

    def read(self, name):
        return self.files.get(name)

    def write(self, name, data):
        self._put(name, b"", data)

    def append(self, name, data):
        self._put(name, self.files.get(name, b""), data)

    def _put(self, name, old, data):
        room = len(data) if self.budget is None else self.budget - self.cost
        self.cost += len(data) + 1  # one more: a cut after the last byte, before anybody knows
        if room < len(data):
            rest = b"" if self.tear is None else bytes([self.tear]) * (len(data) - room)
            self.files[name] = old + data[:room] + rest
            raise Cut()
        self.files[name] = old + data
        if self.budget is not None and room == len(data):
            raise Cut()
