"""A whole agent in groups, over the double of COSE that policy_world.py has, and its registrar."""

from policy_documents import GROUP, WALL, document
from policy_world import keys, signed, split, verify
from test_agent import GATEWAY, TREE, Net

from agent.codec import cbor, coap
from agent.engine import group_policies
from agent.north import policing

ROOT = b"R" * 64
NORTH = GROUP


def quiet(*_names):
    """A test need not compile anew what a device drops."""


policing.drop = group_policies.drop = quiet


def grouped(groups=(NORTH,), tree=TREE):
    """The configuration of a device in these groups."""
    found = dict(tree)
    for number, name in enumerate(groups):
        found.update({(26243, number, 0): name, (26243, number, 1): 9 - number})
    found[(26244, 0, 0)] = ROOT
    return found


class Policed(Net):
    """`now` in ms; the device has no clock until `wall` is set (Unix s)."""

    def __init__(self, values=(), tree=None, medium=None):
        self.wall = 0
        Net.__init__(self, values, tree or grouped(), medium)

    def boot(self):
        Net.boot(self)
        self.agent.wall = lambda: self.wall and self.wall + self.now // 1000
        self.patch()

    def patch(self):
        """The double in place of COSE."""
        if hasattr(self.agent, "policing"):
            make = self.agent.policing._made

            def made():
                engine = make()
                engine.split, engine.verify = split, verify
                return engine

            self.agent.policing._made = made

    def begin(self, links=("wifi", "eth"), known=True):
        """Registered, with the signers' keys."""
        self.agent.start(self.now)
        for name in links:
            self.link(name, True)
        self.run(11000)
        if known:
            assert self.agent.policing.offer_keys(keys(), "usb", self.now) == (0, None)
        return self

    def regroup(self, *groups):
        """The groups are these now."""
        self.agent.configuration.tree = grouped(groups)
        self.agent.resources.extend()
        self.run(100)

    @property
    def gateway(self):
        return self.servers[GATEWAY]

    def ask(self, data, *path, code=coap.POST, server=None):
        """The registrar's answer to a request: the Response."""
        server = server or self.gateway
        server.ask(code, ("policy",) + path, self.now, payload=data)
        self.carry()
        return server.answers[-1]

    def push(self, version, settings=None, **more):
        """A document by unicast -> (status, detail)."""
        response = self.ask(signed(document(version, settings, **more)))
        assert response.code == coap.CHANGED, coap.dotted(response.code)
        told = cbor.decode(response.payload)
        assert told[:3] == [b"meter-1", more.get("group", NORTH), version]
        return told[3], told[4] if len(told) > 4 else None

    def acks(self, server=None):
        """[[device, group, version, status, ?detail]] that the registrar was sent."""
        server = server or self.gateway
        return [cbor.decode(request.payload) for request in server.seen if request.path == ("policy",)]

    def words(self, server=None):
        """The pol= of each Register and Update, where there are any."""
        server = server or self.gateway
        found = [[item for item in request.query if item[:4] == "pol="] for request in server.seen
                 if request.path[0] == "rd" and request.code == coap.POST]  # fmt: skip
        return [items for items in found if items]

    def state(self):
        return self.agent.policing.engine.summary()[0][3]


__all__ = ["GROUP", "NORTH", "ROOT", "WALL", "Policed", "document", "grouped", "keys", "signed"]
