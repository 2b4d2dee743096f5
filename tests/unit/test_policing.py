"""G1, G2: the agent in a group takes policies from its registrar, answers for them, tells of them when it registers."""

from binascii import hexlify

from policed import NORTH, WALL, Policed, document, keys, signed
from test_agent import GATEWAY, PLATFORM, Medium, Net
from torn import Medium as Torn

from agent.codec import cbor, coap
from agent.north.pushing import acknowledgement
from agent.sealing import wipe

POL = "pol=" + hexlify(NORTH).decode()
SOUTH = b"meters-south"


def test_a_device_in_no_group_loads_nothing():
    net = Net()
    net.agent.start(0)
    net.link("eth", True)
    net.run(2000)
    assert net.agent.north.policing is None and not hasattr(net.agent, "policing")
    registered = net.servers[GATEWAY].seen[0]
    assert not [item for item in registered.query if item[:4] == "pol="]
    net.servers[GATEWAY].ask(coap.POST, ("policy",), net.now, payload=signed(document(1)))
    net.carry()
    assert net.servers[GATEWAY].answers[-1].code == coap.NOT_FOUND


def test_a_policy_by_unicast_is_obeyed_and_answered():
    net = Policed().begin()
    assert net.push(1, {1: 77}) == (0, 1)  # without a clock, as it says
    assert net.agent.reports.period_ms == 77000 and net.state() == "applied"
    assert net.push(1, {1: 77}) == (3, 0)
    assert net.push(2, {}) == (0, 1) and net.agent.reports.period_ms == 60000
    net.wall = WALL
    assert net.push(3, {1: 30}) == (0, None)


def test_the_answer_is_of_the_offered_document():
    net = Policed().begin()
    assert net.push(5, {1: 60}) == (0, 1)
    assert net.push(4, {1: 60}) == (4, None)  # superseded
    assert net.push(1, {1: 60}, group=SOUTH) == (9, None)  # not a member
    assert net.push(6, {1: 1}) == (5, 1) and net.push(7, {99: 1}) == (6, 99)
    assert net.state() == "applied" and net.agent.policing.engine.summary()[0][1] == 5


def test_what_nobody_vouches_for_gets_no_word():
    net = Policed().begin()
    for data in (b"", b"x", signed(document(1), key=b"F" * 64), signed(document(1), kid=b"op9"), b"\x80" * 1200):
        response = net.ask(data)
        assert response.code == coap.BAD_REQUEST and response.payload == b"", data
    assert net.agent.policing.engine.summary()[0][1] == 0


def test_only_the_registrar_pushes():
    net = Policed().begin()
    assert net.agent.registration.registrar[0].host == GATEWAY[0]
    response = net.ask(signed(document(1)), server=net.servers[PLATFORM])
    assert response.code == coap.UNAUTHORIZED and net.agent.policing.engine.summary()[0][1] == 0


def test_only_posts_to_two_paths():
    net = Policed().begin()
    assert net.ask(b"", code=coap.GET).code == coap.NOT_ALLOWED
    assert net.ask(b"", "other").code == coap.NOT_FOUND


def test_keys_come_from_the_registrar_and_the_root():
    net = Policed().begin(known=False)
    assert net.ask(signed(document(1))).code == coap.BAD_REQUEST
    assert net.ask(keys(1, key=b"F" * 64), "keys").code == coap.BAD_REQUEST
    response = net.ask(keys(), "keys")
    assert response.code == coap.CHANGED and cbor.decode(response.payload) == [0]
    assert cbor.decode(net.ask(keys(), "keys").payload) == [3]
    assert net.push(1) == (0, 1)


def test_a_registration_says_what_is_obeyed():
    net = Policed().begin()
    assert net.words() == [[POL + ".0.none"]] and net.words(net.servers[PLATFORM]) == [[POL + ".0.none"]]
    net.push(1, {1: 50})
    net.run(60000)
    assert net.words() == [[POL + ".0.none"], [POL + ".1.applied"]]
    net.run(200000)  # Updates that have nothing new to say
    assert len(net.words()) == 2
    net.link("eth", False)
    net.run(1000)
    assert net.words(net.servers[PLATFORM])[-1] == [POL + ".1.applied"]


