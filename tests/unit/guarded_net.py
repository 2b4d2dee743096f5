"""The agent's Net of servers whose accounts are protected, by OSCORE or behind a tunnel of DTLS; for tests only."""

from test_agent import GATEWAY, PLATFORM, TREE, Net

from agent.engine.oscore import Context

SECRET, KEY = b"sixteen bytes ok", b"another 16 bytes"


def oscore(tree, instance):
    rows = {(0, instance, 17): (21, instance), (21, instance, 0): SECRET + bytes((instance,))}
    rows.update({(21, instance, 1): b"me", (21, instance, 2): b""})
    tree.update(rows)
    return tree


def dtls(tree, instance):
    uri = tree[(0, instance, 0)].replace("coap:", "coaps:") + ":5683"
    tree.update({(0, instance, 0): uri, (0, instance, 2): 0, (0, instance, 3): b"meter-1", (0, instance, 5): KEY})
    return tree


def secure(values=(), tree=None, medium=None, servers=(GATEWAY, PLATFORM)):
    """A Net whose servers speak OSCORE, or DTLS where the account is coaps."""
    net = Net((("insecure", False),) + tuple(values), tree, medium)
    for address in servers:
        instance = 1 if address == GATEWAY else 2
        server = net.servers[address]
        if (0, instance, 2) in tree and tree[(0, instance, 2)] == 0:
            from guarded_tunnel import Tunnel

            server.exchange = Tunnel(server.exchange, KEY)
        else:
            from oscore_pair import Guarded

            context = Context(SECRET + bytes((instance,)), b"", b"", b"me")
            server.exchange = Guarded(server.exchange, context, instance)
    return net


def begin(net):
    net.agent.start(net.now)
    net.link("wifi", True)
    net.link("eth", True)
    net.run(net.now + 11000)
    return net


def registered(net):
    target = net.agent.registration.registrar
    return target and (target[0].host, target[1])


def both(protect):
    return protect(protect(dict(TREE), 1), 2)
