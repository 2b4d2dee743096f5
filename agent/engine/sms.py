"""The link that short messages make: CoAP datagrams in 8-bit messages (OMA LwM2M 1.1 Transport, SMS binding).

For a device without IP, or as the last way out. Messages cost money and take their time: there is a budget (a bucket
that fills up in a day), a link that nobody answers on rests for longer and longer, and no stranger gets an answer.
A datagram that does not fit goes in parts; parts that come are kept in a bounded table for a bounded time.

Anybody can forge a sender's number. So what comes from elsewhere than the server that is being spoken to is at most a
trigger: a hint that now is a good time to be heard of, and only so often. It never configures anything.
"""

from ..codec import coap, sms
from ..errors import RemoteError

try:
    from micropython import const
except ImportError:
    const = lambda value: value

_DAY_MS = const(86400000)
_MAX_PARTS = const(10)  # of a datagram, either way
_MAX_SETS = const(4)  # datagrams that wait for the rest of their parts
_SET_MS = const(600000)  # how long each of them waits
_REMEMBERED = const(8)  # datagrams put together: parts of theirs that come again are known
_TRIGGER_MS, _TRIGGERS = 60000, 10  # from one trigger to the next; and a day
_REST_MS, _REST_MAX_MS = 300000, 21600000  # of a link that nobody answers on
_PORT = const(5683)


