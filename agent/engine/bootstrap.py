"""Client-initiated bootstrap: ask for server accounts, stage what is written, commit it as a whole or not at all.

Source: OMA LwM2M 1.1 Core 6.1 and 5.2 (Bootstrap interface). What the server writes goes to a staged tree; the stored
one is untouched until Bootstrap-Finish finds the staged one consistent. USB and offline packs feed the same calls.
"""

from ..errors import LocalError, RemoteError
from ..table import follow

# state event next-state
_TRANSITIONS = """
idle start requesting
waiting start requesting
requesting accepted receiving
requesting failed waiting
receiving failed waiting
receiving finished idle
requesting stop idle
receiving stop idle
waiting stop idle
idle stop idle
"""
_STAGED_MAX = 200  # resources
_RETRY_MS, _RETRY_MAX_MS = 2000, 20000
_NOT_ACCEPTABLE, _NOT_FOUND = 134, 132  # CoAP codes, which LwM2M takes as its own


class Bootstrap:
    """objects: the object ids that may be written; check(tree): LocalError when it is no configuration; wait_ms:
    patience."""

    def __init__(self, objects, check, below, wait_ms=60000):
        self._objects, self._check, self._below, self.wait_ms = objects, check, below, wait_ms
        self.state = "idle"
        self.peer = None  # the server that may write, while state is receiving
        self.staged = None
        self._tries = 0
        self._at = None
        self._handle = None
        self._out = []

    def start(self, peer, tree, now):
        """Ask the server at `peer`, a (link, host, port); tree: the present configuration, which is staged as a copy.
        """
        if self.state in ("requesting", "receiving"):
            return
        self._do("start")
        self.peer, self.staged = peer, dict(tree)
        self._at = now + self.wait_ms
        self._out.append(("request", peer))

    def sent(self, handle):
        self._handle = handle

    def answered(self, handle, outcome, now):
        """The answer to Bootstrap-Request: accepted, or why not."""
        if self.state != "requesting" or handle != self._handle:
            return
        if outcome == "accepted":
            self._do("accepted")
            self._at = now + self.wait_ms
        else:
            self._fail("bootstrap request: " + outcome, now)

    def stop(self):
        self._do("stop")
        self._at = self.peer = self.staged = None

    def writable(self, peer):
        """Only the server that was asked may write, and only after it was asked. (Its writes may overtake its
        answer.)"""
        return self.state in ("requesting", "receiving") and peer == self.peer

    def delete(self, path, now):
        """Delete / , an object or an instance; the bootstrap server's own account stays (1.1 Core 6.1.7.4)."""
        own = [key[:2] for key in self.staged if key[0] == 0 and key[2] == 1 and self.staged[key]]
        own += [self.staged.get((0, key[1], 17)) for key in own]
        for key in list(self.staged):
            if key[: len(path)] == path and key[:2] not in own:
                del self.staged[key]
        self._at = now + self.wait_ms

    def write(self, path, values, now):
        """Replace an object instance or write a resource: values [((object, instance, resource), value)], types
        checked before."""
        if path[0] not in self._objects:
            raise RemoteError("/%d cannot be written in a bootstrap" % path[0], _NOT_FOUND)
        for key, _ in values:
            if key[: len(path)] != path:
                raise RemoteError("%r is outside of %r" % (key, path))
        if len(self.staged) + len(values) > _STAGED_MAX:
            raise RemoteError("more than %d resources staged" % _STAGED_MAX)
        if len(path) < 3:
            self.delete(path, now)
        for key, value in values:
            self.staged[key] = value
        self._at = now + self.wait_ms

    def finish(self, now):
        """Bootstrap-Finish. RemoteError 4.06 with the reason when inconsistent: nothing was changed then."""
        try:
            self._check(self.staged)
        except LocalError as e:
            self._fail(e.args[0], now)
            raise RemoteError(e.args[0], _NOT_ACCEPTABLE)
        if self.state == "requesting":
            self._do("accepted")
        self._do("finished")
        self._out.append(("commit", self.staged))
        self._at = self.peer = self.staged = self._handle = None
        self._tries = 0

    def poll(self, now):
        if self._at is None or now < self._at:
            return
        self._at = None
        if self.state == "waiting":
            self._tries += 1
            self._out.append(("again",))
        else:
            self._fail("nothing heard for %d s" % (self.wait_ms // 1000), now)

    def deadline(self):
        return self._at

    def take(self):
        """-> [("request", peer) | ("commit", tree) | ("failed", reason) | ("again",)]; after again: start() whom one
        likes."""
        out, self._out = self._out, []
        return out

    def _fail(self, reason, now):
        self._do("failed")
        self.peer = self.staged = self._handle = None
        wait = min(_RETRY_MS << min(self._tries, 8), _RETRY_MAX_MS)
        self._at = now + wait // 2 + self._below(wait // 2 + 1)
        self._out.append(("failed", reason))

    def _do(self, event):
        self.state = follow(_TRANSITIONS, self.state, event)
