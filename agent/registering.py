"""What the agent does when the registration engine speaks: requests to send, what success means. What
failure means is in failing.py."""

from .accounts import SERVER
from .overlay import drop


class Registering:
    """The part of Agent that reacts to registration, and what servers may cause."""

    _queued = False  # whether the registrar knows us in queue mode

    def _register(self, now, target):
        account, link = target
        epoch = self.configuration.epoch_for(account, link)
        if self.store.behind:
            self.log.error(now, "store", "unwritten", text="the medium takes no writes; a restart undoes changes")
        self.log.info(now, "registration", "requested", registrar=account.uri, link=link, epoch=epoch)
        self._lifetime_sent = account.lifetime_s
        self.exchange.cancel(self._attempt)  # one given up on would hold up the next to the same server (NSTART 1)
        self._queued = self._queues(account)
        version = (self.store.get("versions") or {}).get(account.uri, "1.1")
        own = (self.settings.get("endpoint"), epoch, now, version, self._queued)
        self._attempt = self.north.register(target, *own)
        self.registration.sent(self._attempt)

    def _queues(self, account):
        """Whether that server has put us into queue mode (/1/x/7)."""
        return "Q" in self.configuration.tree.get((SERVER, account.instance, 7), "")

    def _update(self, now, target):
        if self._queued != self._queues(target[0]):
            return self._register(now, target)  # an Update cannot say so (1.1 Core 6.2.2)
        changed = self._lifetime_sent != target[0].lifetime_s
        self._lifetime_sent = target[0].lifetime_s
        self._attempt = self.north.update(target, changed, now)
        self.registration.sent(self._attempt)

    def _deregister(self, now, target):
        self.log.info(now, "registration", "leaving", registrar=target[0].uri, link=target[1])
        self.registration.sent(self.north.deregister(target, now))

    def _registration_state(self, now, state):
        """Readings go out, and the configuration is proven, only while one is registered."""
        here = state in ("registered", "updating")
        if state != "updating":
            target = self.registration.registrar or self.registration.target  # whom it leaves, if it does
            self.log.info(
                now,
                "registration",
                state,
                registrar=target[0].uri if target else "none",
                link=target[1] if target else "none",
            )
        if self.store.behind:
            self.log.error(now, "store", "behind", text="the medium takes no writes; a restart forgets")
        if state == "registered":
            self.links.trust(self.registration.target[1], now)
            if self.guards:
                self.guards.confirm(target[0].peer(target[1]))
            self.configuration.proven()
            self.configuration.reserve_epochs()
            self._silent = 0
            if self.bootstrap and not self.provisioning.asked:
                self._end_search(now)
        self._measure_move(now, state)
        if not here:
            self.exchange.cancel(self._report_handle)  # it would hold up the good-bye; it stays in the outbox
            self._report_handle = None
        self._report(now)
        self._aim_modem(now)
        if self._stopping:
            self._aim(now)

    def _report(self, now):
        """Readings go to the registrar by Send, unless it has said that it wants none (/1/x/23)."""
        target = self.registration.target
        here = self.registration.state in ("registered", "updating")
        self.reports.online(here and not self.configuration.tree.get((SERVER, target[0].instance, 23)), now)

    def _measure_move(self, now, state):
        self._watch(now)
        if not self.metrics:
            return
        self.metrics.entered(state, now)
        if state == "registered" and self.metrics.registered(now):
            detect, dial, register = self.metrics.last
            self.log.info(now, "metrics", "moved", detect_ms=detect, dial_ms=dial, register_ms=register)

    def _failed(self, now, how, target):
        from . import failing

        getattr(failing, how)(self, now, target)
        drop("failing")

    # what a server may cause

    def set_account(self, instance, rid, value):
        self.configuration.set((SERVER, instance, rid), value)
        self._written.append((SERVER, instance, rid))
        for account in self.configuration.accounts:
            if account.instance == instance and rid in (1, 7):
                account.lifetime_s = value if rid == 1 else account.lifetime_s
                self.update_wanted()

    def update_wanted(self):
        self._update_asked = True

    def bootstrap_wanted(self):
        """A server asks for a bootstrap (Execute /1/x/9). -> whether this device does such a thing."""
        self._bootstrap_asked = not self.settings.get("server_uri")
        return self._bootstrap_asked

    def disable_wanted(self, instance):
        """A server sends us away (Execute /1/x/4): once it has its answer."""
        from .tenure import of

        of(self).appoint("disable", instance, 0)

    def reset_wanted(self):
        self._reset_asked = True
