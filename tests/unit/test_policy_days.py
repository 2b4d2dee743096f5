"""G1: long random lives of a device in two groups - pushes, trials, dates, power cuts at any byte - in which it never
forgets a version that it has acknowledged and never obeys what is not whole."""

from policy_documents import WALL, document
from policy_world import NORTH, SOUTH, World
from test_mutated import Chance
from torn import Cut, Medium

GROUPS = ((NORTH, 1, None), (SOUTH, 2, None))
SETTINGS = ({}, {1: 60}, {1: 120, 2: 60}, {5: [1]}, {1: 90, 5: [2, 1]}, {10: 600}, {1: 9}, {42: 1}, {7: "iot", 3: 5})
VIAS = ("multicast", "mqtt", "usb", "unicast", "sms")


class Life:
    """One device; what it has acknowledged; what it may obey."""

    def __init__(self, seed):
        self.draw = Chance(seed * 2654435761 % 4294967291).below
        self.world = World(GROUPS)
        self.next, self.known, self.heard, self.cuts = {NORTH: 1, SOUTH: 1}, {NORTH: [{}], SOUTH: [{}]}, {}, 0

    def step(self):
        draw, world = self.draw, self.world
        if draw(2):
            world.medium.budget, world.medium.tear = world.medium.cost + draw(250), (None, 0, 255)[draw(3)]
        try:
            self._do(draw(8))
        except Cut:
            self.cuts += 1
            self._restart()
        else:
            self.world.medium.budget = None
        self._whole()

    def _do(self, what):
        world = self.world
        if what < 4:
            self._push(world)
        elif what == 4:
            world.engine.confirmed(world.now)
        elif what == 5:
            self._restart()
        else:
            world.wait(self.draw(200))

    def _push(self, world):
        group = GROUPS[self.draw(2)][0]
        version = max(self.next[group] - self.draw(3), 1)
        wall, more = WALL + world.now // 1000, {}
        if not self.draw(4):
            more["activate"] = wall + self.draw(100)
        if not self.draw(4):
            more["revert"] = wall + 100 + self.draw(200)
        if not self.draw(5):
            more["trial"] = 30 + self.draw(60)
        value = document(version, SETTINGS[self.draw(len(SETTINGS))], group, expiry=WALL * 2, **more)
        self.known[group].append(value[5])
        self.next[group] = max(self.next[group], version + 1)
        answer = world.offer(value, VIAS[self.draw(5)])
        if answer and answer[0] in (0, 1, 2):
            self.heard[group] = version

    def _restart(self):
        wall, old = WALL + self.world.now // 1000, self.world
        self.world = World(GROUPS, Medium(old.medium.files), wall - old.now // 1000)
        self.world.now = old.now
        self.world.engine.clock(old.now, wall)

    def _whole(self):
        engine = self.world.engine
        for group, version, digest, state in engine.summary():
            assert version >= self.heard.get(group, 0) and len(digest) in (0, 8)
            assert bool(version) == (state != "none")
        for event in engine.take():
            assert event[0] in ("ack", "apply", "security"), event
            if event[0] == "ack" and event[3] in (0, 1, 2, 7):
                self.heard[event[1]] = max(self.heard.get(event[1], 0), event[2])
        allowed = self.known[NORTH] + self.known[SOUTH]
        force = self.world.force()
        assert all([[one for one in allowed if one.get(key) == force[key]] for key in force])
        assert 42 not in force and force.get(1) != 9


def test_lives():
    cuts, states = 0, set()
    for seed in range(1, 9):
        life = Life(seed)
        for _ in range(120):
            life.step()
            states |= {row[3] for row in life.world.engine.summary()}
        cuts += life.cuts
    assert cuts > 40 and states == {"none", "stored", "trial", "applied", "rolled", "reverted"}, (cuts, states)
