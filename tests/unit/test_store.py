"""The store: durable on return, old or new after a power cut at any byte, damage told apart from a cut."""

from torn import Cut, Medium

from agent.errors import LocalError
from agent.store import Store


def refused(function, *arguments):
    try:
        function(*arguments)
    except LocalError:
        return True
    return False


def test_what_was_put_is_there_after_a_restart():
    files = {}
    store = Store(Medium(files))
    assert store.get("name") is None and store.get("epoch", 0) == 0 and not store.damaged
    store.put({"name": "meter-1", "epoch": 1})
    store.put({"epoch": 2, "accounts": [{"uri": "coap://192.0.2.1", "key": b"\x00\xff"}]})
    again = Store(Medium(files))
    assert again.get("name") == "meter-1" and again.get("epoch") == 2
    assert again.get("accounts") == [{"uri": "coap://192.0.2.1", "key": b"\x00\xff"}]
    assert store.writes == 2 and again.writes == 0


def test_none_removes_a_key():
    files = {}
    store = Store(Medium(files))
    store.put({"a": 1, "b": 2})
    store.put({"a": None, "never": None})
    assert store.get("a", "gone") == "gone" and Store(Medium(files)).get("b") == 2


def test_power_cut_at_every_byte_leaves_the_old_or_the_new():
    """DESIGN 3.7: power may fail in the middle of any write."""
    before, after = {}, Medium({})
    Store(Medium(before)).put({"epoch": 1, "name": "old"})
    Store(after).put({"epoch": 1, "name": "old"})
    first = after.cost
    Store(after).put({"epoch": 2, "name": "new"})
    for tear in (None, 0, 255):
        for budget in range(after.cost - first):
            files = dict(before)
            try:
                Store(Medium(files, budget, tear)).put({"epoch": 2, "name": "new"})
                raise AssertionError("no cut")
            except Cut:
                pass
            store = Store(Medium(files))
            assert (store.get("epoch"), store.get("name")) in ((1, "old"), (2, "new"))
            assert not store.damaged
            store.put({"epoch": 3})  # and it goes on
            assert Store(Medium(files)).get("epoch") == 3


def test_power_cut_at_every_byte_of_the_first_write_is_a_new_device():
    whole = Medium({})
    Store(whole).put({"name": "new"})
    for budget in range(whole.cost):
        files = {}
        try:
            Store(Medium(files, budget)).put({"name": "new"})
        except Cut:
            pass
        store = Store(Medium(files))
        assert store.get("name") in (None, "new") and not store.damaged


def test_a_medium_that_fails_leaves_the_old_map():
    class Full(Medium):
        def write(self, name, data):
            raise OSError(28, "no space")

    files = {}
    Store(Medium(files)).put({"epoch": 1})
    store = Store(Full(files))
    try:
        store.put({"epoch": 2})
        raise AssertionError("not told")
    except OSError:
        pass
    assert store.get("epoch") == 1 and store.writes == 0


def test_what_is_kept_counts_although_the_medium_fails_and_is_written_with_the_next_change():
    class Full(Medium):
        full = True

        def write(self, name, data):
            if self.full:
                raise OSError(28, "no space")
            Medium.write(self, name, data)

    files = {}
    Store(Medium(files)).put({"epoch": 1})
    medium = Full(files)
    store = Store(medium)
    store.keep({"epoch": 2})
    assert store.get("epoch") == 2 and store.behind and Store(Medium(files)).get("epoch") == 1
    medium.full = False
    store.keep({"other": 3})
    assert not store.behind and Store(Medium(files)).get("epoch") == 2


def test_damage_that_no_power_cut_explains_is_told():
    files = {}
    store = Store(Medium(files))
    store.put({"a": 1})
    store.put({"a": 2})
    for name in files:
        files[name] = files[name][:-1] + b"\x00"
    assert Store(Medium(files)).damaged and Store(Medium(files)).get("a") is None


def test_any_flipped_bit_is_noticed():
    files = {}
    store = Store(Medium(files))
    store.put({"a": 1})
    store.put({"a": 2})
    newest = files["store.b"]
    for i in range(len(newest)):
        for bit in (1, 128):
            files["store.b"] = newest[:i] + bytes([newest[i] ^ bit]) + newest[i + 1 :]
            assert Store(Medium(files)).get("a") == 1


def test_foreign_bytes_are_not_a_store():
    for junk in (b"", b"x" * 40, bytes(40), b"PM1s" + bytes(12)):
        assert Store(Medium({"store.a": junk, "store.b": junk})).damaged


def test_what_could_not_be_read_again_is_refused():
    store = Store(Medium())
    assert refused(store.put, {"a": [[] for _ in range(520)]})
    assert refused(store.put, {"a": 1 << 70})
    assert refused(store.put, {"a": object()})
    assert store.get("a") is None and store.writes == 0


class Full:
    """A medium that takes no writes while `full`."""

    def __init__(self):
        self.files, self.full = {}, False

    def read(self, name):
        return self.files.get(name)

    def write(self, name, data):
        if self.full:
            raise OSError(28, "no space left on the medium")
        self.files[name] = data


def test_a_medium_that_fails_costs_nothing_but_durability():
    medium = Full()
    store = Store(medium)
    assert store.keep({"epoch": 1, "a": 1})
    medium.full = True
    assert not store.keep({"epoch": 2, "a": None}) and store.behind
    assert store.get("epoch") == 2 and store.get("a") is None
    assert Store(medium).get("epoch") == 1
    medium.full = False
    assert store.keep({"b": 3}) and not store.behind
    assert [Store(medium).get(key) for key in ("epoch", "a", "b")] == [2, None, 3]
