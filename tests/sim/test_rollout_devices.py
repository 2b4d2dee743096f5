"""A rollout to devices that run the agent's own engine of policies, with real keys and signatures, over a network that
loses: both sides of the delivery are the product's. G1, G2."""

import random

import pytest
from policy_documents import WALL  # tests/unit
from torn import Medium

from agent.codec import coap, cose
from agent.engine import policy_rules
from agent.engine.group_policies import GroupPolicies
from pointsman.tools.groups import rollout, states, wire
from pointsman.tools.groups.members import Group
from pointsman.tools.groups.planning import MULTICAST, UNICAST, Terms
from pointsman.tools.groups.rollout import Rollout
from pointsman.tools.policies.keys import Signer, Signers, create
from pointsman.tools.policies.signing import sign, sign_signers

COUNT = 12
STEP = 50  # ms


class Device:
    """A member behind the wire: what its listener and its server will do with a datagram."""

    def __init__(self, index, keys, root, chance):
        self.index, self.name = index, "m%d" % index
        self.engine = GroupPolicies(Medium(), self.name.encode(), chance.randrange, lambda: {"eth": True, "lte": True},
                                    root)
        assert self.engine.offer_keys(keys, "usb", 0, WALL) == (0, None)
        self.engine.start([(b"north", 1, None)], 0, WALL)

    def hear(self, data, now):
        told = wire.read_announcement(coap.decode(data).payload)
        window = told.window if wire.speaks_to(told, self.index) else 0
        self.engine.offer(told.document, "multicast", now, WALL + now // 1000, window)

    def ask(self, data, now):
        """-> the acknowledgement in the answer, or None."""
        message = coap.decode(data)
        told = self.engine.offer(message.payload, "unicast", now, WALL + now // 1000)
        document = policy_rules.read(cose.split(message.payload)[4])
        return told and wire.acknowledgement(self.name.encode(), document[1], document[2], *told)

    def poll(self, now):
        """-> the acknowledgements that are due"""
        self.engine.poll(now)
        return [wire.acknowledgement(self.name.encode(), *what[1:5]) for what in self.engine.take() if what[0] == "ack"]


class Town:
    def __init__(self, folder, loss):
        self.chance, self.loss, self.now = random.Random(5), loss, 0
        self.operator, root = create(folder / "operator.pem"), create(folder / "root.pem")
        signers = Signers()
        signers.replace([Signer(self.operator.public, [b"north"])])
        keys = sign_signers(signers, root)
        self.devices = {"m%d" % k: Device(k, keys, root.public, self.chance) for k in range(COUNT)}
        self.group = Group("north", multicast=("239.77.0.1", 5685))
        self.group.rows = {name: [device.index, True, True] for name, device in self.devices.items()}

    def push(self, version, settings, deaf=(), **more):
        """Begin to roll a document out."""
        document = {1: b"north", 2: version, 3: WALL - 60, 4: WALL + 3600, 5: settings, **more}
        ways = {index: (UNICAST, None) if index in deaf else (MULTICAST, "gw-1") for index in range(COUNT)}
        self.rollout = Rollout(self.group, sign(document, self.operator), version, ways, Terms(), self.chance,
                               3_600_000)
        self.rollout.start(self.now)
        return self.rollout

    def run(self, until):
        while self.now < until and self.rollout.state != rollout.COMPLETE:
            self.now += STEP
            self.rollout.poll(self.now)
            for kind, where, what in self.rollout.take():
                self._carry(kind, where, what)
            for device in self.devices.values():
                for told in device.poll(self.now):
                    self._back(device, told)
        return self.rollout

    def _carry(self, kind, where, what):
        if kind == "multicast":
            for device in self.devices.values():
                if not self._lost():
                    device.hear(wire.push(what, 1, b"ab"), self.now)
        elif kind == "unicast" and not self._lost():
            device = self.devices[where]
            self._back(device, device.ask(wire.push(what, 1, b"ab", True), self.now))

    def _back(self, device, told):
        if told and not self._lost():
            self.rollout.acknowledged(device.name, wire.read_acknowledgement(told), self.now)

    def _lost(self):
        return self.chance.random() < self.loss


@pytest.fixture
def town(tmp_path):
    return Town(tmp_path, 0.3)


def test_every_device_obeys_and_says_so(town):
    town.push(1, {1: 900}, deaf=(0, 1, 2))
    assert town.run(60_000).state == rollout.COMPLETE
    assert town.rollout.counts[states.ACKNOWLEDGED] == COUNT
    assert {device.engine.summary()[0][1::2] for device in town.devices.values()} == {(1, "applied")}


def test_a_trial_ends_on_each_device_by_itself(town):
    """A WAN order is on trial until the device is heard under it; one is not, and takes it back."""
    town.push(1, {5: [2, 1]})
    town.run(40_000)
    assert town.rollout.counts[states.ACKNOWLEDGED] == COUNT and town.rollout.state == rollout.RUNNING
    for device in list(town.devices.values())[1:]:
        device.engine.confirmed(town.now)
    town.run(400_000)
    for device in town.devices.values():  # what got lost comes with the next registration
        ((_, version, _, state),) = device.engine.summary()
        town.rollout.online(device.name, (UNICAST, None), town.now, version, state)
    assert town.rollout.state == rollout.COMPLETE
    assert (town.rollout.counts[states.ACKNOWLEDGED], town.rollout.counts[states.ROLLED_BACK]) == (COUNT - 1, 1)


def test_what_no_device_can_do_is_refused_by_all_and_says_which_setting(town):
    town.push(1, {5: [3]})
    town.run(60_000)
    assert town.rollout.counts[states.REJECTED] == COUNT and town.rollout.state == rollout.COMPLETE
    assert {(record.status, record.detail, record.reason) for record in town.rollout.records} == {(5, 5, "bad value")}


def test_a_second_document_replaces_the_first_and_an_older_one_is_refused(town):
    town.push(2, {1: 900})
    town.run(60_000)
    town.push(3, {1: 60})
    assert town.run(120_000).state == rollout.COMPLETE
    town.push(1, {1: 30})
    town.run(240_000)  # what is old is not worth an answer, unless it comes by unicast
    assert {(record.state, record.status) for record in town.rollout.records} == {(states.REJECTED, 4)}
    assert {device.engine.summary()[0][1] for device in town.devices.values()} == {3}
