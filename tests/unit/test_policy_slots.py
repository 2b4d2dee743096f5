"""G1: a policy survives a power cut at any byte of any write: old or new, never neither; the version never falls."""

from policy_documents import WALL
from policy_world import World
from torn import Cut, Medium

from agent.engine import policy_slots

OLD = {1: b"group", 2: 7, 4: "applied", 5: b"old" * 9, 6: b""}
NEW = {1: b"group", 2: 8, 4: "trial", 5: b"new" * 30, 6: b"old" * 9}


def test_what_was_saved_is_there():
    medium = Medium()
    assert policy_slots.load(medium, "x") == {}
    for record in (OLD, NEW, OLD, NEW):
        policy_slots.save(medium, "x", record)
        assert policy_slots.load(medium, "x") == record
    assert sorted(medium.files) == ["x.a", "x.b"] and policy_slots.load(medium, "y") == {}


def test_power_cut_at_every_byte_leaves_the_old_or_the_new():
    """In either slot, and whatever the flash holds behind the cut."""
    for writes in (1, 2):
        before = Medium()
        for _ in range(writes):
            policy_slots.save(before, "x", OLD)
        whole = Medium(dict(before.files))
        policy_slots.save(whole, "x", NEW)
        for budget in range(whole.cost):
            for tear in (None, 0, 255):
                files = dict(before.files)
                cut(lambda files=files: policy_slots.save(Medium(files, budget, tear), "x", NEW))  # noqa: B023
                assert policy_slots.load(Medium(files), "x") in (OLD, NEW)
                policy_slots.save(Medium(files), "x", NEW)
                assert policy_slots.load(Medium(files), "x") == NEW


def test_damage_is_told_apart_from_nothing():
    for junk in (b"", b"x" * 40, bytes(40), b"PP1s" + bytes(12)):
        assert policy_slots.load(Medium({"x.a": junk, "x.b": junk}), "x") is None
        assert policy_slots.load(Medium({"x.a": junk}), "x") == {}


def test_any_flipped_bit_is_noticed():
    medium = Medium()
    policy_slots.save(medium, "x", OLD)
    policy_slots.save(medium, "x", NEW)
    newest = medium.files["x.b"]
    for i in range(len(newest)):
        for bit in (1, 128):
            medium.files["x.b"] = newest[:i] + bytes([newest[i] ^ bit]) + newest[i + 1 :]
            assert policy_slots.load(medium, "x") == OLD


# the engine: each of its writes, cut


def cut(action):
    try:
        action()
    except Cut:
        return True
    return False


def apply_at_once(world):
    return lambda: world.push(2, {1: 120})


def try_one(world):
    return lambda: world.push(2, {1: 120, 5: [1]})


def store_one(world):
    return lambda: world.push(2, {1: 120}, activate=WALL + 60)


def confirm(world):
    world.push(2, {1: 120, 5: [1]})
    return lambda: world.engine.confirmed(world.now)


def roll_back(world):
    world.push(2, {1: 120, 5: [1]})
    return lambda: world.wait(300)


def activate(world):
    world.push(2, {1: 120}, activate=WALL + 60)
    return lambda: world.wait(60)


def activate_on_trial(world):
    world.push(2, {1: 120, 5: [1]}, activate=WALL + 60)
    return lambda: world.wait(60)


def revert(world):
    world.push(2, {1: 120}, revert=WALL + 60)
    return lambda: world.wait(60)


def start_in_trial(world):
    world.push(2, {1: 120, 5: [1]})
    return world.restart


STEPS = (apply_at_once, try_one, store_one, confirm, roll_back, activate, activate_on_trial, revert, start_in_trial)


def test_power_cut_in_every_step_of_a_policy():
    """After a cut the device obeys what held before or what was to hold, and knows the version of it."""
    for step in STEPS:
        _cut_everywhere(step)


def _cut_everywhere(step):
    base = World()
    base.push(1, {1: 60})
    files = dict(base.medium.files)
    whole = World(base.groups, Medium(dict(files)))
    action = step(whole)
    version, force, at = whole.version(), whole.force(), whole.medium.cost
    done = action()
    cost = done.medium.cost if step is start_in_trial else whole.medium.cost - at
    after = whole.restart()
    allowed = (version, force), (after.version(), after.force())
    cuts = 0
    for budget in list(range(0, cost, 17)) + [cost - 2, cost - 1]:
        world = World(base.groups, Medium(dict(files)))
        action = step(world)
        world.medium.budget, world.medium.tear = world.medium.cost + budget, budget % 2 * 255
        cuts += cut(action) if step is not start_in_trial else cut(lambda w=world, n=budget: w.restart(n, 0))
        again = world.restart()
        assert (again.version(), again.force()) in allowed, (step, budget, again.force(), allowed)
        assert again.push(1, {1: 60}, via="usb")[0] in (3, 4) and again.take("damaged") == []
    assert cuts > 5, step


def test_nothing_is_acknowledged_before_it_is_kept():
    """The version is written, in the same record, before anybody hears of it."""
    for tear in (None, 0, 255):
        whole = World()
        whole.push(1, {1: 60})
        for budget in range(0, 200, 13):
            world = World(medium=Medium(dict(whole.medium.files), budget, tear))
            if cut(lambda w=world: w.push(2, {1: 120})):
                assert world.wait(60).acks() == [] and world.version() == 1
                assert world.restart().version() in (1, 2)
            else:
                assert world.restart().version() == 2
