"""Listens to an MQTT 3.1.1 broker: the documents of the device's groups, each group's under a topic of its own.

Bytes of one connection at a time and the time in ms come in, wishes and messages go out; there is no socket and no
clock in here, and so nothing that could wait. The session outlives its connections (clean session 0), and a message is
acknowledged when stored() says that it is safe: until then the broker sends it again on each new connection.

A broker that falls silent is found out by a ping; one that cannot be reached is tried again after a jittered back-off,
for ever. Whatever a broker sends that no broker sends ends the connection, and what does not fit is let go by.
"""

from ..codec import mqtt
from ..errors import RemoteError
from ..table import follow

# state event next-state
_TRANSITIONS = """
idle start greeting
greeting accepted subscribing
greeting resumed listening
subscribing granted listening
listening topics subscribing
greeting lost waiting
subscribing lost waiting
listening lost waiting
waiting due greeting
greeting stop idle
subscribing stop idle
listening stop idle
waiting stop idle
"""
_ANSWER_MS = 20000  # for a connection and its CONNACK, a SUBACK, a PINGRESP
_STEADY_MS = 60000  # a connection that lasted so long was a good one
_FIRST_MS, _LONGEST_MS = 2000, 300000  # back-off
_OPEN = 20  # messages that wait for stored(); mosquitto does not send more at a time
_TOPICS = 8
_CREDENTIALS = (2, 4, 5)  # return codes that another try does not mend
_WORDS = ("", "version", "client id", "unavailable", "credentials", "not authorised")


