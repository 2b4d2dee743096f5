"""G1: the power fails at each write of a policy's way through a whole agent. Started again it obeys the policy before
or the new one, never both and never none; it knows the version of what it obeys; and the next push finds it ready."""

from binascii import hexlify

from policed import NORTH, WALL, Policed
from torn import Cut, Medium

from agent.codec import cbor

POL = "pol=" + hexlify(NORTH).decode() + "."
OLD, NEW = {1: 300, 10: 900}, {1: 600, 10: 7200}
HOMES = []  # one is enough for all
CALM = {"report_period_s": 3600, "probe_ms": 0}


class Steps(Medium):
    """Counts its writes; the power fails in the one with number `last`, of which the part `share` is written."""

    def __init__(self, files, last=None, share=0.0):
        Medium.__init__(self, files)
        self.last, self.share, self.writes, self.names = last, share, 0, []

    def _put(self, name, old, data):
        if self.writes == self.last:
            self.budget = self.cost + int(len(data) * self.share)
        self.writes += 1
        self.names.append(name)
        Medium._put(self, name, old, data)

    def remove(self, name):
        self.files.pop(name, None)


class Home:
    """A device that obeys version 1, and what is on its medium."""

    def __init__(self):
        net = Policed(CALM, medium=Steps({}))
        net.wall = WALL
        net.begin(("eth",))
        assert net.push(1, OLD) == (2, None)
        net.run(3000)
        assert net.state() == "applied"
        self.files, self.now = dict(net.medium.files), net.now

    def device(self, files=None):
        """It is running with what is on its medium, or with these files."""
        net = Policed(CALM, medium=Steps({}))
        net.wall, net.now = WALL, self.now + 300000
        net.medium = Steps(dict(self.files if files is None else files))
        net.boot()
        net.log.clear()
        return net


def arrive(net):
    """The new one comes, and is tried."""
    assert net.push(2, NEW) == (2, None)


def confirm(net):
    """It comes, and proves itself."""
    arrive(net)
    net.run(3000)


def roll_back(net):
    """It comes, and the registrar hears of it no more."""
    arrive(net)
    net.gateway.codes = {("rd", "7"): None, ("rd",): None, ("dp",): None}
    net.run(301000)


def replace(net):
    """The new one comes, and then one that asks for no trial."""
    confirm(net)
    assert net.push(3, {1: 30, 10: 7200}) == (0, None)


def told(net):
    """The version that the last registration told of."""
    found = net.words()[-1][0]
    assert found[: len(POL)] == POL
    return int(found[len(POL) :].split(".")[0])


def version_of(net):
    return net.agent.policing.engine.summary()[0][1]


def in_force(net):
    """(report period, lifetime), as the running agent has them."""
    return net.agent.reports.period_ms // 1000, net.agent.configuration.accounts[0].lifetime_s


def cuts(home, step, share):
    """For each write of that step: what is on the medium after a cut in it, and what had been acknowledged."""
    last = 0
    while True:
        net = home.device().begin(("eth",), False)
        net.medium.last, net.medium.share = net.medium.writes + last, share
        try:
            step(net)
        except Cut:
            yield net
        else:
            return
        last += 1


def check(step, share, least):
    """-> what was in force after the starts."""
    if not HOMES:
        HOMES.append(Home())
    home, found, seen = HOMES[0], 0, set()
    for cut in cuts(home, step, share):
        acknowledged = [cbor.decode(answer.payload)[2] for answer in cut.gateway.answers if answer.payload]
        acknowledged += [ack[2] for ack in cut.acks()]
        net = home.device(cut.medium.files).begin(("eth",), False)
        net.run(1000)
        version, force = version_of(net), in_force(net)
        assert force in ((300, 900), (600, 7200), (30, 7200)), (step, found, force)
        assert version >= max(acknowledged + [1]) and told(net) == version
        assert force == (300, 900) or version > 1, "obeyed without its version"
        assert net.push(1, OLD)[0] in (3, 4)  # an old one never comes back
        assert not [event for _, event in net.log if event in ("damaged", "unread", "failed")]
        again = net.push(4, NEW)
        assert again[0] in (0, 2) and in_force(net) == (600, 7200)
        net.run(3000)
        assert net.state() == "applied" and version_of(net) == 4
        seen.add((version, force))
        found += 1
    assert found >= least, found
    return seen


def test_a_cut_while_it_arrives():
    for share in (0, 0.5, 1):
        seen = check(arrive, share, 1)
        assert seen == {(2, (600, 7200)) if share == 1 else (1, (300, 900))}


def test_a_cut_while_it_proves_itself():
    assert len(check(confirm, 0.5, 2)) == 2


def test_a_cut_while_it_is_undone():
    assert len(check(roll_back, 0.7, 2)) == 3  # the old, on trial once more, and the old as rolled back


def test_a_cut_while_the_next_replaces_it():
    assert len(check(replace, 0.3, 3)) == 2
