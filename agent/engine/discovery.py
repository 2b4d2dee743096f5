"""Finding the configuration server on a LAN: CoAP multicast (RFC 7252 8) and DNS-SD over multicast DNS.

Whatever is found is a hint from a stranger. It says where to ask for a bootstrap; only the key that both hold
says whom to believe. So hints are given one at a time, the next one as soon as refuse() says that the last was no good;
one that was no good in an earlier search comes after the others.
"""

from ..codec import coap, dns, linkformat, utf8
from ..errors import RemoteError
from ..table import follow

# State, event, new state. Servers take their leisure: an answer may come in the pause.
_TRANSITIONS = """
idle start asking
asking start asking
paused start asking
found start asking
asking answered found
paused answered found
found refused asking
asking gave-up paused
paused rested asking
idle stop idle
asking stop idle
paused stop idle
found stop idle
"""

_COAP_GROUP = "224.0.1.187"  # All CoAP Nodes (RFC 7252 12.8)
_MDNS_GROUP = "224.0.0.251"
_RT = "oma.bs"
_PATH = "bs"

_ROUNDS = 3
_FIRST_WAIT_MS = 2000  # doubles with every round: 2, 4, 8 s
_PAUSE_MS = 30000
_HINTS = 4  # that wait
_MAX_GIVEN = 8


