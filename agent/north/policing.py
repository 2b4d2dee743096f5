"""Joins the engine of policies to the agent: the groups as they are configured, what is told to the registrar and when,
and what is in force. Loaded for a device that is in a group, and then kept.

A trial is proven by a registration, or an Update, that was asked for after what is on trial took effect.
"""

from binascii import hexlify

from ..engine.group_policies import GroupPolicies
from ..errors import RemoteError
from ..overlay import drop

_POLICY, _METER = 26244, 3331
_RETRY_MS = 60000  # until a medium that could not be read is tried again
_HERE = ("registered", "updating")
_ACKS = 8


def join(agent):
    """The agent's groups may have changed; called whenever its objects have."""
    if not hasattr(agent, "policing"):
        agent.policing = Policing(agent)
        agent._compose()
    agent.policing.stale = True
    agent.north.policing = agent.policing


class Policing:
    """The agent's engine `policing`."""

    engine = None  # GroupPolicies, once it has been started
    stale = True  # the groups are to be compared
    _other = False  # they have been: the driver is to look at who brings their policies
    _led = None  # the active link when it looked last
    apn = None  # the access point name that is to be dialled instead
    dial_at = 0  # ms: not before
    forced = {}  # {setting: value} that the groups set now
    redialled = False  # whether that is a part of what is on trial
    _retry = None

    def __init__(self, agent):
        self._agent, self.device = agent, agent.settings.get("endpoint").encode()
        self._told = self._asked = ()  # what the registrar knows, what it is being told
        self._asking = False  # whether it is being told anything
        self._trying = False  # whether it is being told so under what is on trial
        self._acks, self._sent = [], []  # to be told; told, and not answered yet: (handle, acknowledgement)

    # its times

    def poll(self, now):
        if self._ready(now):
            self.engine.clock(now, self._agent.wall())
            self.engine.poll(now)
        if self._is_told():
            self._registered(now)
        modem = self._agent.modem
        if self.apn is not None and modem and now >= self.dial_at:
            apn, self.apn = self.apn, None
            modem.set_apn(apn, now)

    def deadline(self):
        if self.stale:
            return 0 if self._retry is None else self._retry
        due = 0 if self._is_told() else self.engine.deadline()
        if self.apn is not None and self._agent.modem and (due is None or self.dial_at < due):
            due = self.dial_at
        return due

    def take(self):
        """-> [("do", what, ...)] as do() has it, ("groups", None): they, or the active link, are others now."""
        news = [("do",) + event for event in self.engine.take()] if self.engine else []
        if self._other or self._led != self._agent.links.active:
            self._other, self._led = False, self._agent.links.active
            news.append(("groups", None))
        return news

    def do(self, agent, now, what, *more):
        """One thing that the engine says."""
        if what == "ack":
            self._acks = self._acks[1 - _ACKS :] + [more[:4]]
            self._acknowledge(now)
        elif what == "apply":
            from . import obeying

            self.forced = more[0]
            obeying.apply(agent, now, *more)
            drop("north.obeying", "north.obeying_links", "north.obeying_times")
            agent.log.info(now, "policies", "obeyed", settings=sorted(more[0]), offset=more[1])
            self._prove(now)
        else:
            agent.log.error(now, "policies", what, group=hexlify(more[0]).decode())

    # what the registrar hears

    def words(self, whole, now):
        """-> ["pol=GROUP.VERSION.STATE"], the group in hex, for a Register (whole), or for an Update: nothing that the
        registrar knows."""
        if not self._ready(now):
            return []
        engine = self.engine
        self._asked = ["pol=%s.%d.%s" % (hexlify(one[0]).decode(), one[1], one[3]) for one in engine.summary()]
        self._asking = True
        self._trying = not engine.changed and self._is_proof()
        return self._asked if whole or self._asked != self._told else []

    def _is_told(self):
        """Whether the registrar has accepted what words() went with: while it is asked, one is not registered."""
        return self._asking and self._agent.registration.state == "registered"

    def _registered(self, now):
        self._told, self._asking = self._asked, False
        if self._trying:
            self.engine.confirmed(now)
        self._prove(now)
        self._acknowledge(now)

    def offer(self, data, via, now, window_ms=None):
        """As GroupPolicies.offer()."""
        return self.engine.offer(data, via, now, self._agent.wall(), window_ms) if self._ready(now) else None

    def offer_keys(self, data, via, now):
        """As GroupPolicies.offer_keys()."""
        return self.engine.offer_keys(data, via, now, self._agent.wall()) if self._ready(now) else None

    def _prove(self, now):
        if self._is_proof():
            self._agent.registration.update_now(now)

    def _is_proof(self):
        """Whether a registration proves what is on trial. An access point name is, over a context that was opened with
        it, or where a better link has made it needless."""
        agent, modem, target = self._agent, self._agent.modem, self._agent.registration.target
        if "trial" not in [one[3] for one in self.engine.summary()]:
            self.redialled = False
            return False
        if not self.redialled:
            return True
        if not target or target[1] != "lte":
            return agent.links.better_than("lte")
        return self.apn is None and modem and modem.state == "connected" and modem._dialled == modem._apn

    def _acknowledge(self, now):
        agent = self._agent
        if agent.registration.state not in _HERE:
            return
        acks, self._acks = self._acks, []
        for ack in acks:
            from . import pushing

            self._sent = self._sent[1 - _ACKS :] + [(pushing.acknowledge(agent, ack, now), ack)]
            drop("north.pushing")

    def answered(self, _now, handle, result, _response):
        """What became of an acknowledgement, if it is one: who did not hear it is told at the next contact."""
        for one in self._sent[:]:
            if one[0] == handle:
                self._sent.remove(one)
                if result == "failed":
                    self._acks = self._acks[1 - _ACKS :] + [one[1]]

    def yields(self, key):
        """A server writes what this setting sets, too: a policy in force goes before it. Raises RemoteError."""
        if key in self.forced:
            raise RemoteError("a policy for its groups sets this; push another one, or take the device out of them")

    # the groups

    def _ready(self, now):
        """Whether the engine is there, for the groups as they are now."""
        if not self.stale or (self._retry is not None and now < self._retry):
            return self.engine is not None
        agent = self._agent
        from ..grouping import members

        groups, wall = members(agent.configuration.tree), agent.wall()
        drop("grouping")
        try:
            if not self.engine:
                engine = self._made()
                engine.start(groups, now, wall)
                self.engine = engine
            else:
                self.engine.root = agent.configuration.tree.get((_POLICY, 0, 0))
                self.engine.belong(groups)
                self.engine._said = -1  # whoever made the agent anew has put what settings say into force
        except OSError as e:
            self._retry = now + _RETRY_MS
            agent.log.error(now, "policies", "unread", error=str(e))
            return False
        self.stale, self._retry, self._other = False, None, True
        self._remember()
        return True

    def _made(self):
        agent, get = self._agent, self._agent.settings.get
        names = get("links").split(",")
        root = agent.configuration.tree.get((_POLICY, 0, 0))
        engine = GroupPolicies(agent.store._medium, self.device, agent._below,
                               lambda: {name: agent.links.is_up(name) for name in names}, root)  # fmt: skip
        engine.channels = lambda: [_METER] + sorted(getattr(agent.board, "sensors", None) or ())
        return engine

    def _remember(self):
        """Which files there are, for a wipe: those of a group that is left stay."""
        store = self._agent.store
        known = store.get("groups", [])
        new = [name for name in self.engine.files() if name not in known]
        if new:
            store.keep({"groups": known + new})
