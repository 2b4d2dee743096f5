"""A small model of an AT modem (Quectel EC25, its UDP sockets by AT commands) with a network side and faults.

True state, not canned answers: boot, SIM, coverage, registration, PDP context, sockets. tools/modem is the
full emulator on a pty; this one is portable and lives in virtual time. Command forms: Quectel EC2x AT
Commands Manual, EC2x TCP(IP) Manual.
"""

_SOCKETS = 4
_BUFFERED = 10  # datagrams a socket keeps until they are read
_IDENTITY = {
    "+CGMI": "Quectel",
    "+CGMM": "EC25",
    "+CGMR": "EC25EFAR06A01M4G",
    "+CGSN": "867698040000001",
    "+CIMI": "262010000000001",
    "+QCCID": "+QCCID: 89490200001000000016",
    "+CCID": "+CCID: 89490200001000000016",
    "+ICCID": "+ICCID: 89490200001000000016",
    "I": "Quectel\r\nEC25\r\nRevision: EC25EFAR06A01M4G",
}
_OF_SIM = ("+CIMI", "+QCCID", "+CCID", "+ICCID")


class Socket:
    def __init__(self, host, port, local_port, direct):
        self.host, self.port, self.local_port, self.direct = host, port, local_port, direct
        self.buffer = []


