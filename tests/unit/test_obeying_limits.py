"""G2: what thresholds and maintenance windows of a policy do on the running agent."""

from policed import WALL, Policed

from agent.codec import cbor, coap, senml
from agent.engine.thresholds import Thresholds

MIDNIGHT = WALL // 86400 * 86400
METER, VOLTS, POWER = 3331, 3316, 3305


class Installer:
    """Of a board: what it is given is always there, and installed without a restart."""

    limit, installs, says = 1000, 0, True

    def begin(self, _size):
        """There is room."""

    def write(self, _data):
        """It is kept."""

    def finish(self):
        return "meter", "2.0"

    def abort(self):
        """It is forgotten."""

    def install(self):
        self.installs += 1
        return self.says


class Board:
    sensors = {VOLTS: "V", POWER: "W"}

    def __init__(self):
        self.installer, self.values = Installer(), {VOLTS: 230.0, POWER: 500.0}

    def sense(self, oid):
        if self.values[oid] is None:
            raise OSError(5, "sensor: it does not answer")
        return self.values[oid]


class Limited(Policed):
    """A device with sensors and an installer; `reading`: of its meter. `sent`: [(ms, {path: value})]."""

    reading, board = 50, None

    def __init__(self, **values):
        self.board = Board()
        Policed.__init__(self, dict({"report_period_s": 3600, "probe_ms": 0}, **values))

    def boot(self):
        Policed.boot(self)
        self.agent.board = self.board

    def measure(self):
        return self.reading

    def begin(self, second=None, known=True):
        """The clock, where it has one, says that second of the day from then on."""
        if second is not None:
            self.wall = MIDNIGHT + second - self.now // 1000 - 11
        Policed.begin(self, ("eth",), known)
        self.sent, serve = [], self.gateway._serve

        def noted(request, now):
            if request.path == ("dp",):
                self.sent.append((now, {name: value for name, value, _ in senml.unpack(request.payload)}))
            serve(request, now)

        self.gateway._serve = noted
        return self

    def heard(self, path="/3331/0/5700"):
        """The values of that path that were sent."""
        return [found[path] for _, found in self.sent if path in found]

    def of(self, *path, code=coap.POST, **more):
        """The registrar's request for it -> the code of the answer."""
        self.gateway.ask(code, [str(part) for part in path], self.now, **more)
        self.carry()
        return self.gateway.answers[-1].code

    def restarts(self):
        return [what for what in self.others if what == ("reset",)]


def test_one_is_told_when_it_goes_beyond_and_when_it_is_back():
    limits = Thresholds([[1, 10, 90, 5], [2, 0, 1, 0]])
    course = ((50, 0), (90, 0), (91, 1), (99, 0), (86, 0), (85, 1), (91, 1), (9, 1), (14, 0), (15, 1), (9, 1), (91, 1))
    assert [limits.crossed(1, value) for value, _ in course] == [bool(crossed) for _, crossed in course]
    assert [limits.crossed(2, value) for value in (-0.5, -7, 0)] == [True, False, True] and limits.channels() == [1, 2]


# 8 thresholds


