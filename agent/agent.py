"""The device agent: composes the engines and is itself an engine - receive, poll, deadline, take. No I/O, no clock.

Read `_PLOT` and `_settle()` to see who reacts to what.
"""

from .codec.coap import UNAUTHORIZED
from .configuration import Configuration
from .configuring import Configuring
from .engine.exchange import Exchange
from .engine.links import Links
from .engine.policies import Policies
from .engine.registration import Registration
from .engine.reports import Reports
from .errors import LocalError
from .journal import Journal
from .linking import LTE, Linking
from .log import Log
from .north.lwm2m import outcome
from .north.resources import METER, resource_of
from .registering import Registering
from .store import Store
from .table import find

# engine, what it says, the method that reacts: here, in configuring.py, registering.py or linking.py, with ! in the
# engine itself, with * in provisioning.py, with % in failing.py, with @ in what serves observers; - logs it, > hands it
# on to the driver
_PLOT = """
links active _aim
probes ping _emit
probes answered _path_answers
probes silent _path_silent
modem serial >
modem state _modem_state
modem identity _modem_identity
modem datagram _modem_datagram
modem session >
modem data >
modem keep _modem_keep
modem baud >
modem power >
discovery send _route
discovery found *found
discovery nothing *nothing
exchange request _request
exchange response _answered
exchange failed _answered
exchange unobserved @lost
exchange silent %unheard
exchange notified @notified
guards keep !kept
guards send !let_out
guards plain !opened
guards refused !refused
guards told !told
upgrade do !do
policing do !do
policing groups >
timing do !do
bootstrap request *ask
bootstrap fetch *fetch
bootstrap commit _commit
bootstrap failed *failed
bootstrap again *again
tenure purge !purge
tenure disable !disable
tenure enable _aim
tenure back _aim
registration register _register
registration update _update
registration deregister _deregister
registration state _registration_state
registration unreachable %unreachable
registration refused %refused
registration conflict -
registration version %version
reports measure _measure
reports send _send
policies apply _apply
"""
_OBEYS = ("registering", "registered", "updating")
_ROUNDS = 50  # of _settle(); more means that engines feed each other for ever, which would be a bug
_PATIENCE_MS = 5000  # for a link that needs no dialling, on an agent that has no configuration yet
_RESET_MS = 1000  # between answering a reboot and doing it


