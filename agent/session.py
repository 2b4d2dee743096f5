"""One data call between the modem's data port and the machine's own IP: what the driver does after ("session", "up").

The board's port either carries PPP itself (pppd, or an ESP32's network stack) or takes packets (TUN); then PPP is
spoken here. Its states are the port's and the PPP engine's; this only joins them.
"""

from .interpreter import reason
from .linking import LTE

_LOOK_MS = 500  # between looks whether the port has ended
_GRACE_MS = 5000  # for a polite end
_AT_ONCE = 32  # packets a turn
_PAUSE_MS = 5000  # what a pause for commands takes, and a little more
_HUNG_UP = b"~\r\nNO CARRIER"  # a frame has ended, and no other begins: it cannot be a part of one


class Session:
    """port: from board.session(); below(n): randomness."""

    def __init__(self, port, below, user="", secret=""):
        self.port, self.reason = port, None  # why it has ended
        self.address, self.servers = "", []
        self._ppp, self._tail, self._out = None, b"", []
        self._due = self._last = None
        if port.packets:
            from .engine.ppp import Ppp

            self._ppp = Ppp(below, user, secret)

    def start(self, now):
        """CONNECT has been said."""
        self._due = now + _LOOK_MS
        if self._ppp:
            self._ppp.open(now)
            self._obey()

    def receive(self, data, now):
        """Bytes of the data call from the modem."""
        if self._ppp:
            self._ppp.receive(data, now)
            return self._obey()
        heard = self._tail + data
        self._tail = heard[-len(_HUNG_UP) :]
        if _HUNG_UP in heard:
            return self._end("no carrier")
        self._give(data)

    def readable(self, now):
        """The port's stream has something: PPP for the modem, or packets."""
        if not self._ppp:
            data = self.port.read()
            if data:
                self._out.append(data)
            return
        for _ in range(_AT_ONCE):
            packet = self.port.read()
            if not packet:
                break
            if packet[0] >> 4 == 4:
                self._ppp.send(packet)
        self._obey()

    def stop(self, now):
        """Hang up; `reason` says when it has ended."""
        if self._last is None:
            self._last = now + _GRACE_MS
            self.port.stop()
            if self._ppp:
                self._ppp.close(now)
                self._obey()

    def poll(self, now):
        """Let time pass."""
        if self._ppp:
            self._ppp.poll(now)
            self._obey()
        if self._due is not None and now >= self._due:
            self._due = now + _LOOK_MS
            ended = self.port.ended()
            if ended:
                self._end(ended)
        if self._last is not None and now >= self._last:
            self._end("killed")

    def close(self):
        """Once `reason` says that it has ended, or to end it at once; nobody may wait for the stream any more."""
        self._end("closed")
        self.port.kill()

    def deadline(self):
        """When poll() is due (ms), or None once it has ended."""
        if self.reason is not None:
            return None
        times = [self._due, self._last, self._ppp.deadline() if self._ppp else None]
        times = [due for due in times if due is not None]
        return min(times) if times else None

    def take(self):
        """Bytes for the modem."""
        out, self._out = self._out, []
        return b"".join(out)

    def _obey(self):
        """Do what the PPP engine says."""
        for item in self._ppp.take():
            if item[0] == "serial":
                self._out.append(item[1])
            elif item[0] == "packet":
                self._give(item[1])
            elif item[0] == "up":
                self.address, self.servers = item[1], item[3]
                try:
                    self.port.up(item[1], item[2])
                except OSError as e:
                    self._end("%s" % e)
            else:
                self._end(item[1])

    def _give(self, data):
        if self.reason is None:
            try:
                self.port.write(data)
            except OSError:
                pass  # a datagram lost, as on any line

    def _end(self, reason):
        if self.reason is None:
            self.reason = reason


def _nothing():
    """What a port does that has nothing to suspend."""


