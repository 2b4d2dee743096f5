"""What the agent does about its links: which registrar to aim at, when the modem dials, whether a path is still alive,
and what all of it costs."""

LTE, SMS = "lte", "sms"
_STANDBY = {"hot": "connected", "warm": "registered", "cold": "off"}
_IDLE_MS = 30000  # between two looks at a link that costs nothing and stands by
_HERE = ("registering", "registered", "updating")


class Linking:
    """The part of Agent that reacts to links, probes and the modem."""

    _modem_kind = None  # another one than modem.py's

    def moved(self, name, now):
        """The link is up and has another address now: what the registrar knows us by is void."""
        self.log.info(now, "links", "moved", link=name)
        registrar = self.registration.registrar
        if registrar and registrar[1] == name:
            self.registration.update_now(now)
        if self.guards:
            self.guards.moved(name, now)
        self._tell(now)
        self._settle(now)

    def tell(self, reply, now):
        """Hand all that is to be known of the agent, as JSON, to reply()."""
        import json

        from .diagnosis import told

        reply(json.dumps(told(self, now)))

    def _aim(self, now, *_):
        """Where the device should be registered now: the first account that may be reached over the active link."""
        link = self._last() if self._stopping else self.links.active
        if link and not self.configuration.accounts:
            self._seek(now, link)
        target = self._target(link)
        if target != self.registration.target:
            old = self.registration.registrar
            self.log.info(now, "links", "aim", link=link or "none", registrar=target[0].uri if target else "none")
            if self.metrics:
                self.metrics.aimed(link, now)
            self.registration.move_to(target, old is not None and self.links.is_usable(old[1]), now)
        self._aim_modem(now)
        self._watch(now)

    def _last(self):
        """The link over which a registration under way may still be answered: only then can it be undone."""
        link, target = self.links.active, self.registration.target
        return link if self.registration.state == "registering" and link == target[1] else None

    def _target(self, link):
        """The most preferred account that may be asked over this link, and is not known to be dead, if possible."""
        found = [account for account in self.configuration.accounts if link and account.allows(link)]
        if self.tenure:
            found = [account for account in found if not self.tenure.away("enable", account.instance)]
            found = [account for account in found if not self.tenure.away("back", account.instance)] or found
        return (found[0], link) if found else None

    def _link_changed(self, now, name, up):
        if up != self.links.is_up(name):
            self.log.info(now, "links", "up" if up else "down", link=name)
            if self.metrics and not up and name == self.links.active:
                self.metrics.lost(0, now)
        self.links.change(name, up, now)
        if not up:
            self.exchange.forget(name)
            self._aim_modem(now)
        self._watch(now)

    def _take_in(self, now, peer, data):
        if self.metrics:
            self.metrics.count(peer[0], 1, len(data))
        if not self.guards or not self.guards.receive(peer, data, now):
            self._hear(now, peer, data)

    def _hear(self, now, peer, data):
        """A datagram of the exchange's, or the answer to a probe."""
        if not self.probes or not self.probes.receive(peer, data, now):
            self.exchange.receive(peer, data, now)

    def _emit(self, now, link, host, port, data):
        """A datagram for a server: by way of what protects its account."""
        if not self.guards or not self.guards.send((link, host, port), data, now):
            self._route(now, link, host, port, data)

    def _route(self, now, link, host, port, data):
        if self.metrics:
            self.metrics.count(link, 0, len(data))
        if link == LTE and self.modem and self.settings.get("session") == "sockets":
            self.modem.send(host, port, data, now)
        else:
            self._out.append(("udp", link, host, port, data))

    def _account(self, now):
        yesterday = self.metrics.before
        spent = self.metrics.keep(self.wall(), now)
        if self.metrics.before is not yesterday:
            from .diagnosis import day

            self.log.info(now, "metrics", "day", **day(self.metrics))
        for link in self.settings.get("links").split(","):
            if self.links.is_spent(link) != (link in spent):
                self.links.spend(link, link in spent)
                self.log.warning(now, "links", "budget", link=link, spent=link in spent)

    # whether the paths are alive

    def _watch(self, now):
        """Watch the registrar, and over each link that would be better who is to be found there. On a link that costs
        money silence is noticed by the traffic itself; it is asked so rarely that a month of it costs nothing."""
        self._tell(now)
        quiet_ms = self.settings.get("probe_ms")
        if not quiet_ms or not self.configuration.accounts or self.bootstrap or self._modem_at is not None:
            return  # see _load_modem
        if not self.probes:
            self._load_watching(now)
        wanted, active = [], self.links.active
        candidates = self.links.candidates()
        for link in self.links.up():
            target = self._target(link)
            if not target or link == SMS or (link == active and self.registration.state not in _HERE):
                continue
            if self.guards and not self.guards.may_ask(target[0].peer(link)):
                continue
            if link in self.settings.get("metered").split(","):
                wait = self.settings.get("probe_metered_s") * 1000
            else:
                wait = quiet_ms if link == active or link in candidates else max(quiet_ms, _IDLE_MS)
            wanted.append((target[0].peer(link), wait))
        self.probes.watch(wanted, now)

    def _tell(self, now):
        """Whoever observes the objects about links hears of what has changed."""
        self.resources.look(now)

    def _load_watching(self, now):
        """Not needed, and no heap to spare for it, before there are servers to register with."""
        from .engine.probes import Probes
        from .metrics import Metrics

        get = self.settings.get
        host, _, port = get("anchor").partition(":")
        anchor = (host, int(port or 5683)) if host else None
        self.probes = Probes(self._below, get("probe_losses"), get("probe_timeout_ms"), anchor)
        self.metrics = Metrics(self.store, get("metered").split(","), get("data_cap_kb") * 1024, now)
        self.resources.extend()
        self._compose()

    def _path_answers(self, now, link):
        self.links.answered(link, now)

    def _path_silent(self, now, link, silent_ms, responds, anchored):
        """Nobody answers over this link. responds: the registrar does answer pings otherwise; anchored: it is the
        registrar that is silent and not the path."""
        if not responds:
            return self._ask_registrar(now, link)
        self.log.warning(now, "links", "silent", link=link, ms=silent_ms, server=anchored)
        if link == self.links.active and self.metrics:
            self.metrics.lost(silent_ms, now)
        self.links.distrust(link, now, not anchored)
        if link == self.links.active:  # there is no other
            self._ask_registrar(now, link)
        self._aim_modem(now)

    def _ask_registrar(self, now, link):
        registrar = self.registration.registrar
        if registrar and registrar[1] == link:
            self.registration.update_now(now)

    # the modem

    def _aim_modem(self, now):
        """The modem dials when no better link is trusted. When nobody is registered over it any more it lingers, for
        what is still on its way, and then stands by."""
        registrar = self.registration.registrar
        needed = self.links.active == LTE or not self.links.better_than(LTE) or bool(registrar and registrar[1] == LTE)
        if not (self.modem or self._load_modem(needed)):
            return
        if needed:
            self._linger_at = None
        elif self._needed and self.modem.state == "connected":
            self._linger_at = now + self.settings.get("linger_ms")
        self._needed = needed
        dialled = needed or self._linger_at is not None
        self.modem.target("connected" if dialled else _STANDBY[self._standby(now)], now)

    def _standby(self, now):
        """cold, warm or hot. Warm becomes hot for a while when a better link was lost: that happens again. Who has
        spent a budget is not kept hot."""
        standby, hot_ms = self.settings.get("standby"), self.settings.get("hot_after_loss_s") * 1000
        if standby != "cold":
            hot = standby == "hot" or self.links.lost_since(LTE, now - hot_ms)
            standby = "hot" if hot and not self.links.is_spent(LTE) else "warm"
        return standby

    def _load_modem(self, needed):
        """The modem's code is a seventh of the agent's heap: an agent without configuration has no use for it yet,
        unless no other link came up within a few seconds; and right after a bootstrap that one's code must go first."""
        if not self._has_modem or self._modem_at is not None or not (self.configuration.accounts or needed):
            return False
        from .engine.modem import Modem

        get = self.settings.get
        own = (get("session"), get("pin"), self.store.get("modem"), self.wall(), get("cmux"))
        self.modem = (self._modem_kind or Modem)(get("modem"), get("apn"), self._below, *own)
        self._compose()
        return True

    def _modem_state(self, now, state, reason):
        self.log.info(now, "modem", state, reason=reason or "")
        if self.metrics:
            self.metrics.modem(state)
        if self.settings.get("session") == "sockets":  # else the board tells when there is an interface
            self._link_changed(now, LTE, state == "connected")

    def _modem_identity(self, now):
        self.log.info(now, "modem", "identity", **self.modem.identity)

    def _modem_keep(self, _now, memory):
        memory["wall"] = self.wall()
        memory["kept"] = self.store.keep({"modem": memory})

    def _modem_datagram(self, now, host, port, data):
        self._take_in(now, (LTE, host, port), data)
