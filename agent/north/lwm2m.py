"""LwM2M northbound over CoAP: what the agent says to its servers (register, update, deregister, report) and does for
them (handle: management.py, bootstrapping.py, observing.py, which are loaded for it).

Source: OMA LwM2M 1.1 Core (interfaces, 6) and Transport (CoAP mapping, 6.4). What is sent goes to the exchange at
once; the handle comes back, and `outcome` reads the answer.
"""

from ..codec import coap, linkformat, senml
from ..engine.objects import spelled
from ..overlay import drop
from ..table import find
from . import resources

# code meaning
_OUTCOMES = """
129 refused
131 refused
132 gone
137 conflict
140 version
"""
_LINK_FORMAT, _SENML_CBOR = 40, 112
_REGISTER_RETRANSMIT = 2  # gives up after 14 to 21 s; the back-off above it then tries another way
_LEAVE_RETRANSMIT = 1
# What a request of a server needs, and nothing else does. One text costs less than many.
_MANAGEMENT = """north.management north.creating north.attributing north.composing north.access
north.observing engine.notices
north.bootstrapping north.bootstrap_views north.content north.rendering north.formats
engine.tree_rows engine.tree_reading engine.tree_writing engine.tree_executing
engine.tree_creating engine.kinds engine.attributes
codec.cbor_reading codec.senml_reading codec.senml_json codec.linkformat_reading
codec.tlv codec.tlv_reading codec.lwm2m_cbor codec.lwm2m_cbor_reading codec.lwm2m_json
north.objects_account north.objects_pointsman"""


def outcome(response):
    """accepted | gone | conflict | refused | version | rejected | failed, of a Response or of the reason why there is
    none. Only 4.01 and 4.03 are a refusal (docs/decisions)."""
    if isinstance(response, str):
        return "failed"
    if response.code >> 5 == 2:
        return "accepted"
    found = find(_OUTCOMES, str(response.code))
    return found[0] if found else "rejected" if response.code >> 5 == 4 else "failed"


class Lwm2m:
    relisted = False  # an instance came or went: the registrar's list of them is to be renewed
    observing = None  # loaded while somebody observes
    policing = None  # loaded for a device that is in a group

    def __init__(self, exchange, objects, store, wall):
        self.exchange, self.objects, self.store, self.wall = exchange, objects, store, wall
        self.location = ("rd",)  # of our registration; a server that names none gets what it deserves

    # what the agent says

    def register(self, target, endpoint, epoch, now, version="1.1", queue=False):
        """queue: the server shall keep what it wants of us until we are heard of (queue mode, 1.1 Core 6.2.1)."""
        account, link = target
        query = ["ep=" + endpoint, "lt=%d" % account.lifetime_s, "lwm2m=" + version]
        if queue or link == "sms":  # else it is U, which goes without saying (table 6.2.1-1)
            query.append("b=S" if link == "sms" else "b=U")
        if queue:
            query += ["Q"] if version != "1.0" else [query.pop() + "Q"]
        if account.knows_epoch:
            query.append("epoch=%d" % epoch)
        self.relisted = True
        return self._say(target, ("rd",), now, query)

    def registered(self, target, response):
        """Keep the location; observations of an earlier registration are over (1.1 Core 6.2.1)."""
        for _, peer, _ in self.exchange.observed():
            self.exchange.unobserve(peer)
        if self.observing and self.observing.registered(target[0].ssid):
            self.observing = None
        self.location = response.location or ("rd",)

    def update(self, target, lifetime_changed, now):
        return self._say(target, self.location, now, ["lt=%d" % target[0].lifetime_s] if lifetime_changed else [])

    def _say(self, target, path, now, query):
        """Register or Update, with the list of instances where it is to be renewed."""
        links, format = (self._links(), _LINK_FORMAT) if self.relisted else (b"", None)
        if self.policing:
            query += self.policing.words(self.relisted, now)
        self.relisted = False
        return self.exchange.request(target[0].peer(target[1]), coap.POST, path, now, query=query, payload=links,
                                     format=format, retransmit=_REGISTER_RETRANSMIT)  # fmt: skip

    def deregister(self, target, now):
        account, link = target
        return self.exchange.request(account.peer(link), coap.DELETE, self.location, now, retransmit=_LEAVE_RETRANSMIT)

    def report(self, target, readings, now):
        """LwM2M Send: readings [(sequence, Unix s or 0, value)] with consecutive sequences."""
        account, link = target
        meter = spelled(resources.METER)
        records = [(meter, value, wall or None) for _, wall, value in readings]
        if account.knows_epoch:
            records.insert(0, (spelled(resources.SEQUENCE), readings[0][0], None))
        out = self.exchange.room()
        senml.pack(records, "", False, out)
        return self.exchange.request(account.peer(link), coap.POST, ("dp",), now, payload=out,
                                      format=_SENML_CBOR, retransmit=_REGISTER_RETRANSMIT)  # fmt: skip

    # what a server asks

    def handle(self, request, account, now):
        """Device management by the registrar, whose Account it is; always answers."""
        from . import management

        management.handle(self, request, account, now)
        if not (request.block1 and request.block1[1]):  # more blocks of a firmware package are to come
            drop(*_MANAGEMENT.split())

    def changed(self, path, now):
        """A resource has a new value: tell who observes it, or what holds it."""
        if self.observing:
            self.observing.changed(path, now)

    def observer(self, what, observer):
        """One of those who observe is lost, or was notified."""
        if self.observing and getattr(self.observing, what)(observer):
            self.observing = None

    # its times

    def poll(self, now):
        if self.observing:
            self.observing.poll(now)

    def deadline(self):
        return self.observing and self.observing.deadline()

    def take(self):
        return ()

    def handle_bootstrap(self, request, bootstrap, now):
        """A bootstrap server's request inside a bootstrap."""
        from . import bootstrapping

        bootstrapping.handle(self, request, bootstrap, now)
        drop(*_MANAGEMENT.split())

    def _links(self):
        """The registration's payload (1.1 Core 6.2.1): the formats we prefer, then each object instance."""
        links = [("/", [("ct", str(_SENML_CBOR))])]
        links += self.objects.heads
        out = self.exchange.room()
        linkformat.encode(links + [(spelled(path), ()) for path in self.objects.paths()], out)
        return out
