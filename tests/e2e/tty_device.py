"""Runs under either interpreter: PORT -> what the driver hands on to a board and a port that can, or that cannot."""

import sys

sys.path.insert(0, __file__.rpartition("/")[0] + "/../..")

from agent.log import Log  # noqa: E402
from agent.run import Driver  # noqa: E402
from boards.tty import Tty  # noqa: E402


class Store:
    def get(self, key, default=None):
        return default


class Agent:
    """Wants what the test wants."""

    modem = None

    def __init__(self):
        self.store, self.log, self.out = Store(), Log(), []

    def take(self):
        out, self.out = self.out, []
        return out


class Plain:
    """A board and a port that cannot."""

    def links(self):
        return []


class Board(Plain):
    """Notes what it is asked for."""

    def __init__(self):
        self.asked = []

    def power(self, what, ms):
        self.asked.append((what, ms))
        if what == "off":
            raise OSError(5, "power key: the line cannot be set")


def main(path):
    agent, board, port = Agent(), Board(), Tty(path)
    driver = Driver(board, agent)
    driver.port = port
    for baud in (9600, 460800, 1234567, 0):
        agent.out.append(("baud", baud))
        driver.flush()
        sys.stdout.write("%d\n" % baud)
        getattr(sys.stdout, "flush", Agent)()
        sys.stdin.readline()  # the test looks at the port's speed
    agent.out += [("power", "reset", 100), ("power", "off", 500)]
    driver.flush()
    assert board.asked == [("reset", 100), ("off", 500)] and "no power" in agent.log.tail()[0]
    driver.board = driver.port = Plain()
    agent.out += [("power", "on", 100), ("baud", 9600)]
    driver.flush()
    driver.port = None  # the port has vanished
    agent.out.append(("baud", 9600))
    driver.flush()
    print("passed")


main(sys.argv[1])
