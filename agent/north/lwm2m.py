"""LwM2M northbound over CoAP: what the agent says to its servers (register, update, deregister, report) and does for
them (handle).

Source: OMA LwM2M 1.1 Core (interfaces, 6) and Transport (CoAP mapping, 6.4). What is sent goes to the exchange at
once; the handle comes back, and `outcome` reads the answer.
"""

from ..codec import coap, linkformat, senml
from ..engine.objects import spelled
from ..errors import RemoteError
from ..overlay import drop
from . import content, resources

_OUTCOMES = {coap.NOT_FOUND: "gone", coap.CONFLICT: "conflict", coap.UNAUTHORIZED: "refused", coap.FORBIDDEN: "refused"}
_LINK_FORMAT, _SENML_CBOR = 40, 112
_REGISTER_RETRANSMIT = 2  # gives up after 14 to 21 s; the back-off above it then tries another way
_LEAVE_RETRANSMIT = 1
# One text costs less than eight.
_READING = """codec.cbor_reading codec.senml_reading codec.senml_json codec.linkformat_reading
north.formats codec.tlv codec.tlv_reading codec.lwm2m_cbor codec.lwm2m_cbor_reading"""


def outcome(response):
    """accepted | gone | conflict | refused | failed, of a Response or of the reason why there is none. Only 4.01 and
    4.03 are a refusal (docs/decisions)."""
    if isinstance(response, str):
        return "failed"
    return "accepted" if response.code >> 5 == 2 else _OUTCOMES.get(response.code, "failed")


class Lwm2m:
    def __init__(self, exchange, objects):
        self._exchange, self._objects = exchange, objects
        self.location = ("rd",)  # of our registration; a server that names none gets what it deserves
        self._formats = {}  # observer id: the format it accepts

    # what the agent says

    def request_bootstrap(self, peer, endpoint, now):
        return self._exchange.request(peer, coap.POST, ("bs",), now, query=("ep=" + endpoint, "pct=%d" % _SENML_CBOR))

    def register(self, target, endpoint, epoch, now):
        account, link = target
        query = ["ep=" + endpoint, "lt=%d" % account.lifetime_s, "lwm2m=1.1", "b=S" if link == "sms" else "b=U"]
        if account.knows_epoch:
            query.append("epoch=%d" % epoch)
        return self._exchange.request(account.peer(link), coap.POST, ("rd",), now, query=query, payload=self._links(),
                                      format=_LINK_FORMAT, retransmit=_REGISTER_RETRANSMIT)  # fmt: skip

    def registered(self, target, response):
        """Keep the location; observations of an earlier registration are over (1.1 Core 6.2.1)."""
        self._exchange.unobserve(target[0].peer(target[1]))
        self._formats = {}
        self.location = response.location or ("rd",)

    def update(self, target, lifetime_changed, now):
        account, link = target
        query = ("lt=%d" % account.lifetime_s,) if lifetime_changed else ()
        return self._exchange.request(
            account.peer(link), coap.POST, self.location, now, query=query, retransmit=_REGISTER_RETRANSMIT
        )

    def deregister(self, target, now):
        account, link = target
        return self._exchange.request(account.peer(link), coap.DELETE, self.location, now, retransmit=_LEAVE_RETRANSMIT)

    def report(self, target, readings, now):
        """LwM2M Send: readings [(sequence, Unix s or 0, value)] with consecutive sequences."""
        account, link = target
        meter = spelled(resources.METER)
        records = [(meter, value, wall or None) for _, wall, value in readings]
        if account.knows_epoch:
            records.insert(0, (spelled(resources.SEQUENCE), readings[0][0], None))
        return self._exchange.request(account.peer(link), coap.POST, ("dp",), now, payload=senml.pack(records),
                                      format=_SENML_CBOR, retransmit=_REGISTER_RETRANSMIT)  # fmt: skip

    # what a server asks

    def handle(self, request, now):
        """Device management by the registrar; always answers."""
        try:
            code, payload, format = self._manage(request)
        except RemoteError as e:
            code = e.args[1] if len(e.args) > 1 else coap.BAD_REQUEST
            payload, format = e.args[0].encode(), None
        drop(*_READING.split())
        self._exchange.respond(request, code, now, payload, format)
        if request.observe == 0 and code == coap.CONTENT:
            for observer, peer, path in self._exchange.observed(request.path):
                if peer == request.peer and path == request.path:
                    self._formats[observer] = request.accept

    def changed(self, path, now):
        """A resource has a new value: tell who observes it, or what holds it."""
        for observer, _, observed in self._exchange.observed([str(part) for part in path]):
            try:
                code, payload, format = self._read(content.path(observed), self._formats.get(observer))
            except RemoteError:
                code, payload, format = coap.NOT_FOUND, b"", None
            self._exchange.notify(observer, code, payload, format, now)

    def unobserved(self, observer):
        self._formats.pop(observer, None)

    def handle_bootstrap(self, request, bootstrap, now):
        """A bootstrap server's request inside a bootstrap."""
        try:
            code = self._configure(request, bootstrap, now)
            payload = b""
        except RemoteError as e:
            code = e.args[1] if len(e.args) > 1 else coap.BAD_REQUEST
            payload = e.args[0].encode()
        drop(*_READING.split())
        self._exchange.respond(request, code, now, payload)

    def _configure(self, request, bootstrap, now):
        if request.code == coap.POST and request.path == ("bs",):
            bootstrap.finish(now)
            return coap.CHANGED
        path = content.path(request.path)
        if request.code == coap.DELETE:
            bootstrap.delete(path, now)
            return coap.DELETED
        if request.code != coap.PUT or not 1 <= len(path) <= 3:
            raise RemoteError("a bootstrap takes PUT, DELETE and POST /bs", coap.NOT_ALLOWED)
        bootstrap.write(path, content.configuration(path, request.format, request.payload), now)
        return coap.CHANGED

    def _manage(self, request):
        path = content.path(request.path)
        if not path or request.code not in (coap.GET, coap.PUT, coap.POST):
            raise RemoteError("nothing to do at %s" % spelled(path), coap.NOT_ALLOWED if path else coap.NOT_FOUND)
        if request.code == coap.GET and request.accept == _LINK_FORMAT:
            links = [(spelled(item), []) for item in self._objects.discover(path)]
            return coap.CONTENT, linkformat.encode(links).encode(), _LINK_FORMAT
        if request.code == coap.GET:
            return self._read(path, request.accept)
        if request.code == coap.POST and len(path) == 3:
            self._objects.execute(path, request.payload)
        elif len(path) in (2, 3):
            self._objects.write(content.decode(path, self._objects.kind, request.format, request.payload))
        else:
            raise RemoteError("%s cannot be created or written whole" % spelled(path), coap.NOT_ALLOWED)
        return coap.CHANGED, b"", None

    def _read(self, path, accept):
        payload, format = content.encode(path, self._objects.read(path), accept, self._objects.kind)
        return coap.CONTENT, payload, format

    def _links(self):
        """The registration's payload (1.1 Core 6.2.1): the formats we prefer, then each object instance."""
        links = [("/", [("ct", str(_SENML_CBOR))])]
        return linkformat.encode(links + [(spelled(path), []) for path in self._objects.paths()]).encode()
