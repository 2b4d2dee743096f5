"""The modem's states, and what is done in each: generators that yield steps (modem.py). A part of the modem engine.

What is done about one that does not answer, finds no network or cannot dial is in modem_recovery.py. Everything that
repeats has a limit: dialling (30 an hour, as networks punish more), resets, polls, holds.
"""

from ..codec import at
from ..errors import LinkError, LocalError, RemoteError
from ..overlay import drop
from ..table import find

try:
    from micropython import const
except ImportError:
    const = lambda value: value

# state event next-state; the states are ModemManager's ladder; * = any state
_TRANSITIONS = """
* lost unknown
* failed failed
unknown answered initializing
failed answered initializing
locked answered initializing
initializing answered initializing
initializing locked locked
failed locked locked
locked locked locked
initializing ready disabled
disabled enable enabling
enabling enabled enabled
enabled search searching
searching search searching
searching registered registered
searching disable disabling
enabled disable disabling
registered search searching
registered disable disabling
disabling disabled disabled
registered connect connecting
connecting refused registered
connecting connected connected
connected dropped registered
connected search searching
connected disconnect disconnecting
disconnecting released registered
"""
_REGISTRATION = "AT+CEREG AT+CGREG AT+CREG"
_HOUR_MS = const(3600000)
_FOREVER_MS, _AGE_MS = const(86400000), const(900000)
_CHECK_MS = const(60000)  # signal, registration, context
_GRACE_MS = const(15000)  # not registered, but the context is still up: a cell change or a short loss
_DOUBT_MS = const(3000)  # a datagram was sent and nothing heard: look whether the notice got lost
_MAX_DIALS = const(30)  # an hour
_LONG_MS = const(60000)  # a search that takes longer is looked into


