"""The broker of the device's groups, for the driver: a subscriber to the topics of the groups, by the link that is in
use; what comes is offered to the engine of policies. Loaded for a device whose groups have topics.
"""

from .accounts import instances
from .brokering import Line
from .engine.broker import Broker
from .errors import LocalError

_GROUP, _POLICIES, _TOPIC = 26243, 26244, 4
_LOOK_MS = 1000  # between looks at the configuration and the links
_AGAIN_MS, _TIMES = 10000, 30  # what may be taken later is offered again, so often
_LATER = ("throttled", "unknown key", "busy", "early", "storage")  # reasons that pass
_QUIET_MS = 60000
_PAUSE_MS, _SHARE, _PAUSES_MS = 50, 4, 4000  # after each message: so long, or so many times what it took, at most
_PORT = 1883


class Subscribed:
    """`joined`: a Joined; look() whenever something may have changed; close() at the end."""

    def __init__(self, joined):
        self._driver, self._open_stream = joined.driver, joined.streams.open_stream
        self._at = self._line = None
        self._kept = {}  # topic: [payload, token, times offered]

    def look(self):
        """Not now: it may be called from within what it would end."""
        self._driver.waiting.after(0, "subscribed", self._look)

    def close(self):
        """Good-bye."""
        self._driver.waiting.forget("subscribed")
        self._leave()

    def _look(self):
        self._driver.waiting.after(_LOOK_MS, "subscribed", self._look)
        tree = self._driver.agent.configuration.tree
        topics = [tree.get((_GROUP, one, _TOPIC)) for one in instances(tree, _GROUP)]
        topics = [topic for topic in topics if topic]
        uri, link = tree.get((_POLICIES, 0, 1)), self._link()
        at = None
        if uri and topics and link:
            at = (uri, tree.get((_POLICIES, 0, 2)), tree.get((_POLICIES, 0, 3)), link.name, link.address)
        if at != self._at:
            self._leave()
            self._at = at
            if at:
                self._begin(topics, link, *at[:3])
        elif self._line:
            self._line.want(topics)

    def _link(self):
        """The board's link that is in use, if it is one that carries streams."""
        driver = self._driver
        for link in driver.board.links():
            if link.name == driver.agent.links.active and link.name in driver._sockets:
                return link
        return None

    def _leave(self):
        line, self._line, self._at = self._line, None, None
        self._kept = {}
        self._driver.waiting.forget("subscribed again")
        if line:
            line.stop()

    def _begin(self, topics, link, uri, user, password):
        driver = self._driver
        host, _, port = uri[7:].partition(":")  # grouping.py has checked it
        port = int(port or _PORT)
        if password:
            driver.warn("insecure", host=uri, text="the broker's password goes in the clear")
        name = driver.agent.settings.get("endpoint")
        try:
            engine = Broker(name, topics, driver.board.below, user=user or None, password=password or None)
        except LocalError as e:
            return driver.warn("no broker", host=uri, error=e.args[0])
        self._line = Line(driver.waiting, driver.clock, engine,
                          lambda: self._open_stream(link, (self._address(link, host, port), port)), self._told,
                          lambda way, size: self._count(link, way, size))  # fmt: skip
        self._line.start()

    def _address(self, link, host, port):
        """OSError when it is not known yet: the subscriber tries again by and by."""
        if host.replace(".", "").isdigit():
            return host
        driver = self._driver
        if not driver._lookups:
            from .lookups import Lookups

            driver._lookups = Lookups(driver)
        ip = driver._lookups.find(link.name, host, port)
        if not ip:
            raise OSError(2, "the address of %s is not known yet" % host)
        return ip

    def _count(self, link, way, size):
        """What it costs: 40 bytes of IP and TCP on a piece, and an acknowledgement of it."""
        metrics = self._driver.agent.metrics
        if metrics:
            metrics.count(link.name, way, size + 12)
            metrics.count(link.name, 1 - way, 12)

    # what the subscriber tells

    def _told(self, what, *more):
        driver = self._driver
        if what == "message":
            self._take(*more)
        elif what == "up":
            driver.agent.log.info(driver.clock.now(), "broker", "up", link=self._at and self._at[3])
        else:
            driver.warn("broker lost", _QUIET_MS, error=more[0])

    def _take(self, topic, payload, token):
        """One document of a topic may be kept until it can be taken; a later one takes its place."""
        began, before = self._driver.clock.now(), self._kept.pop(topic, None)
        if before:
            self._line.stored(before[1])
        if self._is_done(payload):
            self._line.stored(token)
        else:
            self._kept[topic] = [payload, token, 0]
            self._driver.waiting.after(_AGAIN_MS, "subscribed again", self._again)
        self._line.rest(min(max(_PAUSE_MS, _SHARE * (self._driver.clock.now() - began)), _PAUSES_MS))

    def _again(self):
        for topic in list(self._kept):
            kept = self._kept[topic]
            kept[2] += 1
            if self._is_done(kept[0]) or kept[2] >= _TIMES:
                del self._kept[topic]
                self._line.stored(kept[1])
        if self._kept:
            self._driver.waiting.after(_AGAIN_MS, "subscribed again", self._again)

    def _is_done(self, payload):
        """Offer it; -> whether it was kept, or refused for good."""
        driver, now = self._driver, self._driver.clock.now()
        policing = driver.agent.policing
        before = _passing(policing)
        policing.offer(payload, "mqtt", now)
        driver.agent.poll(now)
        driver.flush()
        return before == _passing(policing) and policing.engine is not None


def _passing(policing):
    """How often the engine has given a reason that passes."""
    counts = policing.engine.counts if policing.engine else {}
    return sum([counts.get(word, 0) for word in _LATER])
