"""L1: the agent with the link sms - when it is chosen, what it costs, and whom it listens to."""

from agent.accounts import accounts, bootstrap_account, pack
from agent.codec import coap, sms
from agent.errors import LocalError
from agent.settings import Settings
from agent.texting import Texting
from agent.vetting import check, given

NUMBER, STRANGER = "+491700000001", "+491799999999"
TRIGGER = b"\x40\x02\x00\x01\xb1\x31\x01\x30\x01\x38"
BOTH = {(0, 1, 0): "coap://10.0.0.1", (0, 1, 1): False, (0, 1, 2): 3, (0, 1, 9): NUMBER, (0, 1, 10): 1, (1, 1, 0): 1,
        (1, 1, 1): 86400, (1, 1, 7): "U"}  # fmt: skip


class Medium(dict):
    def read(self, name):
        return self.get(name)

    def write(self, name, data):
        self[name] = data

    def append(self, name, data):
        self[name] = self.get(name, b"") + data

    def remove(self, name):
        self.pop(name, None)


class Modem:
    """A modem that takes every message."""

    state, signal, data = "unknown", None, False

    def __init__(self):
        self.queue, self.identity = [], {}

    @property
    def texts(self):
        return self.state == "registered"

    def target(self, rung, now):
        self.rung = rung

    def text(self, pdu, length, now):
        self.queue.append(pdu)

    def take(self):
        return []

    def poll(self, now):
        pass

    def deadline(self):
        return None


