"""Bootstrap: ask for server accounts, stage what is written, commit it as a whole or not at all.

Source: OMA LwM2M 1.1 Core 6.1 and 5.2 (Bootstrap interface), 1.2 Core 6.1.7.8 (Bootstrap-Pack). What the server writes
goes to a staged tree; the stored one is untouched until Bootstrap-Finish finds the staged one consistent. USB and
offline packs feed the same calls.
"""

from ..errors import LocalError, RemoteError
from ..table import follow

# state event next-state
_TRANSITIONS = """
idle hold holding
waiting hold holding
idle start requesting
waiting start requesting
holding start requesting
idle fetch fetching
waiting fetch fetching
holding fetch fetching
fetching start requesting
fetching failed waiting
fetching finished idle
requesting accepted receiving
requesting failed waiting
receiving failed waiting
receiving finished idle
holding stop idle
fetching stop idle
requesting stop idle
receiving stop idle
waiting stop idle
idle stop idle
"""
_STAGED_MAX = 200  # resources
_RETRY_MS, _RETRY_MAX_MS = 2000, 20000
_HOLD_MAX_MS = 86400000  # a day: a device is not kept from its servers for longer by one wrong number
_BAD_REQUEST, _NOT_ACCEPTABLE, _NOT_FOUND = 128, 134, 132  # CoAP codes, which LwM2M takes as its own
_SECURITY, _DEVICE, _OSCORE = 0, 3, 21


