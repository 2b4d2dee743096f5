"""The device's groups as they are configured: objects 26243 (groups) and 26244 (who vouches for policies, and the
broker). Loaded where there are any, or when somebody gives the device some, and dropped.
"""

from .accounts import instances
from .errors import LocalError
from .table import rows

GROUP, POLICIES = 26243, 26244
_MOST = 8  # groups, as the engine of policies has it
_ROOT = 64  # bytes of a public key on P-256: x, y

# object resource kind low high: of a number itself, else of its length
_FORMS = """
26243 0 bytes 1 32
26243 1 int 0 255
26243 2 int 0 16777215
26243 3 str 0 21
26243 4 str 0 128
26243 5 bytes 0 64
26244 0 bytes 64 64
26244 1 str 0 255
26244 2 str 0 64
26244 3 bytes 0 128
"""


def check(tree):
    """LocalError unless the device can be in these groups: cause and remedy."""
    names = []
    for number in instances(tree, GROUP):
        name = tree.get((GROUP, number, 0))
        if name is None or name in names:
            raise LocalError("/26243/%d/0: a group needs an id that no other one has" % number)
        names.append(name)
        _check_multicast(number, tree.get((GROUP, number, 3)))
        topic = tree.get((GROUP, number, 4)) or ""
        if [char for char in topic if char in "+#\0"]:
            raise LocalError("/26243/%d/4: a topic to subscribe to has no + and no #" % number)
        if 0 < len(tree.get((GROUP, number, 5)) or b"") < 16:
            raise LocalError("/26243/%d/5: a guard has 16 bytes at least, or none" % number)
    if len(names) > _MOST:
        raise LocalError("/26243: %d groups; %d are possible" % (len(names), _MOST))
    _check_forms(tree)
    _check_broker(tree.get((POLICIES, 0, 1)) or "")


def secret(tree):
    """Whether there is something in it that may not be written in the clear."""
    found = [path for path in tree if (path[0], path[2]) in ((GROUP, 5), (POLICIES, 3)) and tree[path]]
    return bool(found)


def members(tree):
    """-> [(id, rank, guard or None)] of the groups, as the engine of policies takes them."""
    return [(tree[(GROUP, one, 0)], tree.get((GROUP, one, 1), 0), tree.get((GROUP, one, 5)) or None)
            for one in instances(tree, GROUP)]  # fmt: skip


def _check_forms(tree):
    for oid, rid, kind, low, high in rows(_FORMS):
        for path in [path for path in tree if (path[0], path[2]) == (int(oid), int(rid))]:
            value = tree[path]
            size = value if kind == "int" else len(value)
            if not int(low) <= size <= int(high):
                what = "" if kind == "int" else "of length "
                raise LocalError("/%d/%d/%d is %s" % (path + (what,)) + "%d; %s to %s are possible" % (size, low, high))


def _check_broker(uri):
    if uri[:8] == "mqtts://":
        raise LocalError("/26244/0/1: broker %r: the agent has no TLS; give a listener without, mqtt://host:port" % uri)
    host, colon, port = uri[7:].partition(":")
    digits = port.isdigit() and len(port) < 6 and 0 < int(port) < 65536
    if uri and (uri[:7] != "mqtt://" or not host or "/" in host or (colon and not digits)):
        raise LocalError("/26244/0/1: broker %r: give mqtt://host:port" % uri)


def _check_multicast(number, text):
    """ "239.0.0.1:5683"; none: the group is not spoken to that way. Addresses: RFC 5771."""
    if not text:
        return
    host, _, port = text.partition(":")
    parts = [int(part) for part in host.split(".") if part.isdigit() and len(part) < 4]
    fits = len(parts) == 4 == len(host.split(".")) and 224 <= parts[0] <= 239 and max(parts) < 256
    if not fits or not (port.isdigit() and len(port) < 6 and 0 < int(port) < 65536):
        raise LocalError("/26243/%d/3: %r: give 239.0.0.1:5683, an IPv4 multicast address and a port" % (number, text))
