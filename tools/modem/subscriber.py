"""What happens to an emulated modem: its SIM, its registration, its contexts and sockets come and go. The other half of
Emulator, which has the power, the port and the dialogue.
"""

from .state import REGISTRATION


class Subscriber:
    """The attributes are those that Emulator's constructor makes."""

    def set_sim(self, present, lock=None, **facts):
        """Take the SIM out, or put one in; facts: other attributes of it (state.Sim)."""
        sim = self.state.sim
        changed, sim.present = sim.present != present, present
        for name in facts:
            setattr(sim, name, facts[name])
        if lock is not None:
            sim.lock, sim.asks = lock, bool(lock)
        if not present:
            sim.ready = False
        if self.state.running and (changed or lock is not None):
            self.tell("sim_found" if present else "sim_gone", present=present)
            self.network.refresh()
            self.later(self._sim_found())
        self.note("sim", present=present, lock=sim.lock)

    def _registration_changed(self, old, new):
        self.note("registration", state=REGISTRATION[new])
        for name in ("+CREG", "+CGREG", "+CEREG"):
            if self.state.session[name]:
                self.say("%s: %s" % (name, self.registration_fields(name)))
        if not self.state.registered:
            for cid in sorted(self.state.contexts):
                self.lose_context(cid)
        elif self.profile["attached"]:
            self.later(self.activate(self.profile["context"]))
        self.messages.registered()

    def registration_fields(self, name):
        """State, and where it is when that was asked for with n = 2, and why not with n = 3 (TS 27.007 10.1.22)."""
        fields = "%d" % self.state.registration
        if self.state.session[name] == 3 and self.state.registration == 3:
            fields += ",,,,0,%d" % self.network.cause
        if self.state.session[name] >= 2 and self.state.registered:
            fields += ',"1A2B","01C3D4E5",%d' % self.profile["technology"]
        return fields

    async def activate(self, cid):
        """Dial; whether the network gave an address."""
        if not self.state.context(cid).active and not await self.network.activate(cid):
            self.note("context", cid=cid, active=False)
            return False
        self.note("context", cid=cid, active=True, apn=self.state.context(cid).apn)
        return True

    def calling(self, cid):
        """Whether a data call runs over a context."""
        return any(call.cid == cid for call in self.lines.calls())

    def deactivate(self, cid, silent=False):
        """Whether the context was active; its sockets are closed, its data call ends (silent: just carries nothing)."""
        if not silent:
            self.lines.hang_up(cid, "context lost")
        for call in self.lines.calls():
            if call.cid == cid:
                call.fault("zombie")
        context = self.state.context(cid)
        was, context.active, context.address, context.zombie = context.active, False, "", False
        for relay in [relay for relay in self.sockets if relay.context == cid]:
            self.sockets.close(relay.number)
        if was:
            self.note("context", cid=cid, active=False)
        return was

    def lose_context(self, cid):
        """The network deactivates a context."""
        if self.deactivate(cid):
            self.tell("context_lost", cid=cid)

    def lose_socket(self, number):
        """A socket ends without having been asked to; whether there was one."""
        known = self.sockets.get(number) is not None
        if known:
            self.sockets.close(number)
            self.note("socket", number=number, closed=True)
            self.tell("socket_closed", number=number)
        return known

    def let_rot(self, cid):
        """The context looks active and carries nothing any more, until it is dialled anew; whether it was active."""
        context = self.state.context(cid)
        context.zombie = context.active
        for call in self.lines.calls():
            if call.cid == cid:
                call.fault("zombie")
        return context.active

    def _carry(self, relay, deliver, *what):
        if not self.state.context(relay.context).zombie:
            self.air.carry(deliver, *what)

    def _arrived(self, number):
        relay = self.sockets.get(number)
        if callable(self.profile["datagram_waiting"]):
            self.profile["datagram_waiting"](self, relay)
        else:
            self.tell("datagram_waiting", number=number, length=len(relay.waiting[0]))
