"""Brings policies to the device's groups beside its registrar: listens on each link for what is sent to their multicast
addresses. Loaded for a device that is in a group, and then kept; run.py says when groups or links are others.

What is sent to a group is a NON POST to /policy (RFC 7252 8): CBOR [window ms, base, bitmap], then the document. Bit k
of the bitmap (byte k / 8, least significant bit first) speaks to the member with index base + k; null speaks to all.
Whoever is spoken to acknowledges to its registrar, over its own session, at a random moment of the window. The sender,
whose address anybody can forge, hears nothing: no answer, no error, no reset.
"""

from hashlib import sha256

from .accounts import instances
from .codec import cbor, coap
from .errors import RemoteError
from .interpreter import reason, receive
from .overlay import drop

_GROUP = 26243
_DUPLICATE = 3
_DOCUMENT, _BITMAP = 1024, 128  # bytes, at most
_WINDOW_MS, _INDEX = 600000, 16777215  # at most
_EAGAIN = (11, 35)
_PAUSE_MS, _SHARE = 20, 4  # after each datagram: so long, or so many times what it took; no flood takes us longer
_PAUSES_MS = 4000  # at most: where others take the processor for seconds, the next document waits no longer
_AGAIN_MS = 1000  # between two answers that it is here already
_RETRY_MS = 30000  # until an address that could not be joined is tried again
_QUIET_MS = 3600000  # between two words about that


def join(driver):
    """The agent is in groups, or in others."""
    driver.groups = driver.groups or Joined(driver)
    driver.groups.look()


class Joined:
    """Listens for the driver's agent: one socket for a link and an address, however many groups share it."""

    def __init__(self, driver):
        self.driver, self.streams = driver, driver.board.streams()
        self._heard = {}  # (link, its address, "239.0.0.1:5683"): the socket
        self._again = 0  # when one may say that it has a document already
        self._last = (b"", None)  # the hash of the last genuine document, and our index in its group
        self._subscribed = None  # to a broker, where a group has a topic

    def look(self):
        """The groups, the links or the active link are others now."""
        wanted, self._last = self._wanted(), (b"", None)
        for key in [key for key in self._heard if key not in wanted]:
            self._leave(key)
        for key in wanted:
            if key not in self._heard:
                self._enter(key)
        tree = self.driver.agent.configuration.tree
        if not self._subscribed and [one for one in instances(tree, _GROUP) if tree.get((_GROUP, one, 4))]:
            from .subscribing import Subscribed

            self._subscribed = Subscribed(self)
        if self._subscribed:
            self._subscribed.look()

    def close(self):
        """No more of it."""
        if self._subscribed:
            self._subscribed.close()
        for key in list(self._heard):
            self._leave(key)

    def _wanted(self):
        """Not over a link that costs money: it would be paid to be asked who listens, and no operator carries it."""
        agent, sockets = self.driver.agent, self.driver._sockets
        tree, metered = agent.configuration.tree, agent.settings.get("metered").split(",")
        places = [tree.get((_GROUP, one, 3)) for one in instances(tree, _GROUP)]
        return [(name, sockets[name][1], place) for name in sockets if name not in metered for place in places if place]

    def _enter(self, key):
        try:
            self._heard[key] = self.streams.open_group(key[1], key[2])
            self._await(key)
        except OSError as e:
            self.driver.warn("not joined", _QUIET_MS, link=key[0], host=key[2], error=reason(e))
            self.driver.waiting.after(_RETRY_MS, "groups", self.look)

    def _leave(self, key):
        sock = self._heard.pop(key)
        self.driver.waiting.forget(key)
        self.driver.waiting.off(sock)
        sock.close()

    def _await(self, key):
        self.driver.waiting.on(self._heard[key], lambda: self._take_in(key))

    def _take_in(self, key):
        """One datagram, and then none for a while."""
        driver, sock = self.driver, self._heard[key]
        began, data = driver.clock.now(), b""
        driver.waiting.off(sock)
        try:
            data, _ = receive(sock)
        except OSError as e:
            if e.errno not in _EAGAIN:
                driver.warn("unreceived", link=key[0], host=key[2], error=reason(e))
        if data:
            if driver.agent.metrics:
                driver.agent.metrics.count(key[0], 1, len(data))
            self.hear(data, began)
            driver.flush()
        if key in self._heard:
            pause = min(max(_PAUSE_MS, _SHARE * (driver.clock.now() - began)), _PAUSES_MS)
            driver.waiting.after(pause, key, lambda: self._await(key))

    def hear(self, data, now):
        """A datagram that was sent to a group."""
        agent = self.driver.agent
        try:
            message = coap.decode(data)
            if message.type != coap.NON or message.code != coap.POST or coap.unknown_critical(message) is not None:
                return
            if message.path() != ("policy",):
                return
            window, base, bitmap, document = _announced(message.payload)
        except RemoteError:
            return
        digest = sha256(document).digest()
        if digest == self._last[0] and not _speaks_to(self._last[1], base, bitmap):
            return  # asks others again: in a large group most do
        told = agent.policing.offer(document, "multicast", now, 0)
        if told:
            group, version, index = self._about(document)
            self._last = digest, index
            if window and _speaks_to(index, base, bitmap):
                self._acknowledge(group, version, told, window, now)
        agent.poll(now)

    def _about(self, document):
        """(group, version, our index there or None) of a genuine document."""
        from .north.pushing import about

        agent = self.driver.agent
        tree, (group, version) = agent.configuration.tree, about(agent.policing.engine.split, document)
        drop("north.pushing", "codec.cose", "codec.strict")
        found = [tree.get((_GROUP, one, 2)) for one in instances(tree, _GROUP) if tree[(_GROUP, one, 0)] == group]
        return group, version, found[0]

    def _acknowledge(self, group, version, told, window, now):
        """At a random moment of the window. Whoever repeats a document does not have us repeat that it is here as often
        as he likes."""
        if told[0] == _DUPLICATE:
            if now < self._again:
                return
            self._again = now + _AGAIN_MS
        engine = self.driver.agent.policing.engine
        engine.acknowledge(engine.member(group), version, told[0], told[1], now, window)


def _announced(payload):
    """(ms, base, bitmap or None, document) in a payload. Raises RemoteError: malformed, or over a limit."""
    if len(payload) > _DOCUMENT + _BITMAP + 16:
        raise RemoteError("policy: an announcement of %d bytes" % len(payload))
    head, at = cbor.decode_from(payload, 0)
    drop("codec.cbor_reading")
    document = payload[at:]
    if type(head) is not list or len(head) != 3 or not 1 <= len(document) <= _DOCUMENT:
        raise RemoteError("policy: no [window, base, bitmap] and document")
    window, base, bitmap = head
    for number, most in ((window, _WINDOW_MS), (base, _INDEX)):
        if type(number) is not int or not 0 <= number <= most:
            raise RemoteError("policy: a window or a base that is none")
    if bitmap is not None and not (type(bitmap) is bytes and 1 <= len(bitmap) <= _BITMAP):
        raise RemoteError("policy: a bitmap that is none")
    return window, base, bitmap, document


def _speaks_to(index, base, bitmap):
    if bitmap is None:
        return True
    k = -1 if index is None else index - base
    return 0 <= k < 8 * len(bitmap) and bool(bitmap[k >> 3] >> (k & 7) & 1)