class AtModem:
    """out(bytes): towards the device's serial port. network(local_port, host, port, data): a datagram to the
    world."""

    def __init__(self, world, chance, out, network):
        self.world, self.chance, self._out, self._network = world, chance, out, network
        self.coverage = True
        self.sim = True
        self.slow = 1  # factor on every answer time
        self.errors = 0  # permille of commands that fail with +CME ERROR
        self.overrun = 0  # permille of what it says that the serial line loses, whole or its end
        self.dead_bearer = False  # the context is up, but nothing passes until it is activated anew
        self.mute_until = 0  # says nothing and hears nothing until then (ms)
        self._local_port = 20000
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
        self._close_context()
        self._apn = ""
        self._urc_registration, self._urc_sim = {}, False
        self._line, self._payload, self._payload_for = b"", b"", None
        self._commands, self._busy = [], False

    def _boot_done(self, boots):
        if boots == self._boots:
            self._say("\r\nRDY\r\n")
            self._search()

    def ready(self):
        """Whether it hears commands at all."""
        now = self.world.now
        return now >= self._ready_at and now >= self.mute_until

    @property
    def serving(self):
        """Whether nothing on this side keeps datagrams from passing once the device has dialled."""
        healthy = self.ready() and self.coverage and self.sim and not self.dead_bearer
        return healthy and not self.errors and not self.overrun and self.slow == 1

    # the network side

    def set_coverage(self, on):
        self.coverage = on
        self.world.trace("modem coverage %d" % on)
        if on:
            self._search()
        else:
            self.registered = False
            self._registration_urc(2)
            self.world.after(8000, self._radio_link_failed, self._boots)

    def set_sim(self, there):
        """The SIM is taken out or put in."""
        self.sim = there
        self.world.trace("modem sim %d" % there)
        if self._urc_sim:
            self._say("\r\n+QSIMSTAT: 1,%d\r\n" % there)
        if there:
            self._search()
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
            self._close_context()
            self.world.trace("modem context dropped")
            if not silently:
                self._say('\r\n+QIURC: "pdpdeact",1\r\n')

    def _close_context(self):
        self.context, self.sockets, self.dead_bearer = False, {}, False

    def lose_bearer(self):
        """The network forgets the context without a word to the modem."""
        if self.context:
            self.dead_bearer = True
            self.world.trace("modem bearer dead")

    def _search(self):
        self.world.after(self.chance.between(300, 3000), self._found, self._boots)

    def _found(self, boots):
        if boots == self._boots and self.coverage and self.functional and self.sim and not self.registered:
            self.registered = True
            self._registration_urc(1)

    def _registration_urc(self, state):
        for name in ("+CREG", "+CGREG", "+CEREG"):  # a fixed order: dicts have none on MicroPython
            if self._urc_registration.get(name):
                self._say("\r\n%s: %d\r\n" % (name, state))

    def datagram(self, host, port, data, local_port):
        """From the network to one of our sockets."""
        for number in range(_SOCKETS):
            socket = self.sockets.get(number)
            if socket and socket.local_port == local_port and self._connected():
                return self._incoming(number, socket, data)

    def _connected(self):
        return self.context and self.registered and not self.dead_bearer

    def _incoming(self, number, socket, data):
        if socket.direct:
            return self._say(b'\r\n+QIURC: "recv",%d,%d\r\n%s\r\n' % (number, len(data), data))
        if len(socket.buffer) < _BUFFERED:
            socket.buffer.append(data)
        if len(socket.buffer) == 1:  # no second URC before the first datagram was read
            self._say('\r\n+QIURC: "recv",%d\r\n' % number)

    # the serial side

    def receive(self, data):
        """Bytes from the device."""
        if not self.ready():
            return
        while data:
            data = self._take_text(data) if self._payload_for is None else self._take_payload(data)

    def _take_text(self, data):
        """One command line at most; -> what is left."""
        text, end, rest = data.partition(b"\r")
        self._line = (self._line + text)[-600:]
        if end:
            line, self._line = self._line.strip(b"\x1b\n "), b""
            if line:
                self._commands.append(str(line, "utf-8"))
                self._next()
        return rest

    def _take_payload(self, data):
        """The data that a prompt asked for; -> what is left."""
        number, length, host, port = self._payload_for
        if data[:1] == b"\x1b" and self.world.now - self._prompted_at > 1000:  # of one who has lost the thread
            self._payload, self._payload_for = b"", None
            self._finish("\r\nSEND FAIL\r\n", 5)
            return data[1:]
        missing = length - len(self._payload)
        self._payload += data[:missing]
        if len(self._payload) == length:
            self._transmit(self.sockets.get(number), host, port, self._payload)
            self._payload, self._payload_for = b"", None
        return data[missing:]

    def _transmit(self, socket, host, port, data):
        if socket is None:
            return self._finish("\r\nERROR\r\n", 5)
        if self._connected():
            self._network(socket.local_port, host or socket.host, port or socket.port, data)
        self._finish("\r\nSEND OK\r\n", 10)

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
            return self._finish(echo + "\r\n+CME ERROR: %d\r\n" % (3, 14, 100)[self.chance.below(3)], 20)
        name, mark, rest = body.partition("=")
        if not mark and name.endswith("?"):
            name, mark = name[:-1], "?"
        self._command(echo, name.upper(), mark, rest)

    def _command(self, echo, name, mark, rest):
        known = _COMMANDS.get(name)
        if name in _OF_SIM and not self.sim:
            self._error(echo, 10)
        elif name in _IDENTITY and mark in ("", "?"):
            self._ok(echo, _IDENTITY[name])
        elif known:
            known(self, echo, mark, rest)
        else:
            self._ok(echo)  # settings that do not matter here

    def _ok(self, echo, text=None, wait=10):
        self._finish("%s%s\r\nOK\r\n" % (echo, "\r\n%s\r\n" % text if text else ""), wait)

    def _error(self, echo, code, wait=10):
        self._finish("%s\r\n+CME ERROR: %d\r\n" % (echo, code), wait)

    def _finish(self, text, wait):
        """The final answer of a command comes `wait` ms (times the present slowness) later."""
        self._say(text, wait, True)

    def _say(self, text, wait=0, final=False):
        data = text if isinstance(text, bytes) else text.encode()
        when = self.world.now + 2 + wait * self.slow
        self._said_until = max(when, self._said_until)  # a serial line keeps its order
        self.world.at(self._said_until, self._said, self._boots, data, final)

    def _said(self, boots, data, final):
        if boots != self._boots:
            return
        if final:
            self._busy = False
        if self.world.now >= self.mute_until:
            self._over_the_line(data)
        if final:
            self._next()

    def _over_the_line(self, data):
        """Serial bytes come in pieces, or do not come."""
        cut = self.chance.below(len(data)) if self.chance.often(100) else 0
        if self.chance.often(self.overrun):
            data = b"" if b"+QIRD" in data else data[:cut]  # data cut short would be a broken datagram, not a lost one
        if 0 < cut < len(data):
            self._out(data[:cut])
            data = data[cut:]
        if data:
            self._out(data)

    # commands

    def _echo_off(self, echo, mark, rest):
        self.echo = False
        self._ok(echo)

    def _pin(self, echo, mark, rest):
        if mark != "?":
            return self._ok(echo)
        if self.sim:
            return self._ok(echo, "+CPIN: READY")
        self._error(echo, 10)

    def _functional(self, echo, mark, rest):
        if mark == "?":
            return self._ok(echo, "+CFUN: %d" % self.functional)
        self._ok(echo, None, 300)
        if rest.endswith(",1"):
            return self.power_on()
        self.functional = rest.startswith("1")
        if self.functional:
            self._search()
        else:
            self.registered = False
            self._close_context()

    def _registration(self, name):
        def serve(self, echo, mark, rest):
            if mark == "=":
                self._urc_registration[name] = rest != "0"
                return self._ok(echo)
            mode = 1 if self._urc_registration.get(name) else 0
            self._ok(echo, "%s: %d,%d" % (name, mode, 1 if self.registered else 2))

        return serve

    def _signal(self, echo, mark, rest):
        self._ok(echo, "+CSQ: %s,99" % (20 if self.registered else 99))

    def _attach(self, echo, mark, rest):
        self._ok(echo, "+CGATT: %d" % self.registered if mark == "?" else None)

    def _activate(self, echo, mark, rest):
        if mark == "?":
            return self._ok(echo, '+QIACT: 1,1,1,"10.64.0.2"' if self.context else None)
        if not self.registered:
            return self._error(echo, 30, 500)
        self.context, self.dead_bearer = True, False
        self._ok(echo, None, self.chance.between(200, 1200))

    def _context(self, echo, mark, rest):
        given = rest.replace('"', "").split(",")
        if len(given) > 2:
            self._apn = given[2]
            return self._ok(echo)
        self._ok(echo, '+QICSGP: 1,"%s","","",0' % self._apn)

    def _report_sim(self, echo, mark, rest):
        self._urc_sim = rest == "1"
        self._ok(echo)

    def _deactivate(self, echo, mark, rest):
        self._close_context()
        self._ok(echo, None, 200)

    def _open(self, echo, mark, rest):
        given = rest.replace('"', "").split(",")
        number = int(given[1])
        self._ok(echo)
        error = 0
        if not self.context:
            error = 561  # open PDP context failed
        elif number in self.sockets:
            error = 562  # operation not allowed: identifier in use
        elif not 0 <= number < _SOCKETS:
            error = 552
        else:
            self._local_port += 1  # a new port each time: NAT rebinding for the servers
            direct = len(given) > 6 and given[6] == "1"
            self.sockets[number] = Socket(given[3], int(given[4]), self._local_port, direct)
        self._say("\r\n+QIOPEN: %d,%d\r\n" % (number, error), self.chance.between(30, 300))

    def _close(self, echo, mark, rest):
        self.sockets.pop(int(rest.split(",")[0]), None)
        self._ok(echo, None, 20)

    def _send(self, echo, mark, rest):
        given = rest.replace('"', "").split(",")
        number, length = int(given[0]), int(given[1])
        if number not in self.sockets or not 0 < length <= 1460:
            return self._finish(echo + "\r\nERROR\r\n", 5)
        host, port = (given[2], int(given[3])) if len(given) > 3 else (None, None)
        self._payload_for, self._payload = (number, length, host, port), b""
        self._prompted_at = self.world.now
        self._say(echo + "\r\n> ", 5)

    def _read(self, echo, mark, rest):
        socket = self.sockets.get(int(rest.split(",")[0]))
        if socket is None:
            return self._finish(echo + "\r\nERROR\r\n", 5)
        if not socket.buffer:
            return self._ok(echo, "+QIRD: 0")
        data = socket.buffer.pop(0)
        head = "%s\r\n+QIRD: %d\r\n" % (echo, len(data))
        self._finish(head.encode() + data + b"\r\n\r\nOK\r\n", 10)


_COMMANDS = {
    "E0": AtModem._echo_off,
    "+CPIN": AtModem._pin,
    "+CFUN": AtModem._functional,
    "+CREG": AtModem._registration(None, "+CREG"),
    "+CGREG": AtModem._registration(None, "+CGREG"),
    "+CEREG": AtModem._registration(None, "+CEREG"),
    "+CSQ": AtModem._signal,
    "+CGATT": AtModem._attach,
    "+QSIMSTAT": AtModem._report_sim,
    "+QICSGP": AtModem._context,
    "+QIACT": AtModem._activate,
    "+QIDEACT": AtModem._deactivate,
    "+QIOPEN": AtModem._open,
    "+QICLOSE": AtModem._close,
    "+QISEND": AtModem._send,
    "+QIRD": AtModem._read,
}
