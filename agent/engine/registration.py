"""With whom the device is registered: one registrar at a time (W1-W3).

The target is (account, link). Moving to another target de-registers first when the old registrar can be reached, and
waits for the answer, but no longer than `leave_ms`; when it cannot, the device registers with the new one at once and
the servers arbitrate by the epoch that the registration carries. Silence is never refusal: it is retried for ever
with a jittered, capped back-off.
"""

from ..table import follow

# state event next-state
_TRANSITIONS = """
idle aim registering
waiting aim registering
registering aim registering
registered aim registering
updating aim registering
leaving left registering
leaving nowhere idle
idle nowhere idle
waiting nowhere idle
registering nowhere idle
registered nowhere idle
updating nowhere idle
registered leave leaving
updating leave leaving
waiting due registering
registering accepted registered
registering conflict waiting
registering failed waiting
registered due updating
updating accepted registered
updating gone registering
updating failed waiting
"""
_RETRY_MS = 2000


class Registration:
    """below(n): randomness; retry_max_ms: ceiling of the back-off; leave_ms: how long a de-registration may be waited
    for."""

    margin_ms = 93000  # an Update may take that long (RFC 7252 4.8.2)

    def __init__(self, below, retry_max_ms=20000, leave_ms=3000):
        self._below = below
        self._retry_max_ms, self._leave_ms = retry_max_ms, leave_ms
        self.state = "idle"
        self.target = None  # where we want to be, or are: (account, link)
        self._left = None  # the target being left, in state leaving
        self._lifetime_ms = 0
        self._at = None
        self.tries = 0  # failed ones in a row
        self._handle = None  # the one request whose answer counts
        self._out = []

    @property
    def registrar(self):
        """The target one is registered with as far as the device knows, or None."""
        return self.target if self.state in ("registered", "updating") else self._left

    def move_to(self, target, old_reachable, now):
        """Aim at (account, link), or None for nobody. old_reachable: whether the present registrar's link is up."""
        if target == self.target:
            return
        old, self.target, self.tries = self.target, target, 0
        if self.state == "leaving":
            if not old_reachable:
                self._leave_done(now)
            return
        if self.state in ("registered", "updating") and old_reachable:
            self._left = old
            self._do("leave")
            self._at, self._handle = now + self._leave_ms, None
            self._out.append(("deregister", old))
        else:
            self._start(now)

    def sent(self, handle):
        """The handle of the request that take() asked for."""
        self._handle = handle

    def waits_for(self, handle):
        return handle is not None and handle == self._handle

    def answered(self, handle, outcome, lifetime_ms, now):
        """outcome: accepted | gone (4.04) | conflict (4.09) | refused (4.01, 4.03) | version (4.12) | rejected (another
        4.xx) | failed (no answer, 5.xx). An Update that is answered with an error of ours is made good by a Register.
        """
        if not self.waits_for(handle):
            return
        self._handle = None
        if self.state == "leaving":
            self._leave_done(now)
        elif outcome == "accepted":
            self._accepted(lifetime_ms, now)
        elif self.state == "updating" and outcome != "failed":
            self._do("gone")
            self._request("register")
        else:
            self._failed(outcome, now)

    def update_now(self, now):
        """Something the registrar must know has changed, or it asked for an update (Execute /1/x/8)."""
        if self.state == "registered":
            self._at = now

    def retry_in(self, wait_ms, now):
        """The next try then, instead of after the usual back-off."""
        if self.state == "waiting":
            self._at = now + wait_ms

    def poll(self, now):
        if self._at is None or now < self._at:
            return
        self._at = None
        if self.state == "leaving":
            self._leave_done(now)
        elif self.state in ("registered", "waiting"):
            self._do("due")
            self._request("update" if self.state == "updating" else "register")

    def deadline(self):
        return self._at

    def take(self):
        """-> [("register"|"update"|"deregister", target) | ("state", state) |
        ("unreachable"|"refused"|"conflict"|"version", target)]."""
        out, self._out = self._out, []
        return out

    def _start(self, now):
        self._at = self._handle = None
        if self.target is None:
            self._do("nowhere")
        else:
            self._do("left" if self.state == "leaving" else "aim")
            self._request("register")

    def _leave_done(self, now):
        self._left = None
        self._start(now)

    def _request(self, what):
        self._handle = None
        self._out.append((what, self.target))

    def _accepted(self, lifetime_ms, now):
        if lifetime_ms:
            self._lifetime_ms = lifetime_ms
        self.tries = 0
        margin = max(self._lifetime_ms // 2, self._lifetime_ms - self.margin_ms)
        self._at = now + margin
        self._do("accepted")

    def _failed(self, outcome, now):
        wait = min(_RETRY_MS << min(self.tries, 8), self._retry_max_ms)
        if outcome == "conflict" and not self.tries:
            wait = 0  # a higher epoch is known there: ours is raised, then once at once
        self.tries += 1
        self._at = now + wait // 2 + self._below(wait // 2 + 1)
        self._do("conflict" if outcome == "conflict" and self.state == "registering" else "failed")
        self._out.append(("unreachable" if outcome in ("failed", "gone", "rejected") else outcome, self.target))

    def _do(self, event):
        state = follow(_TRANSITIONS, self.state, event)
        if state != self.state:
            self.state = state
            self._out.append(("state", state))