class Agent(Configuring, Registering, Linking):
    """settings: Settings; medium: where state is kept; below(n): randomness; measure() -> number; wall() -> Unix s or
    0."""

    ports = tuple  # () -> the board's links, where there is a board
    board = None  # what it runs on, for objects that tell of it
    upgrade = timing = None  # the firmware update; what policies say about time

    def __init__(self, settings, medium, below, measure, wall, sink=None):
        get = settings.get
        self.settings, self.wall, self._measure_now = settings, wall, measure
        self.log = Log(sink, get("log_level"))
        self.store, self.journal = Store(medium, settings), Journal(medium, get("outbox_max"))
        self.configuration = Configuration(self.store, settings)
        names = get("links").split(",")
        self.exchange = Exchange(below, get("ack_timeout_ms"), get("max_retransmit"), get("block_size"))
        hold, delay, penalty = get("fail_back_hold_ms"), get("carrier_delay_ms"), get("penalty_ms")
        self.links = Links(names, hold, delay, penalty, get("flap_max_ms"))
        self.modem = self.probes = self.metrics = self.tenure = None  # loaded when first needed
        self.provisioning = self.discovery = self.bootstrap = None
        self.guards = None  # loaded when an account is protected
        self._has_modem = LTE in names
        self.registration = Registration(below, get("retry_max_ms"), get("deregister_wait_ms"))
        self.policies = Policies(settings)
        self.reports = Reports(self.journal, get("report_period_s") * 1000)
        self._below = below
        self._build_north()
        self._guard()
        self._report_handle = self._attempt = self._reset_at = self._modem_at = self._linger_at = None
        self._needed = self._update_asked = self._bootstrap_asked = self._reset_asked = self._stopping = False
        self._written = []  # resources whose observers are to be told
        self._lifetime_sent = self._trial_tries = self._silent = 0
        self._out = []

    # what the outside says

    def start(self, now):
        if self.settings.get("insecure"):
            self.log.warning(now, "agent", "insecure", text="NoSec: anybody on the way can read and forge")
        if self.store.note:
            self.log.error(now, "store", "damaged", text=self.store.note)
        endpoint, pending = self.settings.get("endpoint"), len(self.journal.pending())
        self.log.info(now, "agent", "started", endpoint=endpoint, epoch=self.configuration.epoch, pending=pending)
        if not self.configuration.accounts:
            self._modem_at = now + _PATIENCE_MS
        self.reports.start(now)
        self.resources.extend()
        self._limit(now)
        self._aim(now)
        self._settle(now)

    def link(self, name, up, now):
        """The board's watcher: a link has, or has lost, its carrier or address."""
        self._link_changed(now, name, up)
        self._settle(now)

    def receive(self, link, host, port, data, now):
        if not self.discovery or not self.discovery.receive(link, host, port, data, now):
            self._take_in(now, (link, host, port), data)
        self._settle(now)

    def serial(self, data, now):
        """Bytes from the modem."""
        if self.modem:
            self.modem.receive(data, now)
            self._settle(now)

    def serial_lost(self, now):
        """The modem's port vanished."""
        if self.modem:
            self.modem.lost(now)
            self._settle(now)

    def session_ended(self, reason, now):
        """The data session over the modem's port, which ("session", True) asked for, is over."""
        self.log.info(now, "session", "ended", reason=reason)
        if self.modem:
            self.modem.session(reason, now)
        self._settle(now)

    def poll(self, now):
        for _, engine in self._engines:
            if engine is not self.policies:
                engine.poll(now)
        if self._modem_at is not None and now >= self._modem_at:
            self._modem_at = None
            self._aim_modem(now)
            self._watch(now)
        if self._linger_at is not None and now >= self._linger_at:
            self._linger_at = None
            self._aim_modem(now)
        if self._reset_at is not None and now >= self._reset_at:
            self._reset_at = None
            self._end("reset", now)
        self._settle(now)

    def deadline(self):
        """When poll() is due (ms), or None."""
        due = self._reset_at if self._modem_at is None else self._modem_at
        if self._linger_at is not None and (due is None or self._linger_at < due):
            due = self._linger_at
        for _, engine in self._engines:
            at = engine.deadline() if engine is not self.policies else None
            if at is not None and (due is None or at < due):
                due = at
        return due

    def stop(self, now):
        """De-register, then say "stopped"."""
        self._stopping = True
        self._aim(now)
        self._settle(now)

    def take(self):
        """-> [("udp", link, host, port, bytes) | ("serial", bytes) | ("session", begins) | ("data", bytes) |
        ("baud", bit/s) | ("power", what, ms) | ("groups", None): they, or the active link, are others now |
        ("reset",) | ("stopped",)] to be done now."""
        out, self._out = self._out, []
        return out

    # the plot

    def _compose(self):
        """The engines that are loaded, in the order in which they are asked."""
        names = "links probes modem discovery exchange north guards policing bootstrap registration reports policies "
        names = (names + "timing tenure upgrade").split()
        self._engines = [(name, getattr(self, name)) for name in names if getattr(self, name, None)]

    def _settle(self, now):
        """Ask each engine what it wants until none wants anything; the order is fixed, so traces are equal
        everywhere."""
        for _ in range(_ROUNDS):
            busy = False
            for name, engine in self._engines:
                for what in engine.events() if engine is self.exchange else engine.take():
                    busy = True
                    self._react(now, name, what)
            for peer, data in self.exchange.take():
                busy = True
                self._emit(now, peer[0], peer[1], peer[2], data)
            if not busy:
                break
        self.resources.rest()
        if self._stopping and self.registration.state == "idle":
            self._stopping = False
            self._end("stopped", now)

    def _react(self, now, name, what):
        (reaction,) = find(_PLOT, name, what[0])
        if reaction == "-":
            self.log.info(now, name, what[0], detail=str(what[1]))
        elif reaction == ">":
            self._out.append(what)
        elif reaction[0] == "!":
            getattr(getattr(self, name), reaction[1:])(self, now, *what[1:])
        elif reaction[0] == "%":
            self._failed(now, reaction[1:], what[1])
        elif reaction[0] == "*":
            getattr(self.provisioning, reaction[1:])(now, *what[1:])
        elif reaction[0] == "@":
            self.north.observer(reaction[1:], what[1])
        else:
            getattr(self, reaction)(now, *what[1:])

    def _end(self, how, now):
        if self.guards:
            self.guards.leave(self, now)
        self._out.append((how,))

    # the exchange's answers and requests

    def _answered(self, now, handle, response):
        """Each engine knows the handle of the request that it waits for, and ignores others."""
        if any([engine.answered(handle, response, now) for engine in (self.upgrade, self.timing) if engine]):
            return
        result = outcome(response)
        if handle == self._report_handle and handle is not None:
            self._report_handle = None
            rejected = result in ("gone", "rejected")
            if result == "accepted":
                self.reports.acknowledged(now)
            else:
                self.reports.failed(now, rejected)
            if response == "timeout" and self.registration.registrar:
                self.links.distrust(self.registration.registrar[1], now)  # another one need not wait for the Update
            if result == "failed" or rejected and self.reports.failures == 1:
                self.registration.update_now(now)  # finds out whether the registrar is there and knows us
        elif self.registration.waits_for(handle):
            if result == "accepted" and (self.registration.state == "registering" or response.location):
                self.north.registered(self.registration.target, response)
            elif result == "conflict" and response.payload.isdigit() and len(response.payload) < 11:
                self.configuration.raise_epoch(int(response.payload))
            self.registration.answered(handle, result, self._lifetime_sent * 1000, now)
        elif self.provisioning or self.north.policing:
            (self.provisioning or self.north.policing).answered(now, handle, result, response)

    def _request(self, now, request):
        """A server's request is obeyed only from the registrar, or inside a bootstrap from the bootstrap server."""
        target = self.registration.target
        if self.bootstrap and self.bootstrap.writable(request.peer):
            self.north.handle_bootstrap(request, self.bootstrap, now)
        elif target and request.peer == target[0].peer(target[1]) and self.registration.state in _OBEYS:
            self.north.handle(request, target[0], now)
        else:
            self.log.warning(now, "exchange", "unauthorized", peer="%s:%d" % (request.peer[1], request.peer[2]))
            self.exchange.respond(request, UNAUTHORIZED, now)
        if self._update_asked or self.north.relisted:
            self.registration.update_now(now)
        if self._reset_asked:
            self._reset_at = now + _RESET_MS
        if self._bootstrap_asked:
            self._seek(now, request.peer[0], True)
        self._update_asked = self._bootstrap_asked = self._reset_asked = False
        if self._written:
            self._report(now)
        while self._written:
            self.north.changed(self._written.pop(), now)

    # readings and settings

    def _measure(self, now):
        """One reading, and a look at what the links have cost so far."""
        if self.metrics:
            self._account(now)
        self._tell(now)
        if self.modem:
            self._aim_modem(now)
        self._read_meter(now)

    def _read_meter(self, now):
        """One reading. A meter that gives none, or a full medium, costs this one and nothing else."""
        try:
            value = self._measure_now()
            self.reports.add(value, self.wall(), now)
        except (OSError, ValueError, LocalError) as e:
            self.resources.faulty = True
            return self.log.error(now, "reports", "unmeasured", error=str(e))
        self.resources.meter, self.resources.faulty = value, False
        self.north.changed(METER, now)

    def _send(self, now, readings):
        target = self.registration.target
        self._report_handle = self.north.report(target, readings, now)

    def _apply(self, now, name, value):
        """A setting that a policy changed: keep it, and put it into effect."""
        self.configuration.set(resource_of(name), value)
        self.north.changed(resource_of(name), now)
        self.log.info(now, "policies", "applied", setting=name, value=value)
        if name == "report_period_s":
            self.reports.set_period(value * 1000, now)
        elif self.modem:
            self.modem.set_apn(value, now)

