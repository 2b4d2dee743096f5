"""Access control between several servers, and a server that wants no Send."""

from managed import Managed
from test_agent import start

from agent.codec import coap, senml

SENML = 112
TABLE = """
0 R! int
1 R! int
2 RW*? int
3 RW! int
"""


class Rights:
    """Object 2 of a device with two servers."""

    def __init__(self, net, rows):
        self.rows = rows  # instance: {0: object, 1: instance, 2: {server: rights}, 3: owner}
        net.objects.add(2, TABLE, self.read, self.write, instances=lambda: sorted(self.rows), create=self.create,
                        delete=self.delete)  # fmt: skip

    def read(self, instance, rid):
        return self.rows[instance].get(rid)

    def write(self, instance, rid, value, really):
        if really:
            self.rows[instance][rid] = value

    def create(self, instance, values, really):
        if really:
            self.rows[instance] = values

    def delete(self, instance, really):
        if really:
            del self.rows[instance]


def make():
    net = Managed()
    rights = Rights(net, {
        0: {0: 33000, 1: 0, 2: {1: 1, 2: 31}, 3: 2},
        1: {0: 33000, 1: 5, 2: {0: 4}, 3: 1},
        2: {0: 33000, 1: 65535, 2: {1: 16}, 3: 65535},
        3: {0: 3, 1: 0, 2: {2: 4}, 3: 2},
    })  # fmt: skip
    return net, rights


def test_rights_on_an_instance():
    """LightweightM2M-1.1 8.2: 4.01 for what is not granted."""
    net, _ = make()
    assert net.code(coap.GET, "/33000/0/4") == "2.05" and net.code(coap.PUT, "/33000/0/4", b"1.5", format=0) == "4.01"
    assert net.code(coap.POST, "/33000/0/2") == "4.01" and net.code(coap.DELETE, "/33000/0") == "4.01"
    assert net.code(coap.PUT, "/33000/0/4", query=("pmin=1",)) == "2.04"
    assert net.code(coap.POST, "/33000/5/2") == "2.04" and net.code(coap.PUT, "/33000/5/1", b"7", format=0) == "2.04"
    assert net.code(coap.GET, "/3/0") == "4.01" and net.code(coap.GET, "/3/0/0", observe=0) == "4.01"
    net.account.ssid = 2
    assert net.code(coap.PUT, "/33000/0/4", b"2.5", format=0) == "2.04" and net.code(coap.POST, "/3/0/4") == "2.04"
    assert net.code(coap.GET, "/3/0/0") == "4.01" and net.code(coap.PUT, "/33000/5/1", b"7", format=0) == "4.01"
    assert net.code(coap.POST, "/33000/5/2") == "2.04"  # rights for all
    assert net.code(coap.GET, "/3", accept=40) == "2.05"  # anybody may Discover


def test_of_several_those_are_seen_that_may_be_read():
    net, _ = make()
    net.account.ssid = 2
    whole = net.ask(coap.GET, "/33000", accept=SENML).payload
    assert not [name for name, _, _ in senml.unpack(whole) if not name.startswith("/33000/0/")]
    asked = senml.pack([("/33000", None, None), ("/3/0/0", None, None)])
    some = senml.unpack(net.ask(coap.FETCH, "/", asked, format=SENML).payload)
    assert some and not [name for name, _, _ in some if not name.startswith("/33000/0/")]
    pair = senml.pack([("/33000/0/4", 9.5, None), ("/33000/5/4", 9.5, None)])
    assert net.code(coap.IPATCH, "/", pair, format=SENML) == "4.01" and net.things.there[0][4] == 1.5


def test_who_creates_owns():
    """LightweightM2M-1.1 8.1.2"""
    net, rights = make()
    created = senml.pack([("/33000/1/1", 9, None)])
    net.account.ssid = 2
    assert net.code(coap.POST, "/33000", created, format=SENML) == "4.01"
    net.account.ssid = 1
    assert net.code(coap.POST, "/33000", created, format=SENML) == "2.01"
    assert rights.rows[4] == {0: 33000, 1: 1, 2: {1: 15}, 3: 1}
    assert net.code(coap.PUT, "/33000/1/1", query=("pmin=1",)) == "2.04" and net.kept
    assert net.code(coap.DELETE, "/33000/1") == "2.02" and 4 not in rights.rows and net.kept == {}


def test_rights_are_written_by_the_owner():
    net, rights = make()
    payload = senml.pack([("/2/1/2/2", 31, None)])
    net.account.ssid = 2
    assert net.code(coap.GET, "/2/1/3") == "2.05" and net.code(coap.POST, "/2/1", payload, format=SENML) == "4.01"
    net.account.ssid = 1
    assert net.code(coap.POST, "/2/1", payload, format=SENML) == "2.04" and rights.rows[1][2] == {0: 4, 2: 31}
    assert net.code(coap.DELETE, "/2/1") == "4.01" and net.code(coap.POST, "/2", b"") == "4.01"


def test_a_server_that_wants_no_send():
    """LightweightM2M-1.1-int-307 Muting Send: readings are kept until it wants some again."""
    net, gateway, _ = start({"report_period_s": 10})
    gateway.ask(coap.PUT, ("1", "1", "23"), net.now, payload=b"1", format=0)
    net.carry()
    assert gateway.answers[-1].code == coap.CHANGED
    net.run(60000)
    before = gateway.paths().count("dp")
    net.run(30000)
    assert gateway.paths().count("dp") == before and len(net.agent.journal.pending()) > 2
    gateway.ask(coap.PUT, ("1", "1", "23"), net.now, payload=b"0", format=0)
    net.carry()
    assert gateway.paths().count("dp") > before and not net.agent.journal.pending()


def test_attributes_are_kept_over_restarts_and_end_with_the_configuration():
    """LightweightM2M-1.1 6.3.4: until they are taken away, or the account is another."""
    net, gateway, _ = start()
    gateway.ask(coap.PUT, ("3331", "0", "5700"), net.now, query=("pmin=5",))
    net.carry()
    assert gateway.answers[-1].code == coap.CHANGED
    net.boot()
    assert net.agent.store.get("attributes") == {"1 /3331/0/5700": "pmin=5"}
    net.agent.configuration.commit(net.agent.configuration.tree)
    assert net.agent.store.get("attributes") is None
