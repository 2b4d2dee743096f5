"""Which DNS servers are asked over which link, in which order; what a board knows by itself is not asked for."""

from agent.lookups import Lookups
from agent.settings import Settings


class Store:
    def __init__(self):
        self.values = {}

    def get(self, key, default=None):
        return self.values.get(key, default)

    def keep(self, changes):
        self.values.update(changes)


class Clock:
    def now(self):
        return 1000


class Call:
    def servers(self):
        return ["10.0.0.1", "10.0.0.2"]


class Agent:
    metrics = None

    def __init__(self, dns):
        self.store, self.settings = Store(), Settings({"dns": dns})


class Board:
    """Knows gw.test by itself."""

    def names(self, host, link):
        return ("192.0.2.1" if host == "gw.test" else None), ["192.0.2.53"]


class Driver:
    def __init__(self, dns="", board=None, call=None):
        self.agent, self.board, self.call, self.clock = Agent(dns), board, call, Clock()
        self.sent, self.warned = [], []

    def transmit(self, link, address, data):
        self.sent.append((link, address, data))

    def warn(self, event, quiet=0, **fields):
        self.warned.append(fields)


def servers(link, **how):
    return Lookups(Driver(**how))._known(link, "x.test")[1]


def test_the_link_s_own_servers_come_first():
    board = Board()
    assert servers("eth", board=board, dns="9.9.9.9") == [("192.0.2.53", 53), ("9.9.9.9", 53)]
    assert servers("lte", board=board, call=Call())[:2] == [("10.0.0.1", 53), ("10.0.0.2", 53)]
    assert servers("eth", board=board, call=Call()) == [("192.0.2.53", 53)]


def test_the_setting_may_be_for_one_link():
    dns = "eth=192.0.2.9:5353,lte=10.9.9.9,9.9.9.9"
    assert servers("eth", dns=dns) == [("192.0.2.9", 5353), ("9.9.9.9", 53)]
    assert servers("lte", dns=dns) == [("10.9.9.9", 53), ("9.9.9.9", 53)]
    assert servers("wifi", dns=dns) == [("9.9.9.9", 53)] and servers("eth") == []


def test_what_the_board_knows():
    driver = Driver(board=Board())
    lookups = Lookups(driver)
    lookups.send("eth", "gw.test", 5683, b"hello")
    lookups.send("eth", "gw.test", 5684, b"again")
    assert driver.sent == [("eth", ("192.0.2.1", 5683), b"hello"), ("eth", ("192.0.2.1", 5684), b"again")]
    assert lookups.host(("192.0.2.1", 5684)) == "gw.test" and driver.agent.store.values == {
        "names": {"gw.test": "192.0.2.1"}
    }


def test_nobody_to_ask():
    driver = Driver()
    driver.board = driver  # one that has neither names nor servers
    driver.waiting = _Waiting()
    driver.below = lambda n: 0
    lookups = Lookups(driver)
    for _ in range(3):
        lookups.send("eth", "x.test", 5683, b"hello")
    assert driver.sent == [] and not lookups._pending
    (warned,) = driver.warned  # and not asked for again at once
    assert warned["host"] == "x.test" and warned["error"] == "no DNS server is known for this link"


class _Waiting:
    def forget(self, name):
        pass
