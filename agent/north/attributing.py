"""Discover and Write-Attributes over CoAP (LwM2M 1.1 Core 6.3.2, 6.3.4; depth: 1.2). Loaded for such a request, and
dropped."""

from ..codec import coap, linkformat
from ..engine import attributes, tree_reading, tree_rows
from ..engine.objects import spelled
from ..errors import RemoteError
from . import content

_LINK_FORMAT = 40


def discover(north, request, account, path):
    """-> the links at and below the path: what is attached to each and, to the first, what it inherits."""
    book, links = _book(north), []
    for place, count in tree_reading.discover(north.objects, path, _depth(request.query)):
        words = [] if count is None else [("dim", str(count))]
        rules = (attributes.own if links else attributes.inherited)(book, account.ssid, place)
        words += [tuple(word.split("=")) for word in attributes.text(rules).split("&") if word]
        links.append((spelled(place), words))
    out = north.exchange.room()
    linkformat.encode(links, out)
    return coap.CONTENT, content.fitting(out, path), _LINK_FORMAT, (), ()


def attach(north, request, account, path):
    """Write-Attributes."""
    if not path:
        raise RemoteError("attributes belong to objects and what is in them", coap.NOT_ALLOWED)
    tree_rows.instances(north.objects, path)
    kind = tree_rows.kind(north.objects, path) if len(path) > 2 else None
    _keep(north, attributes.attached(_book(north), account.ssid, path, request.query, kind))
    return coap.CHANGED, b"", None, (), ()


def detach(north, path):
    """What was attached there is over: the instance is gone."""
    _keep(north, attributes.without(_book(north), path))


def _book(north):
    return north.store.get("attributes", {})


def _keep(north, book):
    north.store.keep({"attributes": book or None})
    if north.observing:
        north.observing.renew()


def _depth(words):
    for word in words:
        name, _, value = word.partition("=")
        if name != "depth" or value not in ("0", "1", "2", "3"):
            raise RemoteError("a Discover takes depth=0 to 3, not %s" % word[:20])
        return int(value)
    return None
