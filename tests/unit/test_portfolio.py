"""Object 16, whose instances servers create and delete: they are announced, kept over restarts, and access rights come
and go with them."""

from test_agent import TREE
from test_resources import ask, start

from agent.codec import coap, senml

SENML = 112


def pack(*records):
    return senml.pack([(name, value, None) for name, value in records])


def updates(gateway):
    return [request.payload.decode() for request in gateway.seen if request.path == ("rd", "7") and request.payload]


def test_instances_come_and_go():
    """LightweightM2M-1.1 6.3.6, 6.3.7, 6.2.2: the registrar hears of them in an Update."""
    net, gateway = start(portfolio=True)
    assert "</16>" in gateway.seen[0].payload.decode()
    assert ask(net, gateway, coap.POST, "16", payload=pack(("/16/3/0/0", "host"), ("/16/3/0/1", "maker")),
               format=SENML) == coap.CREATED  # fmt: skip
    net.run(1000)
    assert "</16/3>" in updates(gateway)[-1]
    assert ask(net, gateway, coap.PUT, "16", "3", "0", "1", payload=b"another", format=0) == coap.CHANGED
    assert ask(net, gateway, coap.POST, "16", payload=b"", format=None) == coap.BAD_REQUEST  # an identity is mandatory
    net.boot()
    assert net.agent.store.get("portfolio") == {3: {0: "host", 1: "another"}}
    assert (16, 3) in net.agent.objects.paths()


def test_instances_go():
    net, gateway = start(portfolio=True)
    assert ask(net, gateway, coap.POST, "16", payload=pack(("/16/0/0/0", "x")), format=SENML) == coap.CREATED
    assert ask(net, gateway, coap.DELETE, "16", "0") == coap.DELETED
    assert ask(net, gateway, coap.GET, "16", "0") == coap.NOT_FOUND
    net.run(1000)
    assert "</16>" in updates(gateway)[-1] and net.agent.store.get("portfolio") == {}


def test_it_is_bounded():
    net, gateway = start(portfolio=True)
    many = [("/16/0/0/%d" % number, "x") for number in range(9)]
    assert ask(net, gateway, coap.POST, "16", payload=pack(*many), format=SENML) == coap.BAD_REQUEST
    codes = [ask(net, gateway, coap.POST, "16", payload=pack(("/16/%d/0/0" % number, "x")), format=SENML)
             for number in range(9)]  # fmt: skip
    assert codes == [coap.CREATED] * 8 + [coap.BAD_REQUEST]


def test_rights_come_and_go_with_an_instance():
    """LightweightM2M-1.1 8.1.2: the server that creates one owns it."""
    tree = dict(TREE)
    tree.update({(2, 0, 0): 16, (2, 0, 1): 65535, (2, 0, 2): {1: 16}, (2, 0, 3): 65535})
    net, gateway = start(portfolio=True, tree=tree)
    assert ask(net, gateway, coap.GET, "3", "0", "0") == coap.UNAUTHORIZED
    assert ask(net, gateway, coap.POST, "16", payload=pack(("/16/0/0/0", "x")), format=SENML) == coap.CREATED
    assert net.agent.configuration.tree[(2, 1, 2)] == {1: 15} and net.agent.configuration.tree[(2, 1, 3)] == 1
    assert ask(net, gateway, coap.PUT, "16", "0", "0", "0", payload=b"y", format=0) == coap.CHANGED
    net.run(1000)
    assert "</2/1>" in updates(gateway)[-1]
    assert ask(net, gateway, coap.DELETE, "16", "0") == coap.DELETED and (2, 1, 0) not in net.agent.configuration.tree


def test_it_is_not_there_unasked():
    net, gateway = start()
    assert "</16>" not in gateway.seen[0].payload.decode()
    assert ask(net, gateway, coap.POST, "16", payload=b"") == coap.NOT_FOUND
