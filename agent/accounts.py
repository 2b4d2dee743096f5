"""Server accounts: what a device must know of each server, kept as LwM2M resources and checked as a whole.

The tree {(object, instance, resource): value} over objects 0, 1, 26241 and 26242 is the only form in which
configuration is stored and staged; an Account is a reading of it.
"""

from .errors import LocalError

SECURITY, SERVER, REGISTRAR, POINTSMAN = 0, 1, 26241, 26242
CONFIGURED = (SECURITY, SERVER, REGISTRAR, POINTSMAN)
NOSEC = 3
_PORTS = {"coap": 5683, "coaps": 5684}


class Account:
    """One server: instance id, short server id, address, lifetime (s), links it may be reached over, order of
    preference."""

    def __init__(self, tree, security, instance):
        self.instance = instance
        self.uri = tree.get((SECURITY, security, 0), "")
        self.scheme, self.host, self.port = split_uri(self.uri)
        self.bootstrap = bool(tree.get((SECURITY, security, 1), False))
        self.mode = tree.get((SECURITY, security, 2), NOSEC)
        self.ssid = tree.get((SECURITY, security, 10), 0)
        self.lifetime_s = tree.get((SERVER, instance, 1), 300)
        self.priority = tree.get((SERVER, instance, 13), 0)
        self.links = [name for name in tree.get((REGISTRAR, instance, 1), "").split(",") if name]
        self.knows_epoch = bool(tree.get((REGISTRAR, instance, 2), False))

    def allows(self, link):
        """Whether this server may be reached over `link` (no list: over any)."""
        return not self.links or link in self.links

    def peer(self, link):
        return (link, self.host, self.port)


def split_uri(uri):
    """-> (scheme, host, port) of coap://host[:port]. LocalError for anything else."""
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


def check(tree, insecure):
    """LocalError unless the tree is a configuration that one can register with: the consistency check of Bootstrap-
    Finish."""
    found = accounts(tree)
    if not found:
        raise LocalError("no server account: /0 and /1 are needed")
    for account in found:
        if not 1 <= account.ssid <= 65534:
            raise LocalError("%s: short server id %r is not in 1..65534" % (account.uri, account.ssid))
        if not 10 <= account.lifetime_s <= 86400 * 365:
            raise LocalError("%s: lifetime %r s is not in 10..31536000" % (account.uri, account.lifetime_s))
        if account.mode != NOSEC:
            raise LocalError("%s: security mode %r is not built in; NoSec (3) is" % (account.uri, account.mode))
        if not insecure:
            raise LocalError("%s: NoSec is refused; allow it with the setting insecure" % account.uri)


def single(uri, lifetime_s):
    """The tree of a device that knows one standard server and nothing else."""
    return {
        (SECURITY, 0, 0): uri,
        (SECURITY, 0, 1): False,
        (SECURITY, 0, 2): NOSEC,
        (SECURITY, 0, 10): 1,
        (SERVER, 0, 0): 1,
        (SERVER, 0, 1): lifetime_s,
        (SERVER, 0, 6): True,
        (SERVER, 0, 7): "U",
    }


def bootstrap_single(uri):
    """The rows of a bootstrap server's own account; its instance is out of the way of what servers write."""
    rows = ((0, uri), (1, True), (2, NOSEC), (10, 0))
    return {(SECURITY, 65534, rid): value for rid, value in rows}


def pack(tree):
    """For the store: [[object, instance, resource, value]] in a fixed order (dicts are not ordered on MicroPython)."""
    return [[key[0], key[1], key[2], tree[key]] for key in sorted(tree)]


def unpack(rows):
    return {(row[0], row[1], row[2]): row[3] for row in rows}