class Device:
    """A Texting agent on such a modem; what it sends is kept."""

    def __init__(self, tree=BOTH, **values):
        known = {"endpoint": "meter-1", "insecure": True, "links": "eth,sms", "probe_ms": 0, "report_period_s": 86400}
        known.update(values)
        self.medium, self.sent, self.now, self.values = Medium(), [], 0, known
        self.agent = self.boot()
        if tree:
            self.agent.store.put({"config": pack(tree)})
            self.agent = self.boot()
        self.agent.modem = Modem()
        self.agent._compose()
        self.agent.start(0)
        self.pump()

    def boot(self):
        return Texting(Settings(self.values), self.medium, lambda n: n // 2, lambda: 1, lambda: 0)

    def pump(self):
        for what in self.agent.take():
            if what[0] == "udp":
                self.sent.append((what[1], what[2], what[4]))
        while self.agent.modem.queue:
            message = sms.decode(self.agent.modem.queue.pop(0))
            self.sent.append(("sms", message["number"], message["data"]))

    def modem(self, state):
        """The modem got there."""
        self.agent.modem.state = state
        self.agent._modem_state(self.now, state, "")
        self.agent._settle(self.now)
        self.pump()

    def link(self, up):
        self.agent.link("eth", up, self.now)
        self.pump()

    def comes(self, number, data):
        address = sms._address_of(number)
        head = bytes([0, 4]) + address + b"\0\4" + bytes([0x62, 0x11, 0x31, 0x21, 0x43, 0x65, 0]) + bytes([len(data)])
        self.agent._modem_message(self.now, head + data)
        self.agent._settle(self.now)
        self.pump()

    def answer(self, link, code, options=()):
        """The server answers the last request over this link."""
        asked = coap.decode([data for where, _, data in self.sent if where == link][-1])
        data = coap.encode(coap.Message(coap.ACK, code, asked.mid, asked.token, options, b""))
        if link == "sms":
            return self.comes(NUMBER, data)
        self.agent.receive("eth", "10.0.0.1", 5683, data, self.now)
        return self.pump()

    def pass_time(self, ms):
        end = self.now + ms
        while self.agent.deadline() is not None and self.agent.deadline() <= end:
            self.now = max(self.now, self.agent.deadline())
            self.agent.poll(self.now)
            self.pump()
        self.now = end

    def ways(self):
        """Over which links it has sent since it was asked last."""
        ways, self.sent = [what[0] for what in self.sent], []
        return ways


def registered(**values):
    """A device that has registered by short message, because there is nothing else."""
    device = Device(**values)
    device.modem("registered")
    assert {what[:2] for what in device.sent} == {("sms", NUMBER)}
    device.answer("sms", coap.CREATED, [(coap.LOCATION_PATH, b"rd"), (coap.LOCATION_PATH, b"7")])
    assert device.agent.registration.state == "registered"
    return device


def test_what_is_cheaper_comes_first():
    device = Device()
    device.link(True)
    device.modem("registered")
    assert device.agent.links.active == "eth" and set(device.ways()) == {"eth"}


def test_the_last_way_out_and_back():
    device = registered(fail_back_hold_ms=0)
    assert device.agent.registration.target[1] == "sms"
    device.ways()
    device.link(True)
    device.pass_time(100)
    assert device.agent.links.active == "eth"
    device.pass_time(4000)
    assert device.agent.registration.target[1] == "eth" and "eth" in device.ways()


def test_time_outs_are_stretched():
    device = Device()
    device.modem("registered")
    parts = len(device.ways())
    device.pass_time(29000)
    assert device.ways() == []
    device.pass_time(17000)
    assert len(device.ways()) == parts


def test_the_registration_says_so():
    device = Device()
    device.modem("registered")
    assert any([b"b=S" in what[2] for what in device.sent])


def test_no_probes_by_short_message():
    device = registered(probe_ms=2000)
    device.ways()
    device.pass_time(600000)
    assert device.ways() == []


def test_a_server_that_is_silent_is_left_alone_for_longer_and_longer():
    device, count = Device(), []
    device.modem("registered")
    for _ in range(6):
        device.pass_time(3600000)
        count.append(len(device.ways()))
    assert count[0] > count[5] and sum(count) <= 50 + 50 * 6 // 24, count


def test_only_the_registrar_is_answered():
    device = registered()
    device.ways()
    device.comes(STRANGER, b"\x40\x01\x00\x05\xb1\x33")  # GET /3
    device.comes(STRANGER, b"\x40\x00\x00\x06")  # a CoAP ping
    assert device.ways() == []
    device.comes(NUMBER, b"\x40\x00\x00\x06")
    assert device.ways() == ["sms"]


def test_a_trigger_updates_the_registration():
    device = registered()
    device.ways()
    device.comes(STRANGER, TRIGGER)
    device.pass_time(0)
    assert device.ways() == ["sms"] and device.agent.registration.state == "updating"
    device.comes(STRANGER, TRIGGER)
    assert device.ways() == []


def test_a_trigger_ends_a_rest():
    device = Device()
    device.modem("registered")
    device.pass_time(320000)
    assert not device.agent.sms.up
    device.ways()
    device.comes(STRANGER, TRIGGER)
    assert device.agent.sms.up and "sms" in device.ways()


def saying(rid, value):
    """BOTH, of a server whose /1 instance says this."""
    tree = dict(BOTH)
    tree[(1, 1, rid)] = value
    return tree


def asked(device, code, rid, payload=b"", format=None):
    """What the registrar, which is reached over Ethernet, is answered."""
    options = [(coap.URI_PATH, part) for part in (b"1", b"1", b"%d" % rid)]
    options += [(coap.CONTENT_FORMAT, coap.uint(format))] if format is not None else [(coap.ACCEPT, b"")]
    device.number = getattr(device, "number", 900) + 1
    message = coap.Message(coap.CON, code, device.number, b"t", options, payload)
    device.agent.receive("eth", "10.0.0.1", 5683, coap.encode(message), device.now)
    device.pump()
    found = [coap.decode(data) for link, _, data in device.sent if link == "eth"]
    return [(one.code, one.payload) for one in found if one.token == b"t"][-1]


def over_ethernet(tree=BOTH, **values):
    device = Device(tree, fail_back_hold_ms=0, **values)
    device.link(True)
    device.answer("eth", coap.CREATED, [(coap.LOCATION_PATH, b"rd"), (coap.LOCATION_PATH, b"7")])
    return device


def test_no_trigger_where_the_registrar_wants_none():
    """1.1 Core E.2: /1/x/21"""
    for wanted in (True, False):
        device = registered(tree=saying(21, wanted))
        device.ways()
        device.comes(STRANGER, TRIGGER)
        device.pass_time(0)
        assert device.ways() == (["sms"] if wanted else [])
        assert device.agent.registration.state == ("updating" if wanted else "registered")


def test_a_server_may_forbid_triggers():
    device = over_ethernet()
    device.modem("registered")
    assert asked(device, coap.GET, 21) == (coap.CONTENT, b"1")  # what it is without being told
    assert asked(device, coap.PUT, 21, b"0", 0)[0] == coap.CHANGED and asked(device, coap.GET, 21)[1] == b"0"
    device.ways()
    device.comes(STRANGER, TRIGGER)
    device.pass_time(0)
    assert device.ways() == []
    assert asked(device, coap.PUT, 21, b"1", 0)[0] == coap.CHANGED


def test_the_transport_that_the_server_prefers_comes_first():
    """1.1 Core E.2: /1/x/22, against the order of the links, in both directions; the other one is the way out still."""
    for preferred, links, first, then in (("S", "eth,sms", "sms", "eth"), ("U", "sms,eth", "eth", "sms"),
                                          ("T", "eth,sms", "eth", "sms"), ("", "sms,eth", "sms", "eth")):  # fmt: skip
        device = Device(saying(22, preferred), links=links, fail_back_hold_ms=0)
        device.link(True)
        device.modem("registered")
        device.pass_time(100)
        assert device.agent.links.active == first, preferred
        device.link(False) if first == "eth" else device.modem("searching")
        device.pass_time(100)
        assert device.agent.links.active == then, preferred


def test_a_server_moves_the_device_to_the_other_transport_and_back():
    """1.1 Core E.2: for a firmware update over UDP, say. The old registration is left first."""
    device = over_ethernet()
    device.modem("registered")
    device.ways()
    assert asked(device, coap.PUT, 22, b"X", 0)[0] == coap.BAD_REQUEST
    assert asked(device, coap.GET, 22)[0] == coap.NOT_FOUND
    assert asked(device, coap.PUT, 22, b"S", 0)[0] == coap.CHANGED
    device.pass_time(100)
    assert device.agent.registration.target[1] == "sms" and device.agent.registration.state == "leaving"
    device.answer("eth", coap.DELETED)
    assert "sms" in device.ways() and device.agent.registration.state == "registering"
    device = over_ethernet(saying(22, "S"))
    assert device.agent.links.active == "eth"  # there is nothing else yet
    assert asked(device, coap.PUT, 22, b"U", 0)[0] == coap.CHANGED
    device.modem("registered")
    device.pass_time(100)
    assert device.agent.links.active == "eth"


def test_a_configuration_server_by_its_number_and_no_discovery():
    device = Device(tree=None, links="sms", bootstrap_uri="sms:" + NUMBER)
    device.pass_time(0)
    device.modem("registered")
    ((link, number, data),) = device.sent
    assert (link, number) == ("sms", NUMBER) and b"bs" in data
    device = Device(tree=None, links="sms")
    device.pass_time(0)
    device.modem("registered")
    assert device.sent == [] and device.agent.discovery is None


def test_a_configuration_server_by_its_number_is_waited_for_and_then_left_alone():
    device = Device(tree=None, links="sms", bootstrap_uri="sms:" + NUMBER)
    device.pass_time(0)
    device.modem("registered")
    assert device.agent.bootstrap.wait_ms == 240000
    device.pass_time(300000)
    assert not device.agent.sms.up


def test_the_budget_outlives_a_restart():
    device = registered(sms_per_day=10)
    left = device.agent.sms.left(0)
    assert left < 10 and device.boot().sms.left(0) == left


def test_accounts_with_a_number():
    (account,) = accounts(BOTH)
    assert account.peer("sms") == ("sms", NUMBER, 0) and account.peer("eth") == ("eth", "10.0.0.1", 5683)
    tree = dict(BOTH)
    tree[(0, 1, 0)] = "sms:" + NUMBER
    (account,) = accounts(tree)
    assert account.allows("sms") and not account.allows("eth") and account.peer("eth") is None
    check(tree, True)
    tree[(0, 1, 0)] = "coap://10.0.0.1"
    del tree[(0, 1, 9)]
    assert not accounts(tree)[0].allows("sms")
    settings = Settings({"bootstrap_uri": "sms:" + NUMBER})
    assert bootstrap_account(given({}, settings.get)).peer("sms") == ("sms", NUMBER, 0)


def test_numbers_that_are_none():
    for uri, number in (("sms:", ""), ("sms:+49x", ""), ("sms:12", ""), ("coap://10.0.0.1", "a b"),
                        ("coap://10.0.0.1", "1" * 30)):  # fmt: skip
        tree = dict(BOTH)
        tree[(0, 1, 0)], tree[(0, 1, 9)] = uri, number
        try:
            check(tree, True)
        except LocalError as e:
            assert "telephone number" in e.args[0] or "server address" in e.args[0], e.args
        else:
            raise AssertionError(uri)
    for uri in ("sms:", "sms:+", "sms:meter", "sms:+49 17"):
        try:
            Settings({"bootstrap_uri": uri})
        except LocalError:
            continue
        raise AssertionError(uri)
