"""A data call and AT commands side by side on one serial port, by the modem's multiplexer (3GPP TS 27.010).

Channel 1 is for commands, channel 2 for the call. It is entered once the modem is registered, so that dialling does
not wait for it. A modem that refuses it, or whose multiplexer dies, is dialled without one until we are started anew; a
modem that has merely restarted is not blamed. A part of the modem engine, loaded where `session` is ppp.
"""

from ..codec import at
from ..errors import LinkError
from ..modems import generic
from .cmux import Cmux
from .modem_session import Dialler

_AT, _DATA = 1, 2  # channels
_ANSWER = "+MUX: "  # begins a line that we make up: what a procedure waits for has happened
_SETTLE_MS = 300  # after the OK; modems need 100 to 300 ms
_OPEN_MS = 2000
_DIAL_MS = 60000
_IDLE_MS = 30000  # of silence; then we ask whether anybody is there
_BUSY_MS = 1000  # the same while a command waits for its answer
_SENT_MS = 5000  # and when the session has sent something
_MAX_LINE = 120


def dialler(modem, cmux):
    """What dials for this modem engine. cmux: off, auto, on."""
    return Dialler(modem) if cmux == "off" else Multiplexed(modem, cmux == "on")


class Multiplexed(Dialler):
    """`modem` is the engine, and its _mux is this object while the modem multiplexes. eager: also a modem that nobody
    knows, or of which it is not known how to get out again. `carries`: there is a call, and write() works."""

    def __init__(self, modem, eager=False):
        Dialler.__init__(self, modem)
        self._eager, self.plain = eager, False  # plain: without, from now on
        self._cmux, self._said, self._framed = None, [], []
        self._words = at.Reader()  # of what is said outside of all frames, and while dialling
        self.carries = self._greeted = self._fell = self._garbled = self._unheard = False
        self._quiet = self.since = 0  # since when: silence, the radio
        self._text = b""

    # --- for the procedures ---

    def start(self):
        """Enter the multiplexer, where the modem can; end a call that the network has lost."""
        if self.online:
            return (yield from self.disconnect())
        command = self._command()
        if not command or self._cmux:
            return
        modem = self._modem
        wait = modem._channel.of("MUX_MS") or 0
        while self.since + wait > modem._now:
            modem._patient = True
            yield self.since + wait - modem._now
        try:
            if not (yield command)[0]:
                self.plain = True
                return
            modem._patient = True
            yield _SETTLE_MS
            self._enter(int((command + ",,31").split(",")[3]))
            if (yield from self._reach(_AT)) and (yield from self._reach(_DATA)):
                return (yield from self._greet())
        except LinkError:
            pass
        self.plain, last = True, self.leave()
        self.forget()
        modem._channel.out.append(last)
        modem._event("lost", "no multiplexer")

    def connect(self, apn):
        """Dial on the channel for data. Returns "" or why it was refused."""
        if not self._cmux:
            return (yield from Dialler.connect(self, apn))
        reason = yield from self._define(apn)
        if reason:
            return reason
        if not (yield from self._reach(_DATA)):
            return "no channel"
        self._text = b""
        self._cmux.write(_DATA, self._modem._channel.of("DIAL").encode() + b"\r")
        answer = yield (_ANSWER, _DIAL_MS)
        if self.online:
            return ""
        yield from self._shut()
        return answer[len(_ANSWER) :] if answer else "no answer"

    def disconnect(self):
        """Have the session ended, and the call."""
        if not self._cmux:
            return (yield from Dialler.disconnect(self))
        yield from self._finish()
        yield from self._shut()

    def rouse(self):
        """As Dialler.rouse(); a multiplexer that fell silent and was still on is not entered again."""
        left = yield from Dialler.rouse(self)
        self.plain, self._fell = self.plain or left and self._fell, False
        return left

    def _command(self):
        channel = self._modem._channel
        if self.plain or channel.family is generic and not self._eager:
            return ""
        return channel.of("MUX") or (generic.MUX if self._eager else "")

    def _enter(self, size):
        self._cmux, self._said, self._framed, self._quiet = Cmux(size), [], [], self._modem._now
        self._greeted = self._garbled = False
        self._words.reset()
        self._modem._mux = self
        self._modem._channel.reader.reset()

    def _reach(self, channel):
        """Open a channel unless it is. Whether it is."""
        if self._cmux.state(channel) == "closed":
            self._cmux.open(channel, self._modem._now)
            yield (_ANSWER, _OPEN_MS)
        return self._cmux is not None and self._cmux.state(channel) == "open"

    def _shut(self):
        if self._cmux and self._cmux.state(_DATA) != "closed":
            self._cmux.close(_DATA, self._modem._now)
            yield (_ANSWER, _OPEN_MS)

    def _greet(self):
        """Many modems keep their settings for each channel. LinkError when the channel carries nothing."""
        yield "AT"
        own = self._modem._channel.of("INIT").split("\n")[1:-1]
        for command in ["ATE0", "AT+CMEE=1"] + own + ["AT+CEREG=1", "AT+CGREG=1", "AT+CREG=1"]:
            yield command
        self._greeted = True
        self._modem._prepared = False  # modem_texts.py

    # --- for the engine ---

    def receive(self, data):
        """Bytes from the port -> those of the channel for commands."""
        cmux, modem = self._cmux, self._modem
        before = cmux.frames
        cmux.receive(data, modem._now)
        if cmux.frames > before:
            self._quiet, self._garbled, self._unheard = modem._now, False, False
        text = self._heard()
        for token in self._words.feed(cmux.noise()):
            self._garbled = True
            event = modem._channel.of("event")(token) if isinstance(token, str) else None
            if event and event[0] == "boot":
                text += b"\r\n%s\r\n" % token.encode()
        return text

    def poll(self):
        """Let time pass."""
        cmux, now = self._cmux, self._modem._now
        cmux.poll(now)  # a procedure that waits for what comes too late finds out by itself
        if cmux.deadline() is None and now >= self._doubted():
            cmux.check(now)
        self._heard()

    def deadline(self, due):
        """When poll() is due (ms), or `due` when that is sooner."""
        if self._framed or self._cmux.pending():
            return self._modem._now
        mine = self._cmux.deadline()
        mine = self._doubted() if mine is None else mine
        return mine if due is None else min(due, mine)

    def flush(self):
        """Put what is to be said into frames."""
        channel = self._modem._channel
        data = b"".join(channel.out)
        if data:
            self._quiet = self._modem._now
            self._cmux.write(_AT, data)
        self._drain()
        channel.out, self._framed = self._framed, []

    def write(self, data):
        """Bytes of the session for the modem. While it holds us back some wait; the rest is lost, as on any line."""
        if self.carries:
            self._unheard = True
            self._cmux.write(_DATA, data)

    def ended(self):
        """The session is over."""
        self.carries = False
        if self._cmux:
            self.online = False
        else:
            Dialler.ended(self)

    def forget(self):
        """The port has vanished, or the modem has restarted; or we give it up: what is left to be said still goes."""
        if self._cmux:
            self.flush()
            self._cmux = self._modem._mux = None
        self._said, self.carries = [], False
        Dialler.forget(self)

    def leave(self):
        """As Dialler.leave(): ends the multiplexer and all its channels, and with them the call."""
        from .modem_probe import CLOSE_DOWN

        return CLOSE_DOWN if self._cmux else Dialler.leave(self)

    def close(self):
        """Nothing is answered any more over the channel for commands."""
        self.plain = True
        self.forget()

    def _doubted(self):
        hurry = self._garbled or self._modem._channel.command is not None
        return self._quiet + (_BUSY_MS if hurry else _SENT_MS if self._unheard else _IDLE_MS)

    def _drain(self):
        for item in self._cmux.take():
            (self._framed if item[0] == "serial" else self._said).append(item[1] if item[0] == "serial" else item)

    def _heard(self):
        """React to what the multiplexer says -> bytes of the channel for commands."""
        text = b""
        self._drain()
        while self._said:
            item = self._said.pop(0)
            if item[0] == "channel" and item[1] == _AT:
                text += item[2]
            elif item[0] == "channel":
                text += self._called(item[2])
            elif item[0] == "up" and item[1]:
                text += _told("up")
            elif item[0] == "closed":
                text += self._gone(item[1], item[2])
            elif item[0] == "carrier" and item[1] == _DATA and not item[2]:
                self._hung_up()
        return text

    def _called(self, data):
        """Of the channel for data: the session's once CONNECT was said."""
        if self.carries:
            self._modem._out.append(("data", data))
            return b""
        lines = (self._text + data).split(b"\n")
        while len(lines) > 1:
            for word in self._words.feed(lines.pop(0) + b"\n"):
                if word[:7] == "CONNECT":
                    self.carries = True
                    self._say(self)
                    self._modem._out.append(("data", b"\n".join(lines)))
                    return _told(word)
                if at.final(word, self._modem._channel.of("REFUSALS")) is False:
                    self._text = b""
                    return _told(word)
        self._text = lines[0][-_MAX_LINE:]
        return b""

    def _hung_up(self):
        """The call is over; the session says when it is, too."""
        if self.carries:
            self.carries = False
            self._modem._out.append(("session", False))

    def _gone(self, number, reason):
        if number == _DATA or not self._greeted:
            self._hung_up()
            return _told(reason)
        self._fell = True
        self._modem._restart("lost", "multiplexer: " + reason)
        return b""


def _told(word):
    return b"\r\n%s%s\r\n" % (_ANSWER.encode(), word.encode())
