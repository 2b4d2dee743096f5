"""An agent that has short messages too, as a way to its servers or as its only one: loaded only with the link sms.

Over it goes what goes over any link: bootstrap, registration, reports, a server's requests. The link is up while the
modem is registered for messages, and its place in the order of links says when it is used, unless a server that has
both an address and a number says which it prefers (/1/x/22).
"""

from .accounts import SERVER, bootstrap_account
from .agent import Agent
from .engine.sms import Sms, same_number
from .linking import LTE, SMS
from .table import find

# As _PLOT in agent.py.
_PLOT = """
sms link _sms_link
sms text _sms_text
sms keep _sms_keep
sms datagram _sms_datagram
modem message _modem_message
modem unsent _modem_unsent
bootstrap failed _bootstrap_failed
registration unreachable _unreachable
"""
_TRIGGER, _TRANSPORT = 21, 22  # resources of /1/x
_ROUND_TRIPS = 8  # that a bootstrap server may be silent for


class Texting(Agent):
    """As Agent, with links that include sms."""

    sms = None

    def __init__(self, settings, medium, below, measure, wall, sink=None):
        Agent.__init__(self, settings, medium, below, measure, wall, sink)
        self._patience_ms = settings.get("sms_ack_timeout_ms")
        self.sms = Sms(below, settings.get("sms_per_day"), self.store.get("sms"), 10 * self._patience_ms)
        self.exchange.slow[SMS] = self._patience_ms
        self._has_modem = True
        self._compose()

    def start(self, now):
        self._prefer(now)
        Agent.start(self, now)
        if not self.configuration.accounts and not set(self.settings.get("links").split(",")) - {LTE, SMS}:
            self._modem_at = now  # there is no other link to wait for

    def _compose(self):
        Agent._compose(self)
        if self.sms:
            self._engines.append(("sms", self.sms))

    def _react(self, now, name, what):
        found = find(_PLOT, name, what[0])
        if found:
            getattr(self, found[0])(now, *what[1:])
        else:
            Agent._react(self, now, name, what)

    # the modem

    def _load_modem(self, needed):
        from .engine.modem_texts import TextModem

        self._modem_kind = TextModem
        loaded = Agent._load_modem(self, needed)
        if loaded:
            self.modem.data = LTE in self.settings.get("links").split(",")
        return loaded

    def _modem_state(self, now, state, reason):
        Agent._modem_state(self, now, state, reason)
        self.sms.change(self.modem.texts, now)

    def _modem_message(self, now, pdu):
        self.sms.receive(pdu, now)

    def _modem_unsent(self, now, reason):
        self.log.warning(now, "sms", "refused", reason=reason)

    # the link

    def _sms_link(self, now, up):
        self.log.info(now, "sms", "up" if up else "down", left=self.sms.left(now))
        self._link_changed(now, SMS, up)

    def _sms_text(self, now, pdu, length):
        self.modem.text(pdu, length, now)

    def _sms_keep(self, _now, credit):
        self.store.keep({"sms": credit})

    def _sms_datagram(self, now, number, data):
        """Only the server that is being spoken to over this link is listened to; of others, a trigger at most."""
        for peer in self._sms_peers():
            if same_number(peer[1], number):
                self.sms.answered()
                return self._take_in(now, peer, data)
        if self.sms.hinted(data, now):
            self._hint(now, number)

    def _sms_peers(self):
        aims = [target for target in (self.registration.registrar, self.registration.target) if target]
        found = [account.peer(link) for account, link in aims]
        if self.bootstrap and self.bootstrap.peer:
            found.append(self.bootstrap.peer)
        return [peer for peer in found if peer[0] == SMS]

    def _hint(self, now, number):
        """Now is a good time to be heard of: by the registrar, or else by the configuration server. Not where the
        registrar wants no triggers (/1/x/21)."""
        target = self.registration.registrar or self.registration.target
        if target and self._said(target[0], _TRIGGER) is False:
            return self.log.info(now, "sms", "untriggered", number=number)
        self.log.info(now, "sms", "trigger", number=number)
        self.sms.wake(now)
        if self.registration.registrar:
            self.registration.update_now(now)
        elif self.links.active and not self.configuration.accounts:
            self._seek(now, self.links.active)

    def _route(self, now, link, host, port, data):
        if link != SMS:
            return Agent._route(self, now, link, host, port, data)
        if self.metrics:
            self.metrics.count(link, 0, len(data))
        if not self.sms.send(host, port, data, now):
            self.log.warning(now, "sms", "unsent", size=len(data), left=self.sms.left(now))

    def _said(self, account, rid):
        return self.configuration.tree.get((SERVER, account.instance, rid))

    # which transport first

    def _request(self, now, request):
        Agent._request(self, now, request)
        self._prefer(now)  # it may have written so

    def _reconfigured(self, now):
        self._prefer(now)
        Agent._reconfigured(self, now)

    def _prefer(self, now):
        """Short messages go before all other links, or behind them, as the most preferred server with both an address
        and a number wants it; else their place is that in the setting, or, under a policy with an order, the last."""
        names = list(getattr(self, "_ways", None) or self.settings.get("links").split(","))
        wanted = [self._said(account, _TRANSPORT) for account in self.configuration.accounts if account.number]
        if wanted and wanted[0] in ("U", "S"):
            names.remove(SMS)
            names.insert(0 if wanted[0] == "S" else len(names), SMS)
        self.links._links.sort(key=lambda link: names.index(link.name))
        self.links.poll(now)

    # its pace

    def _register(self, now, target):
        self.registration.margin_ms = 12 * self._patience_ms if target[1] == SMS else 93000
        Agent._register(self, now, target)

    def _unreachable(self, now, target):
        self._failed(now, "unreachable", target)
        if target[1] == SMS:
            self.sms.failed(now)

    def _seek(self, now, link, asked=False):
        """There is no discovery by short messages: the number of the configuration server must be known."""
        known = bootstrap_account(self.configuration.tree)
        if link != SMS or known and known.peer(SMS):
            Agent._seek(self, now, link, asked)

    def _load_search(self):
        Agent._load_search(self)
        wait = self.settings.get("bootstrap_wait_ms")
        self.bootstrap.wait_ms = max(wait, _ROUND_TRIPS * self._patience_ms) if self.links.active == SMS else wait

    def _bootstrap_failed(self, now, reason):
        self.provisioning.failed(now, reason)
        if self.links.active == SMS:
            self.sms.failed(now)
