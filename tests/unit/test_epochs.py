"""W2: the epoch of a registration is in the store before it is used, and no other attempt ever has it."""

from agent.accounts import pack
from agent.configuration import Configuration
from agent.settings import Settings
from agent.store import Store
from agent.vetting import single


class Medium:
    def __init__(self, files=None):
        self.files = files if files is not None else {}

    def read(self, name):
        return self.files.get(name)

    def write(self, name, data):
        self.files[name] = data


def configured(medium):
    store = Store(medium)
    if store.get("config") is None:
        store.put({"config": pack(single("coap://10.0.0.1", 60))})
    return store, Configuration(store, Settings({"insecure": True}))


def move(configuration, link):
    return configuration.epoch_for(configuration.accounts[0], link)


def test_a_move_takes_the_next_epoch_and_a_repetition_the_same():
    _, configuration = configured(Medium())
    assert [move(configuration, link) for link in ("eth", "eth", "lte", "eth")] == [1, 1, 2, 3]


def test_every_epoch_is_in_the_store_before_it_is_used():
    medium = Medium()
    store, configuration = configured(medium)
    for turn in range(100):
        epoch = move(configuration, ("eth", "lte")[turn % 2])
        assert epoch == turn + 1 and Store(medium).get("epoch") >= epoch
    assert store.writes <= 9


def test_moves_do_not_wait_for_the_medium_while_one_is_registered_now_and_then():
    store, configuration = configured(Medium())
    move(configuration, "eth")
    for _ in range(100):
        configuration.reserve_epochs()
        writes = store.writes
        for link in ("lte", "eth", "lte", "eth"):
            move(configuration, link)
        assert store.writes == writes


def test_a_restart_never_reuses_one():
    medium, last = Medium(), 0
    for turn in range(40):
        _, configuration = configured(medium)
        for link in ("eth", "lte", "eth")[: turn % 4]:
            epoch = move(configuration, link)
            assert epoch > last
            last = epoch


def test_what_a_registrar_knows_is_exceeded():
    medium = Medium()
    _, configuration = configured(medium)
    move(configuration, "eth")
    configuration.raise_epoch(500)
    assert move(configuration, "eth") == 501 and Store(medium).get("epoch") >= 501
    configuration.raise_epoch(7)
    assert move(configuration, "lte") == 502
