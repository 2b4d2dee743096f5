"""A cellular modem by AT commands: how far to go, what came over the serial port, what to do.

The states and what is done in each are in modem_ladder.py; one AT command at a time in at_channel.py; datagrams in
at_sockets.py; what differs between makers in agent/modems. A step that a procedure yields is one of
  "AT+CSQ"                  a command -> (ok, lines); a refused one's last line is the final result
  ("AT+QISEND=0,2", b"hi")  a command with data for its prompt -> the same
  ("+QIOPEN:", 150000)      wait for a line that begins so -> the line, or None (too late, or in vain)
  2000                      wait that many ms -> True when something happened before
and a command that is not answered in time raises LinkError inside the procedure.
"""

from ..errors import LinkError, LocalError
from ..modems import generic
from ..overlay import drop
from .at_channel import Channel
from .at_sockets import Sockets
from .modem_ladder import Ladder


class Modem(Ladder):
    """family: a file of agent/modems, or "auto"; apn: "" = the network's own; below(n) -> random int in [0, n).

    `state` is ModemManager's word, `identity` a dict of what is known of iccid, imsi, imei, manufacturer, model and
    revision, `signal` dBm or None. session: "ppp" = dial, and let somebody else carry IP; "usb" = start
    the modem's own USB network. pin: the SIM's, or "" = leave a locked one alone. memory: what ("keep", memory) has
    asked for, also in an earlier life; wall: Unix s or 0. cmux: off, auto or on = dial in the modem's multiplexer,
    where it can. Raises LocalError for an unknown family or an impossible APN.
    """

    def __init__(self, family="auto", apn="", below=None, session="sockets", pin="", memory=None, wall=0, cmux="off"):
        self._channel, self._sockets = Channel(), Sockets()
        self._dialler = self._mux = None  # _mux: what stands between port and channel, while there is something
        if session == "ppp":
            from .modem_mux import dialler

            self._dialler = dialler(self, cmux)
        elif session == "usb":
            from .modem_usb import UsbNet

            self._dialler = UsbNet(self)
        self._below = below or (lambda n: 0)
        self._auto = family == "auto"
        self._use(generic if self._auto else generic.load(family))
        self.state, self.reason = "unknown", ""
        self.identity = {}
        self.signal = None
        self.malformed = 0  # answers that made no sense
        self._rung, self._apn, self._pin = "off", self._checked(apn), pin
        self._memory, self._wall = memory or {}, wall
        self._registration = {}  # "+CEREG": state
        self._out = []
        self._procedure = self._due = self._awaited = self._away = None
        self._now = self._entered = self._looked = self._dial_at = self._redialled = 0
        self._tries = self._toggles = self._silent = self._holds = self._redials = 0
        self._patient = self._heard = self._swapped = False  # swapped: there may be another SIM
        self._used, self._untidy = None, ""  # what was done in the last hour: when; what is to be done once registered

    def target(self, rung, now):
        """How far to go: "off", "registered" (attached to the network) or "connected" (datagrams)."""
        if rung not in ("off", "registered", "connected"):
            raise LocalError("modem: off, registered or connected, not " + rung)
        self._now = now
        if rung != self._rung:
            self._rung, self._dial_at, self._tries, self._holds = rung, now, 0, 0
            self._wake(True)
        if self._procedure is None:
            self._begin()

    def set_apn(self, apn, now):
        """Use another APN from now on; an open context is replaced. Raises LocalError when no modem could take it."""
        self._apn, self._now, self._dial_at = self._checked(apn), now, now
        self._wake(True)

    def _checked(self, apn):
        from .modem_bringup import checked

        drop("engine.modem_bringup")
        return checked(apn)

    def redial(self, now):
        """Hang up and dial again: nothing comes through although the context seems to be open."""
        if self.state == "connected":
            self._now = now
            self._drop("nothing comes through", self._rescue().fruitless(self))
            self._wake(True)

    def receive(self, data, now):
        """Bytes from the serial port."""
        self._now, self._heard = now, True
        if self._mux:
            data = self._mux.receive(data)
        for token in self._channel.reader.feed(data):
            result = self._channel.accept(token)
            if result is None:
                continue
            if result[0] == "answer":
                self._resume(result[1:])
            elif result[0] == "line":
                self._unsolicited(result[1])
            elif result[0] == "hold":
                self._due = now + result[1]
            else:
                self._wake()

    def lost(self, now):
        """The port vanished, or is back: nothing is known any more; start over and try until it answers."""
        self._now, self._heard = now, False
        self._restart("lost", "port lost")
        self._channel.stale = 0

    def send(self, host, port, data, now):
        """Send a datagram to a host (name or address) and port; False when it was dropped: not connected, too big."""
        self._now = now
        if self.state != "connected" or not self._sockets.send(host, port, data):
            return False
        self._wake()
        return True

    def session(self, reason, now):
        """The session that ("session", True) asked for has ended: the port is the modem's again."""
        if self._dialler and self._dialler.online:
            self._now = now
            self._dialler.ended()
            if self.state == "connected":
                self._drop(reason)
            self._wake(True)

    def poll(self, now):
        """Let time pass."""
        self._now = now
        if self._mux:
            self._mux.poll()
        if self._due is None or now < self._due:
            return
        command = self._channel.command
        if self._channel.held:
            self._due = now + self._channel.release()
        elif command is None:
            self._resume(None if self._awaited else False)
        else:
            self._channel.abandon()
            self._resume(None, LinkError("no answer to " + command.split("=")[0]))  # no PIN in a log

    def deadline(self):
        """When poll() is due (ms), or None."""
        return self._mux.deadline(self._due) if self._mux else self._due

    def take(self):
        """[("serial", bytes) | ("state", new, reason) | ("identity",) | ("datagram", host, port, bytes) |
        ("session", False, True: the port is its own, who takes its bytes by write(), or "resume", see Dialler) |
        ("data", bytes) for that one | ("keep", memory) | ("baud", bit/s or 0 for the board's own) | ("power", "on",
        "off" or "reset", ms to hold the line)]: to do. What is to be kept is kept before anything is sent;
        memory["kept"] then says whether it is."""
        if self._mux:
            self._mux.flush()
        out, self._out = self._out, []
        if self._channel.out:
            out.append(("serial", b"".join(self._channel.out)))
            self._channel.out = []
        return out

    def _begin(self):
        self._procedure = self._life()
        self._resume(None)

    def _restart(self, event, reason):
        self._channel.abandon()
        self._forget(event, reason)
        if self._procedure:
            self._procedure.close()
            self._begin()

    def _forget(self, event, reason):
        """All that was true of a modem that has begun anew."""
        self._sockets.reset()
        self._registration, self._untidy, self._swapped = {}, "", False
        if self._dialler:
            self._dialler.forget()
        self._event(event, reason)

    def _resume(self, value, error=None):
        """Hand the procedure an answer and start its next step."""
        self._due = self._awaited = None
        self._patient = False
        step = self._procedure.throw(error) if error else self._procedure.send(value)
        if isinstance(step, str):
            step = self._channel.start(step)
        elif isinstance(step, tuple) and isinstance(step[1], int):
            self._awaited, step = step
        elif isinstance(step, tuple):
            step = self._channel.start(*step)
        self._due = self._now + step

    def _wake(self, strong=False):
        """End a wait; one for a certain line, or out of patience, only for a strong reason."""
        if self._due is not None and self._channel.command is None:
            if strong or not (self._awaited or self._patient):
                self._resume(None if self._awaited else True)

    def _unsolicited(self, line):
        if self._awaited and line.startswith(self._awaited):
            self._resume(line)
        elif "REG: " in line.replace(":", ": ")[:9]:
            self._note(line)
            self._wake()
        else:
            event = self._channel.of("event")(line)
            if event:
                self._happened(*event)

    def _happened(self, event, what=None):
        """What an unsolicited line of the family meant."""
        if event == "context" and self.state == "connected":
            self._drop("context lost")
            self._wake(True)
        elif event == "boot":
            if self.state == "unknown":
                return self._wake(True)
            self._restart("lost", "restarted")
        elif event == "doubt" or event == "sim" and what and self.state not in ("unknown", "initializing"):
            self._swapped, self._looked = event == "sim", self._now - 3600000
            self._wake(self.state in ("failed", "locked"))
        elif event == "sim" and not what and self.state not in ("unknown", "failed", "initializing"):
            self.identity.pop("iccid", None)
            self.identity.pop("imsi", None)
            self._restart("failed", "no SIM")
        elif event in ("recv", "closed"):
            self._sockets.heard(event, what)
            self._wake()

    def _bearer(self):
        return self._dialler or self._channel.family

    def _use(self, family):
        if family is None:
            raise LocalError("modem: no such family; auto asks the modem")
        self._channel.family = family
        if hasattr(family, "reader"):
            self._channel.reader = family.reader(self._below)
        self._sockets.use(family)