def test_8_a_reading_beyond_its_limits_is_sent_at_once():
    net = Limited().begin(10)
    assert net.push(1, {1: 3600, 3: 60, 8: [[METER, 10, 90, 5]]}) == (0, None)
    net.run(300000)
    assert net.sent == []
    net.reading = 95
    net.run(50000)
    at, found = net.sent[-1]
    assert len(net.sent) == 1 and found["/3331/0/5700"] == 95 and (net.wall + at // 1000) % 60 == 0
    net.run(600000)  # it stays beyond
    assert len(net.sent) == 1
    net.reading = 84
    net.run(60000)
    assert len(net.sent) == 2 and net.heard()[-1] == 84
    net.run(2600000)
    assert len(net.sent) == 5 and net.agent.journal.count == 0  # the report of the hour: 60 readings in batches
    net.push(2, {1: 3600, 3: 60})
    net.reading = 95
    net.run(120000)
    assert len(net.sent) == 5


def test_8_what_a_sensor_gives_goes_at_once_until_it_is_acknowledged():
    net = Limited().begin(10)
    net.push(1, {1: 3600, 3: 60, 8: [[VOLTS, 207, 253, 3], [POWER, -1, 5000, 0]]})
    net.run(120000)
    net.board.values[VOLTS], net.board.values[POWER] = 260.5, None
    net.gateway.codes = {("dp",): 160}  # 5.00
    net.run(100000)
    tried = len(net.sent)
    assert tried > 1 and net.heard("/3316/0/5700") == [260.5] * tried and net.heard() == []
    net.gateway.codes = {}
    net.run(100000)
    assert len(net.sent) == tried + 1
    net.board.values.update({VOLTS: 251.0, POWER: 6000.0})
    net.run(60000)
    assert net.heard("/3316/0/5700")[tried + 1 :] == [] and net.heard("/3305/0/5800") == [6000.0]
    net.board.values[VOLTS] = 250.0
    net.run(60000)
    assert net.heard("/3316/0/5700")[tried + 1 :] == [250.0]


def test_8_offline_it_waits_for_the_registrar():
    net = Limited().begin(10)
    net.push(1, {1: 3600, 3: 60, 8: [[VOLTS, 207, 253, 0]]})
    net.link("eth", False)
    net.board.values[VOLTS] = 100
    net.run(100000)
    assert net.sent == []
    net.link("eth", True)
    net.run(2000)
    assert net.heard("/3316/0/5700") == [100]


def test_8_a_registrar_that_knows_no_send_is_not_bothered():
    net = Limited().begin(10)
    net.push(1, {1: 3600, 3: 60, 8: [[VOLTS, 207, 253, 0]]})
    net.gateway.codes = {("dp",): coap.NOT_ALLOWED}
    net.board.values[VOLTS] = 100
    net.run(1800000)
    assert net.heard("/3316/0/5700") == [100]


def test_8_a_channel_that_the_device_does_not_have_is_refused():
    net = Limited().begin()
    assert net.push(1, {8: [[METER, 0, 9, 0], [3303, 0, 9, 0]]}) == (6, 8)
    assert net.push(2, {8: [[METER, 0, 9, 0], [VOLTS, 0, 9, 0]]}) == (0, 1)


# 9 maintenance windows


def test_9_a_restart_waits_for_a_window():
    net = Limited().begin(7000)
    net.push(1, {9: [[7200, 10800], [80000, 80600]]})
    assert net.of(3, 0, 4) == coap.CHANGED and ("policies", "restart waits") in net.log
    net.run(150000)
    assert not net.restarts()
    net.run(60000)
    assert net.restarts()
    net = Limited().begin(7300)
    net.push(1, {9: [[7200, 10800]]})
    net.of(3, 0, 4)
    net.run(1000)
    assert net.restarts()


def test_9_a_restart_that_waits_comes_when_the_policy_goes():
    for settings in ({}, {9: []}, {1: 60, 9: [[0, 86400]]}):
        net = Limited().begin(7000)
        net.push(1, {9: [[20000, 30000]]})
        net.of(3, 0, 4)
        net.run(5000)
        assert not net.restarts()
        net.push(2, settings)
        net.run(1000)
        assert net.restarts(), settings


def test_9_without_a_clock_it_waits_for_one_but_not_for_ever():
    net = Limited().begin()
    net.push(1, {9: [[7200, 10800]]})
    net.of(3, 0, 4)
    net.run(3600000)
    assert not net.restarts()
    net.wall = MIDNIGHT + 7200 - net.now // 1000
    net.run(61000)
    assert net.restarts()
    net = Limited(report_period_s=86400).begin()
    net.push(1, {9: [[7200, 10800]]})
    net.agent.timing._since -= 86300000
    net.of(3, 0, 4)
    net.run(50000)
    assert not net.restarts()
    net.run(100000)
    assert net.restarts()


def updating(second, windows):
    """A device with a package, at that second of the day."""
    net = Limited().begin(second)
    net.push(1, {9: windows})
    assert net.of(5, 0, 0, code=coap.PUT, payload=b"image", format=42) == coap.CHANGED
    assert net.agent.upgrade.firmware.state == "downloaded"
    return net


def test_9_an_update_waits_for_a_window():
    net = updating(7000, [[7200, 10800]])
    assert net.of(5, 0, 2) == coap.CHANGED
    net.run(150000)
    assert net.board.installer.installs == 0 and net.agent.upgrade.firmware.state == "downloaded"
    net.run(60000)
    assert net.board.installer.installs == 1 and net.agent.upgrade.firmware.state == "idle"
    net = updating(7300, [[7200, 10800]])
    net.of(5, 0, 2)
    assert net.board.installer.installs == 1


def test_9_an_update_that_waits_can_be_cancelled():
    net = updating(7000, [[7200, 10800]])
    net.of(5, 0, 2)
    assert net.of(5, 0, 1, code=coap.PUT, payload=b"", format=0) == coap.CHANGED
    net.run(300000)
    assert net.board.installer.installs == 0 and net.agent.upgrade.firmware.state == "idle"
    assert net.of(5, 0, 2) == coap.NOT_ALLOWED


def test_9_an_update_that_waits_survives_a_power_cut():
    net = updating(7000, [[7200, 10800]])
    net.of(5, 0, 2)
    net.boot()
    net.begin(known=False)
    net.run(60000)
    assert net.board.installer.installs == 0 and net.agent.upgrade.firmware.waits
    net.run(140000)
    assert net.board.installer.installs == 1
    assert cbor.encode(net.agent.store.get("firmware")) == cbor.encode(["idle", 1, "", ["meter", "2.0"]])


def test_9_after_an_update_in_a_window_the_restart_does_not_wait():
    net = updating(10799, [[7200, 10800]])
    net.board.installer.says = None
    net.of(5, 0, 2)
    net.run(1000)
    assert net.restarts() and net.board.installer.installs == 1
