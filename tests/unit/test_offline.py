"""Readings taken while no link was up: kept, in order, and sent with the time at which they were taken; and what a
registration costs on the wire."""

from test_agent import GATEWAY, TREE, Net

from agent.codec import cbor, coap, senml

START = 1700000000
_BT, _T = -3, 6  # SenML labels of base time and time (RFC 8428 12.2)


def start(tree=TREE, **values):
    net = Net(dict({"report_period_s": 60, "fail_back_hold_ms": 0}, **values), tree)
    net.agent.wall = lambda: START + net.now // 1000
    net.agent.start(0)
    return net, net.servers[GATEWAY]


def sent(server):
    """-> [(Unix s, value)] of the meter in all that was sent."""
    found = []
    for request in server.seen:
        if request.path == ("dp",):
            records = senml.unpack(request.payload)
            found += [(time, value) for name, value, time in records if name == "/3331/0/5700"]
    return found


def test_readings_of_the_time_without_a_link_go_out_with_their_times():
    """Issue: kept with their time and sent as timestamped SenML; W4: none is lost, none is sent twice."""
    net, gateway = start()
    net.run(600000)
    assert gateway.seen == [] and net.agent.journal.count == 10
    net.link("eth", True)
    net.run(5000)
    assert sent(gateway) == [(START + 60 * n, n) for n in range(1, 11)] and net.agent.journal.count == 0
    pack = cbor.decode([request for request in gateway.seen if request.path == ("dp",)][0].payload)
    times = [(record.get(_BT), record.get(_T)) for record in pack if record.get(0) != "/26242/0/0" and -2 in record]
    assert times and times[0][0] == START + 60  # a base time, and what follows differs from it
    assert [record[_T] for record in pack if _T in record] == [60 * n for n in range(1, 10)]


def test_an_outage_in_between_leaves_no_gap():
    net, gateway = start()
    net.link("eth", True)
    net.run(130000)
    net.link("eth", False)
    net.run(300000)
    net.link("eth", True)
    net.run(120000)
    times = [time for time, _ in sent(gateway)]
    assert times == [START + 60 * n for n in range(1, len(times) + 1)] and len(times) >= 9


def test_an_outage_over_a_restart_without_a_clock():
    """A reading whose time is unknown (the clock was never set) goes out without one, not with a wrong one."""
    net, _ = start()
    net.run(120000)
    net.boot()
    net.agent.wall = lambda: 0
    net.agent.start(net.now)
    net.run(60000)
    net.agent.wall = lambda: START + 1000
    net.link("eth", True)
    net.run(2000)
    assert [time for time, _ in sent(net.servers[GATEWAY])] == [START + 60, START + 120, None]


def test_a_reading_whose_confirmable_notification_got_lost_goes_out_as_the_others_do():
    """W4: it was in the journal before it was told, and is registered anew, as the observation is over."""
    net, gateway = start(report_period_s=20, links="eth", probe_ms=0)
    net.link("eth", True)
    net.run(30000)
    gateway.ask(coap.GET, ("3331", "0", "5700"), net.now, observe=0, query=("con=1",))
    net.carry()
    net.agent.reports.online(False, net.now)  # nothing but the notification tells that the server is gone
    net.cut.add("eth")
    net.run(120000)
    assert ("exchange", "unheard") in net.log
    net.cut.discard("eth")
    before = gateway.paths().count("rd")
    net.run(60000)
    assert gateway.paths().count("rd") > before
    times = [time for time, _ in sent(gateway)]
    assert times == [START + 20 * n for n in range(1, len(times) + 1)] and len(times) >= 9


def test_what_a_registration_costs():
    """Issue 4, Done when 2: eight objects and an endpoint of 10 characters, at most 120 bytes."""
    tree = {path: TREE[path] for path in TREE if path[0] != 26241 and path[1] != 2}
    net, _ = start(tree, endpoint="meter-0123", links="eth", lifetime_s=300)
    net.agent.board = Eight()
    net.agent.resources.extend()
    net.agent.link("eth", True, 0)
    (data,) = [what[4] for what in net.agent.take() if what[0] == "udp"][:1]
    links = coap.decode(data).payload.decode().split(",")[1:]
    objects = {link.split("/")[1] for link in links if "ver" not in link}
    assert len(objects) == 8, links
    assert len(data) <= 120, (len(data), links)


class Eight:
    """A board with which the agent has eight objects: 1 3 4 5 7 3303 3331 26242."""

    sensors = {3303: "Cel"}
    installer = None
