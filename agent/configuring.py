"""How the agent gets its configuration: search, bootstrap, commit, and back to the one before when the new one does
not work."""

from .accounts import CONFIGURED, bootstrap_account, split_uri
from .engine.objects import Objects
from .north.lwm2m import Lwm2m
from .north.resources import Resources
from .overlay import drop

_LTE = "lte"
_TRIAL_TRIES = 5
_AFTER_MS = 500  # from the bootstrap's end until the modem's code is loaded: no caller holds on to the search then


class Configuring:
    """The part of Agent that reacts to discovery and bootstrap."""

    def _seek(self, now, link):
        """No account: ask the bootstrap server that is known, or look for one on this link."""
        known = bootstrap_account(self.configuration.tree)
        self._load_search()
        if self.bootstrap.state in ("requesting", "receiving"):
            return
        if known and known.peer(link):
            self._guard(known, self.configuration.tree)
            self.bootstrap.start(known.peer(link), self.configuration.tree, now)
        elif link != _LTE:
            self.log.info(now, "discovery", "searching", link=link)
            self.discovery.start(link, now)

    def _found(self, now, link, uri, how):
        self.log.info(now, "discovery", "found", uri=uri, how=how)
        scheme, host, port = split_uri(uri)
        security, insecure = self.settings.get("security"), self.settings.get("insecure")
        if (scheme == "coaps") != (security == "dtls") or (security == "none" and not insecure):
            text = "setting security is %s%s" % (security, "" if insecure else "; NoSec needs the setting insecure")
            self.log.warning(now, "discovery", "refused", uri=uri, text=text)
            return self.discovery.refuse(now)
        if security != "none":
            from .vetting import found

            tree = found(uri, self.settings.get)
            self._guard(bootstrap_account(tree), tree)
        self.bootstrap.start((link, host, port), self.configuration.tree, now)

    def _ask_bootstrap(self, now, peer):
        self.log.info(now, "bootstrap", "requested", server="%s:%d" % (peer[1], peer[2]))
        self._attempt = self.north.request_bootstrap(peer, self.settings.get("endpoint"), now)
        self.bootstrap.sent(self._attempt)

    def _bootstrap_failed(self, now, reason):
        self.log.info(now, "bootstrap", "failed", detail=reason)
        if self.discovery.link == self.links.active:
            self.discovery.refuse(now)

    def _commit(self, now, tree):
        self.configuration.commit(tree)
        self.log.info(now, "bootstrap", "finished", accounts=len(self.configuration.accounts))
        self._end_search(now)
        self._reconfigured(now)

    def _reconfigured(self, now):
        self._build_north()
        self._guard()
        self.reports.set_period(self.settings.get("report_period_s") * 1000, now)
        self._aim(now)

    def _load_search(self):
        """What finds and asks a configuration server is loaded while there is none, and no longer."""
        if not self.bootstrap:
            from .engine.bootstrap import Bootstrap
            from .engine.discovery import Discovery

            get = self.settings.get
            methods = get("discovery").split(",")
            check, patience = self.configuration.check, get("bootstrap_wait_ms")
            dtls = get("security") == "dtls"
            self.discovery = Discovery(self._below, get("coap_port"), get("mdns_port"), dtls, methods)
            self.bootstrap = Bootstrap(CONFIGURED, check, self._below, patience)
            self._compose()

    def _end_search(self, now):
        self.discovery = self.bootstrap = None
        self._guard()
        drop("engine.discovery", "engine.bootstrap", "codec.dns")
        if not self.modem:
            self._modem_at = now + _AFTER_MS

    def _build_north(self):
        self.objects = Objects()
        self.resources = Resources(self, self.objects)
        self.north = Lwm2m(self.exchange, self.objects)

    def _guard(self, account=None, tree=None):
        """See to it that protected accounts have what protects them; `account`: of a configuration server, in `tree`.
        """
        accounts = self.configuration.accounts + ([account] if account else [])
        if self.guards or [known for known in accounts if known.guarded]:
            from .guarding import renew

            renew(self, account, tree)
        self._compose()

    def _trial_failed(self, now):
        """-> whether the configuration was taken back, after it failed _TRIAL_TRIES times."""
        self._trial_tries = self._trial_tries + 1 if self.configuration.trial else 0
        if self._trial_tries < _TRIAL_TRIES or not self.configuration.revert():
            return False
        self._trial_tries = 0
        self.log.warning(now, "bootstrap", "reverted", text="no registration under it; the one before is back")
        self._reconfigured(now)
        return True

