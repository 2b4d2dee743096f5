"""Server accounts: what a device must know of each server, kept as LwM2M resources and checked as a whole.

The tree {(object, instance, resource): value} over objects 0, 1, 2, 21 and 26241 to 26244 is the only form in which
configuration is stored and staged; an Account is a reading of it.
"""

from .errors import LocalError

SECURITY, SERVER, ACCESS, OSCORE, REGISTRAR, POINTSMAN = 0, 1, 2, 21, 26241, 26242
CONFIGURED = (SECURITY, SERVER, ACCESS, OSCORE, REGISTRAR, POINTSMAN, 26243, 26244)
PSK, NOSEC = 0, 3
_PORTS = {"coap": 5683, "coaps": 5684}


class Account:
    """One server: instance id, short server id, address, lifetime (s), links it may be reached over, order of
    preference."""

    def __init__(self, tree, security, instance):
        self.security, self.instance = security, instance
        self.uri = tree.get((SECURITY, security, 0), "")
        self.scheme, self.host, self.port = split_uri(self.uri)
        self.number = tree.get((SECURITY, security, 9), "")
        self.bootstrap = bool(tree.get((SECURITY, security, 1), False))
        # With what: credentials.py.
        self.guarded = tree.get((SECURITY, security, 2), NOSEC) != NOSEC or (SECURITY, security, 17) in tree
        self.ssid = tree.get((SECURITY, security, 10), 0)
        self.lifetime_s = tree.get((SERVER, instance, 1), 300)
        self.priority = tree.get((SERVER, instance, 13), 0)
        self.links = [name for name in tree.get((REGISTRAR, instance, 1), "").split(",") if name]
        self.knows_epoch = bool(tree.get((REGISTRAR, instance, 2), False))

    def allows(self, link):
        """Whether this server may be reached over `link` (no list: over any)."""
        return bool(self.peer(link)) and (not self.links or link in self.links)

    def peer(self, link):
        """Where it is over that link; None: it has no number, or nothing but one."""
        if (link == "sms") == (self.scheme == "sms"):
            return (link, self.host, self.port)
        return (link, self.number, 0) if link == "sms" and self.number else None


def split_uri(uri):
    """-> (scheme, host, port) of coap://host[:port], or of sms:+number (RFC 5724). LocalError for anything else."""
    if isinstance(uri, str) and uri.startswith("sms:"):
        return "sms", uri[4:].lstrip("/"), 0
    scheme, mark, rest = uri.partition("://") if isinstance(uri, str) else ("", "", "")
    if not mark or scheme not in _PORTS:
        raise LocalError("server address %r: give coap://host:port" % (uri,))
    rest = rest.split("/")[0]
    if rest.startswith("["):
        raise LocalError("server address %r: IPv6 is not supported; give a name or an IPv4 address" % uri)
    host, mark, port = rest.partition(":")
    number = int(port) if port.isdigit() and len(port) < 6 else (0 if mark else _PORTS[scheme])
    if not host or len(host) > 253 or " " in host or not 0 < number < 65536:
        raise LocalError("server address %r: give coap://host:port, port 1..65535" % uri)
    return scheme, host, number


def instances(tree, oid):
    return sorted({key[1] for key in tree if key[0] == oid})


def accounts(tree):
    """-> [Account] of the LwM2M servers, most preferred first. LocalError names what does not fit together."""
    servers = {}
    for instance in instances(tree, SERVER):
        servers[tree.get((SERVER, instance, 0))] = instance
    found = []
    for security in instances(tree, SECURITY):
        if not tree.get((SECURITY, security, 1)):
            ssid = tree.get((SECURITY, security, 10))
            if ssid not in servers:
                raise LocalError("/0/%d: no /1 instance has its short server id %r" % (security, ssid))
            found.append(Account(tree, security, servers[ssid]))
    return sorted(found, key=lambda account: (account.priority, account.instance))


def bootstrap_account(tree):
    """-> the bootstrap server's Account or None."""
    for security in instances(tree, SECURITY):
        if tree.get((SECURITY, security, 1)):
            return Account(tree, security, security)
    return None


def pack(tree):
    """For the store: [[object, instance, resource, value]] in a fixed order (dicts are not ordered on MicroPython)."""
    return [[key[0], key[1], key[2], tree[key]] for key in sorted(tree)]


def unpack(rows):
    return {(row[0], row[1], row[2]): tuple(row[3]) if isinstance(row[3], list) else row[3] for row in rows}
