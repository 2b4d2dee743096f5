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
    """Run an agent for these steps, 60 ms apart -> its log."""
    board, log = made(lan=WIRED, modem=MODEM, period=10), []

    def sink(*entry):
        log.append(" ".join([str(item) for item in entry]))

    agent = Agent(Settings(settings), Medium(), board.below, board.measure, board.wall, sink)
    driver = Driver(board, agent)
    for number, step in enumerate(steps + [Driver.stop, Driver.stop]):
        driver.waiting.after(60 * (number + 1), "step %d" % number, lambda step=step: step(driver))
    assert driver.run() in (0, 1), log
    return log


def test_links_and_the_modem_are_used():
    if not MICRO:
        return

    def plug(driver):
        MADE["lan"].state = 5
        address(MADE["lan"], "127.0.0.2")

    def look(driver):
        seen.append("eth" in driver._sockets)

    def pull(driver):
        MADE["lan"].state = 4
        MADE["uart"].arrived = b"\r\nRDY\r\n"
        driver.write(b"AT\r")

    with Chip():
        seen = []
        log = run([look, plug, look, pull, lambda driver: look(driver)])
        assert seen == [False, True, False], log
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

    def look(driver):
        seen.append(("lte" in driver._sockets, MADE["uart"].arrived))

    def hang_up(driver):
        driver.call.stop()
        MADE["uart"].arrived = b""
        MADE["ppp"].agree()

    def nothing(driver):
        pass

    with Chip():
        seen = []
        log = run([dial, look, hang_up] + [nothing] * 9 + [lambda driver: look(driver)], session="ppp", cmux="off")
        assert seen == [(True, b"~~~"), (False, b"")], (seen, log)
        assert MADE["ppp"].stream is None and MADE["uart"].handler is None
