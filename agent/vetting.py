"""Configurations as a whole: whether one can be lived with, and those that settings make. Needed at a start and at the
end of a bootstrap, and dropped again.
"""

from .accounts import NOSEC, POINTSMAN, SECURITY, SERVER, accounts, bootstrap_account
from .errors import LocalError


def is_number(text):
    """Whether this is a telephone number that a short message can have (E.164: up to 15 digits)."""
    return text.lstrip("+").isdigit() and 3 <= len(text) <= 16


def check(tree, insecure):
    """LocalError unless the tree is a configuration that one can register with: the consistency check of Bootstrap-
    Finish."""
    found = accounts(tree)
    if not found:
        raise LocalError("no server account: /0 and /1 are needed")
    for account in found:
        number = account.host if account.scheme == "sms" else account.number
        if (number or account.scheme == "sms") and not is_number(number):
            raise LocalError("%s: telephone number %r: give it as +491701234567" % (account.uri, number))
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


def given(tree, get):
    """The tree, and what settings add to it; with server_uri only the settings in it count. get(name): a setting."""
    if get("server_uri"):
        own = single(get("server_uri"), get("lifetime_s"))
        own.update({path: tree[path] for path in tree if path[0] == POINTSMAN})
        return own
    if get("bootstrap_uri") and bootstrap_account(tree) is None:
        tree.update(bootstrap_single(get("bootstrap_uri")))
    return tree
