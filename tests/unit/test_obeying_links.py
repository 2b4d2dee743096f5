"""G2: what the settings of a policy do that concern the links: their order, what LTE may cost, its access point."""

from policed import NORTH, Policed, document, grouped, signed
from test_agent import PLATFORM, TREE
from test_standby import Modem

from agent.engine import policy_rules
from agent.north import obeying_links

BOTH = dict(TREE)
BOTH[(26241, 2, 1)] = "lte"


class Dialled(Modem):
    """It dials with an access point name, in a second; there is only what `known` names."""

    known = "base", "good"

    def __init__(self, net):
        Modem.__init__(self, net)
        self._apn, self._dialled = "base", None

    def set_apn(self, apn, now):
        self._apn, self._due = apn, now + 1000
        self._enter("disconnecting")

    def poll(self, now):
        if self._due is not None and now >= self._due and self._apn not in self.known:
            self._due = now + 5000
        elif self._due is not None and now >= self._due:
            self._dialled = self._apn
        Modem.poll(self, now)


class Field(Policed):
    """A device with eth, where the gateway is, and a modem, over which the platform can be had."""

    def __init__(self, **values):
        given = {"links": "eth,lte", "apn": "base", "flap_max_ms": 0, "fail_back_hold_ms": 1000}
        given.update(values)
        Policed.__init__(self, given, grouped(tree=BOTH))
        self.servers[PLATFORM].link = "lte"

    def boot(self):
        Policed.boot(self)
        self.modem = self.agent.modem = Dialled(self)
        self.agent._compose()

    @property
    def platform(self):
        return self.servers[PLATFORM]

    def offer(self, version, settings, **more):
        """A document from whichever registrar there is -> (status, detail)."""
        told = self.agent.policing.offer(signed(document(version, settings, **more)), "unicast", self.now)
        self.agent._settle(self.now)
        self.carry()
        return told


def registrar(net):
    """(host, link), or None."""
    found = net.agent.registration.registrar
    return found and (found[0].host, found[1])


def test_5_the_order_of_the_links():
    assert obeying_links._NAMES == policy_rules.LINKS
    net = Policed().begin()
    assert registrar(net) == ("10.0.0.1", "eth")
    assert net.push(1, {5: [3, 1]}) == (2, 1)
    net.run(6000)
    assert registrar(net) == ("10.0.0.2", "wifi") and net.state() == "applied"
    assert "/".join(net.gateway.seen[-1].path) == "rd/7"  # a good-bye
    assert net.agent.policing.offer(signed(document(2, {})), "unicast", net.now) == (2, 1)
    net.run(60000)
    assert registrar(net) == ("10.0.0.1", "eth") and net.state() == "applied"


def test_5_a_link_that_is_not_in_the_order_is_not_used():
    net = Policed().begin()
    net.push(1, {5: [1]})
    net.run(6000)
    assert net.state() == "applied"
    net.link("eth", False)
    net.run(20000)
    assert registrar(net) is None and net.agent.links.active is None and net.agent.links.is_up("wifi")
    net.link("wifi", False)
    net.link("eth", True)
    net.run(20000)
    assert registrar(net) == ("10.0.0.1", "eth")
    net.push(2, {})
    net.run(6000)
    net.link("wifi", True)
    net.link("eth", False)
    net.run(1000)
    assert registrar(net) == ("10.0.0.2", "wifi")


def test_5_an_order_without_the_link_that_works_is_undone():
    net = Policed().begin(links=("eth",))
    assert net.push(1, {5: [3]}, trial=60) == (2, 1)
    net.run(59000)
    assert registrar(net) is None and net.state() == "trial"
    net.run(20000)
    assert registrar(net) == ("10.0.0.1", "eth") and net.state() == "rolled"
    assert net.acks()[-1] == [b"meter-1", NORTH, 1, 7, 1] and net.words()[-1][0].endswith(".1.rolled")
    assert net.push(2, {1: 30}) == (0, 1)


def test_5_an_order_with_a_modem_has_it_dial_at_once():
    """Also where no link is up, as after a trial that has failed."""
    net = Policed().begin(links=("eth",))
    net.push(1, {5: [1]})
    net.link("eth", False)
    net.run(1000)
    aimed = []
    net.agent._aim_modem = aimed.append
    net.agent.policing.offer(signed(document(2, {5: [2, 1]})), "usb", net.now)
    net.agent.poll(net.now)
    assert aimed == [net.now]


def test_5_holds_after_a_restart():
    net = Policed().begin()
    net.push(1, {5: [3, 1]})
    net.run(6000)
    net.now += 300000
    net.boot()
    net.begin(known=False)
    assert registrar(net) == ("10.0.0.2", "wifi") and net.state() == "applied"