class Sms:
    """below(n): randomness; per_day: messages a day; credit: what credit() was before the restart, None: all;
    patience_ms: the network need not try for longer to deliver a message."""

    def __init__(self, below, per_day, credit=None, patience_ms=300000):
        self._below, self._cost, self._patience_s = below, _DAY_MS // per_day, patience_ms // 1000
        self._reserve = min(per_day, max(4, per_day // 10)) * self._cost  # before it is up again
        self._credit = _DAY_MS if credit is None else min(max(0, credit), _DAY_MS)  # ms of a day's worth
        self._at = 0  # when it was so
        self._reference = below(256)
        self._carrier, self.up = False, False
        self._rests, self._until = 0, None
        self._sets, self._done = [], []  # [key, {place: bytes}, due]; (key, due)
        self._triggers = []  # when they came
        self.counters = {"sent": 0, "received": 0, "dropped": 0, "refused": 0, "strange": 0, "repeated": 0,
                         "incomplete": 0, "triggers": 0, "too_often": 0}  # fmt: skip
        self._out = []

    def change(self, carrier, now):
        """Whether the modem can send and receive messages."""
        self._carrier = carrier
        self._judge(now)

    def send(self, number, port, data, now):
        """Send a datagram to a number; port: 0, or the one that the server wants to see. False: it was dropped - no
        link, no budget, too long, no such number."""
        ports = (port, _PORT) if port else None
        try:
            parts = sms.encode(number, data, "", self._reference, ports, self._patience_s)
        except RemoteError:
            parts = ()
        cost = len(parts) * self._cost
        if not self.up or not 0 < len(parts) <= _MAX_PARTS or cost > self.credit(now):
            self.counters["dropped"] += 1
            return False
        self._reference = self._reference + 1 & 255
        self._credit -= cost
        self.counters["sent"] += len(parts)
        self._out += [("text", pdu, length) for pdu, length in parts]
        self._out.append(("keep", self._credit))
        self._judge(now)
        return True

    def receive(self, pdu, now):
        """A message as the modem gives it: hexadecimal. Whatever is wrong with it is counted, and that is all."""
        try:
            message = sms.decode(pdu)
        except RemoteError:
            self.counters["refused"] += 1
            return
        ports = message.get("ports")
        if "data" not in message or message["kind"] != "deliver" or ports and ports[0] != _PORT:
            self.counters["strange"] += 1
            return
        self.counters["received"] += 1
        data = self._whole(message, now) if message["part"] else message["data"]
        if data:
            self._out.append(("datagram", message["number"], data))

    def answered(self):
        """The server that is spoken to was heard."""
        self._rests = 0

    def failed(self, now):
        """Nobody answers: rest, longer each time."""
        rest = min(_REST_MS << min(self._rests, 8), _REST_MAX_MS)
        self._rests += 1
        self._until = now + rest + self._below(rest // 4 + 1)
        self._judge(now)

    def wake(self, now):
        """Rest no longer."""
        self._until = None
        self._judge(now)

    def hinted(self, data, now):
        """Whether this datagram is a trigger, Execute of /1/x/8 or /1/x/9, and not one too many."""
        try:
            message = coap.decode(data)
            path = [bytes(item) for item in message.all(coap.URI_PATH)]
        except RemoteError:
            path = ()
        if len(path) != 3 or message.code != coap.POST or path[0] != b"1" or path[2] not in (b"8", b"9"):
            self.counters["strange"] += 1
            return False
        recent = [at for at in self._triggers if now - at < _DAY_MS]
        if len(recent) >= _TRIGGERS or recent and now - recent[-1] < _TRIGGER_MS:
            self.counters["too_often"] += 1
            return False
        self._triggers = recent + [now]
        self.counters["triggers"] += 1
        return True

    def credit(self, now):
        """What is left of the budget, in ms of the day that fills it."""
        self._credit = min(_DAY_MS, self._credit + now - self._at)
        self._at = now
        return self._credit

    def left(self, now):
        """Messages that may be sent now."""
        return self.credit(now) // self._cost

    def poll(self, now):
        """Let time pass."""
        kept = [waiting for waiting in self._sets if waiting[2] > now]
        self.counters["incomplete"] += len(self._sets) - len(kept)
        self._sets = kept
        self._judge(now)

    def deadline(self):
        """When poll() is due (ms), or None."""
        due = [waiting[2] for waiting in self._sets]
        if self._until is not None:
            due.append(self._until)
        elif self._carrier and not self.up:
            due.append(self._at + max(0, self._reserve - self._credit))
        return min(due) if due else None

    def take(self):
        """[("link", up) | ("text", PDU, its length for +CMGS) | ("keep", credit) | ("datagram", number, bytes)]"""
        out, self._out = self._out, []
        return out

    def _judge(self, now):
        """Up while the modem can, somebody answers, and there is budget - once there was none: some of it."""
        if self._until is not None and now >= self._until:
            self._until = None
        enough = self.credit(now) >= (self._cost if self.up else self._reserve)
        up = self._carrier and self._until is None and enough
        if up != self.up:
            self.up = up
            self._out.append(("link", up))

    def _whole(self, message, now):
        """A part came: the datagram, when it was the last that was missing, else None."""
        reference, count, place = message["part"]
        key = (message["number"], reference, count)
        self._done = [row for row in self._done if row[1] > now]
        if count > _MAX_PARTS:
            self.counters["refused"] += 1
            return None
        found = [waiting for waiting in self._sets if waiting[0] == key]
        if key in [row[0] for row in self._done] or found and place in found[0][1]:
            self.counters["repeated"] += 1
            return None
        if not found:
            self.counters["incomplete"] += len(self._sets) >= _MAX_SETS
            self._sets = self._sets[-(_MAX_SETS - 1) :] + [[key, {}, now + _SET_MS]]
            found = self._sets[-1:]
        pieces = found[0][1]
        pieces[place] = message["data"]
        if len(pieces) < count:
            return None
        self._sets.remove(found[0])
        self._done = self._done[1 - _REMEMBERED :] + [(key, now + _SET_MS)]
        return b"".join([pieces[number] for number in sorted(pieces)])


def same_number(one, other):
    """Whether two ways to write a number mean one subscriber: a sender's comes with a country code, or without."""
    one, other = one.lstrip("+0"), other.lstrip("+0")
    shorter = min(len(one), len(other))
    return shorter >= 7 and one[-shorter:] == other[-shorter:] or one == other