class Call:
    """Runs one session for the driver, between its serial port and the board's. channel: True = the port is the
    session's, as `port` says; else what carries its bytes to the modem, beside others."""

    def __init__(self, driver, channel):
        self._driver, self._channel, self.port = driver, channel, channel is True
        self._session, self._told, self._lent = None, False, False
        self._looked = driver.clock.now()

    def start(self):
        driver = self._driver
        try:
            own = [driver.agent.settings.get(name) for name in ("ppp_user", "ppp_secret")]
            self._session = Session(driver.board.session(*own), driver.board.below, *own)
        except (OSError, AttributeError) as e:
            why = reason(e)
            driver.warn("no session", error=why)
            return driver.waiting.after(1, "call", lambda: self._over(why))
        driver.waiting.on(self._session.port.stream, self._readable)
        self._session.start(driver.clock.now())
        self._push()

    def stop(self):
        """Hang up; at once when there is no port any more."""
        if not self._session:
            self._driver.call = None
        elif self._lent:
            self._session._end("hung up")
            self._push()
        elif self._driver.port and (self.port or self._channel.carries):
            self._session.stop(self._driver.clock.now())
            self._push()
        else:
            self._session._end("hung up" if self._driver.port else "port lost")
            self._push()

    def heard(self, data):
        """Bytes from the modem."""
        if self._session:
            self._session.receive(data, self._driver.clock.now())
            self._push()

    def resume(self):
        """The modem, which has had the port for a while (see _lend), carries data again."""
        if self._lent and self._session:
            port, self._lent, self.port = self._session.port, False, True
            getattr(port, "resume", _nothing)()
            self._driver.waiting.on(port.stream, self._readable)
            self._push()

    def _lend(self, now):
        """Lend the port to the modem engine for a look, where that wants it. A port that does not go by way of the
        driver has suspend() and resume()."""
        driver, session = self._driver, self._session
        self._looked = now
        if driver.agent.modem.aside(now):
            driver.waiting.off(session.port.stream)
            getattr(session.port, "suspend", _nothing)()
            self._lent, self.port = True, False
        driver.flush()

    def _quiet(self, now):
        """Whether nothing would be missed: it is time to look at the modem, nothing is under way and nothing due."""
        agent = self._driver.agent
        period_ms, until = agent.settings.get("ppp_look_s") * 1000, now + _PAUSE_MS
        if not self.port or not period_ms or now - self._looked < period_ms or not agent.modem:
            return False
        if agent.bootstrap or agent.discovery:
            return False
        registrar = agent.registration.registrar
        if not registrar or registrar[1] != LTE:
            return agent.links.active != LTE
        due = [agent.exchange.deadline(), agent.registration.deadline(), agent.reports.deadline()]
        due += [watch.due for watch in agent.probes.watches if watch.peer[0] == LTE] if agent.probes else []
        return not [at for at in due if at is not None and at < until]

    def servers(self):
        """-> the DNS servers that the network has named."""
        return self._session.servers if self._session else []

    def end(self):
        """At once, because the agent ends."""
        session, self._session = self._session, None
        if session:
            self._driver.waiting.off(session.port.stream)
            session.close()

    def _readable(self):
        self._session.readable(self._driver.clock.now())
        self._push()

    def _poll(self):
        if self._session:
            now = self._driver.clock.now()
            self._session.poll(now)
            self._push()
            if self._session and self._quiet(now):
                self._lend(now)

    def _push(self):
        session, driver = self._session, self._driver
        data, now = b"" if self._lent else session.take(), driver.clock.now()
        if data:
            (driver if self.port else self._channel).write(data)
        if session.address and not self._told:
            self._told = True
            driver.agent.log.info(now, "session", "up", address=session.address)
        due = session.deadline()
        if due is not None:
            return driver.waiting.after(max(1, due - now), "call", self._poll)
        self.end()
        driver.waiting.after(0, "call", lambda: self._over(session.reason))  # the agent may be in the midst of asking

    def _over(self, why):
        if self._driver.call is self:
            self._driver.call = None
        self._driver.agent.session_ended(why, self._driver.clock.now())
        self._driver.flush()


def change(driver, begins):
    """What the agent's ("session", begins) asks for: a call by this channel (True: the port is its own), "resume": it
    may go on; False: no more."""
    if begins == "resume":
        driver.call.resume()
    elif begins:
        driver.call = Call(driver, begins)
        driver.call.start()
    elif driver.call:
        driver.call.stop()
