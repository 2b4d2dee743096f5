"""G2: what each setting of a policy does on the running agent."""

from policed import NORTH, WALL, Policed, document, signed

from agent.engine import policy_rules
from agent.north import obeying_links


def reports(net):
    return len([request for request in net.gateway.seen if request.path == ("dp",)])


def lifetimes(net):
    """What the registrar was told, in Register and Update."""
    return [item for request in net.gateway.seen for item in request.query if item[:3] == "lt="]


def test_1_the_report_period():
    net = Policed().begin()
    net.push(1, {1: 20})
    before = reports(net)
    net.run(100000)
    assert reports(net) - before == 5
    net.push(2, {})
    before = reports(net)
    net.run(120000)
    assert reports(net) - before == 2


def test_2_jitter_gives_each_device_a_phase_of_its_own():
    phases = set()
    for name in ("meter-1", "meter-2", "meter-3"):
        net = Policed({"endpoint": name})
        net.wall = WALL
        net.begin()
        net.gateway.seen[:] = []
        net.ask(signed(document(1, {1: 600, 2: 300})))
        due = net.agent.reports.deadline()
        phases.add((WALL * 1000 + due) % 600000)
        net.run(700000)
        assert (WALL * 1000 + net.agent.reports.deadline()) % 600000 in phases and reports(net)
    assert len(phases) == 3 and max(phases) < 301000


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
    assert net.agent.policing.offer(signed(document(2, {})), "usb", net.now) == (2, 1)
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


def test_10_the_lifetime_is_told_at_once_and_taken_back():
    net = Policed().begin()
    assert set(lifetimes(net)) == {"lt=60"}
    assert net.push(1, {10: 7200}) == (2, 1)  # it may cut us off: tried first
    net.run(6000)
    assert lifetimes(net)[-1] == "lt=7200" and net.state() == "applied"
    net.push(2, {})
    net.run(6000)
    assert lifetimes(net)[-1] == "lt=60"


def test_10_holds_for_each_registrar_and_after_a_new_configuration():
    net = Policed().begin()
    net.push(1, {10: 7200})
    net.run(6000)
    net.agent._commit(net.now, dict(net.agent.configuration.tree))
    net.run(3000)
    assert [account.lifetime_s for account in net.agent.configuration.accounts] == [7200, 7200]
    assert NORTH in [one.name for one in net.agent.policing.engine.members]


def test_a_setting_that_this_device_does_nothing_for_is_refused_and_named():
    net = Policed().begin()
    assert net.push(1, {1: 20, 7: "iot.example"}) == (6, 7)
    assert net.agent.reports.period_ms == 60000 and net.push(1, {1: 20}) == (0, 1)
