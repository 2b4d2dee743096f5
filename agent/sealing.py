"""Credentials at rest: server accounts with keys, their DTLS sessions, the modem's PIN memory. In the store they
are one entry, sealed with AES-CCM under a key that is the board's and lies elsewhere; docs/security.md says what for.

The nonce is the slot's version and a MAC over version and text: a version that a power cut took back is written again,
and other bytes then have another nonce, without a source of chance that may be poor at a start (docs/decisions/0014).

Loaded when there is something to seal or to open, or to wipe; a device without keys never does.
"""

from .codec import cbor
from .crypto.ccm import Ccm
from .crypto.hashes import hkdf, hmac
from .errors import LocalError, RemoteError
from .journal import FILES
from .overlay import drop

try:
    from micropython import const
except ImportError:
    const = int

_PRIVATE = ("config", "previous", "guards", "modem")
_KEYS = ((0, 5), (26243, 5), (26244, 3))  # object, resource
_PURPOSE = b"pointsman store 1"
_TAG = const(16)
_NONCE = const(13)
_VERSION = const(4)  # bytes of it
_SURELY_READABLE = const(512)  # bytes, as in store.py
_REFUSED, _NO_DEVICE = const(1), const(19)
_REMEDY = "; nothing secret is written. Mend that, or allow it in the clear with the setting unsealed"


def closed(values, version, medium, settings):
    """The map as it goes on the medium (CBOR), what is private under "secret". version: of the slot that it is for.

    Where it cannot be sealed, it stays as it is if the setting unsealed allows that. So does a PIN memory that is
    alone: it holds no key. OSError says why not, and what helps."""
    inside = {name: values[name] for name in _PRIVATE if values.get(name)}
    inside["guards"] = _states(values, True)
    lost = "secret" in values and not inside.get("config")  # what could not be opened, and nothing in its place
    if not inside["guards"] and (lost or len(inside) == 1):
        return cbor.encode(values)
    try:
        return _sealed(values, inside, version.to_bytes(_VERSION, "big"), _keys(medium, "make"))
    except (LocalError, OSError) as e:
        if settings and settings.get("unsealed") or not _keyed(inside):
            return cbor.encode(values)
        raise OSError(_REFUSED, "store: credentials cannot be sealed (%s)%s" % (_reason(e), _REMEDY))
    finally:
        _let_go(values)


def _sealed(values, inside, version, keys):
    plain = {name: values[name] for name in values if name not in _PRIVATE}
    if values.get("guards"):
        plain["guards"] = _states(values, False)
    text = cbor.encode(inside)
    nonce = version + hmac(keys[32:], version + text)[: _NONCE - _VERSION]
    plain["secret"] = nonce + Ccm(keys[:32], _TAG).seal(nonce, text, _PURPOSE)
    try:
        if len(text) > _SURELY_READABLE:
            cbor.decode(text)
    except RemoteError:
        raise LocalError("too much in it to be read again")
    return cbor.encode(plain)


def opened(values, medium, spare):
    """Put what is sealed in the map into its place, or go on with a wipe(), which power cut off. spare: the other slot.

    -> "" or why it cannot be opened: it then stays as it is, in case that the key comes back, until there are other
    credentials."""
    gone = values.pop("gone", None)
    if gone:
        _overwrite(medium, spare, gone)
    data = values.get("secret", medium)
    if data is medium:
        return ""
    try:
        if not isinstance(data, bytes) or len(data) < _NONCE + _TAG:
            raise LocalError("it is malformed")
        text = Ccm(_keys(medium, "read")[:32], _TAG).open(data[:_NONCE], data[_NONCE:], _PURPOSE)
        if text is None:
            raise LocalError("the machine key is another one, or the store was changed")
        found = cbor.decode(text)
    except (LocalError, OSError, RemoteError) as e:
        return "the credentials cannot be opened (%s); starting without them" % _reason(e)
    del values["secret"]
    found["guards"] += values.pop("guards", [])
    for name in found:
        values.setdefault(name, found[name])
    _let_go(values)
    return ""


def wipe(store, rest):
    """Make the store forget all but `rest` (a map) for good: slots, journal and the machine key are overwritten.

    Should power fail meanwhile, the next start goes on with it. Raises OSError when the medium fails. The agent has to
    start over afterwards: others still hold what they have read."""
    changes = dict.fromkeys(store._values)
    changes.update(rest)
    changes["gone"] = gone = store.get("groups") or True
    store.put(changes)
    _overwrite(store._medium, "store." + "ba"[store._slot], gone)
    store.put({"gone": None})


def _overwrite(medium, slot, gone):
    """This slot, the journal, the policies in the slots `gone`, and the machine key where it is the device's own. A
    medium that has a way to do so in place is asked to."""
    policies = [] if gone is True else ["policy.keys"] + gone
    for name in (slot,) + FILES + tuple([name + suffix for name in policies for suffix in (".a", ".b")]):
        if hasattr(medium, "forget"):
            medium.forget(name)
        elif medium.read(name):
            medium.write(name, bytes(len(medium.read(name))))
    if hasattr(medium, "secret"):
        medium.secret("forget")


def _keys(medium, what):
    """32 bytes for the cipher and 32 for nonces; what: "make", the machine key may be made now, or "read"."""
    if not hasattr(medium, "secret"):
        raise OSError(_NO_DEVICE, "this board has no machine key")
    return hkdf(b"", medium.secret(what), _PURPOSE, 64)


def _states(values, secret):
    """The guards' states that are bytes: a DTLS session with its keys; or those that are not: OSCORE's numbers. These
    are no secret and stay outside: who loses the machine key must not use a number again."""
    return [item for item in values.get("guards") or () if isinstance(item[1], bytes) == secret]


def _keyed(values):
    return values["guards"] or _holds_key(values.get("config")) or _holds_key(values.get("previous"))


def _holds_key(rows):
    """Whether there is a key in this configuration (CBOR of [[object, instance, resource, value]])."""
    rows = cbor.decode(rows) if rows and isinstance(rows, bytes) else rows or ()
    return bool([row for row in rows if row[0] == 21 or ((row[0], row[2]) in _KEYS and row[3])])


def _let_go(values):
    """Without a guard this is not needed again for long, and nobody else has use for the cipher."""
    if not values.get("guards"):
        drop("sealing", "crypto.ccm", "crypto.hashes")
    drop("codec.cbor_reading")


def _reason(e):
    return e.args[-1]
