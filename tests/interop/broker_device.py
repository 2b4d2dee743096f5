"""A device's side of a broker, under either Python: the engine on a socket, driven by waiting.py.

usage: python|micropython broker_device.py ROOT PORT CLIENT KEEPALIVE-S TOPICS [USER PASSWORD [STORED]]
Prints "up", "down WHY" and "message TOPIC PAYLOAD-HEX".
What comes is stored unless STORED is "no": then it is not acknowledged.
"""

import os
import sys

sys.path.insert(0, sys.argv[1])

from agent.brokering import Line  # noqa: E402 - only now can it be found
from agent.engine import broker  # noqa: E402
from agent.interpreter import Clock  # noqa: E402
from agent.waiting import Waiting  # noqa: E402
from boards.posix import Plain  # noqa: E402
from boards.streams import open_stream  # noqa: E402

broker._FIRST_MS, broker._LONGEST_MS, broker._ANSWER_MS = 100, 400, 2000  # so that a test need not wait


def below(n):
    return int.from_bytes(os.urandom(4), "big") % n


class Device:
    """The loop of an agent that does nothing else."""

    def __init__(self, port, client, keepalive, topics, user="", password="", stored="yes"):
        clock, address, link = Clock(), ("127.0.0.1", int(port)), Plain("eth", "127.0.0.1")
        self.waiting, self.stores = Waiting(clock), stored == "yes"
        engine = broker.Broker(client, topics.split(","), below, int(keepalive), user or None,
                               password.encode() if user else None)  # fmt: skip
        self.line = Line(self.waiting, clock, engine, lambda: open_stream(link, address), self.told)

    def run(self):
        self.line.start()
        while True:
            self.waiting.turn(None)

    def told(self, name, *what):
        if name == "message":
            if self.stores:
                self.line.stored(what[2])  # on its way before a test knows of it, and ends us
            print(name, what[0], what[1].hex())
        else:
            print(name, *what)


Device(*sys.argv[2:]).run()