def test_an_update_that_got_lost_is_no_word():
    net = Policed().begin()
    net.push(1, {1: 3600})
    net.gateway.codes = {("rd", "7"): 160}  # 5.00
    net.run(40000)
    net.gateway.codes = {}
    net.run(60000)
    assert net.words()[-1] == [POL + ".1.applied"]


def test_a_trial_is_confirmed_by_the_registration_after_it():
    net = Policed().begin()
    assert net.push(1, {1: 50}, trial=60) == (2, 1)
    assert net.state() == "trial"
    net.run(6000)
    assert net.state() == "applied" and net.acks() == [[b"meter-1", NORTH, 1, 0]]
    assert net.words()[1:] == [[POL + ".1.trial"]]


def test_a_trial_without_registration_is_undone_and_told_later():
    net = Policed().begin(links=("eth",))
    net.push(1, {1: 40})
    net.run(61000)
    net.gateway.codes = {("rd", "7"): None, ("rd",): None, ("dp",): None}
    assert net.push(2, {1: 50}, trial=60) == (2, 1) and net.agent.reports.period_ms == 50000
    net.run(61000)
    assert net.state() == "rolled" and net.agent.reports.period_ms == 40000
    assert net.acks() == []
    net.gateway.codes = {}
    net.run(60000)
    assert net.acks() == [[b"meter-1", NORTH, 2, 7, 1]] and net.words()[-1] == [POL + ".2.rolled"]


def test_an_update_under_way_proves_nothing():
    """It was asked for before the trial took effect."""
    net = Policed().begin()
    net.gateway.codes = {("rd", "7"): None}
    net.agent.registration.update_now(net.now)
    net.agent.poll(net.now)
    handle = net.agent._attempt
    assert net.agent.registration.state == "updating"
    net.push(1, {1: 50}, trial=60)
    net.agent.registration.answered(handle, "accepted", 60000, net.now)
    net.agent._settle(net.now)
    assert net.agent.deadline() == 0 and net.state() == "trial"
    net.gateway.codes = {}
    net.run(3000)
    assert net.state() == "applied"


def test_a_start_finds_what_is_in_force():
    net = Policed().begin()
    net.push(1, {1: 77})
    net.now += 300000  # the servers have forgotten its message ids
    net.boot()
    net.begin(known=False)
    assert net.agent.reports.period_ms == 77000 and net.words()[-1] == [POL + ".1.applied"]


def test_the_registrar_puts_it_into_a_group_while_it_runs():
    net = Policed().begin()
    net.regroup(NORTH, SOUTH)
    assert net.push(1, {1: 33}, group=SOUTH) == (0, 1) and net.agent.reports.period_ms == 33000
    net.regroup(NORTH)
    assert net.agent.reports.period_ms == 60000 and net.push(2, group=SOUTH) == (9, None)


def test_a_new_configuration_leaves_it_in_force():
    net = Policed().begin()
    net.push(1, {1: 77})
    net.agent._commit(net.now, dict(net.agent.configuration.tree))
    assert net.agent.north.policing is net.agent.policing  # a registration that follows at once tells of it
    net.run(3000)
    assert net.agent.reports.period_ms == 77000


def test_a_medium_that_cannot_be_read_is_read_later():
    class Deaf(Medium):
        deaf = True

        def read(self, name):
            if self.deaf and name[:7] == "policy.":
                raise OSError(5, "no medium")
            return Medium.read(self, name)

    medium = Deaf()
    net = Policed(medium=medium).begin(known=False)
    assert net.agent.registration.registrar and ("policies", "unread") in net.log and net.words() == []
    assert net.ask(signed(document(1))).code == coap.BAD_REQUEST
    medium.deaf = False
    net.run(120000)
    assert net.words() == [[POL + ".0.none"]]


def test_an_acknowledgement_that_got_lost_is_told_at_the_next_contact():
    net = Policed().begin()
    net.gateway.codes = {("policy",): None}
    net.push(1, {1: 3600}, trial=60)
    net.run(300000)
    lost = len(net.acks())
    assert net.state() == "applied" and lost > 1
    net.gateway.codes = {("policy",): 160}  # 5.00
    net.run(60000)
    assert len(net.acks()) > lost
    net.gateway.codes = {}
    net.run(90000)
    told = net.acks()
    assert told[-1] == [b"meter-1", NORTH, 1, 0] and not net.agent.policing._acks
    net.run(300000)
    assert net.acks() == told


