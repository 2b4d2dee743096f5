"""The mobile network as one modem sees it: coverage, whether it lets the SIM in, contexts and their addresses."""

import asyncio

VERDICTS = {"home": 1, "roaming": 5, "denied": 3, "searching": 2}


class Network:
    """changed(old, new) is called when the registration state of the modem changes."""

    def __init__(self, state, ms, changed):
        self._state, self._ms, self._changed = state, ms, changed
        self._timer = None
        self._addresses = 0
        self.coverage = True
        self.verdict = "home"

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

    def _goal(self):
        state = self._state
        if not state.running or state.functionality != 1 or not state.sim.ready or state.sim.lock:
            return 0
        return VERDICTS[self.verdict] if self.coverage else 2

    def _set(self, registration):
        self._timer = None
        old, self._state.registration = self._state.registration, registration
        if old != registration:
            self._changed(old, registration)

    async def activate(self, cid):
        """Give a context an address, a new one each time; whether the network did."""
        if not self._state.registered:
            return False
        await asyncio.sleep(self._ms["dial"] / 1000)
        if not self._state.registered:
            return False
        self._addresses += 1
        context = self._state.context(cid)
        context.active, context.address = True, "10.64.%d.%d" % (self._addresses // 250, self._addresses % 250 + 2)
        return True
