"""What a bootstrap server may look at inside a bootstrap: Bootstrap-Discover and Bootstrap-Read (LwM2M 1.1 Core
6.1.7.3, 6.1.7.4). It sees what it has staged so far; keys are in neither.
"""

from ..accounts import ACCESS, CONFIGURED, OSCORE, SECURITY, SERVER
from ..codec import coap, linkformat
from ..engine.objects import spelled
from ..errors import RemoteError
from . import content
from .objects_account import kind

_LINK_FORMAT = 40
_READABLE = (SERVER, ACCESS)


def view(staged, objects, request, out):
    """-> (payload, content format) of a GET. RemoteError 4.05, 4.04 or 4.00."""
    path = content.path(request.path)
    if request.accept == _LINK_FORMAT or not path:
        linkformat.encode(_discovered(staged, objects, path), out)
        return out, _LINK_FORMAT
    if path[0] not in _READABLE or len(path) > 2:
        raise RemoteError("a bootstrap reads /1, /2 and their instances", coap.NOT_ALLOWED)
    found = []
    for key in sorted([key for key in staged if key[: len(path)] == path]):
        value = staged[key]
        several = isinstance(value, dict)
        found += [(key + (number,), value[number]) for number in sorted(value)] if several else [(key, value)]
    if not found and len(path) > 1:
        raise RemoteError("there is no %s" % spelled(path), coap.NOT_FOUND)
    return content.encode(path, found, request.accept, kind, out)


def _discovered(staged, objects, path):
    """The version, then each instance; of an account its short server id and its address."""
    if len(path) > 1:
        raise RemoteError("a bootstrap discovers / or an object", coap.BAD_REQUEST)
    instances = {key[:2] for key in staged}
    instances.update([item for item in objects.paths() if len(item) > 1 and item[0] not in CONFIGURED])
    found = sorted([item for item in instances if item[: len(path)] == path])
    if path and not found and path not in [item[:1] for item in objects.paths()] + [(SECURITY,), (OSCORE,)]:
        raise RemoteError("there is no object %d" % path[0], coap.NOT_FOUND)
    head = [("/", [("lwm2m", "1.1")])]
    return head + [(spelled(item), _attributes(staged, item)) for item in found]


def _attributes(staged, item):
    found = []
    if item[0] == SECURITY and not staged.get(item + (1,)):
        found = [("ssid", staged.get(item + (10,))), ("uri", staged.get(item + (0,)))]
    elif item[0] == SERVER:
        found = [("ssid", staged.get(item + (0,)))]
    elif item[0] == OSCORE:
        for key in staged:
            if key[0] == SECURITY and key[2] == 17 and tuple(staged[key]) == item:
                found = [("ssid", staged.get(key[:2] + (10,)))]
    return [(name, value) for name, value in found if value is not None]
