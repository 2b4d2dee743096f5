"""Addresses of host names, for the driver. A name that was resolved once keeps working when DNS is dead, over a restart
too: an old address is used until there is a newer one. Answers get back the name that was sent to."""

_NAMES = 8


class Names:
    """store: Store, which keeps the last known addresses."""

    def __init__(self, store):
        self._store = store
        self._known = {}  # (link, host name): (ip or None, believed until)
        self._hosts = {}  # (ip, port): host name

    def host(self, peer):
        """What (ip, port) was called when it was sent to."""
        return self._hosts.get(peer, peer[0])

    def find(self, link, host, port, now):
        """-> (ip or None, whether it is fresh: no need to ask). What was learned over another link serves, but each
        link is asked itself: they may see different worlds."""
        if is_number(host):
            self._hosts.pop((host, port), None)
            return host, True
        ip, until = self._known.get((link, host), (None, 0))
        ip = ip or self._store.get("names", {}).get(host)
        if ip:
            self._hosts[(ip, port)] = host
        return ip, until > now

    def learn(self, link, host, ip, until):
        """What this link's DNS says, believed until then (ms); None: nobody knows, so what there is will do."""
        if len(self._known) >= _NAMES:
            self._known, self._hosts = {}, {}
        self._known[(link, host)] = (ip, until)
        stored = self._store.get("names", {})
        if ip and stored.get(host) != ip:
            names = dict(stored) if len(stored) < _NAMES else {}
            names[host] = ip
            self._store.keep({"names": names})


def is_number(host):
    """An address rather than a name?"""
    return host.replace(".", "").isdigit()
