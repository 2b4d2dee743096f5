"""Host names keep working when DNS is dead, over a restart too."""

from agent.names import Names


class Store:
    def __init__(self):
        self.values, self.writes = {}, 0

    def get(self, key, default=None):
        return self.values.get(key, default)

    def keep(self, changes):
        self.values.update(changes)
        self.writes += 1


def test_a_number_needs_nobody():
    assert Names(Store()).find("eth", "192.0.2.1", 5683, 0) == ("192.0.2.1", True)


def test_a_name_is_asked_for_and_believed_for_a_while():
    store = Store()
    names = Names(store)
    assert names.find("eth", "gw.example", 5683, 0) == (None, False)
    names.learn("eth", "gw.example", "192.0.2.1", 60000)
    assert names.find("eth", "gw.example", 5683, 59999) == ("192.0.2.1", True)
    assert names.host(("192.0.2.1", 5683)) == "gw.example" and names.host(("192.0.2.2", 5683)) == "192.0.2.2"
    assert names.find("eth", "gw.example", 5683, 60000) == ("192.0.2.1", False)
    assert names.find("eth", "192.0.2.1", 5683, 0) == ("192.0.2.1", True)
    assert names.host(("192.0.2.1", 5683)) == "192.0.2.1"


def test_each_link_has_its_own_view():
    """What one link's DNS says serves on another until that one's has been asked."""
    names = Names(Store())
    names.learn("eth", "gw.example", "192.0.2.1", 60000)
    assert names.find("lte", "gw.example", 5683, 0) == ("192.0.2.1", False)
    names.learn("lte", "gw.example", "10.0.0.1", 60000)
    assert names.find("lte", "gw.example", 5683, 0) == ("10.0.0.1", True)
    assert names.find("eth", "gw.example", 5683, 0) == ("192.0.2.1", True)


def test_nobody_knows_and_the_old_address_serves():
    names = Names(Store())
    names.learn("eth", "gw.example", "192.0.2.1", 60000)
    names.learn("eth", "gw.example", None, 710000)
    assert names.find("eth", "gw.example", 5683, 700000) == ("192.0.2.1", True)
    assert names.find("eth", "gw.example", 5683, 710000) == ("192.0.2.1", False)
    names.learn("eth", "other.example", None, 710000)
    assert names.find("eth", "other.example", 5683, 700000) == (None, True)


def test_a_restart_without_dns():
    store = Store()
    for until in (1, 700000):
        Names(store).learn("eth", "gw.example", "192.0.2.1", until)
    assert store.writes == 1
    names = Names(store)
    assert names.find("eth", "gw.example", 5683, 0) == ("192.0.2.1", False)
    assert names.host(("192.0.2.1", 5683)) == "gw.example"
    names.learn("eth", "gw.example", "192.0.2.9", 1)
    assert store.writes == 2 and Names(store).find("eth", "gw.example", 5683, 0)[0] == "192.0.2.9"


def test_the_table_is_bounded():
    store = Store()
    names = Names(store)
    for number in range(100):
        names.learn("eth", "host%d" % number, "192.0.2.1", 1)
    assert len(names._known) <= 8 and len(store.values["names"]) <= 8
