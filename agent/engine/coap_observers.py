"""Those who observe us, a part of the exchange's server (RFC 7641 section 4). Loaded when there is one."""

from ..codec import coap

try:
    from micropython import const
except ImportError:
    const = int

_OBSERVERS = const(16)
_CONFIRM_EVERY = const(82800000)  # ms; RFC 7641 4.5 wants a CON every 24 h, and the next may be an hour away


class Observer:
    """A peer that wants to hear of a path."""

    kind = "notice"
    mid = None  # of the newest notification

    def __init__(self, ident, number, request, now):
        self.id = ident
        self.number = number
        self.peer = request.peer
        self.token = request.token
        self.path = request.path
        self.key = request.key
        self.block2 = 0, 0, request.block2[2] if request.block2 else 1024
        self.confirmed = now  # when a CON was last sent, or the registration came


def register(server, request, options, now):
    """Adds or renews an observer, and the Observe option; when there are too many, neither (RFC 7641 4.1)."""
    before = _of(server, request)
    number = 0
    if before:
        ident = before[0].id
        number = before[0].number + 1 & 0xFFFFFF
        server.observers.remove(before[0])
    elif len(server.observers) < _OBSERVERS:
        ident = server.registered = server.registered + 1
    else:
        return
    request.observer = ident
    server.observers.append(Observer(ident, number, request, now))
    options.append((coap.OBSERVE, coap.uint(number)))


def notify(server, ident, code, options, payload, now, confirmable):
    """Tells one observer. -> 2 where that is to be acknowledged, else 1; False: it is none any more, or too much waits
    for its peer already."""
    for observer in server.observers:
        if observer.id == ident:
            break
    else:
        return False
    if code < coap.BAD_REQUEST:
        observer.number = observer.number + 1 & 0xFFFFFF
        options.append((coap.OBSERVE, coap.uint(observer.number)))
    else:
        server.observers.remove(observer)  # RFC 7641 4.2: an error ends it
    code, payload = server.cut(observer, code, options, payload, now)
    # While a confirmable one is under way, the newest waits for its end (RFC 7641 4.5.2).
    left = None
    if confirmable or server.wire.of(observer) or now - observer.confirmed >= _CONFIRM_EVERY:
        observer.confirmed = now
        left = server.wire.left
    return server.wire.send(observer, code, options, payload, now, left) and (1 if left is None else 2)


def observed(server, path):
    """[(observer id, peer, path)] of those at, above or below `path`."""
    return [
        (observer.id, observer.peer, observer.path)
        for observer in server.observers
        if all([a == b for a, b in zip(observer.path, path)])
    ]


def reset(server, peer, mid):
    """A RST: when it is about a notification, its observer wants no more (RFC 7641 3.6)."""
    for observer in server.observers:
        if observer.mid == mid and observer.peer == peer:
            lose(server, observer)
            return


def lose(server, observer, event="unobserved"):
    """Removes an observer who said so or, with the event "silent", does not answer."""
    server.wire.drop(observer)
    if observer in server.observers:
        server.observers.remove(observer)
        server.events.append((event, observer.id))


def _of(server, request):
    """The observers that this peer registered with this token: one or none."""
    return [o for o in server.observers if o.token == request.token and o.peer == request.peer]


def cancel(server, request):
    """The peer wants no more under this token (Observe = 1)."""
    for observer in _of(server, request):
        lose(server, observer)
