"""A small model of an AT modem (Quectel EC25, its UDP sockets by AT commands) with a network side and faults.

True state, not canned answers: boot, SIM, coverage, registration, PDP context, sockets. tools/modem is the
full emulator on a pty; this one is portable and lives in virtual time. Here are the serial line and the
network side, in at_commands.py the commands.
"""

from at_commands import COMMANDS, IDENTITY, OF_SIM, SOCKETS
from world import HOUR

_BUFFERED = 10  # datagrams a socket keeps until they are read
_DIALS, _RESETS = 30, 2  # what an operator and a modem put up with in an hour
_AHEAD, _WRITTEN_MS = 5, 900000  # dials written down together, and how old what is written may be
_FEW, _PATIENCE_MS = 5, 190000  # refusals in a row, after which so few dials are far apart
_STEADY_MS = 60000  # a context that lasts less counts for nothing


class Budget:
    """What may be done so often in any hour, and no more; over power cuts too."""

    def __init__(self, what, most):
        self.what, self.most, self.busiest = what, most, 0
        self._times = []
        self._counted = []  # the same as a device sees it that does not know how long it was off

    def spend(self, now):
        self._times = [then for then in self._times if now - then < HOUR] + [now]
        self._counted.append(now)
        self.busiest = max(self.busiest, len(self._times))
        assert len(self._times) <= self.most, "%d %s within an hour" % (len(self._times), self.what)

    def restart(self, now):
        """The device starts: what it wrote down, some of it ahead, may just have been."""
        self._counted = [now] * (len([then for then in self._counted if now - then < HOUR + _WRITTEN_MS]) + _AHEAD)

    def scarce(self, now):
        """Whether a device may save what is left."""
        return len([then for then in self._counted if now - then < HOUR]) >= self.most * 2 // 3


