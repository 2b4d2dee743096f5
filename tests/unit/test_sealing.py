"""Credentials at rest: nobody reads them from the medium, a nonce serves once, and no key means a fresh start."""

from torn import Cut, Medium

from agent.codec import cbor
from agent.errors import LocalError
from agent.journal import Journal
from agent.sealing import wipe
from agent.settings import Settings
from agent.store import Store

PSK, MASTER = b"sixteen secret b", b"another secret16"
PLAIN = [[0, 0, 0, "coap://192.0.2.1"], [0, 0, 2, 3], [0, 0, 10, 1], [1, 0, 0, 1], [1, 0, 1, 300], [1, 0, 5, 86400]]
KEYED = [[0, 0, 0, "coaps://192.0.2.1"], [0, 0, 2, 0], [0, 0, 3, b"meter-7"], [0, 0, 5, PSK], [0, 0, 10, 1]]
UNSEALED = Settings({"unsealed": True})
OSCORE = PLAIN + [[0, 0, 17, "21:0"], [21, 0, 0, MASTER]]


class Keyless:
    """A medium of a board that has no machine key."""

    def __init__(self, files):
        self.files = files

    def read(self, name):
        return self.files.get(name)

    def write(self, name, data):
        self.files[name] = data


class Other(Medium):
    """The same medium in another machine."""

    def secret(self, what):
        return b"\x01" * 32


class Lost(Medium):
    """The machine key is gone; a new one can be made."""

    made = None

    def secret(self, what):
        if what == "make":
            self.made = self.made or b"\x02" * 32
        if self.made is None:
            raise OSError(2, "machine key: there is none")
        return self.made


def rows(store):
    return cbor.decode(store.get("config"))


def refusal(function, *arguments):
    try:
        function(*arguments)
    except OSError as e:
        return e.args[1]
    raise AssertionError("not refused")


def test_what_holds_keys_is_sealed_and_comes_back():
    for config, secret in ((KEYED, PSK), (OSCORE, MASTER)):
        files = {}
        store = Store(Medium(files))
        store.put({"config": cbor.encode(config), "epoch": 7})
        store.put({"guards": [[b"mark", b"key block of a session"]], "modem": {"pin": [[b"sim", b"pin", 0, 1]]}})
        for data in files.values():
            assert secret not in data and b"key block" not in data and b"pin" not in data and b"192.0.2" not in data
        again = Store(Medium(files))
        assert rows(again) == config and again.get("epoch") == 7 and again.note == "" and not again.damaged
        assert again.get("guards") == [[b"mark", b"key block of a session"]] and again.get("secret") is None


def test_a_device_without_keys_is_written_as_before():
    files = {}
    store = Store(Keyless(files))
    store.put({"config": cbor.encode(PLAIN), "epoch": 7, "modem": {"dials": [1, 2]}, "previous": PLAIN})
    values = cbor.decode(files["store.a"][16:])
    assert values == {"config": cbor.encode(PLAIN), "epoch": 7, "modem": {"dials": [1, 2]}, "previous": PLAIN}


def test_a_store_of_an_earlier_version_is_read_and_sealed_with_the_next_change():
    files = {}
    early = Store(Keyless(files), UNSEALED)
    early.put({"config": cbor.encode(KEYED)})
    assert PSK in files["store.a"]
    store = Store(Medium(files))
    assert rows(store) == KEYED and store.note == ""
    store.put({"epoch": 1})
    store.put({"epoch": 2})
    assert PSK not in files["store.a"] + files["store.b"] and rows(Store(Medium(files))) == KEYED