class Bootstrap:
    """objects: the object ids that may be written; check(tree): LocalError when it is no configuration; wait_ms:
    patience."""

    def __init__(self, objects, check, below, wait_ms=60000):
        self._objects, self._check, self._below, self.wait_ms = objects, check, below, wait_ms
        self.state = "idle"
        self.peer = None  # the server that may write, while state is receiving
        self.staged = None
        self.tries = 0  # failed ones in a row
        self._own = []  # paths of the bootstrap server's own account, as it was before
        self._fetch = False
        self._at = None
        self.handle = None  # of the request that waits for its answer
        self._out = []

    @property
    def busy(self):
        return self.state not in ("idle", "waiting")

    def start(self, peer, tree, now, hold_ms=0, fetch=False):
        """Ask the server at `peer`, a (link, host, port); tree: the present configuration, which is staged as a copy.

        hold_ms: wait at least that long before the first try, and up to a quarter longer, so that a thousand devices
        do not come at once (/0/x/11). fetch: ask for a Bootstrap-Pack before anything else.
        """
        if self.busy:
            return
        self.peer, self.staged, self._own = peer, dict(tree), _own(tree)
        self._fetch = fetch
        if hold_ms > 0 and not self.tries:
            hold_ms = min(hold_ms, _HOLD_MAX_MS)
            self._do("hold")
            self._at = now + hold_ms + self._below(hold_ms // 4 + 1)
        else:
            self._ask(now)

    def sent(self, handle):
        self.handle = handle

    def answered(self, handle, outcome, now):
        """The answer to Bootstrap-Request: accepted, or why not. Also: that there is none to fetch."""
        if self.state not in ("fetching", "requesting") or handle != self.handle or handle is None:
            return
        if outcome != "accepted":
            self._fail("bootstrap request: " + outcome, now)
        elif self.state == "requesting":
            self._do("accepted")
            self._at = now + self.wait_ms

    def packed(self, values, now):
        """The whole configuration in one answer: [(path, value)], types checked before; None: the server has no such
        thing. What cannot be lived with is asked for again, step by step."""
        if self.state != "fetching":
            return
        before = dict(self.staged)
        try:
            if values:
                self._clear((), True)
                self.write((), values, now)
                return self._commit()
        except (LocalError, RemoteError):
            pass  # said again, with the reason, when the same is written step by step
        self.staged = before
        self._ask(now)

    def stop(self):
        self._do("stop")
        self._at = self.peer = self.staged = None

    def writable(self, peer):
        """Only the server that was asked may write, and only after it was asked. (Its writes may overtake its
        answer.)"""
        return self.state in ("requesting", "receiving") and peer == self.peer

    def delete(self, path, now):
        """Delete / , an object or an instance; the bootstrap server's own account and the device stay (1.1 Core
        6.1.7.6)."""
        if path in self._own or path[:1] == (_DEVICE,) or len(path) > 2:
            raise RemoteError("/%s cannot be deleted" % "/".join([str(part) for part in path]), _BAD_REQUEST)
        self._clear(path, True)
        self._at = now + self.wait_ms

    def write(self, path, values, now):
        """Replace one instance, or those of an object that are named, or write a resource: values [((object, instance,
        resource), value)], types checked before."""
        for key in [path] + [key for key, _ in values]:
            if key[: len(path)] != path:
                raise RemoteError("%r is outside of %r" % (key, path))
            if key and key[0] not in self._objects:
                raise RemoteError("/%d cannot be written in a bootstrap" % key[0], _NOT_FOUND)
        if len(path) == 2:
            self._clear(path, False)
        elif len(path) < 2:
            for instance in {key[:2] for key, _ in values}:
                self._clear(instance, False)
        self._put(values)
        self._at = now + self.wait_ms

    def finish(self, now):
        """Bootstrap-Finish. RemoteError 4.06 with the reason when inconsistent: nothing was changed then."""
        try:
            self._commit()
        except LocalError as e:
            self._fail(e.args[0], now)
            raise RemoteError(e.args[0], _NOT_ACCEPTABLE)

    def poll(self, now):
        if self._at is None or now < self._at:
            return
        self._at = None
        if self.state == "waiting":
            self.tries += 1
            self._out.append(("again",))
        elif self.state == "holding":
            self._ask(now)
        else:
            self._fail("nothing heard for %d s" % (self.wait_ms // 1000), now)

    def deadline(self):
        return self._at

    def take(self):
        """-> [("request"|"fetch", peer) | ("commit", tree) | ("failed", reason) | ("again",)]; after again: start()
        whom one likes."""
        out, self._out = self._out, []
        return out

    def _ask(self, now):
        self._do("fetch" if self._fetch else "start")
        self._out.append(("fetch" if self._fetch else "request", self.peer))
        self._fetch = False
        self._at = now + self.wait_ms

    def _clear(self, path, spare):
        for key in list(self.staged):
            if key[: len(path)] == path and not (spare and key[:2] in self._own):
                del self.staged[key]

    def _put(self, values):
        if len(self.staged) + len(values) > _STAGED_MAX:
            raise RemoteError("more than %d resources staged" % _STAGED_MAX)
        for key, value in values:
            self.staged[key] = value

    def _commit(self):
        """LocalError when what is staged cannot be lived with."""
        tree = dict(self.staged)
        if [path for path in _own(tree) if path[0] == _SECURITY and path not in self._own]:
            # There is one bootstrap server at most (1.1 Core 6.1.2): the one that was written replaces the old one.
            _remove(tree, [path for path in self._own if path[0] == _SECURITY])
            _remove(tree, [path for path in self._own if path not in _own(tree)])
        if len([path for path in _own(tree) if path[0] == _SECURITY]) > 1:
            raise LocalError("more than one bootstrap server account")
        self._check(tree)
        if self.state == "requesting":
            self._do("accepted")
        self._do("finished")
        self._out.append(("commit", tree))
        self._at = self.peer = self.staged = self.handle = None
        self.tries = 0

    def _fail(self, reason, now):
        self._do("failed")
        self.peer = self.staged = self.handle = None
        wait = min(_RETRY_MS << min(self.tries, 8), _RETRY_MAX_MS)
        self._at = now + wait // 2 + self._below(wait // 2 + 1)
        self._out.append(("failed", reason))

    def _do(self, event):
        self.state = follow(_TRANSITIONS, self.state, event)


def _own(tree):
    """-> [(0, x)] of the bootstrap server's account in a tree, with the [(21, y)] that it points to (/0/x/17)."""
    found = [key[:2] for key in tree if key[0] == _SECURITY and key[2] == 1 and tree[key]]
    for path in found[:]:
        link = tree.get(path + (17,))
        if isinstance(link, (tuple, list)) and link[0] == _OSCORE:
            found.append(tuple(link))
    return found


def _remove(tree, paths):
    for key in list(tree):
        if key[:2] in paths:
            del tree[key]
