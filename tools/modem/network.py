"""The mobile network as one modem sees it: coverage, subscriptions, refusals, contexts and their addresses."""

import asyncio

from . import causes

VERDICTS = {"home": 1, "roaming": 5, "denied": 3, "searching": 2, "messages": 6}
NO_SIGNAL = 99
_DEFAULT_CAUSE = 15  # the one after which a modem goes on trying


class Network:
    """changed(old, new) is called when the registration state of the modem changes."""

    def __init__(self, state, ms, changed):
        self._state, self._ms, self._changed = state, ms, changed
        self._timer = self._drive = None
        self._addresses = 0
        self._invalid = False  # the modem holds its SIM for invalid: it was refused for good
        self.coverage = True
        self.verdict, self.verdict_cause = "home", _DEFAULT_CAUSE
        self.suspended = set()  # IMSIs
        self.context_cause = 0  # why every context is refused; 0 = none is
        self.cause, self.report = 0, ""  # of the last refusal: the number of an attach, the text for +CEER

    def refresh(self):
        """Something that registration depends on has changed: act on it, an attach after its time."""
        self.stop()
        goal = self._goal()
        if goal in (0, 2) or goal == self._state.registration:
            return self._set(goal)
        self._set(2)
        self._timer = asyncio.get_running_loop().call_later(self._ms["attach"] / 1000, self._set, goal)

    def stop(self):
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def detach(self):
        """Thrown out, and let in again after the time of an attach."""
        self.stop()
        if self._state.registered:
            self._set(2)
            self.refresh()

    def follow(self, points, again=False):
        """A drive: [(ms from now, +CSQ level or 99)] one after the other, then over again or no more. [] ends it."""
        if self._drive:
            self._drive.cancel()
        self._drive = asyncio.get_running_loop().create_task(self._driving(points, again)) if points else None

    async def _driving(self, points, again):
        while True:
            begun = asyncio.get_running_loop().time()
            for ms, level in points:
                await asyncio.sleep(max(0, begun + ms / 1000 - asyncio.get_running_loop().time()))
                self._heard(level)
            if not again:
                return

    def _heard(self, level):
        self._state.signal = level
        if self.coverage != (level != NO_SIGNAL):
            self.coverage = level != NO_SIGNAL
            self.refresh()

    def _goal(self):
        state = self._state
        if not state.running or state.functionality != 1 or not state.sim.ready or state.sim.lock:
            self._invalid = False
            return 0
        if not self.coverage:
            return 2
        return 3 if self._invalid or state.sim.imsi in self.suspended else VERDICTS[self.verdict]

    def _set(self, registration):
        self._timer = None
        old, self._state.registration = self._state.registration, registration
        if registration == 3 and not self._invalid:
            suspended = self._state.sim.imsi in self.suspended
            self._refuse(causes.SUSPENDED if suspended else self.verdict_cause)
        if old != registration:
            self._changed(old, registration)

    def _refuse(self, cause):
        self.cause, self._invalid = cause, cause in causes.PERMANENT
        self.report = "EMM cause %d: %s" % (cause, causes.ATTACH[cause])

    async def activate(self, cid):
        """Give a context an address, a new one each time; whether the network did."""
        if not self._state.registered:
            return False
        await asyncio.sleep(self._ms["dial"] / 1000)
        if self.context_cause:
            self.report = "ESM cause %d: %s" % (self.context_cause, causes.CONTEXT[self.context_cause])
        if self.context_cause or not self._state.registered:
            return False
        self._addresses += 1
        context = self._state.context(cid)
        context.active, context.zombie = True, False
        context.address = "10.64.%d.%d" % (self._addresses // 250, self._addresses % 250 + 2)
        return True
