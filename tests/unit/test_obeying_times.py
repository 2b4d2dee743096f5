"""G2: what the settings of a policy that have to do with time do on the running agent."""

from policed import WALL, Policed

from agent.codec import coap, senml

MIDNIGHT = WALL // 86400 * 86400
QUIET = {"report_period_s": 3600, "probe_ms": 0}


def started(second=0, wall=True, **values):
    """A device of which the clock, where it has one, says that second of the day when its tests begin."""
    net = Policed(dict(QUIET, **values))
    net.wall = wall and MIDNIGHT + 86400 + second - 11
    return net.begin()


def sent(net):
    """[(Unix s when it came, [Unix s of each reading in it])] of what the registrar was sent, with a clock."""
    return [(net.wall + at // 1000, times) for at, times in batches(net)]


def batches(net):
    return [(at, [time for _, _, time in records]) for at, records in net.reports]


def watch(net):
    """Remember when the registrar gets what readings from now on, and nothing else: heaps are small."""
    net.reports = []
    serve = net.gateway._serve

    def noted(request, now):
        if request.path == ("dp",):
            net.reports.append((now, senml.unpack(request.payload)[1:]))
        serve(request, now)
        net.gateway.seen[:] = []

    net.gateway._serve = noted
    return net


def day(seconds):
    return [second + MIDNIGHT + 86400 for second in seconds]


# 3 measurement interval


def test_3_readings_are_taken_more_often_than_they_are_sent():
    net = watch(started(10))
    assert net.push(1, {1: 600, 3: 60}) == (0, None)
    net.run(1800000)
    assert [at for at, _ in sent(net)] == day((600, 1200, 1800))
    assert sum([times for _, times in sent(net)], []) == day(range(60, 1801, 60))
    assert net.agent.journal.count == 0


def test_3_without_a_clock_one_follows_the_other():
    net = watch(started(wall=0))
    assert net.push(1, {1: 600, 3: 60}) == (0, 1)
    begin = net.now
    net.run(1810000)
    assert [(at - begin) // 1000 for at, _ in batches(net)] == [600, 1200, 1800]
    assert 29 <= sum([len(times) for _, times in batches(net)]) <= 31


def test_3_the_clock_is_set_meanwhile():
    net = watch(started(wall=0))
    net.push(1, {1: 600, 3: 60})
    net.run(100000)
    net.wall = MIDNIGHT - net.now // 1000 + 7
    net.run(1300000)
    assert [at for at, _ in sent(net)] == [MIDNIGHT + 600, MIDNIGHT + 1200]
    assert sent(net)[1][1] == [MIDNIGHT + second for second in range(660, 1201, 60)]


def test_3_what_came_late_or_offline_goes_with_the_next_report():
    net = watch(started(10))
    net.push(1, {1: 600, 3: 60})
    net.run(500000)
    net.link("eth", False)
    net.link("wifi", False)
    net.run(300000)  # the report of 600 s is due meanwhile
    net.link("eth", True)
    net.run(100000)
    assert [times for _, times in sent(net)] == [day(range(60, 601, 60))]
    net.run(400000)
    assert sum([times for _, times in sent(net)], []) == day(range(60, 1201, 60))


def test_3_none_is_dropped_when_the_outbox_is_smaller_than_a_report():
    net = watch(started(10, outbox_max=20))
    net.push(1, {1: 3600, 3: 60})
    net.run(3600000)
    assert net.agent.journal.dropped == 0 and len(net.reports) > 3
    assert sum([times for _, times in sent(net)], []) == day(range(60, 3601, 60))


def test_3_a_report_period_that_the_registrar_writes_is_none_of_readings():
    for wall in (1, 0):
        net = watch(started(10, wall=wall))
        net.push(1, {3: 60})
        net.gateway.ask(coap.PUT, ("26242", "0", "1"), net.now, payload=b"180", format=0)
        net.carry()
        net.run(720000)
        assert [len(records) for _, records in net.reports][1:] == [3] * (len(net.reports) - 1) and len(net.reports) > 2


def test_3_ends_with_the_policy():
    net = watch(started(10))
    net.push(1, {1: 600, 3: 60})
    net.run(200000)
    net.push(2, {1: 600})
    assert [len(times) for _, times in batches(net)] == [3] and net.agent.timing is None
    net.run(1200000)
    assert [len(times) for _, times in batches(net)] == [3, 1, 1]


def test_3_holds_after_a_start_and_what_had_waited_goes_at_once():
    net = watch(started(10))
    net.push(1, {1: 600, 3: 60})
    net.run(200000)
    net.now += 300000  # the servers have forgotten its message ids
    net.boot()
    net.begin(("eth",), known=False)
    assert [times for _, times in sent(net)] == [day((60, 120, 180))]
    net.run(200000)
    assert [at for at, _ in sent(net)][1:] == day((600,))


# 4 schedule


def test_4_reports_at_times_of_the_day():
    net = watch(started(10))
    net.push(1, {4: [[3600, 7200, 900], [7200, 10800, 300]]})
    net.run(12000000)
    assert [at for at, _ in sent(net)] == day([3600, 4500, 5400, 6300] + list(range(7200, 10800, 300)) + [10800])
    assert all([times == [at] for at, times in sent(net)])
    assert net.agent.settings.get("report_period_s") == 3600  # what holds outside of the schedule


def test_4_with_an_interval_and_a_phase_of_the_devices_own():
    net = watch(started(10))
    net.push(1, {1: 7200, 2: 300, 3: 900, 4: [[3600, 7200, 1800]]})
    offset = net.agent.timing._rhythm._offset
    assert 0 < offset < 300
    net.run(7800000)
    assert sent(net) == list(zip(day((3600 + offset, 5400 + offset, 7200 + offset)),
                                 (day((900, 1800, 2700, 3600)), day((4500, 5400)), day((6300, 7200)))))  # fmt: skip


def test_4_waits_for_a_clock():
    net = watch(started(wall=0))
    net.push(1, {4: [[0, 86400, 60]]})
    net.run(300000)
    assert batches(net) == []
    net.wall = MIDNIGHT - net.now // 1000 + 86400
    net.run(180000)
    assert [at for at, _ in sent(net)] == day((60, 120, 180))[: len(sent(net))] and len(sent(net)) > 1


def test_4_goes_by_the_clock_when_that_is_set_back():
    net = watch(started(3000))
    net.push(1, {4: [[3600, 86400, 600]]})
    net.run(700000)
    assert [at for at, _ in sent(net)] == day((3600,))
    net.wall -= 3600
    net.run(3600000)
    assert [at for at, _ in sent(net)][1:] == day((3600,))
