"""Host names keep working when DNS is dead, over a restart too."""

import socket

from agent.interpreter import MICRO
from agent.names import Names


class Store:
    def __init__(self):
        self.values, self.writes = {}, 0

    def get(self, key, default=None):
        return self.values.get(key, default)

    def keep(self, changes):
        self.values.update(changes)
        self.writes += 1


def address(ip, port=5683):
    return socket.getaddrinfo(ip, port)[0][-1] if MICRO else (ip, port)


def test_a_number_needs_nobody():
    assert Names(Store()).find("192.0.2.1", 5683, 0) == (("192.0.2.1", 5683), True)


def test_a_name_is_asked_for_and_believed_for_a_while():
    store = Store()
    names = Names(store)
    assert names.find("gw.example", 5683, 0) == (None, False)
    names.learn("gw.example", 5683, address("192.0.2.1"), 0)
    assert names.find("gw.example", 5683, 1) == (address("192.0.2.1"), True)
    assert names.host(("192.0.2.1", 5683)) == "gw.example" and names.host(("192.0.2.2", 5683)) == "192.0.2.2"
    assert names.find("gw.example", 5683, 600000) == (address("192.0.2.1"), False)


def test_nobody_knows_and_the_old_address_serves():
    names = Names(Store())
    names.learn("gw.example", 5683, address("192.0.2.1"), 0)
    names.learn("gw.example", 5683, None, 700000)
    assert names.find("gw.example", 5683, 800000) == (address("192.0.2.1"), True)
    names.learn("other.example", 5683, None, 700000)
    assert names.find("other.example", 5683, 700000) == (None, False)


def test_a_restart_without_dns():
    store = Store()
    for now in (0, 700000):
        Names(store).learn("gw.example", 5683, address("192.0.2.1"), now)
    assert store.writes == 1
    names = Names(store)
    assert names.find("gw.example", 5683, 0) == (("192.0.2.1", 5683), False)
    assert names.host(("192.0.2.1", 5683)) == "gw.example"
    names.learn("gw.example", 5683, address("192.0.2.9"), 0)
    assert store.writes == 2 and Names(store).find("gw.example", 5683, 0)[0] == ("192.0.2.9", 5683)


def test_the_table_is_bounded():
    store = Store()
    names = Names(store)
    for number in range(100):
        names.learn("host%d" % number, 5683, address("192.0.2.1"), 0)
    assert len(names._known) <= 8 and len(store.values["names"]) <= 8
