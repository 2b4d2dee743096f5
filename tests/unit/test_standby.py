"""What the modem does while a better link is in use: cold, warm or hot, and how long it lingers after a fail-back."""

from test_agent import PLATFORM, TREE, Net

_TREE = dict(TREE)
_TREE[(26241, 2, 1)] = "lte"


class Modem:
    """It goes where it is told to, but dials for a second; its datagrams take the way that the others take."""

    signal, identity = -71, {}

    def __init__(self, net):
        self.net, self.state, self.rungs = net, "off", []
        self._out, self._due = [], None

    def target(self, rung, now):
        if not self.rungs or rung != self.rungs[-1][1]:
            self.rungs.append((now, rung))
            self._due = now + 1000 if rung == "connected" else None
            self._enter("registered" if rung == "connected" else rung)

    def send(self, host, port, data, now):
        self.net.agent._out.append(("udp", "lte", host, port, data))
        return True

    def poll(self, now):
        if self._due is not None and now >= self._due:
            self._due = None
            self._enter("connected")

    def deadline(self):
        return self._due

    def take(self):
        out, self._out = self._out, []
        return out

    def _enter(self, state):
        if state != self.state:
            self.state = state
            self._out.append(("state", state, ""))


def start(**values):
    """Both links are there; the device is registered with the gateway, over eth."""
    given = {"links": "eth,lte", "fail_back_hold_ms": 1000, "report_period_s": 60, "flap_max_ms": 0}
    given.update(values)
    net = Net(given, _TREE)
    modem = net.agent.modem = Modem(net)
    net.agent._compose()
    net.agent.start(0)
    net.link("eth", True)
    net.run(30000)
    assert net.agent.registration.registrar[1] == "eth"
    return net, modem


def lose_and_find(net, modem, away_ms=5000):
    """The cable goes and comes back: -> when it was registered there again."""
    net.link("eth", False)
    net.run(away_ms)
    assert net.agent.registration.registrar[1] == "lte" and modem.state == "connected"
    net.link("eth", True)
    for _ in range(100):
        net.run(100)
        if net.agent.registration.state == "registered" and net.agent.registration.registrar[1] == "eth":
            return net.now
    raise AssertionError("never back")


def test_each_policy_has_its_rung():
    for standby, rung in (("cold", "off"), ("warm", "registered"), ("hot", "connected")):
        _, modem = start(standby=standby)
        assert modem.rungs[-1][1] == rung, (standby, modem.rungs)


def test_warm_is_hot_for_a_while_after_a_bad_time():
    """The rule of the field: what was lost once is lost again."""
    net, modem = start(standby="warm", hot_after_loss_s=600)
    lost = net.now
    lose_and_find(net, modem)
    net.run(lost + 590000 - net.now)
    assert modem.rungs[-1][1] == "connected"
    net.run(70000)  # it is looked at with each reading
    assert modem.rungs[-1][1] == "registered"


def test_cold_stays_cold():
    net, modem = start(standby="cold", linger_ms=0)
    lose_and_find(net, modem)
    net.run(1000)
    assert modem.state == "off"


def test_it_lingers_after_the_fail_back():
    net, modem = start(standby="warm", hot_after_loss_s=0, linger_ms=5000)
    back = lose_and_find(net, modem)
    net.run(4500)
    assert modem.state == "connected"
    net.run(1000)
    assert modem.state == "registered" and back + 4800 <= modem.rungs[-1][0] <= back + 5000, modem.rungs


def test_a_loss_while_it_lingers_needs_no_dialling():
    net, modem = start(standby="warm", hot_after_loss_s=0, linger_ms=5000)
    lose_and_find(net, modem)
    net.run(2000)
    dials = len(modem.rungs)
    net.link("eth", False)
    net.run(60000)
    assert net.agent.registration.registrar[1] == "lte" and len(modem.rungs) == dials


def test_at_a_start_nothing_lingers():
    """Until eth is up the modem is wanted; it has not dialled by then."""
    net, modem = start(standby="warm", linger_ms=600000)
    assert modem.rungs[-1][1] == "registered"


def test_who_has_spent_the_budget_is_not_kept_hot():
    net, modem = start(standby="hot", data_cap_kb=1)
    net.agent.metrics.count("lte", 0, 2000)
    net.run(60000)
    assert modem.rungs[-1][1] == "registered"
    assert net.log.count(("links", "budget")) == 1
    net.link("eth", False)
    net.run(5000)
    assert net.servers[PLATFORM].paths()[0] == "rd"  # still better than no link at all