def test_a_nonce_is_never_used_for_two_texts():
    """Not even where a power cut takes a version back, which is then written again."""
    seen = {}
    for texts in range(6):
        files = {}
        store = Store(Medium(files))
        for turn in range(8):
            store.put({"guards": [[b"mark", bytes((texts // 2 * turn,)) * 20]]})
            data = cbor.decode(files["store." + "ab"[store._slot]][16:])["secret"]
            assert seen.setdefault(data[:13], data) == data
    assert len(seen) > 16


def test_another_machine_starts_without_the_credentials_and_with_the_rest():
    files = {}
    Store(Medium(files)).put({"config": cbor.encode(KEYED), "epoch": 7})
    store = Store(Other(files))
    assert store.get("config") is None and store.get("epoch") == 7 and not store.damaged
    assert "machine key is another" in store.note
    store.put({"epoch": 8})  # what cannot be opened stays, should the right key come back
    assert rows(Store(Medium(files))) == KEYED
    store.put({"config": cbor.encode(PLAIN)})
    for _ in range(2):
        assert rows(Store(Medium(files))) == PLAIN
        store.put({"epoch": 9})
    assert rows(Store(Other(files))) == PLAIN and Store(Other(files)).note == ""


def test_numbers_of_oscore_outlive_the_machine_key():
    """A number used twice under one key would give the texts away; a DTLS session is made anew."""
    files = {}
    store = Store(Medium(files))
    states = [[b"one", [64, 3, 1]], [b"two", b"keys of a session"], [b"three", [128]]]
    store.put({"config": cbor.encode(OSCORE), "guards": states})
    assert b"keys of" not in files["store.a"] and sorted(Store(Medium(files)).get("guards")) == sorted(states)
    for medium in (Other(files), Lost(files), Keyless(files)):
        assert Store(medium).get("guards") == [states[0], states[2]] and Store(medium).get("config") is None
    keyless = {}
    Store(Keyless(keyless)).put({"guards": states[:1]})
    assert Store(Keyless(keyless)).get("guards") == states[:1]


def test_a_lost_key_is_not_replaced_before_there_is_something_to_seal():
    files = {}
    Store(Medium(files)).put({"config": cbor.encode(KEYED)})
    medium = Lost(files)
    store = Store(medium)
    assert "there is none" in store.note and store.get("config") is None and medium.made is None
    store.put({"config": cbor.encode(OSCORE)})
    assert medium.made and rows(Store(medium)) == OSCORE and Store(medium).note == ""


def test_any_damage_inside_is_noticed():
    for bad in (b"", b"x" * 12, bytes(40), 7, None):
        files = {}
        Store(Keyless(files)).put({"secret": bad, "epoch": 3})
        if bad is not None:
            store = Store(Medium(files))
            assert store.note and store.get("epoch") == 3 and store.get("config") is None


def test_nothing_secret_is_written_where_it_cannot_be_sealed():
    files = {}
    store = Store(Keyless(files))
    store.put({"epoch": 1})
    told = refusal(store.put, {"config": cbor.encode(KEYED)})
    assert told.startswith("store: credentials cannot be sealed (") and "unsealed" in told and "sixteen" not in told
    assert not store.keep({"guards": [[b"mark", PSK]]}) and store.note == told
    assert PSK not in b"".join(files.values()) and Store(Keyless(files)).get("epoch") == 1
    assert store.get("guards") == [[b"mark", PSK]] and store.behind  # until the next start
    store = Store(Keyless(files), UNSEALED)
    store.put({"config": cbor.encode(KEYED)})
    assert rows(Store(Keyless(files))) == KEYED


def test_a_pin_memory_alone_may_stay_as_it_is():
    files = {}
    Store(Keyless(files)).put({"modem": {"pin": [[b"sim", b"mark", 0, 1]]}})
    assert Store(Keyless(files)).get("modem") == {"pin": [[b"sim", b"mark", 0, 1]]}
    Store(Medium(files)).put({"epoch": 1})
    assert b"mark" not in files["store.b"]


def test_what_only_looks_like_a_key_needs_none():
    odd = PLAIN + [[1, 0, 1, 0x0541], [26241, 0, 1, "\x05A \x05B"]]
    store = Store(Keyless({}))
    store.put({"config": cbor.encode(odd)})
    assert rows(store) == odd


def test_what_could_not_be_read_again_is_refused():
    store = Store(Medium())
    for _ in range(2):
        try:
            store.put({"modem": {"pin": [[] for _ in range(520)]}})
            raise AssertionError("not refused")
        except (LocalError, OSError) as e:
            assert "too much in it" in e.args[-1] and store.get("modem") is None


def test_power_cut_at_every_byte_leaves_the_old_or_the_new():
    before, whole = {}, Medium({})
    for medium in (Medium(before), whole):
        Store(medium).put({"epoch": 1, "config": cbor.encode(KEYED)})
    first = whole.cost
    Store(whole).put({"epoch": 2, "config": cbor.encode(OSCORE)})
    for tear in (None, 0):
        for budget in range(0, whole.cost - first, 3):
            files = dict(before)
            try:
                Store(Medium(files, budget, tear)).put({"epoch": 2, "config": cbor.encode(OSCORE)})
                raise AssertionError("no cut")
            except Cut:
                pass
            store = Store(Medium(files))
            assert (store.get("epoch"), rows(store)) in ((1, KEYED), (2, OSCORE)) and not store.note


class Wiped(Medium):
    """Knows whether its machine key is forgotten."""

    forgotten = False

    def secret(self, what):
        self.forgotten = self.forgotten or what == "forget"
        return Medium.secret(self, what)


def filled():
    medium = Wiped({})
    store = Store(medium)
    for epoch in (1, 2):
        store.put({"epoch": epoch, "config": cbor.encode(KEYED)})
    Journal(medium, 5).append(0, 12345)
    return medium, store


def test_wiped_nothing_is_left():
    medium, store = filled()
    wipe(store, {"status": "stopped"})
    assert medium.forgotten and store.get("config") is None and store.get("status") == "stopped"
    again = Store(Medium(medium.files))
    assert [again.get(name) for name in ("status", "epoch", "config", "secret", "gone")] == ["stopped"] + 4 * [None]
    assert Journal(Medium(medium.files), 5).pending() == []
    for data in medium.files.values():
        assert b"secret" not in data and (not data.strip(b"\0") or b"status" in data)


def test_a_wipe_goes_on_after_a_power_cut():
    whole, store = filled()
    before = whole.cost
    wipe(store, {"status": "stopped"})
    for budget in range(whole.cost - before):
        medium, store = filled()
        medium.budget = before + budget
        try:
            wipe(store, {"status": "stopped"})
            raise AssertionError("no cut")
        except Cut:
            pass
        later = Wiped(medium.files)
        store = Store(later)
        if store.get("status") is None:
            assert rows(store) == KEYED and store.get("epoch") == 2
        else:
            assert later.forgotten or medium.forgotten
            store.put({"a": 1})
            assert Journal(later, 5).pending() == [] and b"secret" not in b"".join(later.files.values())
