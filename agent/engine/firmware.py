"""Firmware update: object 5's state machine (LwM2M 1.1 Core E.6), for a package that is pushed or fetched in blocks.

What arrives goes to the board's installer at once; no more than one block is ever held here. A fetch goes on where it
stood after a link was lost or the power failed, as long as the server still has the same package (its ETag says so, or
at least the size). How far it was before a power cut the installer knows, which has the bytes: nothing is written down
here for a block. A cut ends a push (result 4), as its server begins anew in any case; what is downloaded or being
installed survives.
"""

from ..errors import LocalError, RemoteError
from ..table import find

# state event next-state
_TRANSITIONS = """
idle push downloading
idle fetch downloading
downloading complete downloaded
downloading failed idle
downloading cancel idle
downloaded cancel idle
downloaded update updating
updating success idle
updating failed downloaded
"""
STATES = ("idle", "downloading", "downloaded", "updating")  # as /5/0/3 counts them
_SUCCESS, _NO_ROOM, _NO_MEMORY, _LOST, _DAMAGED, _TYPE, _URI, _FAILED, _PROTOCOL = range(1, 10)  # as /5/0/5 does
_INCOMPLETE, _TOO_LARGE, _NOT_ALLOWED = 136, 141, 133
_NO_SPACE = 28  # ENOSPC
_RETRY_MS, _RETRY_MAX_MS = 2000, 60000
_PATIENCE_MS = 3600000  # without a single block: the fetch is given up
_PUSH_MS = 300000  # a push whose next block does not come
_ANEW = 5  # times that a fetch begins anew


