"""Publishes groups' documents to an MQTT broker: each under its group's topic, retained, at QoS 1, so that who connects
later has it too.

What is to be retained is remembered here as well: a broker that comes back without its state is given all of it again.
The library runs in a thread of its own; all that it tells is handed to the event loop, and nothing here waits for it.
It sleeps in select(), which takes no descriptor over 1023: a process that opens so many starts this first.
"""

import asyncio
import contextlib
import ssl
from urllib.parse import urlsplit

from paho.mqtt import client as mqtt

from ...agent.errors import LocalError

_PORTS = {"mqtt": 1883, "mqtts": 8883}
_KEEP_ALIVE_S = 30
_RETRY_S = (1, 60)
_TOPICS, _BYTES = 10_000, 4096


class Broker:
    """uri: mqtt://host[:port] or mqtts://host[:port]; note(event, **fields): for a log; name: the client's, one a
    platform; ca: a file of certificates to trust (None: those of the system). LocalError: a URI that is none; OSError:
    no such file."""

    def __init__(self, uri, note, name="pointsman-platform", user=None, password=None, ca=None):
        self._place, self._note = _place(uri), note
        self._wanted, self._sent = {}, {}  # topic: document, until it is taken back; packet: (topic, document)
        self._open = set()  # topics whose document the broker has not confirmed
        self._up, self._kept, self._settled, self._loop = False, None, asyncio.Event(), None
        self._settled.set()
        self._client = self._made(name, user, password)
        if urlsplit(uri).scheme == "mqtts":
            self._client.tls_set_context(_trusting(ca))

    @property
    def connected(self):
        return self._up

    def start(self):
        """Connect, and stay so."""
        self._loop = asyncio.get_running_loop()
        self._client.connect_async(*self._place, keepalive=_KEEP_ALIVE_S)
        self._client.loop_start()

    async def stop(self):
        """Good-bye; what is retained stays."""
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)

    def publish(self, topic, document, before=False):
        """Retain this document under a topic, as soon as the broker is there; b"" takes back what is. before: it has
        been published by our predecessor, so only a broker that has lost it is given it. LocalError: a topic or a
        document that no broker takes, or too many."""
        if not 0 < len(topic.encode()) <= 256 or set(topic) & set("+#\0"):
            raise LocalError("topic %.80r: 1 to 256 bytes without + and #" % topic)
        if len(document) > _BYTES or (topic not in self._wanted and len(self._wanted) >= _TOPICS):
            raise LocalError("broker: up to %d topics, each with up to %d bytes" % (_TOPICS, _BYTES))
        self._wanted[topic] = bytes(document)
        if before and self._kept is not False:
            return  # _connected() sees to it
        self._open.add(topic)
        self._settled.clear()
        if self._up:
            self._send(topic)

    async def settled(self):
        """Until the broker has confirmed all of it."""
        await self._settled.wait()

    def _made(self, name, user, password):
        made = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=name, clean_session=False)
        made.reconnect_delay_set(*_RETRY_S)
        if user is not None:
            made.username_pw_set(user, password)
        made.on_connect = lambda _, __, flags, code, ___: self._tell(self._connected, flags.session_present, code)
        made.on_connect_fail = lambda *_: self._tell(self._note, "broker_unreachable")
        made.on_disconnect = lambda _, __, ___, code, ____: self._tell(self._lost, str(code))
        made.on_publish = lambda _, __, packet, *___: self._tell(self._confirmed, packet)
        return made

    def _tell(self, then, *what):
        """From the library's thread to ours; there is nobody to be told once the loop has ended."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(then, *what)

    def _connected(self, kept, code):
        if code.is_failure:
            return self._note("broker_refused", why=str(code))
        self._up, self._kept = True, kept
        self._note("broker_connected", session=kept)
        if not kept:  # it may have lost what it had retained
            self._open.update(self._wanted)
        if self._open:
            self._settled.clear()
        under_way = {topic for topic, _ in self._sent.values()}
        for topic in sorted(self._open - under_way if kept else self._open):
            self._send(topic)

    def _lost(self, why):
        if self._up:
            self._note("broker_lost", why=why)
        self._up = False

    def _send(self, topic):
        document = self._wanted[topic]
        self._sent[self._client.publish(topic, document, qos=1, retain=True).mid] = topic, document

    def _confirmed(self, packet):
        """The broker has it (PUBACK), unless another document has taken its place meanwhile."""
        topic, document = self._sent.pop(packet, (None, None))
        if topic not in self._open or self._wanted[topic] != document:
            return
        self._open.discard(topic)
        self._note("broker_published", topic=topic, bytes=len(document))
        if not document:
            del self._wanted[topic]
        if not self._open:
            self._settled.set()


def _place(uri):
    try:
        parts = urlsplit(uri)
        place = parts.hostname, parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        place = None, None
    if not all(place) or parts.path not in ("", "/") or parts.username is not None or parts.query or parts.fragment:
        raise LocalError("broker: mqtt://host[:port] or mqtts://host[:port], without user and password, is possible")
    return place


def _trusting(ca):
    context = ssl.create_default_context(cafile=ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