class Ladder:
    """Modem's other half; the attributes are those that Modem's constructor makes."""

    def _event(self, event, reason=""):
        found = find(_TRANSITIONS, self.state, event) or find(_TRANSITIONS, "*", event)
        if not found:
            raise LocalError("modem: %s in state %s" % (event, self.state))
        if found[0] != self.state:
            self._entered = self._now
        if found[0] != self.state or reason != self.reason:
            self.state, self.reason = found[0], reason
            self._out.append(("state", self.state, reason))

    def _life(self):
        """For ever: what is to be done in this state (a method of its name)."""
        while True:
            if self._used and self._memory.get("used") and self._now >= self._forget_at:
                self._rescue().age(self)  # in any state: a power cut would count it all as done just now
            try:
                yield from getattr(self, "_" + self.state)()
            except LinkError as error:
                yield from self._rescue().recover(self, str(error))

    def _rest(self):
        """How long nothing has to be done, if nobody wants anything."""
        return _AGE_MS if self._memory.get("used") else _FOREVER_MS

    def _rescue(self):
        from . import modem_recovery

        return modem_recovery

    # --- the way up ---

    def _from_below(self):
        """The states below enabled: passed once, so their code does not stay."""
        name = {"initializing": "modem_sim", "disabled": "modem_radio", "enabling": "modem_radio"}.get(self.state)
        part = __import__(name or "modem_bringup", globals(), None, ("unknown",), 1)
        drop("engine.modem_bringup", "engine.modem_sim", "engine.modem_radio")
        yield from getattr(part, self.state if name else "unknown")(self)

    _unknown = _failed = _locked = _initializing = _disabled = _enabling = _from_below

    def _searching(self):
        if self._rung == "off":
            return self._event("disable")
        if self.state == "enabled":
            self._event("search")
        yield from self._read_registration()
        if self._attached():
            self._toggles, self._silent, self._looked = 0, 0, self._now - _CHECK_MS
            drop("engine.modem_recovery")
            return self._event("registered", "" if self._dialler or self._channel.of("SOCKETS") else "no sockets")
        denied = 3 in self._registration.values()
        if denied or self.reason or self._now - self._entered >= _LONG_MS:
            return (yield from self._rescue().search(self, denied))
        yield 2000

    _enabled = _searching

    def _registered(self):
        if self._untidy:
            remedy, self._untidy = self._untidy, ""
            yield from self._bearer().disconnect()
            return (yield from self._rescue().climb(self, remedy, self.reason))
        if self._rung == "off":
            return self._event("disable")
        if not self._attached():
            return self._event("search")
        if self._dialler:
            yield from self._dialler.start()
            if self.state != "registered":
                return
        wait = self._looked + _CHECK_MS - self._now
        if self._rung == "connected" and (self._dialler or self._channel.of("SOCKETS")):
            dial = self._dial_at - self._now
            dials = self._used.get("dial", ())
            if len(dials) >= _MAX_DIALS:
                dial = max(dial, dials[-_MAX_DIALS] + _HOUR_MS - self._now)
            if dial <= 0:
                return self._event("connect")
            wait = min(wait, dial)
        if self._looked + _CHECK_MS <= self._now:
            yield from self._look()
        else:
            yield wait

    def _connecting(self):
        self._used["dial"] = self._used.get("dial", [])[1 - _MAX_DIALS :] + [self._now]
        self._dialled = self._apn
        reason = yield from self._bearer().connect(self._apn)
        if reason:
            return (yield from self._rescue().refused(self, reason))
        drop("engine.modem_recovery")
        self._silent = 0
        self._looked = max(self._looked, self._now + 2000 - _CHECK_MS)  # what waits to be sent comes first
        self._event("connected")

    def _connected(self):
        if self._rung != "connected" or self._dialled != self._apn:
            return self._event("disconnect")
        if self._dialler and not self._mux:
            return (yield from self._dialler.wait())
        wait = self._looked + _CHECK_MS - self._now
        if self._away is not None:
            wait = min(wait, self._away + _GRACE_MS - self._now)
            if self._now - self._away >= _GRACE_MS:
                self._sockets.reset()
                return self._event("search", "network lost")
        if self._sockets.busy():
            datagram = yield from self._sockets.step()
            if datagram:
                self._out.append(("datagram",) + datagram)
        elif wait <= 0 or self._sockets.failed:
            yield from self._look()
        elif not (yield min(wait, _DOUBT_MS) if self._sockets.unsure() else wait):
            self._sockets.unsure(True)

    # --- the way down, and back ---

    def _disconnecting(self):
        self._sockets.reset()
        yield from self._bearer().disconnect()
        self._event("released")

    def _disabling(self):
        yield self._channel.of("FLIGHT")
        self._event("disabled")

    def _drop(self, reason, remedy="tidy"):
        """The context is gone: say so at once; what has to be tidied up follows."""
        self._rescue().back_off(self)
        self._sockets.reset()
        self._untidy = remedy
        self._event("dropped", reason)

    def _keep(self, key, value):
        """Have something kept over power cuts."""
        self._memory = dict(self._memory)
        self._memory[key] = value
        self._out.append(("keep", self._memory))

    # --- what is known ---

    def _look(self):
        """Signal, registration, and whether the context is still there: not every loss is announced."""
        self._looked, self._sockets.failed = self._now, False
        if self._swapped:
            from .modem_sim import recheck

            drop("engine.modem_sim")
            yield from recheck(self)
        ok, lines = yield self._channel.of("SIGNAL")
        self.signal = self._parsed(at.signal, lines) if ok else None
        yield from self._read_registration()
        if self.state == "connected" and not (yield from self._bearer().active()):
            if self.state == "connected":
                self._drop("context lost")
        self._silent = 0
        if self.state == "connected" and self._now - self._entered >= _CHECK_MS:
            self._tries = 0

    def _read_registration(self):
        self._registration = {}
        for command in _REGISTRATION.split():
            ok, lines = yield command + "?"
            if ok and lines:
                self._note(lines[0])
            if self._attached():
                return

    def _note(self, line):
        state = self._parsed(at.registration, [line])
        if state:
            self._registration[line.partition(":")[0]] = state[0]
        lost = self._now if self._away is None else self._away
        self._away = None if self._attached() else lost

    def _parsed(self, parser, lines):
        """What the first line of an answer says, or None."""
        try:
            return parser(lines[0]) if lines else None
        except RemoteError:
            self.malformed += 1
            return None

    def _attached(self):
        """Registered for data; where the modem knows no such registration, the circuit-switched one counts."""
        found = [self._registration[name] for name in ("+CEREG", "+CGREG") if name in self._registration]
        for state in found or [self._registration.get("+CREG", 0)]:
            if at.registered(state):
                return True
        return False