class Firmware:
    """installer: the board's port (boards/README.md); kept: what take() said to keep before the last start; size: bytes
    of a block that is asked for."""

    def __init__(self, installer, kept, size):
        self._installer, self._size = installer, size
        self.state, self.result, self.uri, self.name = "idle", 0, "", ("", "")
        self._out = []
        self._at = self._since = None
        self._length = self._failures = self._anew = 0
        self._mark = (None, 0)  # of the package that is fetched: its ETag, or None, and size, or 0
        self._sure = True  # that it is still the same; a power cut may have taken long
        self._wanted = False  # is a block to be asked for, or has it been?
        self.waits = False  # is it to be installed when that may be?
        if kept:
            self.state, self.result, self.uri, self.name = kept[0], kept[1], kept[2], tuple(kept[3])
            self.waits = kept[4:] == [True]
            self._mark = tuple(kept[4]) if len(kept) > 4 and not self.waits else self._mark

    def start(self):
        """After a start of the device: what became of the update, or of the download."""
        if self.state == "updating":
            well = self._installer.outcome()
            self._enter("success" if well else "failed", _SUCCESS if well else _FAILED)
        elif self.state == "downloading":
            uri, self._length = self.uri, self._left()
            if self._length:
                self._wanted, self._at, self._sure = True, 0, False
                self._out.append(("resumed", self._length))
                return
            self._drop("failed", _LOST)
            if uri:
                self.fetch(uri)

    # what a server asks for

    def fetch(self, uri):
        """A package URI was written. What is wrong with it is told by the result, as object 5 wants it."""
        self._begin("fetch", uri)
        try:
            target(uri)
        except LocalError as e:
            return self._drop("failed", e.args[1])
        self._wanted, self._at, self._since = True, 0, None
        self._begun(0)

    def push(self, at, more, total, data, now):
        """A block of a package, which begins at byte `at`; total: bytes of all, 0 where it is not known. RemoteError
        4.05, 4.08, 4.13."""
        if not at:
            if self.state == "downloading" and not self.uri:  # sent anew
                self._drop("cancel", 0)
            self._begin("push", "")
            self._begun(total)
        elif self.state != "downloading" or self.uri or at != self._length:
            raise RemoteError("this is not the next block: begin with the first one", _INCOMPLETE)
        if self.state == "downloading" and self._take_in(data):
            self._at = now + _PUSH_MS
            if not more:
                self._complete()
        if self.state == "idle":
            code = _TOO_LARGE if self.result in (_NO_ROOM, _NO_MEMORY) else _INCOMPLETE
            raise RemoteError("the package is refused with result %d (/5/0/5)" % self.result, code)

    def cancel(self):
        """An empty URI or package: as if nothing had been. RemoteError 4.05 while it is being installed."""
        if self.state == "updating":
            raise RemoteError("the update is under way", _NOT_ALLOWED)
        self._drop("cancel", 0)
        self.result = 0

    def update(self, later=False):
        """Install it, or remember to do so later: update() has to be called again then. RemoteError 4.05 unless there
        is a package."""
        if self.state != "downloaded":
            raise RemoteError("there is no package to install (/5/0/3 is %s)" % self.state, _NOT_ALLOWED)
        self.waits = later
        if later:
            return self._keep("mark")
        self._enter("update", 0)
        self._out.append(("install",))

    def may_begin(self):
        """RemoteError 4.05 unless a package could be taken now."""
        if self.state != "idle":
            raise RemoteError("cancel first, by an empty /5/0/1: /5/0/3 is %s" % self.state, _NOT_ALLOWED)

    # what came of it

    def block(self, at, more, total, etag, data, size, now):
        """A block that was asked for, of `size` bytes: it begins at byte `at`."""
        if not self._wanted:
            return
        self._failures = 0
        if at != self._length or (at and not self._same(etag, total)):
            return self.anew(now)
        if total > self._installer.limit:
            return self._drop("failed", _NO_ROOM)
        unknown = not at and (etag, total) != self._mark
        if unknown:
            self._mark = (etag, total)
        self._since, self._sure = now, True
        if not self._take_in(data):
            return
        if not more:
            return self._complete()
        self._at, self._size = now, min(size, self._size)
        if unknown:
            self._keep("mark")

    def failed(self, refused, now):
        """No block came. refused: the server said no, for good."""
        if not self._wanted:
            return
        if refused:
            return self._drop("failed", _URI) if self._sure else self.anew(now)
        self._at = now + min(_RETRY_MS << self._failures, _RETRY_MAX_MS)
        self._failures = min(self._failures + 1, 8)

    def anew(self, now):
        """The server has another package now, or cannot go on in the middle of one: from its start."""
        if not self._wanted:
            return
        self._anew += 1
        if self._anew > _ANEW:
            return self._drop("failed", _LOST)
        self._length, self._at, self._sure = 0, now, True
        self._begun(0)

    def installed(self, well):
        """What the installer says when it needed no restart."""
        self._enter("success" if well else "failed", _SUCCESS if well else _FAILED)

    # the engine's verbs

    def poll(self, now):
        if self._at is None or now < self._at:
            return
        self._at = None
        self._since = now if self._since is None else self._since
        if not self._wanted or now - self._since >= _PATIENCE_MS:
            self._drop("failed", _LOST)
        else:
            self._out.append(("ask", target(self.uri), self._length // self._size, self._size))

    def deadline(self):
        """When poll() has something to do (ms), or None."""
        return self._at

    def take(self):
        """[("ask", (host, port, path, query), block, size) | ("install",) | ("keep", what, or None) | ("mark", what to
        keep) | ("resumed", bytes)]"""
        out, self._out = self._out, []
        return out

    def _begin(self, event, uri):
        self.may_begin()
        self.uri, self._length, self._failures, self._anew = uri, 0, 0, 0
        self._mark, self._sure = (None, 0), True
        self._enter(event, 0)

    def _begun(self, total):
        """The installer makes room."""
        if total > self._installer.limit:
            return self._drop("failed", _NO_ROOM)
        try:
            self._installer.begin(total)
        except OSError:
            self._drop("failed", _NO_ROOM)

    def _take_in(self, data):
        """-> whether the block is stored."""
        result = _NO_ROOM if self._length + len(data) > self._installer.limit else 0
        try:
            if not result:
                self._installer.write(data)
                self._length += len(data)
        except MemoryError:
            result = _NO_MEMORY
        except OSError as e:
            result = _NO_ROOM if e.args[0] == _NO_SPACE else _FAILED
        if result:
            self._drop("failed", result)
        return not result

    def _complete(self):
        self._wanted, self._at = False, None
        try:
            self.name = tuple(self._installer.finish())
        except ValueError:
            return self._drop("failed", _DAMAGED)
        except LookupError:
            return self._drop("failed", _TYPE)
        except OSError:
            return self._drop("failed", _FAILED)
        self._enter("complete", 0)

    def _left(self):
        """-> bytes that a power cut left of a fetch that can go on: whole blocks of one that can be recognised."""
        if not self.uri or self._mark == (None, 0) or not hasattr(self._installer, "resume"):
            return 0
        try:
            return self._installer.resume(self._size)
        except OSError:
            return 0

    def _same(self, etag, total):
        """Whether it is the package that was begun. Where nothing was heard of it for long, its size has to be told by
        a server that gives no ETag."""
        before, size = self._mark
        told = total or (etag is None and not self._sure)
        return etag == before and (not told or not size or total == size)

    def _drop(self, event, result):
        self._wanted, self._at = False, None
        if self.state != "idle":
            self._installer.abort()
            self.uri, self.name = "", ("", "")
            self._enter(event, result)

    def _enter(self, event, result):
        """Follow the table, and keep where we are."""
        found = find(_TRANSITIONS, self.state, event)
        if not found:
            raise LocalError("firmware: no way to %s in state %s" % (event, self.state))
        self.state, self.result, self.waits = found[0], result, False
        self._keep("keep")

    def _keep(self, why):
        kept = [self.state, self.result, self.uri, list(self.name)]
        if self.state == "downloading" or self.waits:
            kept.append(self.waits or list(self._mark))
        self._out.append((why, kept if self.state != "idle" or self.result else None))


def target(uri):
    """coap://host[:port]/path?query -> (host, port, (path,), (query,)). LocalError with the result for another one."""
    scheme, mark, rest = uri.partition("://")
    if mark and scheme in ("coaps", "http", "https", "coap+tcp", "coaps+tcp", "ftp"):
        raise LocalError("firmware: %s is not spoken here; coap is" % scheme, _PROTOCOL)
    place, _, what = rest.partition("/")
    host, mark, port = place.partition(":")
    known = host and not [char for char in host if not (char.isalpha() or char.isdigit() or char in ".-_")]
    number = int(port) if port.isdigit() and len(port) < 6 else 0 if mark else 5683
    if scheme != "coap" or not known or not 0 < number < 65536 or len(uri) > 255:
        raise LocalError("firmware: %r is no address of a package" % uri[:60], _URI)
    path, _, query = what.partition("?")
    return host, number, tuple(path.split("/")) if path else (), tuple(query.split("&")) if query else ()
