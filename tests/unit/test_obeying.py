"""G2: what each setting of a policy does on the running agent."""

from policed import NORTH, WALL, Policed, document, signed


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
