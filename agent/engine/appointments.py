"""Things to be done at a time far ahead, each under a name: an account to be purged, one to be tried again. Loaded with
the first of them.
"""

_MAX = 16


class Appointments:
    def __init__(self):
        self._due = {}  # name: ms
        self._out = []

    def make(self, name, at):
        """name: a tuple (event, detail); an earlier appointment of that name is void. Beyond 16 none is made."""
        if name in self._due or len(self._due) < _MAX:
            self._due[name] = at

    def cancel(self, event):
        """All of that event."""
        for name in list(self._due):
            if name[0] == event:
                del self._due[name]

    def has(self, name):
        return name in self._due

    def poll(self, now):
        for name in sorted(self._due):
            if now >= self._due[name]:
                del self._due[name]
                self._out.append(name)

    def deadline(self):
        return min(self._due.values()) if self._due else None

    def take(self):
        """-> the names (event, detail) that are due."""
        out, self._out = self._out, []
        return out
