"""Addresses of host names, for the driver. A name that was resolved once keeps working when DNS is dead, over a restart
too: an old address is used until there is a newer one. Answers get back the name that was sent to."""

from .interpreter import peer_of

_FRESH_MS = 600000  # how long a resolved name is believed without asking again
_NAMES = 8


class Names:
    """store: Store, which keeps the last known addresses."""

    def __init__(self, store):
        self._store = store
        self._known = {}  # (host name, port) -> (address, believed until)
        self._hosts = {}  # (ip, port) -> host name

    def host(self, peer):
        """What (ip, port) was called when it was sent to."""
        return self._hosts.get(peer, peer[0])

    def find(self, host, port, now):
        """-> (address or None, whether it is fresh: no need to ask)."""
        if host.replace(".", "").isdigit():
            self._hosts.pop((host, port), None)
            return (host, port), True
        known = self._known.get((host, port))
        if not known:
            ip = self._store.get("names", {}).get(host)
            known = ((ip, port), 0) if ip else (None, 0)
        if known[0]:
            self._hosts[peer_of(known[0])] = host
        return known[0], known[1] > now

    def learn(self, host, port, address, now):
        """An address as the interpreter gave it; None: nobody knows now, so what there is will do for a while."""
        address = address or self.find(host, port, now)[0]
        if not address:
            return
        if len(self._known) >= _NAMES:
            self._known, self._hosts = {}, {}
        self._known[(host, port)] = (address, now + _FRESH_MS)
        ip, stored = peer_of(address)[0], self._store.get("names", {})
        if stored.get(host) != ip:
            names = dict(stored) if len(stored) < _NAMES else {}
            names[host] = ip
            self._store.keep({"names": names})