class Discovery:
    """Asks on one link at a time, by `methods` "core" and "dns-sd"; `secure`: DNS-SD asks for a DTLS server.

    `below(n)` gives a random int in [0, n). `ignored` counts answers that made no sense.
    """

    def __init__(self, below, coap_port=5683, mdns_port=5353, secure=True, methods=("core", "dns-sd")):
        self._below = below
        self._coap_port = coap_port
        self._mdns_port = mdns_port
        self._scheme = "coaps" if secure else "coap"
        self._service = "_m2mbs._sub._%s._udp.local" % self._scheme
        self._methods = methods
        self.state = "idle"
        self.link = None
        self.ignored = 0
        self._hints = []  # (uri, how), to be given when the one before was no good
        self._given, self._before = [], []  # URIs: in this search, in earlier ones
        self._round = 0
        self._due = None
        self._mid = below(0x10000)
        self._token = self._ident = b""
        self._out = []

    def start(self, link, now):
        """Begins on `link`, or begins anew; goes on until something is found or stop() is called."""
        self._enter("start")
        if link != self.link:  # else a server may still be about to answer what it was asked before
            self.link = link
            self._token = self._random() + self._random()
            self._ident = self._random()
        self._out, self._hints = [], []
        self._before = (self._before + self._given)[-_MAX_GIVEN:]
        self._given = []
        self._round = 0
        self._due = now + 20 + self._below(100)  # after a power cut all devices start at once (RFC 6762 5.2)

    def refuse(self, now):
        """The hint given last is no good: gives the next one at once, or goes on asking; that one not again before
        start()."""
        if self.state == "found":
            self._enter("refused")
            self._due = now + _FIRST_WAIT_MS + self._below(_FIRST_WAIT_MS // 4)
            self._give()

    def stop(self):
        """Ends asking; what take() has not fetched yet is dropped, and nothing is received any more."""
        self._enter("stop")
        self.link = self._due = None
        self._out = []

    def receive(self, link, host, port, data, now):
        """True if the datagram answers us (useful or not), False if it is somebody else's."""
        if link != self.link:
            return False
        if port == self._mdns_port and data[:2] == self._ident and len(data) > 2 and data[2] & 0x80:
            how = "dns-sd"
        elif self._is_core_answer(data):
            how = "core"
        else:
            return False
        try:
            uri = self._from_core(host, port, data) if how == "core" else self._from_dns(host, data)
        except RemoteError:
            uri = None
        old = uri in self._before  # such a hint gives way, for the first round, to any other
        if uri is None:
            self.ignored += 1
        elif uri not in self._given and uri not in dict(self._hints) and not (old and self._round < 2):
            self._hints.insert(_HINTS if old else 0, (uri, how))
            self._hints = self._hints[:_HINTS]
            if self.state != "found":
                self._give()
        return True

    def _give(self):
        if self._hints:
            self._enter("answered")
            uri, how = self._hints.pop(0)
            self._given = self._given[1 - _MAX_GIVEN :] + [uri]
            self._due = None
            self._out.append(("found", self.link, uri, how))

    def poll(self, now):
        """Sends what is due, or gives up until the pause is over."""
        if self._due is None or now < self._due:
            return
        if self.state == "paused":
            self._enter("rested")
            self._round = 0
        if self._round == _ROUNDS:
            self._enter("gave-up")
            self._out.append(("nothing", self.link))
            wait = _PAUSE_MS
        else:
            self._ask()
            wait = _FIRST_WAIT_MS << self._round
            self._round += 1
        self._due = now + wait + self._below(wait // 4)

    def deadline(self):
        """When poll() is to be called (ms), or None."""
        return self._due

    def take(self):
        """[("send", link, host, port, bytes) | ("found", link, uri, how) | ("nothing", link)], each once.

        A uri is "coap://host:port" or "coaps://host:port"; the path /bs is understood.
        """
        out = self._out
        self._out = []
        return out

    def _enter(self, event):
        self.state = follow(_TRANSITIONS, self.state, event)

    def _random(self):
        return self._below(0x10000).to_bytes(2, "big")

    def _ask(self):
        for method in self._methods:
            if method == "core":
                self._mid = self._mid + 1 & 0xFFFF
                options = [(coap.URI_PATH, b".well-known"), (coap.URI_PATH, b"core")]
                options.append((coap.URI_QUERY, b"rt=" + _RT.encode()))
                message = coap.Message(coap.NON, coap.GET, self._mid, self._token, options)
                self._send(_COAP_GROUP, self._coap_port, coap.encode(message))
            else:
                ident = int.from_bytes(self._ident, "big")
                self._send(_MDNS_GROUP, self._mdns_port, dns.query([(self._service, dns.PTR)], ident))

    def _send(self, host, port, data):
        self._out.append(("send", self.link, host, port, data))

    def _is_core_answer(self, data):
        head = coap.header(data)
        return head is not None and head[1] >= coap.CREATED and data[0] & 15 == 4 and data[4:8] == self._token

    def _from_core(self, host, port, data):
        """The URI in an answer to GET /.well-known/core, or None. Raises RemoteError."""
        message = coap.decode(data)
        if message.type == coap.CON:
            self._send(host, port, coap.encode(coap.Message(coap.ACK, 0, message.mid)))
        if message.code != coap.CONTENT or message.uint(coap.CONTENT_FORMAT) not in (None, 40):
            return None
        if coap.unknown_critical(message) is not None:
            return None
        for target in _targets(linkformat.decode(utf8.decode(message.payload, "discovery"))):
            uri = _resolve(target, host, port)
            if uri:
                return uri
        return None

    def _from_dns(self, host, data):
        """The URI in an answer by multicast DNS, or None. Raises RemoteError."""
        records = dns.parse(data)
        for _, _, port, target in _services(records, self._service):
            addresses = _all(records, target, dns.A) or [host]
            uri = _uri(self._scheme, addresses[0], port, host)
            if uri:
                return uri
        return None


def _targets(links):
    """The targets of the links to bootstrap servers."""
    for target, attributes in links:
        for name, value in attributes:
            if name == "rt" and value and _RT in value.split():
                yield target


def _services(records, service):
    """The SRV values of a service's instances, an instance's preferred one first."""
    for instance in _all(records, service, dns.PTR):
        if _speaks(_all(records, instance, dns.TXT)):
            for value in sorted(_all(records, instance, dns.SRV)):
                yield value


def _all(records, name, kind):
    return [value for n, k, value in records if k == kind and n.lower() == name.lower()]


def _speaks(texts):
    """Whether the TXT records, where there are any, describe a server of our kind."""
    for text in texts:
        if text.get("path", b"/bs") != b"/bs" or text.get("v", b"1") != b"1":
            return False
    return True


def _resolve(target, host, port):
    """The URI of a link's target as told by host:port, or None for one that we cannot use."""
    if target.startswith("/"):
        scheme, path, name = "coap", target, host
    else:
        scheme, _, rest = target.partition("://")
        if scheme not in ("coap", "coaps"):
            return None
        authority, _, path = rest.partition("/")
        name, colon, digits = authority.partition(":")
        if colon and (not digits or len(digits) > 5 or digits.strip("0123456789")):
            return None
        port = int(digits) if colon else (5683 if scheme == "coap" else 5684)
    return _uri(scheme, name, port, host) if path.strip("/") in ("", _PATH) else None


def _uri(scheme, host, port, sender):
    if not 0 < port < 65536 or not _credible(host, sender):
        return None
    return "%s://%s:%d" % (scheme, host, port)


def _credible(host, sender):
    """Whether a host is a name or a unicast address; this very machine's only if that is who tells us."""
    if not 0 < len(host) < 254 or host.lower().strip("abcdefghijklmnopqrstuvwxyz0123456789-."):
        return False
    parts = host.split(".")
    if parts[-1].strip("0123456789"):
        return host.lower() != "localhost"
    numbers = [int(part) for part in parts if 0 < len(part) < 4 and not part.strip("0123456789")]
    if len(parts) != 4 or len(numbers) != 4 or max(numbers) > 255:
        return False
    return 0 < numbers[0] < 224 and (numbers[0] != 127 or sender[:4] == "127.")
