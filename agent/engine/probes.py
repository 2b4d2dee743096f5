"""Finds out that a path has died though its link has carrier: by asking whoever should be heard from, when it has been
silent for long.

The question is the CoAP ping, an empty confirmable message of four bytes that is answered by a Reset (RFC 7252 4.3).
Anything else that comes from the same peer counts as an answer, so real traffic replaces probes. A peer that is silent
to several questions in a row is lost. From the second question on an independent host, the anchor, is asked too: if
that one answers, it is the peer that is down and not the path. Of a peer that has never answered a ping one cannot
conclude anything from silence; it is for whoever watches to ask it something else. So each peer is asked once at the
start, whatever else it says: the path may die in the next moment.
"""

from ..codec import coap
from ..table import follow

# state event next-state
_TRANSITIONS = """
quiet due asking
asking due asking
asking heard quiet
asking lost quiet
"""
_RESPONDERS = 8  # peers remembered for having answered a ping
_QUIET_MAX_MS = 60000  # between two rounds of questions to somebody who is lost, unless asked less often anyway


class _Watch:
    state = "quiet"
    mid = None  # of the question under way
    lost = 0  # questions in a row that nobody answered
    rounds = 0  # of questions in a row that were all lost
    anchored = False  # the anchor has answered in this round

    def __init__(self, peer, quiet_ms, now):
        self.peer, self.quiet_ms = peer, quiet_ms
        self.heard_at = now
        self.due = now + quiet_ms


class Probes:
    """below(n): randomness; losses: questions in a row; timeout_ms: for each; anchor: (host, port) or None."""

    def __init__(self, below, losses=3, timeout_ms=1000, anchor=None):
        self._below, self._losses, self._timeout_ms, self._anchor = below, losses, timeout_ms, anchor
        self.watches = []
        self._responders = []  # (host, port)
        self._out = []
        self.asked = 0

    def watch(self, wanted, now):
        """wanted: [(peer, ms of silence after which it is asked)], all that is to be watched from now on. A peer is
        (link, host, port)."""
        kept = []
        for peer, quiet_ms in wanted:
            known = [watch for watch in self.watches if watch.peer == peer and watch.quiet_ms == quiet_ms]
            kept.append(known[0] if known else _Watch(peer, quiet_ms, now))
            if not known and peer[1:] not in self._responders:
                kept[-1].due = now
        self.watches = kept

    def receive(self, peer, data, now):
        """A datagram came. -> whether it is the answer to a ping, and nobody else's business."""
        reset = len(data) == 4 and data[0] == 0x70
        mid = data[2] << 8 | data[3] if reset else None
        for watch in self.watches:
            if watch.peer == peer:
                watch.heard_at = now
                mine = reset and watch.mid == mid
                if mine and peer[1:] not in self._responders:
                    self._responders = self._responders[1 - _RESPONDERS :] + [peer[1:]]
                if watch.state == "asking":
                    self._heard(watch, now)
                if mine:
                    return True
            elif reset and watch.mid == mid and peer[0] == watch.peer[0] and peer[1:] == self._anchor:
                watch.anchored = True
                return True
        return False

    def poll(self, now):
        for watch in self.watches:
            if now < watch.due:
                continue
            if watch.state == "asking" and watch.lost + 1 >= self._losses:
                self._give_up(watch, now)
            elif watch.state == "asking" or now - watch.heard_at >= watch.quiet_ms or not self._known(watch):
                watch.lost += watch.state == "asking"
                self._ask(watch, now)
            else:
                watch.due = watch.heard_at + watch.quiet_ms

    def deadline(self):
        """When poll() is due (ms), or None."""
        due = [watch.due for watch in self.watches]
        return min(due) if due else None

    def take(self):
        """-> [("ping", link, host, port, bytes) | ("answered", link) | ("silent", link, ms since it was heard,
        responds, anchored)]."""
        out, self._out = self._out, []
        return out

    def _known(self, watch):
        """Whether it responds to pings, or seems not to."""
        return watch.rounds or watch.peer[1:] in self._responders

    def _ask(self, watch, now):
        self._do(watch, "due")
        watch.mid, watch.due = self._below(0x10000), now + self._timeout_ms
        ping = coap.encode(coap.Message(coap.CON, 0, watch.mid))
        link, host, port = watch.peer
        self._out.append(("ping", link, host, port, ping))
        self.asked += 1
        if watch.lost and self._anchor:
            self._out.append(("ping", link, self._anchor[0], self._anchor[1], ping))

    def _heard(self, watch, now):
        self._do(watch, "heard")
        self._rest(watch, now + watch.quiet_ms)
        watch.rounds = 0
        self._out.append(("answered", watch.peer[0]))

    def _give_up(self, watch, now):
        self._do(watch, "lost")
        silent_ms, responds = now - watch.heard_at, watch.peer[1:] in self._responders
        self._out.append(("silent", watch.peer[0], silent_ms, responds, watch.anchored))
        watch.rounds += 1
        self._rest(watch, now + max(watch.quiet_ms, min(watch.quiet_ms << min(watch.rounds, 8), _QUIET_MAX_MS)))

    def _rest(self, watch, due):
        watch.mid, watch.lost, watch.anchored, watch.due = None, 0, False, due

    def _do(self, watch, event):
        watch.state = follow(_TRANSITIONS, watch.state, event)
