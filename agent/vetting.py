"""Configurations as a whole: whether one can be lived with, and those that settings make. Needed at a start and at the
end of a bootstrap, and dropped again.
"""

from .accounts import NOSEC, POINTSMAN, SECURITY, SERVER, accounts, bootstrap_account
from .errors import LocalError
from .overlay import drop

_NO_DEVICE = 19
BOOTSTRAP = 65534  # instance of a bootstrap server's account that we make: out of the way of what servers write


def is_number(text):
    """Whether this is a telephone number that a short message can have (E.164: up to 15 digits)."""
    return text.lstrip("+").isdigit() and 3 <= len(text) <= 16


def check(tree, insecure, store=None):
    """LocalError unless the tree is a configuration that one can register with, and that the store can keep: the
    consistency check of Bootstrap-Finish."""
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
    known = bootstrap_account(tree)
    found += [known] if known else []
    _check_security(tree, found, insecure)
    sealed = [account for account in found if account.guarded]
    if [path for path in tree if path[0] > POINTSMAN]:
        from . import grouping

        grouping.check(tree)
        sealed = sealed or grouping.secret(tree)
        drop("grouping")
    if store and sealed:
        _check_sealing(store._medium, store._settings)


def _check_sealing(medium, settings):
    """Keys that cannot be sealed are not written (sealing.py). With the next start they would be gone, and until then
    nothing that they protect could be sent: better a server that hears why than a device that seems configured."""
    if settings and settings.get("unsealed"):
        return
    try:
        if not hasattr(medium, "secret"):
            raise OSError(_NO_DEVICE, "this board has no machine key")
        medium.secret("make")
    except OSError as e:
        raise LocalError("keys cannot be kept, as nothing here can seal them (%s). Mend that, or allow them in the "
                         "clear with the setting unsealed" % e.args[-1])


def _check_security(tree, found, insecure):
    """Each account is protected in a way that can be made here, or may go without; OSCORE's keys serve one server only,
    or its numbers would be used twice (RFC 8613 3.3)."""
    seen = []
    for account in found:
        guarded = account.guarded or account.scheme == "coaps"
        if guarded:
            from .guarding import check

            mine = (account.host, account.port), check(tree, account)
            same = [one for one in mine if one and one in seen]
            if same:
                what = "address" if same[0] == mine[0] else "OSCORE keys"
                raise LocalError("%s: another protected account has the same %s" % (account.uri, what))
            seen += mine
        elif not insecure:
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
    """The rows of a bootstrap server's own account."""
    rows = ((0, uri), (1, True), (2, NOSEC), (10, 0))
    return {(SECURITY, BOOTSTRAP, rid): value for rid, value in rows}


def protected(rows, instance, get):
    """The rows of an account, and those that protect it with the key that the device was born with."""
    if get("security") != "none":
        if not get("device_key"):
            raise LocalError("setting device_key: missing, and security %s needs it" % get("security"))
        from .credentials import pre_installed

        rows.update(pre_installed(get("security"), get("endpoint"), get("device_key"), instance))
    return rows


def found(uri, get):
    """The tree of a configuration server that was found, and nothing else."""
    return protected(bootstrap_single(uri), BOOTSTRAP, get)


def given(tree, get):
    """The tree, and what settings add to it; with server_uri only the settings and groups in it count. get(name): a
    setting."""
    if get("server_uri"):
        own = protected(single(get("server_uri"), get("lifetime_s")), 0, get)
        own.update({path: tree[path] for path in tree if path[0] >= POINTSMAN})
        return own
    own = found(get("bootstrap_uri"), get)
    if get("bootstrap_uri") and bootstrap_account(tree) is None:
        tree.update(own)
    return tree