class Broker:
    """client: the device's name; topics: [str], up to 8; below(n): randomness; user: str; password: bytes; longest:
    bytes of a message. LocalError where one of them does not fit into a packet."""

    def __init__(self, client, topics, below, keepalive_s=240, user=None, password=None, longest=2048):
        self.state, self.topics, self.lost_why = "idle", list(topics[:_TOPICS]), ""
        self.counters = {"messages": 0, "too_long": 0, "strange": 0, "lost": 0}
        self._hello = mqtt.connect(client, keepalive_s, user, password)
        self._below, self._longest = below, longest + 2 * _OPEN
        self._quiet_ms = keepalive_s * 750  # a broker waits half as long again, a carrier's NAT may not
        self._reader, self._out = None, []
        self._open, self._tokens, self._number = {}, 0, 0  # token -> packet identifier
        self._granted, self._asking, self._asked = None, [], 0
        self._tries, self._up_at = 0, None
        self._ping_at = self._due = None  # when to ask whether the broker is there; when what was asked is overdue

    def start(self, now):
        """From now on, until stop()."""
        self._tries = 0
        if self.state == "idle" and self.topics:
            self._dial("start", now)

    def stop(self):
        """Good-bye; the session stays with the broker."""
        if self.state == "idle":
            return
        if self.state != "waiting":
            self._out += [("tcp", mqtt.DISCONNECT), ("close",)]
        self._ended("stop")

    def want(self, topics, now):
        """Listen to these topics from now on; to none: stop."""
        self.topics = list(topics[:_TOPICS])
        if not self.topics:
            self.stop()
        elif self.state == "listening" and self.topics != self._granted:
            self._subscribe("topics", now)

    def stored(self, token):
        """The message with this token is safe. One of an earlier connection comes again, and is acknowledged then."""
        number = self._open.pop(token, None)
        if number:
            self._out.append(("tcp", mqtt.puback(number)))

    def receive(self, data, now):
        """Bytes came from the broker."""
        if self.state in ("idle", "waiting"):
            return
        why = ""
        try:
            packets = self._reader.feed(data)
        except RemoteError as e:
            why, packets = e.args
        try:
            for packet in packets:
                self._take_in(packet, now)
        except RemoteError as e:
            why = e.args[0]
        if why:
            self.counters["strange"] += 1
            self.lost(why, now)

    def lost(self, why, now):
        """The connection is gone, or could not be made."""
        if self.state in ("idle", "waiting"):
            return
        if self._up_at is not None and now - self._up_at >= _STEADY_MS:
            self._tries = 0
        self.counters["lost"] += 1
        self.lost_why = why
        self._out += [("close",), ("down", why)]
        self._ended("lost")
        span = min(_FIRST_MS << min(self._tries, 16), _LONGEST_MS)
        self._tries += 1
        self._due = now + span // 2 + self._below(span)

    def poll(self, now):
        """Let time pass."""
        if self._due is not None and now >= self._due:
            if self.state == "waiting":
                self._dial("due", now)
            else:
                self.lost("no answer", now)
        elif self._ping_at is not None and now >= self._ping_at:
            self._ping_at, self._due = None, now + _ANSWER_MS
            self._out.append(("tcp", mqtt.PINGREQ))

    def deadline(self):
        """When poll() is due (ms), or None."""
        return self._due if self._ping_at is None else self._ping_at

    def take(self):
        """-> what is to be done, in this order: ("dial",), ("tcp", bytes), ("close",); and what there is to tell:
        ("up",), ("down", why), ("message", topic, payload, token): to be followed by stored(token)."""
        out, self._out = self._out, []
        return out

    def _dial(self, event, now):
        self._do(event)
        self._reader = mqtt.Reader(self._longest)
        self._due = now + _ANSWER_MS
        self._out += [("dial",), ("tcp", self._hello)]

    def _take_in(self, packet, now):
        kind, flags, body, cut = packet
        if self.state in ("idle", "waiting"):
            return
        if (kind == mqtt.CONNACK) != (self.state == "greeting"):
            raise RemoteError("mqtt: packet type %d in state %s" % (kind, self.state))
        if self.state == "listening":
            self._ping_at, self._due = now + self._quiet_ms, None
        if kind == mqtt.CONNACK:
            self._welcomed(body, now)
        elif kind == mqtt.PUBLISH:
            self._message(cut, *mqtt.publication(flags, body))
        elif kind == mqtt.SUBACK:
            self._confirmed(body, now)

    def _welcomed(self, body, now):
        kept, code = mqtt.connack(body)
        if code:
            if code in _CREDENTIALS:
                self._tries = 16  # no need to hurry
            self.lost("refused: " + (_WORDS[code] if code < len(_WORDS) else str(code)), now)
        elif kept and self.topics == self._granted:
            self._listen("resumed", now)
        else:
            self._subscribe("accepted", now)

    def _subscribe(self, event, now):
        self._do(event)
        self._asked, self._asking, self._granted = self._next_number(), self.topics, None
        self._ping_at, self._due = None, now + _ANSWER_MS
        self._out.append(("tcp", mqtt.subscribe(self._asked, self.topics)))

    def _confirmed(self, body, now):
        number, codes = mqtt.suback(body)
        if self.state != "subscribing" or number != self._asked or len(codes) != len(self._asking):
            raise RemoteError("mqtt: SUBACK of something else")
        if mqtt.REFUSED in codes:
            self._tries = 16
            return self.lost("refused: topic " + self._asking[codes.index(mqtt.REFUSED)], now)
        self._granted = self._asking
        self._listen("granted", now)
        self.want(self.topics, now)  # they may have changed meanwhile

    def _listen(self, event, now):
        self._do(event)
        self._up_at = now
        self._ping_at, self._due = now + self._quiet_ms, None
        self._out.append(("up",))

    def _message(self, cut, topic, payload, number):
        """A message; what is not wanted, or too long, is acknowledged, as it would come again else."""
        if topic in self.topics and not cut:
            if len(self._open) >= _OPEN:
                return  # it comes again on the next connection
            self.counters["messages"] += 1
            self._tokens += 1
            if number:
                self._open[self._tokens] = number
            self._out.append(("message", topic, payload, self._tokens))
            return
        if cut:
            self.counters["too_long"] += 1
        if number:
            self._out.append(("tcp", mqtt.puback(number)))
        if topic not in self.topics:  # of a group that was left while the broker was away
            self._out.append(("tcp", mqtt.unsubscribe(self._next_number(), topic)))

    def _next_number(self):
        self._number = self._number % 65535 + 1
        return self._number

    def _ended(self, event):
        self._do(event)
        self._reader = self._up_at = self._ping_at = self._due = None
        self._open = {}

    def _do(self, event):
        self.state = follow(_TRANSITIONS, self.state, event)
