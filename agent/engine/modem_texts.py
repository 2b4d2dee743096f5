"""Short messages through the modem (TS 27.005, PDU mode): a part of the modem engine, loaded only for the link sms.

Messages are read as soon as the modem tells of them, and deleted: a full store takes none. They are sent while it is
registered, data or no data, one at a time between all else.
"""

from ..codec import at, at_sms
from ..errors import RemoteError
from .at_channel import Channel
from .modem import Modem

_QUEUE = 20  # messages
_STALE_MS = 120000  # one that could not be sent for so long is not worth it
_AGAIN_MS = 10000  # until a modem that did not let itself be set up is asked again
_SENT_MS, _LISTED_MS = 120000, 20000
_STORAGES = "SM ME"
_TOLD = "AT+CNMI=2,1,0,0,0 AT+CNMI=1,1,0,0,0 AT+CNMI=2,2,0,0,0"  # how to tell of messages; the first it takes


class TextChannel(Channel):
    """Knows that behind +CMT: and +CDS: there is a line more."""

    _head = None

    def of(self, name):
        """As Channel.of(); a message is asked for by a prompt, whatever the family has instead for its sockets."""
        if name == "asks" and self.command is not None and self.command.startswith("AT+CMGS"):
            return None
        return Channel.of(self, name)

    def start(self, command, data=None):
        limit = Channel.start(self, command, data)
        if command.startswith("AT+CMGS"):
            self.limit = limit = _SENT_MS
        return _LISTED_MS if command.startswith("AT+CMGL") else limit

    def accept(self, token):
        head, self._head = self._head, None
        if head and _is_pdu(token):
            return "line", head + "\n" + token
        self.dropped += head is not None
        if token[:5] in ("+CMT:", "+CDS:"):
            if _is_pdu(token.rpartition(" ")[2]):  # some put it behind the header
                return "line", token
            self._head = token
            return None
        return Channel.accept(self, token)


class TextModem(Modem):
    """A modem that is also good for short messages. `data`: whether it may dial as well."""

    data = True

    def __init__(self, *known):
        Modem.__init__(self, *known)
        plain, self._channel = self._channel, TextChannel()
        self._channel.family, self._channel.reader = plain.family, plain.reader
        self._texts, self._lying = [], []  # (PDU, length, since when): to be sent; indices: to be read
        self._prepared, self._ask_at, self._taken = False, 0, 0

    @property
    def texts(self):
        """Whether messages can be sent and received now."""
        if self.state == "connected" and self._dialler and not self._mux:  # the line is the session's
            return False
        return self.state in ("registered", "connecting", "connected", "disconnecting")

    def target(self, rung, now):
        """As Modem.target, but always as far as messages need it, and no further where there is to be no data."""
        Modem.target(self, rung if rung == "connected" and self.data else "registered", now)

    def text(self, pdu, length, now):
        """Send a message (sms.encode made it); False when too many wait."""
        if not self.texts or len(self._texts) >= _QUEUE:
            return False
        self._now = now
        self._texts.append((pdu, length, now))
        self._wake()
        return True

    def _restart(self, event, reason):
        self._texts, self._lying, self._prepared, self._ask_at, self._taken = [], [], False, 0, 0
        Modem._restart(self, event, reason)

    def _unsolicited(self, line):
        try:
            if line.startswith("+CMTI:"):
                self._lying = self._lying[1 - _QUEUE :] + [at_sms.arrived(line)[1]]
                return self._wake()
            if line[:5] in ("+CMT:", "+CDS:"):
                self._taken += self._channel.of("TAKEN") is not None
                self._out.append(("message", at_sms.delivered(line.split("\n"))))
                return self._wake()
        except RemoteError:
            self.malformed += 1
            return None
        return Modem._unsolicited(self, line)

    def _attached(self):
        """Messages go wherever it is registered for anything (TS 27.007 7.2: 6 and 7 = for messages only)."""
        for state in self._registration.values():
            if at.registered(state) or state in (6, 7):
                return True
        return False

    def _unknown(self):
        self._channel.out.append(b"\x1b")  # before a restart it may have been asked to send, and waits for the text
        return Modem._from_below(self)

    def _registered(self):
        return self._post() if self._has_post() else Modem._registered(self)

    def _connected(self):
        return self._post() if self._has_post() and (self._mux or not self._dialler) else Modem._connected(self)

    def _has_post(self):
        if not self._prepared:
            return self._now >= self._ask_at
        return bool(self._taken or self._lying or self._texts)

    def _post(self):
        """Do one thing: set up, read one, or send one."""
        if not self._prepared:
            yield from self._prepare()
        elif self._taken:
            self._taken -= 1
            yield self._channel.of("TAKEN")  # or the network sends it again, and nothing else
        elif self._lying:
            yield from self._read(self._lying.pop(0))
        else:
            pdu, length, since = self._texts.pop(0)
            if self._now - since < _STALE_MS:
                yield from self._submit(pdu, length)

    def _prepare(self):
        self._ask_at = self._now + _AGAIN_MS
        if self._channel.of("TAKEN"):  # it has no store and no other mode
            self._prepared = (yield self._channel.of("SMS"))[0]
            return
        ok, _ = yield "AT+CMGF=0"
        if ok:
            yield from _first(['AT+CPMS="%s","%s","%s"' % (name, name, name) for name in _STORAGES.split()])
            ok = yield from _first((self._channel.of("SMS") or _TOLD).split())
        if ok:
            self._prepared = True
            yield from self._read_all()

    def _read_all(self):
        """What came while nobody listened."""
        for _ in range(_QUEUE):
            ok, lines = yield "AT+CMGL=4"
            found = at_sms.listed(lines) if ok else ()
            for index, _, pdu in found:
                self._out.append(("message", pdu))
                yield "AT+CMGD=%d" % index
            if not found:
                break

    def _read(self, index):
        ok, lines = yield "AT+CMGR=%d" % index
        try:
            if ok and lines:
                self._out.append(("message", at_sms.stored(lines)[1]))
        except RemoteError:
            self.malformed += 1
        yield "AT+CMGD=%d" % index

    def _submit(self, pdu, length):
        ok, lines = yield ("AT+CMGS=%d" % length, pdu.encode() + b"\x1a")
        if not ok:
            self._out.append(("unsent", lines[-1]))
        self._looked = self._now - _SENT_MS  # some modems lose their context over a message


def _first(commands):
    """Try one after the other; whether one was taken."""
    for command in commands:
        ok, _ = yield command
        if ok:
            return True
    return False


def _is_pdu(text):
    return isinstance(text, str) and text != "" and not text.upper().strip("0123456789ABCDEF")
