"""The agent composed, against a registrar made of an Exchange: W1-W3, C2, C3, and what servers may and may not do."""

from agent.accounts import pack
from agent.agent import Agent
from agent.codec import coap, senml
from agent.engine.exchange import Exchange
from agent.settings import Settings

GATEWAY, PLATFORM = ("10.0.0.1", 5683), ("10.0.0.2", 5683)
TREE = {}
for _i, _host, _links in ((1, GATEWAY[0], "eth"), (2, PLATFORM[0], "wifi")):
    TREE.update({(0, _i, 0): "coap://" + _host, (0, _i, 1): False, (0, _i, 2): 3, (0, _i, 10): _i})
    TREE.update({(1, _i, 0): _i, (1, _i, 1): 60, (1, _i, 7): "U", (1, _i, 13): _i})
    TREE.update({(26241, _i, 0): _i, (26241, _i, 1): _links, (26241, _i, 2): True})


class Medium:
    def __init__(self):
        self.files = {}

    def secret(self, what):
        return b"machine key of 32 secret bytes.."

    def read(self, name):
        return self.files.get(name)

    def write(self, name, data):
        self.files[name] = data

    def append(self, name, data):
        self.files[name] = self.files.get(name, b"") + data

    def remove(self, name):
        self.files.pop(name, None)


