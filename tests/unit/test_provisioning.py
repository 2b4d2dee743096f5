"""The agent inside a bootstrap: C3, L2, LightweightM2M-1.1-int-4, 5, 6, 8 and 9."""

from test_agent import GATEWAY, PLATFORM, TREE, Medium, Net, Server, registrations

from agent.codec import coap, linkformat, senml
from agent.engine.exchange import Exchange
from agent.vetting import bootstrap_single

BOOT = ("10.0.0.5", 5683)
SENML, LINKS, CBOR = 112, 40, 60
SECRET = b"sixteen bytes ok"


class BootServer(Server):
    """It asks what `plan` says, one after the other, as soon as it is asked for a bootstrap. answers: the codes."""

    def __init__(self, plan):
        Server.__init__(self, BOOT)
        self.plan, self.peer, self.at, self.pack = plan, None, 0, None
        self.exchange = Exchange(lambda n: n // 3, ack_timeout_ms=2000)

    def receive(self, link, data, now):
        before = len(self.answers)
        Server.receive(self, link, data, now)
        if len(self.answers) > before:
            self.step(now)

    def _serve(self, request, now):
        self.seen.append(request)
        self.peer = request.peer
        if request.path == ("bspack",):
            code = coap.CONTENT if self.pack else coap.NOT_FOUND
            return self.exchange.respond(request, code, now, self.pack or b"", SENML if self.pack else None)
        self.exchange.respond(request, self.codes.get(("bs",), coap.CHANGED), now)
        if request.path == ("bs",) and not self.codes:
            self.at = 0
            self.step(now)

    def step(self, now):
        if self.at < len(self.plan):
            code, path, more = self.plan[self.at]
            self.at += 1
            self.exchange.request(self.peer, code, tuple([part for part in path.split("/") if part]), now, **more)


def put(path, values):
    pack = senml.pack([(str(rid), value, None) for rid, value in values], path + "/")
    return (coap.PUT, path, {"payload": pack, "format": SENML})


def accounts(host=PLATFORM[0], n=3):
    return [
        put("/0/%d" % n, [(0, "coap://" + host), (1, False), (2, 3), (10, n)]),
        put("/1/%d" % n, [(0, n), (1, 60), (6, True), (7, "U")]),
    ]


FINISH = (coap.POST, "/bs", {})
DELETE = (coap.DELETE, "/", {})


def begin(plan, tree=(), values=(), medium=None):
    own = bootstrap_single("coap://" + BOOT[0])
    own.update(dict(tree))
    settings = {"links": "eth"}
    settings.update(dict(values))
    net = Net(settings, own, medium)
    boot = net.servers[BOOT] = BootServer(plan)
    net.agent.start(0)
    net.link("eth", True)
    net.carry()
    return net, boot


def codes(boot):
    return [answer.code for answer in boot.answers]


def test_a_bootstrap_ends_registered():
    """LightweightM2M-1.1-int-6"""
    net, boot = begin([DELETE] + accounts() + [FINISH])
    assert codes(boot) == [coap.DELETED, coap.CHANGED, coap.CHANGED, coap.CHANGED]
    assert len(registrations(net.servers[PLATFORM])) == 1 and net.agent.registration.state == "registered"
    assert net.agent.bootstrap is None and net.agent.provisioning is None


def test_discover_and_read_show_what_is_staged_and_no_keys():
    """LightweightM2M-1.1-int-8"""
    looks = [
        (coap.GET, "/", {"accept": LINKS}),
        (coap.GET, "/0", {"accept": LINKS}),
        (coap.GET, "/1", {"accept": SENML}),
        (coap.GET, "/1/3", {}),
        (coap.GET, "/0/3", {"accept": SENML}),
        (coap.GET, "/3/0", {"accept": SENML}),
        (coap.GET, "/1/9", {"accept": SENML}),
        (coap.GET, "/77", {"accept": LINKS}),
    ]
    net, boot = begin(accounts() + looks + [FINISH])
    answers = boot.answers[2:]
    assert [answer.code for answer in answers[:8]] == [69, 69, 69, 69, 133, 133, 132, 132]
    links = linkformat.decode(answers[0].payload.decode())
    assert links[0] == ("/", [("lwm2m", "1.1")]) and answers[0].format == LINKS
    found = dict(links)
    assert found["/0/3"] == [("ssid", "3"), ("uri", "coap://" + PLATFORM[0])] and found["/1/3"] == [("ssid", "3")]
    assert found["/0/65534"] == [] and "/3/0" in found
    assert [link for link, _ in linkformat.decode(answers[1].payload.decode())] == ["/", "/0/3", "/0/65534"]
    assert ("/1/3/1", 60, None) in senml.unpack(answers[2].payload)
    assert ("/1/3/0", 3, None) in senml.unpack(answers[3].payload)
    assert net.agent.registration.state == "registered"


def test_an_inconsistent_configuration_changes_nothing():
    """LightweightM2M-1.1-int-9: 4.06, and what was there still holds."""
    net, boot = begin([accounts()[0], FINISH])
    assert codes(boot) == [coap.CHANGED, coap.NOT_ACCEPTABLE] and not net.agent.configuration.accounts
    boot.plan = accounts() + [FINISH]
    net.run(10000)
    assert net.agent.registration.state == "registered"


def test_an_instance_is_no_value():
    """LwM2M CBOR can name an instance with null behind it, which in a write means nothing."""
    nulls = [(coap.PUT, path, {"payload": data, "format": 11544})
             for path, data in (("/0", b"\xa1\x00\xf6"), ("/1", b"\xa1\x01\xa1\x03\xf6"), ("/1/3", b"\xa1\x01\xf6"))]
    net, boot = begin(nulls + accounts() + [FINISH])
    assert codes(boot) == [coap.BAD_REQUEST] * 3 + [coap.CHANGED] * 3
    assert net.agent.registration.state == "registered"


class Keyless:
    """The medium of a board that has no machine key."""

    def __init__(self):
        self.files = {}

    read, write, append, remove = Medium.read, Medium.write, Medium.append, Medium.remove


class Bare(Medium):
    """It should have one, and cannot read it."""

    def secret(self, what):
        raise OSError(13, "machine key: others may read store.key; chmod 600 it")


def keyed(oscore):
    """An account with keys, as a server without security of its own hands it out."""
    if oscore:
        link = (coap.PUT, "/0/3/17", {"payload": b"21:3", "format": 0})
        return accounts() + [link, put("/21/3", [(0, SECRET), (1, b"me"), (2, b"")])]
    rows = [(0, "coaps://%s:5684" % PLATFORM[0]), (1, False), (2, 0), (3, b"meter"), (5, SECRET), (10, 3)]
    return [put("/0/3", rows), accounts()[1]]


def test_keys_that_cannot_be_sealed_are_refused():
    """Without them nothing could be sent after the next start. The server and the log hear why, and what helps."""
    for oscore in (True, False):
        for medium, why in ((Keyless, "this board has no machine key"), (Bare, "chmod 600")):
            net, boot = begin([DELETE] + keyed(oscore) + [FINISH], medium=medium())
            assert codes(boot)[-1] == coap.NOT_ACCEPTABLE and not net.agent.configuration.accounts
            told = boot.answers[-1].payload.decode()
            assert why in told and "setting unsealed" in told and ("bootstrap", "failed") in net.log
            assert SECRET not in b"".join(net.medium.files.values()) and SECRET.decode() not in told


def test_keys_are_taken_where_they_can_be_sealed_or_need_not_be():
    for medium, values in ((Medium, ()), (Keyless, {"unsealed": True}), (Bare, {"unsealed": True})):
        for oscore in (True, False):
            net, boot = begin([DELETE] + keyed(oscore) + [FINISH], (), values, medium())
            assert codes(boot)[-1] == coap.CHANGED and len(net.agent.configuration.accounts) == 1
            clear = SECRET in b"".join(net.medium.files.values())
            assert clear == bool(values) and not net.agent.store.behind
    net, boot = begin([DELETE] + accounts() + [FINISH], medium=Keyless())  # nor is there a key in it
    assert codes(boot)[-1] == coap.CHANGED


def test_nobody_else_may_write_inside_a_bootstrap():
    net, boot = begin([DELETE])
    code, path, more = accounts("10.6.6.6")[0]
    stranger = net.servers[GATEWAY]
    stranger.ask(code, ("0", "3"), net.now, **more)
    net.carry()
    assert [answer.code for answer in stranger.answers] == [coap.UNAUTHORIZED]
    assert (0, 3, 0) not in net.agent.bootstrap.staged


def test_access_rights_are_written_and_read():
    """1.1 Core 6.1.7.4, E.3: object 2, whose third resource has an instance for each server."""
    rights = put("/2/0", [(0, 3), (1, 0), ("2/3", 15), ("2/101", 1), (3, 65535)])
    net, boot = begin([DELETE] + accounts() + [rights, (coap.GET, "/2", {"accept": SENML}), FINISH])
    assert codes(boot)[3:] == [coap.CHANGED, coap.CONTENT, coap.CHANGED]
    assert ("/2/0/2/101", 1, None) in senml.unpack(boot.answers[4].payload)
    assert net.agent.configuration.tree[(2, 0, 2)] == {3: 15, 101: 1}
    net.boot()
    assert net.agent.configuration.tree[(2, 0, 2)] == {3: 15, 101: 1}


def test_instances_of_a_single_resource_are_refused():
    net, boot = begin([put("/1/3", [("1/0", 60)]), put("/2/0", [(2, 1)])])
    assert codes(boot) == [128, 128]


def one(tree=TREE):
    return {path: value for path, value in tree.items() if path[1] == 1}


def test_a_server_asks_for_a_bootstrap():
    """LightweightM2M-1.1-int-5: Execute /1/x/9; L2: the old registrar is left before the new one is asked."""
    net, boot = begin([DELETE] + accounts() + [FINISH], one())
    old, new = net.servers[GATEWAY], net.servers[PLATFORM]
    assert net.agent.registration.state == "registered" and not boot.seen
    old.ask(coap.POST, ("1", "1", "9"), net.now)
    net.carry()
    assert [answer.code for answer in old.answers] == [coap.CHANGED]
    assert [request.path for request in boot.seen] == [("bs",)]
    assert (old.seen[-1].code, old.seen[-1].path) == (coap.DELETE, ("rd", "7"))
    assert len(registrations(new)) == 1 and net.agent.registration.state == "registered"
    assert net.agent.bootstrap is None and not net.agent.configuration.trial


def test_a_bootstrap_that_a_server_asked_for_and_that_fails_costs_nothing():
    net, boot = begin([accounts()[0], FINISH], one())
    old = net.servers[GATEWAY]
    old.ask(coap.POST, ("1", "1", "9"), net.now)
    net.run(120000)
    assert len(boot.seen) == 3 and net.agent.bootstrap is None
    assert net.agent.registration.state == "registered" and len(registrations(old)) == 1


def test_an_update_in_between_does_not_end_a_bootstrap():
    net, boot = begin([DELETE], one())
    net.servers[GATEWAY].ask(coap.POST, ("1", "1", "9"), net.now)
    net.run(40000)
    assert [path for path in net.servers[GATEWAY].paths() if path == "rd/7"] and net.agent.bootstrap.busy
    boot.plan = boot.plan + accounts() + [FINISH]
    boot.step(net.now)
    net.carry()
    assert len(registrations(net.servers[PLATFORM])) == 1


def test_a_device_that_is_told_its_server_never_bootstraps():
    net, boot = begin([], values={"server_uri": "coap://" + GATEWAY[0]})
    old = net.servers[GATEWAY]
    old.ask(coap.POST, ("1", "0", "9"), net.now)
    net.run(1000)
    assert [answer.code for answer in old.answers] == [133] and not boot.seen


def test_the_hold_off_is_kept():
    net, boot = begin([DELETE] + accounts() + [FINISH], {(0, 65534, 11): 20})
    net.run(19999)
    assert not boot.seen and net.agent.bootstrap.state == "holding"
    net.run(6000)
    assert net.agent.registration.state == "registered"


def test_the_first_registration_is_delayed():
    """/1/x/14: after a bootstrap, and not after a restart."""
    late = put("/1/3", [(0, 3), (1, 60), (7, "U"), (14, 30)])
    net, boot = begin([DELETE, accounts()[0], late, FINISH])
    net.run(29000)
    assert net.agent.registration.state == "idle" and not net.servers[PLATFORM].seen
    net.run(2000)
    assert net.agent.registration.state == "registered" and len(boot.seen) == 1
    net.boot()
    net.agent.start(net.now)
    net.link("eth", True)
    net.carry()
    assert net.agent.registration.state == "registered"


def test_a_bootstrap_account_ends():
    """/0/x/12"""
    net, boot = begin([DELETE, put("/0/65534", [(0, "coap://10.0.0.5"), (1, True), (2, 3), (12, 100)])] + accounts()
                      + [FINISH])  # fmt: skip
    net.run(99000)
    assert (0, 65534, 0) in net.agent.configuration.tree
    net.run(2000)
    assert not [path for path in net.agent.configuration.tree if path[1] == 65534]
    net.boot()
    assert not [path for path in net.agent.configuration.tree if path[1] == 65534]
    assert net.agent.registration.state == "idle" and len(net.agent.configuration.accounts) == 1


def test_its_keys_end_with_it():
    tree = {(0, 65534, 12): 10, (0, 65534, 17): (21, 0), (21, 0, 0): b"k" * 16, (21, 0, 1): b"c", (21, 0, 2): b"s"}
    tree.update(one())
    net, boot = begin([], tree)
    assert (21, 0, 0) in net.agent.configuration.tree
    net.run(70001)
    assert not [path for path in net.agent.configuration.tree if path[0] == 21 or path[1] == 65534]


def test_it_does_not_end_while_it_is_the_only_way_back():
    net, boot = begin([DELETE, put("/0/65534", [(0, "coap://10.0.0.5"), (1, True), (2, 3), (12, 10)])]
                      + accounts("10.9.9.9") + [FINISH])  # fmt: skip
    net.run(100000)
    assert (0, 65534, 0) in net.agent.configuration.tree


def test_everything_in_one_answer():
    """1.2 Core 6.1.7.8: one round trip from the question to the configuration."""
    net, boot = begin([], values={"bootstrap_pack": True, "links": "wifi"})
    assert not boot.seen
    rows = [(0, 0, "coap://" + PLATFORM[0]), (0, 1, False), (0, 2, 3), (0, 10, 3), (1, 0, 3), (1, 1, 60), (3, 0, "x")]
    boot.pack = senml.pack([("%d/3/%d" % (oid, rid), value, None) for oid, rid, value in rows], "/")
    net.link("wifi", True)
    net.carry()
    assert [request.path for request in boot.seen] == [("bspack",)]
    assert net.agent.registration.state == "registered"


def test_a_server_without_a_pack_is_asked_for_a_bootstrap():
    net, boot = begin([DELETE] + accounts() + [FINISH], values={"bootstrap_pack": True})
    assert [request.path for request in boot.seen] == [("bspack",), ("bs",)]
    assert net.agent.registration.state == "registered"
