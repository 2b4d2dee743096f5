"""How the agent takes a configuration on, and goes back to the one before when the new one does not work. How it gets
one is in provisioning.py."""

from .accounts import SECURITY, SERVER
from .engine.objects import Objects
from .north.lwm2m import Lwm2m
from .north.resources import Resources
from .overlay import drop

_AFTER_MS = 500  # from the bootstrap's end until the modem's code is loaded: no caller holds on to the search then


class Configuring:
    """The part of Agent that has to do with its configuration."""

    north = None

    def _seek(self, now, link, asked=False):
        """No account, or asked for: ask the bootstrap server that is known, or look for one on this link."""
        self._load_search()
        self.provisioning.seek(now, link, asked)

    def _load_search(self):
        """What finds and asks a configuration server is loaded while one is needed, and no longer."""
        if not self.provisioning:
            from .provisioning import Provisioning

            self.provisioning = Provisioning(self)
            self.discovery, self.bootstrap = self.provisioning.discovery, self.provisioning.bootstrap
            self._compose()

    def _commit(self, now, tree):
        self.configuration.commit(tree)
        self.log.info(now, "bootstrap", "finished", accounts=len(self.configuration.accounts))
        self._end_search(now)
        self._limit(now, True)
        self._reconfigured(now)

    def _reconfigured(self, now):
        if self.tenure:
            self.tenure.cancel("back")
        self._build_north()
        self._guard()
        self.reports.set_period(self.settings.get("report_period_s") * 1000, now)
        self._aim(now)

    def _end_search(self, now):
        """Whatever has to do with bootstrap is needed no more."""
        self.discovery = self.bootstrap = self.provisioning = None
        self._guard()
        drop("provisioning", "engine.discovery", "engine.bootstrap", "north.bootstrapping", "codec.dns")
        if not self.modem:
            self._modem_at = now + _AFTER_MS

    def _limit(self, now, fresh=False):
        """An account may be one for a while only, or, fresh from a bootstrap, one not yet."""
        if [path for path in self.configuration.tree if (path[0], path[2]) in ((SECURITY, 12), (SERVER, 14))]:
            from .tenure import limit

            limit(self, now, fresh)

    def _build_north(self):
        location = self.north and self.north.location  # where one is registered may still have to be left
        self.objects = Objects()
        self.north = Lwm2m(self.exchange, self.objects, self.store, self.wall)
        self.north.location = location or self.north.location
        self.resources = Resources(self, self.objects)

    def _guard(self, account=None, tree=None):
        """See to it that protected accounts have what protects them; `account`: of a configuration server, in `tree`.
        """
        accounts = self.configuration.accounts + ([account] if account else [])
        if self.guards or [known for known in accounts if known.guarded]:
            from .guarding import renew

            renew(self, account, tree)
        self._compose()