def test_what_a_registrar_without_groups_is_told_once():
    net = Policed().begin()
    net.gateway.codes = {("policy",): coap.NOT_FOUND}
    net.push(1, {1: 50}, trial=60)
    net.run(300000)
    assert net.state() == "applied" and net.acks() == [[b"meter-1", NORTH, 1, 0]]


def written(net, path, value):
    """The code of the answer to a write of the registrar's, and why."""
    net.gateway.ask(coap.PUT, path.split("/"), net.now, payload=value, format=0)
    net.carry()
    return net.gateway.answers[-1].code, net.gateway.answers[-1].payload


def asked(net, path):
    net.gateway.ask(coap.GET, path.split("/"), net.now, accept=0)
    net.carry()
    return net.gateway.answers[-1].payload


def test_a_policy_goes_before_what_a_registrar_writes():
    """Local override is for who stands before the device; a server pushes another policy."""
    net = Policed().begin()
    paths = ("26242/0/1", "26242/0/2", "1/1/1")
    assert [written(net, path, b"70")[0] for path in paths] == [coap.CHANGED] * 3
    net.push(1, {1: 77, 7: "iot", 10: 7200})
    net.run(6000)
    assert [asked(net, path) for path in paths] == [b"77", b"iot", b"7200"] and net.state() == "applied"
    for path in paths:
        code, why = written(net, path, b"90")
        assert code == coap.BAD_REQUEST and b"a policy for its groups sets this; push another one" in why
    assert net.agent.reports.period_ms == 77000 and net.agent.settings.get("report_period_s") == 70
    net.push(2, {})
    net.run(6000)
    assert [asked(net, path) for path in paths] == [b"70"] * 3
    assert [written(net, path, b"90")[0] for path in paths] == [coap.CHANGED] * 3
    assert net.agent.reports.period_ms == 90000


def test_another_root_counts_at_once():
    """Nothing that the one before has vouched for is believed any more, and its version is no bar."""
    net = Policed().begin()
    net.ask(keys(9), "keys")
    assert net.push(1, {1: 50}) == (0, 1)
    tree = dict(net.agent.configuration.tree)
    tree[(26244, 0, 0)] = b"N" * 64
    net.agent._commit(net.now, tree)
    net.run(3000)
    assert net.ask(signed(document(2))).code == coap.BAD_REQUEST
    assert net.ask(keys(10), "keys").code == coap.BAD_REQUEST
    assert cbor.decode(net.ask(keys(1, key=b"N" * 64), "keys").payload) == [0]
    assert net.push(3, {1: 60}) == (0, 1) and net.state() == "applied"


def test_what_a_server_reads_of_it():
    net = Policed().begin()
    net.push(3, {1: 77})
    net.ask(signed(document(4), key=b"F" * 64))
    for path in ("26243/0/6", "26243/0/7", "26244/0/4/0"):
        net.gateway.ask(coap.GET, path.split("/"), net.now, accept=0)
        net.carry()
    assert [answer.payload for answer in net.gateway.answers[-3:]] == [b"3", b"applied", b"forged 1"]


def test_an_acknowledgement_on_the_wire():
    """docs/policy.cddl: acknowledgement; the bytes that the other side's own code makes are held to these in
    tests/sim/test_groups.py."""
    assert acknowledgement(b"meter-1", b"g", 7, 0) == b"\x84\x47meter-1\x41g\x07\x00"
    assert acknowledgement(b"meter-1", b"g", 7, 5, 66) == b"\x85\x47meter-1\x41g\x07\x05\x18\x42"


def test_a_wipe_leaves_no_policy():
    medium = Torn()
    net = Policed(medium=medium).begin()
    left = lambda: [name for name in medium.files if name[:7] == "policy." and medium.files[name].strip(b"\0")]
    assert net.push(1, {1: 600}) == (0, 1) and left()
    wipe(net.agent.store, {})
    assert not left()
