"""LwM2M objects as a view: reading, writing, executing, discovering; refusals with the code that LwM2M wants."""

from agent.engine.kinds import checked
from agent.engine.objects import Objects, spelled
from agent.engine.tree_executing import execute
from agent.engine.tree_reading import discover, read
from agent.engine.tree_writing import write
from agent.errors import RemoteError

TABLE = """
0 R str
1 RW int
2 E -
3 R int
4 RW float
5 W str
"""


class Thing:
    def __init__(self):
        self.values = {1: 5, 4: 1.5}
        self.done = []

    def read(self, instance, rid):
        return {0: "x%d" % instance, 3: [7, 8] if instance else None}.get(rid, self.values.get(rid))

    def write(self, _instance, rid, value, really):
        if value == 13:
            raise RemoteError("unlucky")
        if really:
            self.values[rid] = value

    def execute(self, instance, rid, arguments):
        self.done.append((instance, rid, arguments))


def make():
    thing, objects = Thing(), Objects()
    objects.add(9, TABLE, thing.read, thing.write, thing.execute, instances=lambda: [0, 1])
    objects.add(0, TABLE, None, hidden=True)
    objects.add(3, TABLE[:8] + "\n", thing.read)
    return objects, thing


def code(call, *args):
    try:
        call(*args)
    except RemoteError as e:
        return e.args[1] if len(e.args) > 1 else 128
    raise AssertionError("was not refused")


def test_read_object_instance_resource_and_resource_instance():
    """LightweightM2M-1.1-int-222 to 225"""
    objects, _ = make()
    assert read(objects, (9, 1, 0)) == [((9, 1, 0), "x1")]
    assert read(objects, (9, 0)) == [((9, 0, 0), "x0"), ((9, 0, 1), 5), ((9, 0, 4), 1.5)]
    assert len(read(objects, (9,))) == 3 + 5
    assert read(objects, (9, 1, 3)) == [((9, 1, 3, 0), 7), ((9, 1, 3, 1), 8)]
    assert read(objects, (9, 1, 3, 1)) == [((9, 1, 3, 1), 8)]


def test_refusals():
    """LightweightM2M-1.1-int-221: object 0 is unauthorized."""
    objects, _ = make()
    assert code(read, objects, (0, 0)) == 129
    assert code(read, objects, (77,)) == 132 and code(read, objects, (9, 5)) == 132
    assert code(read, objects, (9, 0, 99)) == 132
    assert code(read, objects, (9, 0, 2)) == 133 and code(read, objects, (9, 0, 3)) == 132
    assert code(read, objects, (9, 1, 3, 5)) == 132
    assert code(write, objects, [((9, 0, 0), "x")]) == 133 and code(execute, objects, (9, 0, 1), b"") == 133
    assert code(execute, objects, (9, 0), b"") == 133


def test_writes_are_checked_before_the_first_is_done():
    objects, thing = make()
    assert code(write, objects, [((9, 0, 1), 6), ((9, 0, 4), "x")]) == 128
    assert code(write, objects, [((9, 0, 1), 6), ((9, 0, 4), 13)]) == 128
    assert thing.values == {1: 5, 4: 1.5}
    write(objects, [((9, 0, 1), 6), ((9, 0, 4), 2)])
    assert thing.values == {1: 6, 4: 2}


def test_execute():
    objects, thing = make()
    execute(objects, (9, 1, 2), b"0")
    assert thing.done == [(1, 2, b"0")]


def test_discover_and_announce():
    """LightweightM2M-1.1-int-260"""
    objects, _ = make()
    assert objects.paths() == [(3, 0), (9, 0), (9, 1)]
    assert discover(objects, (3,)) == [((3,), None), ((3, 0), None), ((3, 0, 0), None)]
    below = [path for path, _ in discover(objects, (9, 0))]
    assert (9, 0, 2) in below and (9, 0, 3) not in below


def test_kinds():
    assert checked((1,), "int", 3.0) == 3 and checked((1,), "float", 3) == 3 and checked((1,), "bool", True) is True
    for kind, value in (("int", 3.5), ("int", True), ("float", False), ("bool", 1), ("str", b"x"), ("opaque", "x"),
                        ("-", 1),
                        ("int", float("inf")), ("int", float("nan")), ("str", "x" * 256), ("int", None)):  # fmt: skip
        assert code(checked, (1, 2, 3), kind, value) == 128


def test_spelling():
    assert spelled((3, 0, 1)) == "/3/0/1" and spelled(()) == "/"
