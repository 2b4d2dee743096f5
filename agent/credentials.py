"""With what an account is protected, read from the tree: loaded only for accounts that are.

Sources: OMA LwM2M 1.1 Core E.1 (object 0: security mode, identity, key), 1.2 Core (object 0 resource 17, object 21).
"""

import hashlib
from binascii import unhexlify

from .accounts import NOSEC, OSCORE, PSK, SECURITY
from .errors import LocalError

_NAME = 5  # bytes of a device's OSCORE id: told from ten million others, and short
_AES_CCM = 10
_HKDF = (-10, 5)  # direct+HKDF-SHA-256, or HMAC 256/256: both are given for it


def of(tree, security):
    """-> ("oscore", secret, salt, sender, recipient, context or None, algorithm) | ("dtls", identity, key) | None, for
    an instance of object 0. LocalError says what is missing."""
    mode, link = tree.get((SECURITY, security, 2), NOSEC), tree.get((SECURITY, security, 17))
    if link is not None and mode == NOSEC:
        return _oscore(tree, link)
    if link is not None:
        raise LocalError("OSCORE and DTLS together are not built in: security mode 3 goes with /0/%d/17" % security)
    if mode == PSK:
        return "dtls", _bytes(tree, (SECURITY, security, 3)), _bytes(tree, (SECURITY, security, 5))
    if mode != NOSEC:
        raise LocalError("security mode %r is not built in; PSK (0), NoSec (3) and OSCORE are" % mode)
    return None


def mark(found):
    """What tells these keys from others, and says nothing about them: 8 bytes."""
    text = repr(found[1:]).encode()
    return hashlib.sha256(b"pointsman mark " + hashlib.sha256(text).digest()).digest()[:8]


def pre_installed(security, endpoint, key, instance):
    """-> the rows of objects 0 and 21 that a device is born with: `security` oscore or dtls, `key` in hex."""
    if security == "dtls":
        return {(SECURITY, instance, 2): PSK, (SECURITY, instance, 3): endpoint.encode(),
                (SECURITY, instance, 5): unhexlify(key)}  # fmt: skip
    return {(SECURITY, instance, 2): NOSEC, (SECURITY, instance, 17): (OSCORE, instance),
            (OSCORE, instance, 0): unhexlify(key), (OSCORE, instance, 1): name_of(endpoint),
            (OSCORE, instance, 2): b""}  # fmt: skip


def name_of(endpoint):
    """The OSCORE id of a device: the beginning of its endpoint's hash."""
    return hashlib.sha256(endpoint.encode()).digest()[:_NAME]


def _oscore(tree, link):
    if not isinstance(link, tuple) or link[0] != OSCORE or (OSCORE, link[1], 0) not in tree:
        raise LocalError("/0/*/17 is %r: there is no such instance of object 21 with a master secret" % (link,))
    at = link[1]
    if tree.get((OSCORE, at, 4), _HKDF[0]) not in _HKDF:
        raise LocalError("/21/%d/4 is %r: HKDF-SHA-256 (-10) is built in" % (at, tree[(OSCORE, at, 4)]))
    # An id of no bytes is an id.
    sender, recipient = tree.get((OSCORE, at, 1), b""), tree.get((OSCORE, at, 2), b"")
    context = tree.get((OSCORE, at, 6)) or None
    return ("oscore", _bytes(tree, (OSCORE, at, 0)), tree.get((OSCORE, at, 5), b""), sender, recipient, context,
            tree.get((OSCORE, at, 3), _AES_CCM))  # fmt: skip


def _bytes(tree, path):
    value = tree.get(path)
    if not value or not isinstance(value, bytes):
        raise LocalError("/%d/%d/%d is missing" % path)
    return value