class Server:
    """One address on the device's network. It answers by `codes`, keeps what it was asked, and can ask over `link`."""

    link = "eth"

    def __init__(self, address):
        self.address = address
        self.exchange = Exchange(lambda n: n // 3, ack_timeout_ms=2000)
        self.seen, self.answers, self.codes, self.body = [], [], {}, b""

    def receive(self, link, data, now):
        self.exchange.receive((link, "device", 1), data, now)
        for event in self.exchange.events():
            if event[0] == "request":
                self._serve(event[1], now)
            elif event[0] == "response":
                self.answers.append(event[2])

    def _serve(self, request, now):
        self.seen.append(request)
        kind = request.path[0] if request.code == coap.POST else "gone"
        default = coap.CREATED if request.path == ("rd",) else coap.DELETED if kind == "gone" else coap.CHANGED
        code = self.codes.get(request.path, default)
        if code is not None:
            options = [(coap.LOCATION_PATH, b"rd"), (coap.LOCATION_PATH, b"7")] if code == coap.CREATED else ()
            self.exchange.respond(request, code, now, self.body if code > 127 else b"", options=options)

    def ask(self, code, path, now, **more):
        self.exchange.request((self.link, "device", 1), code, path, now, **more)

    def paths(self):
        return ["/".join(request.path) for request in self.seen]


class Net:
    """Device, servers and the time, joined by a loop."""

    def __init__(self, values=(), tree=TREE, medium=None):
        self.servers = {GATEWAY: Server(GATEWAY), PLATFORM: Server(PLATFORM)}
        self.now, self.log, self.told, self.cut = 0, [], [], set()
        self.values = {"endpoint": "meter-1", "insecure": True, "links": "eth,wifi", "discovery": "core"}
        self.values.update(dict(values))
        self.medium = medium or Medium()
        self.boot()
        if tree:
            self.agent.store.put({"config": pack(tree)})
            self.boot()

    def boot(self):
        self.count = 0
        self.agent = Agent(Settings(self.values), self.medium, lambda n: n // 2, self.measure, lambda: 0, self.sink)
        self.others = []

    def measure(self):
        self.count += 1
        return self.count

    def sink(self, level, now, actor, event, fields):
        self.log.append((actor, event))
        self.told.append((event, fields.get("registrar")))

    def carry(self):
        for _ in range(60):
            if not self.carry_some():
                return
        raise AssertionError("they never come to rest")

    def carry_some(self):
        sent = self.agent.take()
        for what in sent:
            self.deliver(what)
        back = []
        for server in self.servers.values():
            back += [(server.address, peer[0], data) for peer, data in server.exchange.take()]
        for (host, port), link, data in back:
            if link not in self.cut:
                self.agent.receive(link, host, port, data, self.now)
        return sent or back

    def deliver(self, what):
        if what[0] != "udp":
            self.others.append(what)
        elif what[1] not in self.cut and (what[2], what[3]) in self.servers:
            self.servers[(what[2], what[3])].receive(what[1], what[4], self.now)
        else:
            self.others.append(what)

    def link(self, name, up):
        (self.cut.discard if up else self.cut.add)(name)
        self.agent.link(name, up, self.now)
        self.carry()

    def run(self, ms):
        end = self.now + ms
        while True:
            due = [self.agent.deadline()] + [server.exchange.deadline() for server in self.servers.values()]
            due = [at for at in due if at is not None]
            if not due or min(due) > end:
                break
            self.now = max(self.now, min(due))
            self.agent.poll(self.now)
            for server in self.servers.values():
                server.exchange.poll(self.now)
            self.carry()
        self.now = end


def start(values=(), tree=TREE):
    net = Net(values, tree)
    net.agent.start(0)
    net.link("wifi", True)
    net.link("eth", True)
    net.run(11000)
    return net, net.servers[GATEWAY], net.servers[PLATFORM]


def registrations(server):
    return [request for request in server.seen if request.path == ("rd",)]


def test_fail_over_and_fail_back_with_one_registrar_at_a_time():
    """W1, W2, W3: the less preferred link came first, so the story starts with the platform."""
    net, gateway, platform = start()
    assert platform.paths() == ["rd", "rd/7"] and gateway.paths() == ["rd"]
    assert net.agent.registration.registrar[0].host == GATEWAY[0]
    net.link("eth", False)
    net.run(100)
    assert platform.paths() == ["rd", "rd/7", "rd"] and net.agent.registration.registrar[1] == "wifi"
    net.link("eth", True)
    net.run(9000)
    assert len(gateway.seen) == 1
    net.run(2000)
    assert platform.paths()[-1] == "rd/7" and gateway.paths() == ["rd", "rd"]
    epochs = [request.query[-1] for request in registrations(platform) + registrations(gateway)]
    assert epochs == ["epoch=1", "epoch=3", "epoch=2", "epoch=4"]


def test_what_a_registration_says():
    """LightweightM2M-1.1-int-101"""
    _, gateway, _ = start()
    (request,) = registrations(gateway)
    assert request.query == ("ep=meter-1", "lt=60", "lwm2m=1.1", "epoch=2") and request.format == 40
    assert request.payload.startswith(b"</>;ct=112,</1/1>,</1/2>,</3/0>,</4/0>,</7/0>,</3331/0>")


def test_a_dead_registrar_behind_a_good_cable_is_left():
    net, gateway, platform = start()
    gateway.codes = {("rd", "7"): None, ("rd",): None}
    net.run(90000)
    assert net.agent.registration.registrar[0].host == PLATFORM[0]
    gateway.codes = {}
    net.run(700000)
    assert net.agent.registration.registrar[0].host == GATEWAY[0]


def test_an_unanswered_report_is_enough_to_leave():
    """W3: where nothing is probed, 14 to 21 s after the next reading another link is tried; not twice that."""
    net, _, platform = start((("probe_ms", 0), ("report_period_s", 30)))
    net.cut.add("eth")
    net.run(30000 + 22000)
    assert net.agent.registration.registrar[1] == "wifi" and platform.paths()[-1] == "dp"


def test_the_epoch_goes_above_what_a_registrar_knows():
    """W2: a device restored from an old copy of its state."""
    net, gateway, _ = start()
    gateway.codes, gateway.body = {("rd", "7"): coap.NOT_FOUND, ("rd",): coap.CONFLICT}, b"41"
    net.run(31000)
    gateway.codes = {}
    net.run(30000)
    assert registrations(gateway)[-1].query[-1] == "epoch=42"


def test_readings_leave_the_outbox_only_when_acknowledged():
    """W4"""
    net, gateway, _ = start((("report_period_s", 5),))
    gateway.codes = {("dp",): 160}
    net.run(12000)
    assert len(net.agent.journal.pending()) >= 2
    gateway.codes = {}
    net.run(20000)
    assert len(net.agent.journal.pending()) == 0
    sends = [senml.unpack(request.payload) for request in gateway.seen if request.path == ("dp",)]
    last = sends[-1]
    assert last[0][0] == "/26242/0/0" and last[1][0] == "/3331/0/5700"


def test_management_by_the_registrar_only():
    net, gateway, platform = start()
    gateway.ask(coap.GET, ("3331", "0"), net.now)
    gateway.ask(coap.PUT, ("26242", "0", "1"), net.now, payload=b"7", format=0)
    platform.ask(coap.PUT, ("26242", "0", "1"), net.now, payload=b"9", format=0)
    net.carry()
    net.run(1000)
    assert [answer.code for answer in gateway.answers] == [coap.CONTENT, coap.CHANGED]
    assert [answer.code for answer in platform.answers] == [coap.UNAUTHORIZED]
    assert net.agent.settings.get("report_period_s") == 7
    net.boot()
    assert net.agent.settings.get("report_period_s") == 7


def test_a_value_out_of_range_is_refused_with_the_reason():
    """LightweightM2M-1.1-int-256"""
    net, gateway, _ = start()
    gateway.ask(coap.PUT, ("26242", "0", "1"), net.now, payload=b"0", format=0)
    net.carry()
    assert gateway.answers[0].code == coap.BAD_REQUEST and b"report_period_s" in gateway.answers[0].payload
    assert net.agent.settings.get("report_period_s") == 60


def test_a_new_lifetime_is_told_at_once():
    """LightweightM2M-1.1-int-107"""
    net, gateway, _ = start()
    gateway.ask(coap.PUT, ("1", "1", "1"), net.now, payload=b"120", format=0)
    net.carry()
    net.run(10)
    assert gateway.seen[-1].path == ("rd", "7") and gateway.seen[-1].query == ("lt=120",)
    assert net.agent.configuration.tree[(1, 1, 1)] == 120


def test_reboot_is_answered_before_it_is_done():
    """LightweightM2M-1.1-int-241"""
    net, gateway, _ = start()
    gateway.ask(coap.POST, ("3", "0", "4"), net.now)
    net.carry()
    assert gateway.answers[0].code == coap.CHANGED and ("reset",) not in net.others
    net.run(2000)
    assert ("reset",) in net.others


def test_observation():
    """LightweightM2M-1.1-int-301, 302"""
    net, gateway, _ = start((("report_period_s", 5),))
    gateway.ask(coap.GET, ("3331", "0", "5700"), net.now, observe=0, accept=60)
    net.carry()
    net.run(10000)
    assert len(gateway.answers) >= 3 and gateway.answers[-1].payload != gateway.answers[-2].payload


def test_stopping_deregisters():
    """LightweightM2M-1.1-int-103"""
    net, gateway, _ = start()
    net.agent.stop(net.now)
    net.carry()
    assert gateway.seen[-1].code == coap.DELETE and ("stopped",) in net.others
    assert [uri for event, uri in net.told if event == "leaving"][-2:] == ["coap://10.0.0.1"] * 2


def test_stopping_does_not_wait_for_the_answer_to_a_reading():
    """RFC 7252 4.7: one at a time to a server. The reading stays in the outbox."""
    net, gateway, _ = start((("report_period_s", 5),))
    net.run(3900)
    net.cut = {"eth"}
    net.run(200)
    assert net.agent.reports.state == "sending"
    before = len(gateway.seen)
    net.cut = set()
    net.agent.stop(net.now)
    net.carry()
    assert [request.code for request in gateway.seen[before:]] == [coap.DELETE] and ("stopped",) in net.others
    assert len(net.agent.reports.journal.pending()) == 1


def test_stopping_while_registering_waits_for_the_answer():
    """The server has the Register already, or will; what it made of it is undone, not left until it expires."""
    net = Net()
    gateway = net.servers[GATEWAY]
    net.agent.start(0)
    net.agent.link("eth", True, net.now)
    net.agent.stop(net.now)
    assert net.agent.registration.state == "registering" and not net.others
    net.carry()
    assert [request.code for request in gateway.seen] == [coap.POST, coap.DELETE] and net.others[-1] == ("stopped",)


def test_stopping_while_nobody_answers_ends_with_the_link():
    net = Net()
    net.cut = {"eth"}
    net.agent.start(0)
    net.agent.link("eth", True, net.now)
    net.agent.stop(net.now)
    net.carry()
    assert ("stopped",) not in net.others
    net.agent.link("eth", False, net.now)
    net.carry()
    assert net.others[-1] == ("stopped",)


def searching():
    """A device that knows nothing but its own name, and has asked who can configure it."""
    net = Net((("coap_port", 41234),), tree=None)
    net.agent.start(0)
    net.link("eth", True)
    net.run(3000)
    return net


def offer(net, address):
    """A server at this address answers the question."""
    query = [what for what in net.others if what[0] == "udp" and what[3] == 41234][0]
    asked = coap.decode(query[4])
    options = [(coap.CONTENT_FORMAT, b"\x28")]
    answer = coap.Message(coap.NON, coap.CONTENT, 77, asked.token, options, b'</bs>;rt="oma.bs"')
    net.agent.receive("eth", address[0], address[1], coap.encode(answer), net.now)


def test_discovery_bootstrap_registration():
    """C2, C3: nothing known but the device's own name."""
    net = searching()
    offer(net, GATEWAY)
    net.carry()
    gateway = net.servers[GATEWAY]
    assert gateway.seen[0].path == ("bs",) and gateway.seen[0].query == ("ep=meter-1", "pct=112")
    gateway.ask(coap.DELETE, (), net.now)
    for oid in (0, 1, 26241):
        rows = [(str(key[2]), TREE[key], None) for key in sorted(TREE) if key[:2] == (oid, 1)]
        body = senml.pack(rows, "/%d/1/" % oid)
        gateway.ask(coap.PUT, (str(oid), "1"), net.now, payload=body, format=112)
    gateway.ask(coap.PUT, ("26242", "0"), net.now, payload=senml.pack([("1", 9, None)], "/26242/0/"), format=112)
    gateway.ask(coap.POST, ("bs",), net.now)
    net.carry()
    net.run(1000)
    assert [answer.code for answer in gateway.answers] == [66, 68, 68, 68, 68, 68]
    assert net.agent.registration.registrar[0].host == GATEWAY[0]
    assert net.agent.settings.get("report_period_s") == 9


def test_strangers_that_refuse_do_not_keep_the_device_from_its_own_server():
    """C2: with other configuration servers on the LAN each is asked in turn, without a back-off in between."""
    net = searching()
    others = [("10.0.0.7", 5683), ("10.0.0.8", 5683)]
    for address in others:
        net.servers[address] = Server(address)
        net.servers[address].codes[("bs",)] = coap.FORBIDDEN
        offer(net, address)
    offer(net, GATEWAY)
    net.carry()
    net.run(100)
    asked = [net.servers[address].paths() for address in others + [GATEWAY]]
    assert asked[0] == asked[2] == ["bs"] and asked[1] in ([], ["bs"])
    assert net.agent.bootstrap.peer == ("eth",) + GATEWAY


def test_own_server_answers_late():
    """C2: strangers have refused already, and the back-off has begun; it ends with the answer that comes late."""
    net = searching()
    for last in (7, 8):
        address = ("10.0.0.%d" % last, 5683)
        net.servers[address] = Server(address)
        net.servers[address].codes[("bs",)] = coap.FORBIDDEN
        offer(net, address)
        net.carry()
        net.run(10)
        assert net.servers[address].paths() == ["bs"] and net.agent.bootstrap.state == "waiting"
    net.run(3000)
    offer(net, GATEWAY)
    net.carry()
    assert net.servers[GATEWAY].paths() == ["bs"] and net.agent.bootstrap.peer == ("eth",) + GATEWAY


def test_nobody_writes_outside_of_a_bootstrap():
    net, gateway, _ = start()
    gateway.ask(coap.DELETE, ("0",), net.now)
    gateway.ask(coap.PUT, ("0", "1"), net.now, payload=senml.pack([("0", "coap://evil", None)], "/0/1/"), format=112)
    net.carry()
    net.run(1000)
    assert [answer.code >= 128 for answer in gateway.answers] == [True, True]
    assert len(net.agent.configuration.accounts) == 2


def test_refusal_alone_does_not_forget_the_account():
    net, gateway, _ = start()
    gateway.codes = {("rd", "7"): coap.NOT_FOUND, ("rd",): coap.FORBIDDEN}
    net.run(60000)
    gateway.codes = {}
    net.run(30000)
    assert net.agent.registration.registrar[0].host == GATEWAY[0]