class AtModem:
    """out(bytes): to the device's serial port. network(local_port, host, port, data): a datagram to the world."""

    def __init__(self, world, chance, out, network):
        self.world, self.chance, self._out, self._network = world, chance, out, network
        self.coverage = True
        self.sim = True
        self.slow = 1  # factor on every answer time
        self.errors = 0  # permille of commands that fail with +CME ERROR
        self.overrun = 0  # permille of what it says that the serial line loses, whole or its end
        self.dead_bearer = False  # the context is up, but nothing passes until it is activated anew
        self.mute_until = 0  # says nothing and hears nothing until then (ms)
        self.refuses_until = self.denies_until = 0  # what the network does to dials, and to the SIM
        self.refusals = self.refused_at = self.dialled_at = 0  # dials in a row that came to nothing, or not for long
        self.barred = False  # denied, and not let in again before it searches anew
        self.pin, self.tries, self.locked = "", 3, False  # a SIM without PIN is never locked
        self.local_port = 20000
        self.dials, self.resets = Budget("dials", _DIALS), Budget("resets by command", _RESETS)
        self.context = False
        self._boots = 0  # what is on its way out of an earlier life is dropped
        self.power_on()

    def power_on(self):
        """Cold start: everything volatile is gone."""
        self._boots += 1
        self._reset_session()
        self._ready_at = self.world.now + self.chance.between(2000, 5000)
        self._said_until = 0
        self.world.at(self._ready_at, self._boot_done, self._boots)

    def _reset_session(self):
        self.echo, self.functional, self.registered = True, True, False
        self.close_context()
        self.apn = ""
        self.urc_registration, self.urc_sim = {}, False
        self.locked = bool(self.pin)
        self._line, self.payload, self.payload_for = b"", b"", None
        self._commands, self._busy, self._dialling = [], False, False

    def _boot_done(self, boots):
        if boots == self._boots:
            self.say("\r\nRDY\r\n")
            self.search()

    def ready(self):
        """Whether it hears commands at all."""
        now = self.world.now
        return now >= self._ready_at and now >= self.mute_until

    @property
    def serving(self):
        """Whether nothing on this side keeps datagrams from passing once the device has dialled."""
        now = self.world.now
        since = max(self.refused_at, self.refuses_until)
        taken = now >= self.refuses_until and self.refusals < _FEW
        asked_again = self.context or taken or now >= since + _PATIENCE_MS
        welcome = asked_again and not self.barred and not self.dials.scarce(now)
        healthy = self.ready() and self.coverage and self.sim and not self.locked and not self.dead_bearer
        return welcome and healthy and not self.errors and not self.overrun and self.slow == 1

    # the network side

    def set_coverage(self, on):
        self.coverage = on
        self.world.trace("modem coverage %d" % on)
        if on:
            self.search()
        else:
            self.registered = False
            self._registration_urc(2)
            self.world.after(8000, self._radio_link_failed, self._boots)

    def set_sim(self, there):
        """The SIM is taken out or put in."""
        self.sim, self.locked = there, bool(self.pin)
        self.world.trace("modem sim %d" % there)
        if self.urc_sim:
            self.say("\r\n+QSIMSTAT: 1,%d\r\n" % there)
        if there:
            self.search()
        else:
            self.registered = False
            self._registration_urc(0)
            self.drop_context()

    def _radio_link_failed(self, boots):
        if boots == self._boots and not self.coverage:
            self.drop_context()

    def drop_context(self, silently=False):
        """The network takes the PDP context away."""
        if self.context:
            self.close_context()
            self.world.trace("modem context dropped")
            if not silently:
                self.say('\r\n+QIURC: "pdpdeact",1\r\n')

    def close_context(self):
        if self.context and self.world.now - self.dialled_at >= _STEADY_MS:
            self.refusals = 0
        self.context, self.sockets, self.dead_bearer = False, {}, False

    def lose_bearer(self):
        """The network forgets the context without a word to the modem."""
        if self.context:
            self.dead_bearer = True
            self.world.trace("modem bearer dead")

    def search(self):
        self.world.after(self.chance.between(300, 3000), self._found, self._boots)

    def _found(self, boots):
        if boots != self._boots or self.registered or self.locked:
            return
        if self.coverage and self.functional and self.sim:
            self.barred = self.world.now < self.denies_until
            self.registered = not self.barred
            self._registration_urc(self.registration)

    @property
    def registration(self):
        """As +CREG? tells it (27.007 7.2)."""
        if self.registered or not self.coverage:
            return 1 if self.registered else 2
        return 3 if self.barred else 2

    def deny(self, until):
        """The network lets the SIM in no more, until then (ms)."""
        self.denies_until, self.registered, self.barred = until, False, True
        self.world.trace("modem denied")
        self._registration_urc(3)
        self.drop_context()

    def lock(self, pin):
        """The SIM wants this PIN whenever it is powered."""
        self.pin, self.locked = pin, True

    def refuse_dial(self):
        """A dial, or what comes before it, was refused."""
        self.refusals, self.refused_at = self.refusals + 1, self.world.now

    def enter(self, pin):
        """Whether the PIN is right; three wrong ones in a row, and the SIM is lost."""
        self.tries = 3 if pin == self.pin else self.tries - 1
        assert self.tries > 0, "the last try for the PIN is spent"
        self.locked = pin != self.pin
        if not self.locked:
            self.search()
        return not self.locked

    def _registration_urc(self, state):
        for name in ("+CREG", "+CGREG", "+CEREG"):  # a fixed order: dicts have none on MicroPython
            if self.urc_registration.get(name):
                self.say("\r\n%s: %d\r\n" % (name, state))

    def datagram(self, host, port, data, local_port):
        """From the network to one of our sockets."""
        for number in range(SOCKETS):
            socket = self.sockets.get(number)
            if socket and socket.local_port == local_port and self._connected():
                return self._incoming(number, socket, data)

    def _connected(self):
        return self.context and self.registered and not self.dead_bearer

    def _incoming(self, number, socket, data):
        if socket.direct:
            return self.say(b'\r\n+QIURC: "recv",%d,%d\r\n%s\r\n' % (number, len(data), data))
        if len(socket.buffer) < _BUFFERED:
            socket.buffer.append(data)
        if len(socket.buffer) == 1:  # no second URC before the first datagram was read
            self.say('\r\n+QIURC: "recv",%d\r\n' % number)

    # the serial side

    def receive(self, data):
        """Bytes from the device."""
        if not self.ready():
            return self._dial_lost(b"+QIACT=" in data)
        while data:
            data = self._take_text(data) if self.payload_for is None else self._take_payload(data)

    def _take_text(self, data):
        """One command line at most; -> what is left."""
        text, end, rest = data.partition(b"\r")
        self._line = (self._line + text)[-600:]
        if end:
            line, self._line = self._line.strip(b"\x1b\n "), b""
            if line:
                self._commands.append(str(bytes([byte for byte in line if byte < 128]), "utf-8"))
                self._next()
        return rest

    def _take_payload(self, data):
        """The data that a prompt asked for; -> what is left."""
        number, length, host, port = self.payload_for
        if data[:1] == b"\x1b" and self.world.now - self.prompted_at > 1000:  # of one who has lost the thread
            self.payload, self.payload_for = b"", None
            self.finish("\r\nSEND FAIL\r\n", 5)
            return data[1:]
        missing = length - len(self.payload)
        self.payload += data[:missing]
        if len(self.payload) == length:
            self._transmit(self.sockets.get(number), host, port, self.payload)
            self.payload, self.payload_for = b"", None
        return data[missing:]

    def _transmit(self, socket, host, port, data):
        if socket is None:
            return self.finish("\r\nERROR\r\n", 5)
        if self._connected():
            self._network(socket.local_port, host or socket.host, port or socket.port, data)
        self.finish("\r\nSEND OK\r\n", 10)

    def _next(self):
        """One command at a time; what comes meanwhile waits."""
        if self._busy or not self._commands:
            return
        self._busy = True
        line = self._commands.pop(0)
        echo = line + "\r" if self.echo else ""
        if not line.upper().startswith("AT"):
            self._busy = False
            return self._next()
        body = line[2:]
        if body and body != "E0" and self.chance.often(self.errors):
            if body[:8] in ("+QIACT=1", "+QICSGP=", "+QICSGP?"):
                self.refuse_dial()
            return self.finish(echo + "\r\n+CME ERROR: %d\r\n" % (3, 14, 100)[self.chance.below(3)], 20)
        self._dialling = body.startswith("+QIACT=")
        name, mark, rest = body.partition("=")
        if not mark and name.endswith("?"):
            name, mark = name[:-1], "?"
        self._command(echo, name.upper(), mark, rest)

    def _command(self, echo, name, mark, rest):
        known = COMMANDS.get(name)
        if name in OF_SIM and not self.sim:
            self.error(echo, 10)
        elif name == "+CIMI" and self.locked:
            self.error(echo, 11)
        elif name in IDENTITY and mark in ("", "?"):
            self.ok(echo, IDENTITY[name])
        elif known:
            known(self, echo, mark, rest)
        else:
            self.ok(echo)  # settings that do not matter here

    def ok(self, echo, text=None, wait=10):
        self.finish("%s%s\r\nOK\r\n" % (echo, "\r\n%s\r\n" % text if text else ""), wait)

    def error(self, echo, code, wait=10):
        self.finish("%s\r\n+CME ERROR: %d\r\n" % (echo, code), wait)

    def finish(self, text, wait):
        """The final answer of a command comes `wait` ms (times the present slowness) later."""
        self.say(text, wait, True)

    def say(self, text, wait=0, final=False):
        data = text if isinstance(text, bytes) else text.encode()
        when = self.world.now + 2 + wait * self.slow
        self._said_until = max(when, self._said_until)  # a serial line keeps its order
        self.world.at(self._said_until, self._said, self._boots, data, final)

    def _dial_lost(self, lost):
        """An answer that will not come is waited for as long as a dial may take."""
        if lost:
            self.refusals, self.refused_at = _FEW, self.world.now

    def _said(self, boots, data, final):
        if boots != self._boots:
            return
        if final:
            self._busy = False
        if self.world.now >= self.mute_until:
            self._over_the_line(data)
        elif final:
            self._dial_lost(self._dialling)
        if final:
            self._next()

    def _over_the_line(self, data):
        """Serial bytes come in pieces, or do not come."""
        cut = self.chance.below(len(data)) if self.chance.often(100) else 0
        if self.chance.often(self.overrun):
            self._dial_lost(self._dialling)
            data = b"" if b"+QIRD" in data else data[:cut]  # data cut short would be a broken datagram, not a lost one
        if 0 < cut < len(data):
            self._out(data[:cut])
            data = data[cut:]
        if data:
            self._out(data)