def test_6_lte_comes_last_once_it_has_carried_that_much():
    net = Field(links="lte,eth").begin(links=("eth",))
    assert registrar(net) == ("10.0.0.2", "lte")
    assert net.offer(1, {6: 20000}) == (2, 1)
    net.run(60000)
    assert registrar(net) == ("10.0.0.2", "lte") and net.state() == "applied"
    net.agent._account(net.now)
    net.agent.metrics.count("lte", 1, 20000)
    net.run(120000)
    assert registrar(net) == ("10.0.0.1", "eth") and ("links", "budget") in net.log
    net.link("eth", False)
    net.run(20000)
    assert registrar(net) == ("10.0.0.2", "lte")  # rather than none
    net.link("eth", True)
    net.offer(2, {})
    net.run(60000)
    assert registrar(net) == ("10.0.0.2", "lte") and not net.agent.links.is_spent("lte")


def test_6_no_cap_is_needed_for_lte_to_come_last():
    net = Field(links="lte,eth", metered="", probe_ms=0).begin(links=("eth",))
    assert registrar(net) == ("10.0.0.2", "lte") and not net.agent.metrics
    net.offer(1, {6: 0})
    net.run(30000)
    assert registrar(net) == ("10.0.0.1", "eth") and net.state() == "applied"
    assert net.modem.rungs[-1][1] == "registered"
    net.offer(2, {})
    net.run(30000)
    assert registrar(net) == ("10.0.0.2", "lte") and net.agent.metrics._caps == {}


def test_6_the_cap_of_the_settings_is_back_when_the_policy_ends():
    net = Field(data_cap_kb=5).begin(links=("eth",))
    assert net.agent.metrics._caps == {"lte": 5120}
    net.push(1, {6: 7})
    assert net.agent.metrics._caps == {"lte": 7}
    net.run(6000)
    net.push(2, {})
    assert net.agent.metrics._caps == {"lte": 5120}


def test_7_another_access_point_counts_once_one_has_registered_over_it():
    net = Field().begin(links=())
    assert registrar(net) == ("10.0.0.2", "lte")
    before = len(net.platform.seen)
    net.platform.ask(2, ("policy",), net.now, payload=signed(document(1, {7: "good"})))
    net.carry()
    assert net.platform.answers[-1].code == 68 and net.state() == "trial"
    net.run(1900)  # the answer has the time to go; no Update over the old context proves anything
    assert net.modem._apn == "base" and net.state() == "trial"
    net.run(6000)
    assert (net.modem._apn, net.modem._dialled) == ("good", "good") and net.state() == "applied"
    assert net.platform.seen[before].path == ("rd",)
    assert registrar(net) == ("10.0.0.2", "lte") and net.agent.settings.get("apn") == "base"
    assert net.offer(2, {}) == (2, 1)
    net.run(6000)
    assert net.modem._dialled == "base" and net.state() == "applied"


def test_7_an_access_point_that_is_not_there_is_left_again():
    net = Field().begin(links=())
    net.offer(1, {7: "typo"}, trial=60)
    net.run(59000)
    assert registrar(net) is None and net.state() == "trial"
    net.run(20000)
    assert registrar(net) == ("10.0.0.2", "lte") and net.modem._dialled == "base" and net.state() == "rolled"
    assert net.acks(net.platform)[-1] == [b"meter-1", NORTH, 1, 7, 1]


def test_7_a_way_round_proves_no_access_point_of_the_preferred_link():
    net = Field(links="lte,eth").begin(links=("eth",))
    net.offer(1, {7: "typo"}, trial=60)
    net.run(30000)
    assert registrar(net) == ("10.0.0.1", "eth") and net.state() == "trial"
    updates = len(net.gateway.seen)
    net.run(20000)
    assert net.state() == "trial" and len(net.gateway.seen) - updates < 3
    net.run(40000)
    assert net.state() == "rolled" and net.modem._dialled == "base"
    assert registrar(net) == ("10.0.0.2", "lte")


def test_7_it_is_taken_up_where_lte_stands_by():
    net = Field().begin(links=("eth",))
    assert net.push(1, {7: "good"}) == (2, 1)
    net.run(6000)
    assert net.state() == "applied" and net.modem._apn == "good"
    net.link("eth", False)
    net.run(6000)
    assert registrar(net) == ("10.0.0.2", "lte") and net.modem._dialled == "good"


def test_7_holds_after_a_restart():
    net = Field().begin(links=())
    net.offer(1, {7: "good"})
    net.run(8000)
    net.now += 300000
    net.boot()
    net.begin(links=(), known=False)
    assert net.modem._dialled == "good" and net.state() == "applied"
