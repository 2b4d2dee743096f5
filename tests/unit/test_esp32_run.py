"""The agent's own loop on the ESP32's board, with doubles of its modules: links that come and go, a serial
port that is read and written, a data call that has it. MicroPython only: what there is to wait on is no file."""

import sys

from esp32_modules import MADE, Chip
from test_esp32 import MODEM, WIRED, address, made

from agent.agent import Agent
from agent.run import Driver
from agent.session import Call
from agent.settings import Settings

MICRO = sys.implementation.name == "micropython"


class Medium:
    """Flash that forgets: what the agent keeps here is not looked at."""

    def read(self, name):
        return None

    def write(self, name, data):
        pass

    append = write

    def remove(self, name):
        pass


def run(steps, **settings):
    """Run an agent for these steps, one after the other; one that says False is played again -> its log."""
    board, log, left, turns = made(lan=WIRED, modem=MODEM, period=10), [], steps + [Driver.stop, Driver.stop], [0]

    def sink(*entry):
        log.append(" ".join([str(item) for item in entry]))

    def play():
        turns[0] += 1
        assert turns[0] < 1000, log
        if left[0](driver) is not False:
            left.pop(0)
        if left:
            driver.waiting.after(20, "step", play)

    agent = Agent(Settings(settings), Medium(), board.below, board.measure, board.wall, sink)
    driver = Driver(board, agent)
    driver.waiting.after(20, "step", play)
    assert driver.run() in (0, 1) and len(left) < 2, log  # what a step raises would have ended it before
    return log


def test_links_and_the_modem_are_used():
    if not MICRO:
        return

    def plug(driver):
        MADE["lan"].state = 5
        address(MADE["lan"], "127.0.0.2")

    def is_up(driver):
        return "eth" in driver._sockets

    def is_down(driver):
        return "eth" not in driver._sockets

    def pull(driver):
        MADE["lan"].state = 4
        MADE["uart"].arrived = b"\r\nRDY\r\n"
        driver.write(b"AT\r")

    with Chip():
        log = run([is_down, plug, is_up, pull, is_down])
        assert MADE["uart"].sent == b"AT\r" and MADE["uart"].arrived == b"" and MADE["uart"].gone, log


def test_a_data_call_has_the_port_until_it_ends():
    if not MICRO:
        return

    def dial(driver):
        driver.call = Call(driver, True)
        driver.call.start()
        MADE["ppp"].state = 4
        address(MADE["ppp"], "127.0.0.9")
        MADE["uart"].arrived = b"~~~"

    def is_up(driver):
        return "lte" in driver._sockets

    def untouched(driver):
        assert MADE["uart"].arrived == b"~~~"

    def hang_up(driver):
        driver.call.stop()
        MADE["uart"].arrived = b""
        MADE["ppp"].agree()

    def is_down(driver):
        return "lte" not in driver._sockets and driver.call is None

    with Chip():
        run([dial, is_up, untouched, hang_up, is_down], session="ppp", cmux="off")
        assert MADE["uart"].arrived == b"" and MADE["ppp"].stream is None and MADE["uart"].handler is None


def test_groups_are_listened_to_where_the_cable_is():
    if not MICRO:
        return

    def plug(driver):
        MADE["lan"].state = 5
        address(MADE["lan"], "127.0.0.2")
        driver._look_at_links()

    def enter(driver):
        tree = {(26243, 0, 0): b"meters", (26243, 0, 3): "239.77.0.41:5685", (26244, 0, 0): b"R" * 64}
        driver.agent.configuration.tree = tree
        driver.agent.resources.extend()
        driver.agent.poll(driver.clock.now())
        driver.flush()
        look(driver)

    def look(driver):
        seen.append(list(driver.groups._heard))

    def pull(driver):
        MADE["lan"].state = 4
        driver._look_at_links()

    with Chip():
        seen = []
        log = run([plug, enter, pull, look, plug, look])
        heard = [("eth", "127.0.0.2", "239.77.0.41:5685")]
        assert seen == [heard, [], heard], (seen, log)
