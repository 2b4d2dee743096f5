"""How the agent gets its configuration: what it does when discovery and bootstrap speak. Loaded while there is none, or
a new one is wanted, and dropped with it.
"""

from .accounts import CONFIGURED, SECURITY, bootstrap_account, split_uri
from .engine.bootstrap import Bootstrap
from .engine.discovery import Discovery
from .overlay import drop

_LTE = "lte"
_ASKED_TRIES = 3  # of a bootstrap that a server has asked for


class Provisioning:
    """The part of the agent that reacts to discovery and bootstrap."""

    def __init__(self, agent):
        self._agent, get = agent, agent.settings.get
        methods = get("discovery").split(",")
        dtls = get("security") == "dtls"
        self.discovery = Discovery(agent._below, get("coap_port"), get("mdns_port"), dtls, methods)
        check, patience = agent.configuration.check, get("bootstrap_wait_ms")
        self.bootstrap = Bootstrap(CONFIGURED, check, agent._below, patience)
        self.asked = False  # by a server one is registered with (Execute /1/x/9)

    def seek(self, now, link, asked):
        """Ask the bootstrap server that is known, or look for one on this link. One that a server has asked for is not
        held off (/0/x/11)."""
        if self.bootstrap.busy:
            return
        agent, self.asked = self._agent, asked
        tree = agent.configuration.tree
        known = bootstrap_account(tree)
        if known and known.peer(link):
            agent._guard(known, tree)
            hold_s = 0 if asked else tree.get((SECURITY, known.security, 11), 0)
            self._start(now, known.peer(link), hold_s * 1000)
        elif link != _LTE:
            agent.log.info(now, "discovery", "searching", link=link)
            self.discovery.start(link, now)

    def found(self, now, link, uri, how):
        agent = self._agent
        agent.log.info(now, "discovery", "found", uri=uri, how=how)
        scheme, host, port = split_uri(uri)
        security, insecure = agent.settings.get("security"), agent.settings.get("insecure")
        if (scheme == "coaps") != (security == "dtls") or (security == "none" and not insecure):
            text = "setting security is %s%s" % (security, "" if insecure else "; NoSec needs the setting insecure")
            agent.log.warning(now, "discovery", "refused", uri=uri, text=text)
            return self.discovery.refuse(now)
        if security != "none":
            from .vetting import found

            tree = found(uri, agent.settings.get)
            drop("vetting")
            agent._guard(bootstrap_account(tree), tree)
        self._start(now, (link, host, port))

    def nothing(self, now, link):
        self._agent.log.info(now, "discovery", "nothing", detail=str(link))
        if self._settled():
            self._agent._end_search(now)

    def ask(self, now, peer):
        agent = self._agent
        agent.log.info(now, "bootstrap", "requested", server="%s:%d" % (peer[1], peer[2]))
        from .north.bootstrapping import request

        self.bootstrap.sent(request(agent.exchange, peer, agent.settings.get("endpoint"), now))

    def fetch(self, now, peer):
        agent = self._agent
        agent.log.info(now, "bootstrap", "fetching", server="%s:%d" % (peer[1], peer[2]))
        from .north.bootstrapping import fetch

        self.bootstrap.sent(fetch(agent.exchange, peer, agent.settings.get("endpoint"), now))

    def answered(self, now, handle, outcome, response):
        bootstrap, guards = self.bootstrap, self._agent.guards
        if guards and handle == bootstrap.handle and outcome == "accepted":
            guards.prove(bootstrap.peer)
        if bootstrap.state != "fetching" or isinstance(response, str):
            bootstrap.answered(handle, outcome, now)
        elif handle == bootstrap.handle:
            from .north.bootstrapping import packed

            bootstrap.packed(packed(response), now)

    def failed(self, now, reason):
        self._agent.log.warning(now, "bootstrap", "failed", detail=reason)
        if self.discovery.link == self._agent.links.active:
            self.discovery.refuse(now)

    def again(self, now):
        """Try again; or not, when a server has asked for it and it has failed a few times."""
        link = self._agent.links.active
        if not self._settled():
            self._agent._aim(now)
        elif self.asked and self.bootstrap.tries < _ASKED_TRIES and link:
            self.seek(now, link, True)
        else:
            self._agent._end_search(now)

    def _start(self, now, peer, hold_ms=0):
        agent = self._agent
        fetch = agent.settings.get("bootstrap_pack")
        self.bootstrap.start(peer, agent.configuration.tree, now, hold_ms, fetch)

    def _settled(self):
        """Whether the device has a registrar meanwhile and needs no new configuration."""
        return self._agent.registration.registrar is not None
