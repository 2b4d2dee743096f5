"""Host names for the driver: each is asked for over the link that it is needed on, whose own DNS servers are asked.
Loaded with the first name, as servers that are known by number need none of it."""

from .interpreter import peer_of, reason, receive, send_to
from .linking import LTE
from .names import Names
from .overlay import drop

_AT_ONCE = 16  # names looked up
_AGAIN_MS = 10000  # before a name is asked for again that nobody knew
_DNS = 53


class Lookups:
    """Sends for the driver what goes to names."""

    def __init__(self, driver):
        self._driver, self._names = driver, Names(driver.agent.store)
        self._pending = {}  # (link, host): _Lookup

    def host(self, peer):
        """What (ip, port) was called when it was sent to."""
        return self._names.host(peer)

    def send(self, link, host, port, data):
        """A datagram; one for a name not yet known goes out when it is, if it is the first one."""
        ip, fresh = self._names.find(link, host, port, self._driver.clock.now())
        if ip and data:
            self._driver.transmit(link, (ip, port), data)
        if not fresh and (link, host) not in self._pending and len(self._pending) < _AT_ONCE:
            self._begin(link, host, None if ip or not data else (port, data))

    def find(self, link, host, port):
        """-> the ip of a host, or None: it is asked for, and known later."""
        self.send(link, host, port, b"")
        return self._names.find(link, host, port, self._driver.clock.now())[0]

    def drop(self, link):
        """The link is gone, and its questions with it."""
        for key in [key for key in self._pending if key[0] == link]:
            self._pending.pop(key).close()

    def _begin(self, link, host, waiting):
        ip, servers = self._known(link, host)
        if ip:
            return self._learned(link, host, ip, 60, "", waiting)
        lookup = self._pending[(link, host)] = _Lookup(self._driver, link, host, servers, self._ended)
        lookup.waiting = waiting
        lookup.go_on()

    def _known(self, link, host):
        """-> (address that the board knows by itself, or None; the DNS servers to be asked over this link)."""
        driver = self._driver
        board = getattr(driver.board, "names", None)
        ip, servers = board(host, link) if board else (None, [])
        if driver.call and link == LTE:
            servers = driver.call.servers() + servers
        for item in driver.agent.settings.get("dns").split(","):
            where, _, server = item.rpartition("=")
            if server and where in ("", link):
                servers.append(server)
        found = []
        for server in servers:
            server, _, port = server.partition(":")
            found.append((server, int(port or _DNS)))
        return ip, found

    def _ended(self, lookup, resolver):
        del self._pending[(lookup.link, lookup.host)]
        self._learned(lookup.link, lookup.host, resolver.address, resolver.ttl_s, resolver.reason, lookup.waiting)
        if not self._pending:
            drop("engine.resolver", "codec.dns")

    def _learned(self, link, host, ip, ttl_s, why, waiting):
        now = self._driver.clock.now()
        if not ip:
            self._driver.warn("unknown host", 60000, link=link, host=host, error=why)
        self._names.learn(link, host, ip, now + (ttl_s * 1000 if ip else _AGAIN_MS))
        if ip and waiting:
            self.send(link, host, *waiting)


class _Lookup:
    """One name on one link: the resolver and the socket of its last question."""

    def __init__(self, driver, link, host, servers, then):
        from .engine.resolver import Resolver

        self.link, self.host, self.waiting = link, host, None
        self._driver, self._then, self._sock = driver, then, None
        self._resolver = Resolver(host, servers, driver.board.below, driver.clock.now())

    def go_on(self):
        """Do what the resolver wants."""
        resolver, driver = self._resolver, self._driver
        for _, server, data in resolver.take():
            self.close()
            try:
                self._open()
                send_to(self._sock, data, server)
                self._count(0, data)
            except OSError as e:
                driver.warn("unasked", link=self.link, host=server[0], error=reason(e))
                driver.waiting.after(0, self, self._unsent)
                return
        if resolver.state == "asking":
            return driver.waiting.after(max(0, resolver.deadline() - driver.clock.now()), self, self._poll)
        self.close()
        self._then(self, resolver)

    def close(self):
        self._driver.waiting.forget(self)
        if self._sock:
            self._driver.waiting.off(self._sock)
            self._sock.close()
            self._sock = None

    def _open(self):
        """A socket of the link's own, on a port that nobody can know."""
        for link in self._driver.board.links():
            if link.name == self.link:
                self._sock = link.open()
                self._driver.waiting.on(self._sock, self._read)

    def _read(self):
        try:
            data, address = receive(self._sock)
        except OSError:
            return  # an ICMP error: the time-out says the same
        self._count(1, data)
        self._resolver.receive(peer_of(address), data, self._driver.clock.now())
        self.go_on()

    def _poll(self):
        self._resolver.poll(self._driver.clock.now())
        self.go_on()

    def _unsent(self):
        self._resolver.unsent(self._driver.clock.now())
        self.go_on()

    def _count(self, way, data):
        metrics = self._driver.agent.metrics
        if metrics:
            metrics.count(self.link, way, len(data))
